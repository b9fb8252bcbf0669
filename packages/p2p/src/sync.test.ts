import { type HashPrefix, limits, prefixOf, type TxRecord } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createCatalogue } from './catalogue.ts'
import { bucketOf, createDigest } from './digest.ts'
import { bodiesFor, idsFor, leftOf, wantedOf } from './sync.ts'
import { cheapTxs } from './testkit/sync-world.ts'
import { poolChanged } from './testkit/world.ts'

const catalogueOf = (txs: readonly TxRecord[]) => {
  const catalogue = createCatalogue()
  catalogue.hear(poolChanged(txs.map(tx => ({ tx, origin: 'gossip', relayed: true }))))
  return catalogue
}
const digestOf = (txs: readonly TxRecord[]) => {
  const digest = createDigest()
  for (const { hash } of txs) digest.add(hash)
  return digest.bytes
}
/** Draws these numbers, then zeros. */
const drawing =
  (...draws: number[]) =>
  () =>
    draws.shift() ?? 0
const prefixes = (txs: readonly TxRecord[]) => txs.map(({ hash }) => prefixOf(hash))

describe('what a peer is told', () => {
  const txs = cheapTxs(600, 1)
  const ours = catalogueOf(txs)

  test('of equal pools is four buckets drawn at random, in full', () => {
    const { answer, differs } = idsFor(digestOf(txs), ours, drawing(3, 250, 17, 99, 40))

    const listed = txs.filter(({ hash }) => [3, 250, 17, 99].includes(bucketOf(hash)))
    expect(differs).toBe(false)
    expect(answer.more).toBe(false)
    expect([...answer.prefixes].sort()).toEqual(prefixes(listed).sort())
  })

  test('of other pools is also every bucket that differs, from one drawn at random on', () => {
    const lacking = txs.filter(({ hash }) => bucketOf(hash) % 50 === 0)
    const theirs = digestOf(txs.filter(tx => !lacking.includes(tx)))

    const { answer, differs } = idsFor(theirs, ours, drawing(3, 250, 17, 99, 120))

    const order = [...new Set(answer.prefixes.map(bucketOf))].filter(bucket => bucket % 50 === 0)
    expect(differs).toBe(true)
    expect(order).toEqual([250, 150, 200, 0, 50, 100])
    for (const prefix of prefixes(lacking)) expect(answer.prefixes).toContain(prefix)
  })

  test('of more than 4,096 is a part, and that there is more', () => {
    const many = catalogueOf(cheapTxs(4_200, 2))
    const { answer } = idsFor(digestOf([]), many, drawing(1, 2, 3, 4, 5))

    expect(answer.prefixes.length).toBe(4_096)
    expect(answer.more).toBe(true)
  })
})

test('nothing is asked for twice, nothing known, and at most 3,072', () => {
  const names = Array.from(
    { length: 4_000 },
    (_, index) => `0x${index.toString(16).padStart(16, '0')}` as HashPrefix,
  )
  const known = new Set(names.slice(0, 900))

  const all = wantedOf({ more: false, prefixes: [...names, ...names] }, name => known.has(name))
  const few = wantedOf({ more: true, prefixes: names.slice(890, 910) }, name => known.has(name))

  expect(all).toEqual({ prefixes: names.slice(900, 3_972), more: true })
  expect(few).toEqual({ prefixes: names.slice(900, 910), more: true })
})

describe('bodies', () => {
  test('come in the order asked, what is not there is listed', () => {
    const [first, second, third] = cheapTxs(3, 1) as [TxRecord, TxRecord, TxRecord]
    const { find } = catalogueOf([first, third])
    const asked = prefixes([third, second, first])

    expect(bodiesFor([...asked, ...asked], find)).toEqual({
      kind: 'txs',
      txs: [third.raw, first.raw],
      missing: prefixes([second]),
    })
  })

  test('end at 128 KiB, and the rest may be asked for again', () => {
    const txs = cheapTxs(5, 1, 40_000)
    const answer = bodiesFor(prefixes(txs), catalogueOf(txs).find)

    expect(answer.txs.length).toBe(3)
    expect(leftOf(answer)).toEqual(prefixes(txs.slice(3)))
  })

  test('are at least one, however large', () => {
    const txs = cheapTxs(2, 1, 130_950)
    const answer = bodiesFor(prefixes(txs), catalogueOf(txs).find)

    expect(txs[0]?.raw.length).toBeGreaterThan(limits.poolSyncTxsBytes - 16)
    expect(answer.txs.length).toBe(1)
  })

  test('of which none came are not there', () => {
    const answer = bodiesFor(prefixes(cheapTxs(2, 1)), () => [])
    expect(leftOf(answer)).toEqual([])
  })
})

describe('the catalogue', () => {
  const [first, second] = cheapTxs(2, 1) as [TxRecord, TxRecord]
  const event = (tx: TxRecord, origin: 'local' | 'private' = 'local') =>
    ({ tx, origin, relayed: false }) as const

  test('has what is pending, and no longer what was demoted or dropped', () => {
    const catalogue = catalogueOf([first, second])
    catalogue.hear({ ...poolChanged([]), demoted: [first.hash] })
    catalogue.hear({ ...poolChanged([]), dropped: [{ hash: second.hash, reason: 'mined' }] })

    expect(catalogue.total).toBe(0)
    expect(catalogue.digest).toEqual(digestOf([]))
    expect(catalogue.find(prefixOf(first.hash))).toEqual([])
  })

  test('keeps what was dropped and came back in one turn', () => {
    const catalogue = catalogueOf([first])
    const dropped = [{ hash: first.hash, reason: 'evicted-price' }]
    catalogue.hear({ ...poolChanged([event(first)]), dropped })

    expect(catalogue.digest).toEqual(digestOf([first]))
  })

  test('never has a private transaction', () => {
    const catalogue = createCatalogue()
    catalogue.hear(poolChanged([event(first, 'private'), event(second)]))

    expect(catalogue.total).toBe(1)
    expect(catalogue.find(prefixOf(first.hash))).toEqual([])
  })

  test('counts what it is told twice once', () => {
    const catalogue = catalogueOf([first, first])

    expect(catalogue.total).toBe(1)
    expect(catalogue.digest).toEqual(digestOf([first]))
  })
})
