import { limits } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { checkInvariants, fingerprint } from './invariants.ts'
import type { Op } from './op.ts'
import { addressAt, aHead, anAccount, aPool, aTx, Bench } from './testing.ts'

const sound = (bench: Bench) => expect(checkInvariants(bench.pool)).toEqual([])
const fiveSlots = { config: { globalSlots: 4, globalQueue: 1 } }

describe('where geth goes wrong', () => {
  test('Q1: a refused replacement costs no bystander its place', () => {
    const bench = new Bench(fiveSlots)
    bench.add(...[100, 10, 20, 30, 40].map((price, from) => aTx({ from, price })))

    expect(bench.codes(aTx({ from: 0, price: 105 }))).toEqual(['replacement-underpriced'])
    expect(bench.counts[0] + bench.counts[1]).toBe(5)
    sound(bench)
  })

  test('Q2: a full pool is no way around the price bump', () => {
    const bench = new Bench(fiveSlots)
    bench.add(...[100, 500, 500, 500, 500].map((price, from) => aTx({ from, price })))

    expect(bench.codes(aTx({ from: 0, price: 105 }))).toEqual(['replacement-underpriced'])
    expect(bench.pool.has(aTx({ from: 0, price: 100 }).hash)).toBe(true)
    sound(bench)
  })

  test('Q4: what a cap removes in the same run is not announced', () => {
    const bench = new Bench({ config: { globalSlots: 2, accountSlots: 1, globalQueue: 10 } })

    const { events } = bench.add(...[0, 1, 2, 3].map(nonce => aTx({ nonce })))

    expect(events.map(({ tx }) => tx.nonce)).toEqual([0n, 1n])
    expect(bench.counts).toEqual([2, 0])
  })

  test('Q6: an account limited by its delegation returns in nonce order', () => {
    const codeHash = aTx({ from: 77 }).hash
    const discarded = [aTx({ nonce: 0 }), aTx({ nonce: 1 })]
    for (const [delegatedSlots, pending] of [
      [1, [0]],
      [2, [0, 1]],
    ] as const) {
      const bench = new Bench({ config: { delegatedSlots } }).set(0, { nonce: 2n, codeHash })

      const { dropped } = bench.set(0, { nonce: 0n }).reset({ kind: 'reorg', discarded })

      expect(bench.nonces(0).pending).toEqual(pending)
      if (delegatedSlots === 1) {
        expect(dropped).toEqual([
          { hash: aTx({ nonce: 1 }).hash, reason: 'reorg-lost', code: 'pool/delegated-gap' },
        ])
      }
    }
  })

  test('Q7: what cannot return after a reorg is told with its reason', () => {
    const bench = new Bench().set(0, { balance: 0n })
    const { dropped } = bench.reset({ kind: 'reorg', discarded: [aTx()] })
    expect(dropped).toEqual([
      { hash: aTx().hash, reason: 'reorg-lost', code: 'pool/insufficient-funds' },
    ])
  })

  test('Q8: without the new state nothing changes, and the next good head repairs it', () => {
    const bench = new Bench()
    bench.add(aTx({ nonce: 0 }), aTx({ nonce: 2 }))
    const before = fingerprint(bench.pool)
    const [old, lost, good] = [0, 1, 2].map(number => aHead({ number, baseFee: 100n }))
    if (old === undefined || lost === undefined || good === undefined) throw new Error('heads')
    const path = { kind: 'missing', what: 'state' } as const
    const missed: Op = { op: 'reset', now: 0, old, new: lost, path, accounts: new Map() }

    bench.apply(missed)

    expect(fingerprint(bench.pool)).toBe(before)
    expect(bench.pool.drifted).toBe(true)
    expect(bench.pool.head.number).toBe(0)
    const accounts = new Map([[addressAt(0), anAccount({ nonce: 1n })]])
    const child = { kind: 'child', discarded: [], included: new Set([aTx().hash]) } as const
    const refused = bench.apply({ ...missed, old, new: good, path: child, accounts })
    expect(refused.refused).toMatch(/^op out of order: reset from /)
    bench.apply({ ...missed, old: lost, new: good, path: child, accounts })
    expect(bench.pool.drifted).toBe(false)
    expect(bench.nonces(0)).toEqual({ pending: [], queued: [2] })
    sound(bench)
  })

  test('Q16: an account that does not exist is not delegated', () => {
    const bench = new Bench({ config: { priceLimit: 0n } })
    bench.state.set(addressAt(0), {
      nonce: 0n,
      balance: 0n,
      codeHash: `0x${'00'.repeat(32)}` as never,
    })
    expect(bench.codes(aTx({ nonce: 1, price: 0, value: 0 }))).toEqual(['queued'])
  })

  test('Q18: size, gas cap and minimum tip hold for what comes back too', () => {
    const bench = new Bench({ config: { priceLimit: 10n } })
    const fine = aTx({ from: 0, size: limits.txBytesMax, gas: 16_777_216, price: 10 })
    const bad = [
      aTx({ from: 1, size: limits.txBytesMax + 1 }),
      aTx({ from: 2, gas: 16_777_217 }),
      aTx({ from: 3, price: 9 }),
    ]

    const { dropped } = bench.reset({ kind: 'reorg', discarded: [fine, ...bad] })

    expect(dropped.map(({ code }) => code)).toEqual([
      'pool/oversized',
      'pool/gas-cap',
      'pool/tip-below-minimum',
    ])
    expect(bench.pool.status(fine.hash)).toBe('pending')
  })

  test('Q20: a hole in what came back sends everything above it to the queue', () => {
    const bench = new Bench().set(0, { nonce: 2n })
    bench.add(aTx({ nonce: 2 }))
    const cheap = aTx({ nonce: 0 })
    const dear = aTx({ nonce: 1, value: 10n ** 18n })

    bench.set(0, { nonce: 0n }).reset({ kind: 'reorg', discarded: [cheap, dear] })

    expect(bench.nonces(0)).toEqual({ pending: [0], queued: [2] })
    expect(bench.pool.nonce(addressAt(0))).toBe(1n)
    sound(bench)
    expect(bench.codes(aTx({ nonce: 1 }))).toEqual(['pending'])
    expect(bench.nonces(0).pending).toEqual([0, 1, 2])
  })
})

