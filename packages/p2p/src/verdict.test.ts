import { type Code, errors } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charges } from './reasons.ts'
import { batchVerdict, isProvable, type JudgedCode, table, verdictOf } from './verdict.ts'

const calm = { fork: false, stale: false }
const codes = Object.keys(table) as JudgedCode[]

describe('the table', () => {
  test('has one row for every code a delivery can end with, and no other', () => {
    const rooms = ['pool', 'chain', 'gossip', 'load', 'peer']
    const judged = (Object.keys(errors) as Code[])
      .filter(code => code === 'actor/busy' || rooms.includes(code.split('/')[0] ?? ''))
      .filter(code => !Object.hasOwn(charges, code))

    expect([...codes].sort()).toEqual([...judged].sort())
  })

  test('rejects only what errors.ts calls the fault of the peer, and charges exactly that', () => {
    for (const code of codes) {
      const { verdict, charge } = table[code]

      expect([code, verdict === 'reject']).toEqual([code, charge !== undefined])
      if (verdict === 'reject') expect([code, errors[code].fault]).toEqual([code, 'peer'])
    }
  })

  test('never punishes for load, for this node, or for what only its head knows', () => {
    for (const code of codes) {
      const { fault } = errors[code]
      if (fault === 'self' || fault === 'user' || code.startsWith('load/')) {
        expect([code, table[code].verdict]).toEqual([code, 'ignore'])
      }
    }
  })

  test.each([
    ['pool/pending', 'accept'],
    ['pool/replaced', 'accept'],
    ['pool/queued', 'ignore'],
    ['pool/known', 'ignore'],
    ['pool/undecodable', 'reject'],
    ['pool/type-unsupported', 'ignore'],
    ['pool/nonce-too-low', 'ignore'],
    ['gossip/unknown-kind', 'ignore'],
    ['gossip/duplicate-entry', 'reject'],
    ['chain/imported', 'accept'],
    ['chain/side-branch', 'accept'],
    ['chain/invalid-body', 'ignore'],
    ['chain/bad-body-root', 'reject'],
    ['chain/unknown-parent', 'ignore'],
  ] as const)('%s is %s', (code, verdict) => {
    expect(verdictOf(code, calm).verdict).toBe(verdict)
  })
})

test('near a fork what the fork decides is ignored and nobody is charged, elsewhere rejected', () => {
  for (const code of ['pool/gas-cap', 'pool/initcode-too-big', 'pool/floor-gas'] as const) {
    expect(verdictOf(code, calm)).toMatchObject({ verdict: 'reject', charge: 'gossip/invalid-tx' })
    expect(verdictOf(code, { fork: true, stale: false })).toEqual({
      verdict: 'ignore',
      code,
      soft: false,
    })
    expect(isProvable(code)).toBe(false)
  }
  expect(verdictOf('pool/wrong-chain', { fork: true, stale: false }).verdict).toBe('reject')
})

test('a soft outcome counts while the head is fresh', () => {
  expect(verdictOf('pool/nonce-too-low', calm).soft).toBe(true)
  expect(verdictOf('pool/nonce-too-low', { fork: false, stale: true }).soft).toBe(false)
  expect(verdictOf('pool/queued', calm).soft).toBe(false)
})

describe('a batch', () => {
  test('is rejected for its first bad entry, whatever else is in it', () => {
    const verdict = batchVerdict(
      ['pool/pending', 'pool/wrong-chain', 'pool/invalid-sender', 'load/internal'],
      calm,
    )

    expect(verdict).toMatchObject({ verdict: 'reject', code: 'pool/wrong-chain' })
  })

  test('is held back by an entry that was not checked to the end', () => {
    for (const code of ['pool/type-unsupported', 'pool/type-not-enabled', 'load/internal'] as const)
      expect(batchVerdict(['pool/pending', code], calm)).toMatchObject({ verdict: 'ignore', code })
    expect(batchVerdict(['pool/pending', 'pool/gas-cap'], { fork: true, stale: false })).toEqual({
      verdict: 'ignore',
      code: 'pool/gas-cap',
      soft: false,
    })
  })

  test('is relayed for one good entry among known, queued and unlucky ones', () => {
    const verdict = batchVerdict(
      ['pool/known', 'pool/queued', 'pool/nonce-too-low', 'pool/pending'],
      calm,
    )

    expect(verdict).toMatchObject({ verdict: 'accept', code: 'pool/pending' })
  })

  test('of nothing new is ignored', () => {
    expect(batchVerdict(['pool/known', 'pool/queued'], calm)).toMatchObject({
      verdict: 'ignore',
      code: 'pool/known',
    })
  })

  test('has the verdict the rule says, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 64 }),
        fc.boolean(),
        (batch, fork) => {
          const each = batch.map(code => verdictOf(code, { fork, stale: false }).verdict)
          const held = batch.some(
            code => table[code].unchecked || (fork && table[code].fork === true),
          )
          const expected = each.includes('reject')
            ? 'reject'
            : held || !each.includes('accept')
              ? 'ignore'
              : 'accept'

          expect(batchVerdict(batch, { fork, stale: false }).verdict).toBe(expected)
        },
      ),
    )
  })
})