describe('reorgs', () => {
  test('blocks that leave bring their transactions back in front of what waited', () => {
    const bench = new Bench()
    const txs = [0, 1, 2, 3].map(nonce => aTx({ nonce }))
    bench.add(...txs)
    const block = txs.slice(0, 3)
    bench.set(0, { nonce: 3n }).reset({ included: new Set(block.map(({ hash }) => hash)) })
    expect(bench.nonces(0).pending).toEqual([3])

    const { events, added } = bench.set(0, { nonce: 1n }).reset({
      kind: 'reorg',
      discarded: block,
      included: new Set([block[0]?.hash ?? txs[0]?.hash ?? aTx().hash]),
    })

    expect(bench.nonces(0).pending).toEqual([1, 2, 3])
    expect(added).toHaveLength(2)
    expect(events.map(({ tx, origin, relayed }) => [tx.nonce, origin, relayed])).toEqual([
      [1n, 'reorg', false],
      [2n, 'reorg', false],
    ])
    sound(bench)
  })

  test('too deep a reorg brings nothing back and says so', () => {
    const bench = new Bench()
    const { dropped } = bench.reset({ kind: 'deep', discarded: [aTx()] })
    expect(dropped).toEqual([{ hash: aTx().hash, reason: 'reorg-too-deep' }])
    expect(bench.counts).toEqual([0, 0])
  })

  test('set back by an operator, nothing comes back', () => {
    const bench = new Bench()
    expect(bench.reset({ kind: 'sethead', discarded: [aTx()] }).dropped).toEqual([])
  })

  test('at equal price the pooled transaction stays, at a higher one the returned takes its place', () => {
    const equal = new Bench()
    equal.add(aTx({ salt: 1 }))
    const { dropped } = equal.reset({ kind: 'reorg', discarded: [aTx({ salt: 2 })] })
    expect(dropped).toMatchObject([{ code: 'pool/replacement-underpriced' }])

    const higher = new Bench()
    higher.add(aTx({ price: 100 }))
    const back = aTx({ price: 200 })
    expect(higher.reset({ kind: 'reorg', discarded: [back] }).events).toEqual([])
    expect(higher.pool.status(back.hash)).toBe('pending')
    // A replacement made while coming back is announced by the next run.
    expect(higher.add().events).toMatchObject([{ tx: { hash: back.hash } }])
    sound(higher)
  })

  test('what comes back above a gap is a future transaction, though old pending ones lie above it', () => {
    const bench = new Bench({ config: { globalSlots: 3, globalQueue: 1 } }).set(0, { nonce: 5n })
    bench.add(...[5, 6].map(nonce => aTx({ nonce, price: 100 })))
    bench.add(...[1, 2].map(from => aTx({ from, price: 10 })))

    const { dropped } = bench
      .set(0, { nonce: 3n })
      .reset({ kind: 'reorg', discarded: [aTx({ nonce: 4, price: 50 })] })

    expect(dropped[0]).toMatchObject({ reason: 'reorg-lost', code: 'pool/future-replaces-pending' })
    sound(bench)
  })

  test('the pool is within its limits right after a reorg', () => {
    const bench = new Bench({ config: { globalSlots: 4, accountSlots: 1, globalQueue: 4 } })
    bench.add(...[0, 1, 2, 3].map(from => aTx({ from, price: 100 })))
    const discarded = [0, 1, 2, 3, 4, 5].map(nonce => aTx({ from: 9, nonce, price: 200 }))

    bench.reset({ kind: 'reorg', discarded })

    expect(bench.counts[0]).toBeLessThanOrEqual(5)
    sound(bench)
  })

  test('A, B and back to A is the identical pool', () => {
    const bench = new Bench()
    const txs = [0, 1, 2, 3].flatMap(nonce => [0, 1].map(from => aTx({ from, nonce })))
    bench.add(...txs, aTx({ from: 2, nonce: 4 }))
    const block = txs.slice(0, 4)
    const included = new Set(block.map(({ hash }) => hash))
    for (const from of [0, 1]) bench.set(from, { nonce: 2n })
    bench.reset({ included })
    const before = fingerprint(bench.pool)

    for (const from of [0, 1]) bench.set(from, { nonce: 0n })
    bench.reset({ kind: 'reorg', discarded: block })
    expect(fingerprint(bench.pool)).not.toBe(before)
    for (const from of [0, 1]) bench.set(from, { nonce: 2n })
    bench.reset({ kind: 'reorg', included })

    expect(fingerprint(bench.pool)).toBe(before)
    sound(bench)
  })
})

describe('the coming of the gas cap', () => {
  const forks = { londonBlock: 0, shanghaiTime: 0, osakaTime: 100 }

  test('what it forbids leaves, one unit less stays', () => {
    const head = aHead({ timeMs: 99_000 })
    const bench = new Bench({ forks, head })
    bench.add(
      aTx({ from: 0, gas: 16_777_216 }),
      aTx({ from: 1, gas: 16_777_217 }),
      aTx({ from: 1, nonce: 1 }),
    )

    bench.reset({}, { timeMs: 99_999 })
    expect(bench.counts).toEqual([3, 0])
    const { dropped } = bench.reset({}, { timeMs: 100_000 })

    expect(dropped).toMatchObject([{ reason: 'gas-cap' }])
    expect(bench.counts).toEqual([1, 1])
    sound(bench)
  })
})

test('three equal transactions that each cost everything pass in one batch, one by one only the first (as in geth)', () => {
  const { cost } = aTx()
  const batch = new Bench().set(0, { balance: cost })
  expect(batch.codes(...[0, 1, 2].map(nonce => aTx({ nonce })))).toEqual(Array(3).fill('pending'))
  const single = new Bench().set(0, { balance: cost })
  expect([0, 1].flatMap(nonce => single.codes(aTx({ nonce })))).toEqual([
    'pending',
    'insufficient-funds',
  ])
  expect(aPool().stats.pending).toBe(0)
})
