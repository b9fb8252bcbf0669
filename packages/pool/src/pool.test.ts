import { describe, expect, test } from 'vitest'
import { checkInvariants } from './invariants.ts'
import { addressAt, aTx, Bench } from './testing.ts'

describe.each(['fixed', 'geth'] as const)('in mode %s', compat => {
  const fresh = (wish: ConstructorParameters<typeof Bench>[0] = {}) =>
    new Bench({ ...wish, config: { compat, ...wish?.config } })

  const sound = (bench: Bench) => expect(checkInvariants(bench.pool)).toEqual([])
  const run = (from: number, nonces: number, wish: Parameters<typeof aTx>[0] = {}) =>
    Array.from({ length: nonces }, (_, nonce) => aTx({ from, nonce, ...wish }))

  describe('queue and promotion', () => {
    test('a transaction at the account nonce is pending at once, one above a gap waits', () => {
      const bench = fresh()

      expect(bench.codes(aTx({ nonce: 0 }), aTx({ nonce: 10 }), aTx({ nonce: 11 }))).toEqual([
        'pending',
        'queued',
        'queued',
      ])
      expect(bench.nonces(0)).toEqual({ pending: [0], queued: [10, 11] })
      expect(bench.pool.nonce(addressAt(0))).toBe(1n)
      sound(bench)
    })

    test('filling the gap announces everything behind it, in nonce order', () => {
      const bench = fresh()
      expect(bench.add(aTx({ nonce: 0 }), aTx({ nonce: 2 })).events).toHaveLength(1)

      const { events, promoted } = bench.add(aTx({ nonce: 1 }))

      expect(events.map(({ tx }) => tx.nonce)).toEqual([1n, 2n])
      expect(promoted).toHaveLength(2)
      expect(bench.counts).toEqual([3, 0])
    })

    test('a stale nonce leaves the queue at the next reset, with a reason', () => {
      const bench = fresh()
      bench.add(aTx({ nonce: 1 }))

      const { dropped } = bench.set(0, { nonce: 2n }).reset()

      expect(dropped).toMatchObject([{ reason: 'nonce-used' }])
      expect(bench.counts).toEqual([0, 0])
      sound(bench)
    })

    test('of 69 gapped transactions 64 stay, and the highest go', () => {
      const bench = fresh()
      for (let nonce = 1; nonce <= 69; nonce++) {
        bench.add(aTx({ nonce }))
        expect(bench.counts[1]).toBeLessThanOrEqual(64)
      }
      expect(bench.nonces(0).queued.at(-1)).toBe(64)
      sound(bench)
    })

    test('69 executable transactions of one account all stay and are all announced', () => {
      const bench = fresh()

      const { events } = bench.add(...run(0, 69))

      expect(events).toHaveLength(69)
      expect(bench.counts).toEqual([69, 0])
    })

    test('nonce 2^64-2 is legal and waits', () => {
      expect(fresh().codes(aTx({ nonce: 2n ** 64n - 2n }))).toEqual(['queued'])
    })

    test('of 16 transactions of which half are known, the other half joins them', () => {
      const bench = fresh()
      const txs = run(0, 16)
      bench.add(...txs.filter((_, index) => index % 2 === 1))

      const codes = bench.codes(...txs)

      expect(codes.filter(code => code === 'known')).toHaveLength(8)
      expect(bench.counts).toEqual([16, 0])
      sound(bench)
    })

    test('a duplicate inside one batch is known', () => {
      expect(fresh().codes(aTx(), aTx())).toEqual(['pending', 'known'])
    })
  })

  describe('resets', () => {
    test('the next nonce stays when the state catches up with pending', () => {
      const bench = fresh()
      bench.add(...run(0, 2))
      expect(bench.pool.nonce(addressAt(0))).toBe(2n)

      bench.set(0, { nonce: 1n }).reset()

      expect(bench.pool.nonce(addressAt(0))).toBe(2n)
      sound(bench)
    })

    test('a mined transaction is dropped as mined, one whose nonce another took as used', () => {
      const bench = fresh()
      const [mined, beaten] = run(0, 2)
      if (mined === undefined || beaten === undefined) throw new Error('two transactions')
      bench.add(mined, beaten)

      const { dropped } = bench.set(0, { nonce: 2n }).reset({ included: new Set([mined.hash]) })

      expect(dropped).toMatchObject([
        { hash: mined.hash, reason: 'mined' },
        { hash: beaten.hash, reason: 'nonce-used' },
      ])
      expect(bench.pool.holds(addressAt(0))).toBe(false)
    })

    test('a nonce lowered by a fork leaves a gap: everything waits', () => {
      const bench = fresh().set(0, { nonce: 5n })
      bench.add(aTx({ nonce: 5 }), aTx({ nonce: 6 }))

      const { demoted } = bench.set(0, { nonce: 4n }).reset()

      expect(demoted).toHaveLength(2)
      expect(bench.nonces(0)).toEqual({ pending: [], queued: [5, 6] })
      expect(bench.pool.nonce(addressAt(0))).toBe(4n)
      sound(bench)
    })

    test('what the balance no longer covers is dropped from both halves, what stands behind it waits', () => {
      const bench = fresh()
      bench.add(...run(0, 3), ...run(0, 3).map((_, index) => aTx({ nonce: 10 + index, value: 5 })))
      bench.add(aTx({ from: 1, nonce: 0, gas: 60_000 }), aTx({ from: 1, nonce: 1 }))
      const cost = aTx().cost

      bench.set(0, { balance: cost - 1n }).reset()

      expect(bench.nonces(0)).toEqual({ pending: [], queued: [10, 11, 12] })
      sound(bench)
      const { dropped } = bench.reset({}, { gasLimit: 50_000 })
      expect(dropped).toMatchObject([{ reason: 'gas-over-block' }])
      expect(bench.nonces(1)).toEqual({ pending: [], queued: [1] })
      sound(bench)
    })

    test('one unpayable in the middle of a hundred parks the rest of its account and leaves the other alone', () => {
      const bench = fresh()
      const cost = aTx().cost
      const txs = Array.from({ length: 100 }, (_, nonce) =>
        aTx({ nonce, value: nonce % 2 === 0 ? 100 : 101 }),
      )
      bench.add(...txs, ...run(1, 100))

      bench.set(0, { balance: cost }).reset()

      expect(bench.nonces(0).pending).toEqual([0])
      expect(bench.nonces(0).queued).toHaveLength(49)
      expect(bench.nonces(1).pending).toHaveLength(100)
      sound(bench)
    })

    test('a base fee one wei higher than the fee cap keeps pending pending', () => {
      const bench = fresh()
      bench.add(aTx({ price: 10 }))

      bench.reset({}, { baseFee: 11n })

      expect(bench.counts).toEqual([1, 0])
    })

    test('a removed transaction can come back after a reset', () => {
      const bench = fresh()
      bench.add(aTx())
      bench.apply({ op: 'drop', now: 0, hash: aTx().hash })
      bench.reset()

      expect(bench.codes(aTx())).toEqual(['pending'])
    })

    test('a demoted transaction comes back when its account can pay again', () => {
      const bench = fresh()
      bench.add(...run(0, 2, { value: 100 }))
      bench.set(0, { nonce: 0n, balance: aTx().cost - 1n }).reset()
      expect(bench.counts).toEqual([0, 0])
      bench.set(0, { balance: 10n ** 18n })
      bench.add(aTx({ nonce: 1 }))
      expect(bench.counts).toEqual([0, 1])

      const { events } = bench.add(aTx({ nonce: 0 }))

      expect(events).toHaveLength(2)
    })
  })

  describe('replacement', () => {
    test('100 is replaced by 110 but not by 109, 1 by 2; both fees must rise', () => {
      const bench = fresh()
      bench.add(aTx({ price: 100 }), aTx({ nonce: 1, price: 1 }))

      expect(bench.codes(aTx({ price: 109 }))).toEqual(['replacement-underpriced'])
      expect(bench.codes(aTx({ feeCap: 110, tip: 109 }))).toEqual(['replacement-underpriced'])
      expect(bench.codes(aTx({ feeCap: 109, tip: 110 }))).toEqual(['replacement-underpriced'])
      expect(bench.codes(aTx({ price: 110 }), aTx({ nonce: 1, price: 2 }))).toEqual([
        'pending',
        'pending',
      ])
      expect(bench.counts).toEqual([2, 0])
      sound(bench)
    })

    test('a pending replacement is announced and names what it replaced', () => {
      const bench = fresh()
      bench.add(aTx({ price: 100 }))

      const { events, results, dropped } = bench.add(aTx({ price: 110 }))

      expect(events.map(({ tx }) => tx.hash)).toEqual([aTx({ price: 110 }).hash])
      const replaced = aTx({ price: 100 }).hash
      expect(results).toMatchObject([{ ok: true, value: { half: 'pending', replaced } }])
      expect(dropped).toEqual([
        { hash: replaced, reason: 'replaced', by: aTx({ price: 110 }).hash },
      ])
    })

    test('of two replacements in one batch only the last is announced', () => {
      const bench = fresh()
      bench.add(aTx({ price: 100 }))
      const { events } = bench.add(aTx({ price: 110 }), aTx({ price: 121 }))
      expect(events.map(({ tx }) => tx.feeCap)).toEqual([121n])
    })

    test('a queued replacement is not announced and does not promote', () => {
      const bench = fresh()
      bench.add(aTx({ nonce: 2, price: 100 }))

      const { events, results } = bench.add(aTx({ nonce: 2, price: 110 }))

      expect(events).toEqual([])
      expect(results).toMatchObject([{ value: { half: 'queued' } }])
      sound(bench)
    })

    test('counters survive a thousand replacements', () => {
      const bench = fresh()
      for (let price = 2n; price < 2n ** 200n; price = price * 2n) {
        bench.set(0, { balance: 2n ** 255n }).add(aTx({ price: price, gas: 21_000 }))
      }
      expect(bench.counts).toEqual([1, 0])
      sound(bench)
    })
  })

  describe('time', () => {
    const hour = 3_600_000

    test('queued transactions live to the last millisecond of their lifetime and not one longer', () => {
      const bench = fresh({ config: { lifetimeMs: hour } })
      bench.add(aTx({ nonce: 0 }), aTx({ nonce: 2 }))

      bench.apply({ op: 'expire', now: hour })
      expect(bench.counts).toEqual([1, 1])
      const { dropped } = bench.apply({ op: 'expire', now: hour + 1 })

      expect(dropped).toMatchObject([{ reason: 'expired' }])
      expect(bench.counts).toEqual([1, 0])
      sound(bench)
    })

    test.each([
      ['a promotion of a lower nonce', aTx({ nonce: 1 }), 1_000],
      ['a pending replacement', aTx({ nonce: 0, price: 2_000 }), 1_000],
      ['another queued transaction', aTx({ nonce: 10 }), 0],
    ])('%s moves the end of what is queued by as much as this', (_, tx, longer) => {
      const bench = fresh({ config: { lifetimeMs: hour } })
      bench.add(aTx({ nonce: 0 }), aTx({ nonce: 2 }), aTx({ nonce: 9 }))
      bench.now = 1_000
      bench.add(tx)

      bench.apply({ op: 'expire', now: hour + longer })
      expect(bench.counts[1]).toBeGreaterThan(0)
      bench.apply({ op: 'expire', now: hour + longer + 1 })
      expect(bench.counts[1]).toBe(0)
    })

    test('time that runs backwards is refused and changes nothing', () => {
      const bench = fresh()
      bench.apply({ op: 'expire', now: 10 })

      expect(bench.apply({ op: 'expire', now: 9 }).refused).toMatch(/^op out of order: /)
      expect(bench.apply({ op: 'expire', now: 10 }).refused).toBeUndefined()
    })
  })

  describe('tip', () => {
    test('a raised minimum drops what is below, parks what stands behind it and announces nothing', () => {
      const bench = fresh()
      bench.add(
        ...[1, 0, 2].map(index => aTx({ from: 0, nonce: index, price: index === 0 ? 1 : 2 })),
        aTx({ from: 1, nonce: 0, price: 2 }),
        aTx({ from: 1, nonce: 1, price: 1 }),
        aTx({ from: 1, nonce: 2, price: 2 }),
        aTx({ from: 2, nonce: 1, price: 1 }),
        aTx({ from: 2, nonce: 2, price: 2 }),
        aTx({ from: 2, nonce: 3, price: 2 }),
      )
      expect(bench.counts).toEqual([6, 3])

      const { events, dropped } = bench.apply({ op: 'setGasTip', now: 0, tip: 2n })

      expect(events).toEqual([])
      expect(dropped.map(({ reason }) => reason)).toEqual(Array(3).fill('tip-below-minimum'))
      expect(bench.counts).toEqual([1, 5])
      expect(bench.codes(aTx({ from: 0, nonce: 0, price: 1 }))).toEqual(['tip-below-minimum'])
      sound(bench)
      const filled = bench.add(
        aTx({ from: 0, nonce: 0, price: 2 }),
        aTx({ from: 1, nonce: 1, price: 2 }),
        aTx({ from: 2, nonce: 0, price: 2 }),
      )
      expect(filled.events).toHaveLength(6)
    })

    test('a lowered minimum drops nothing and takes cheaper ones from then on', () => {
      const bench = fresh({ config: { priceLimit: 100n } })
      expect(bench.codes(aTx({ price: 99 }), aTx({ price: 100 }))).toEqual([
        'tip-below-minimum',
        'pending',
      ])

      bench.apply({ op: 'setGasTip', now: 0, tip: 50n })

      expect(bench.codes(aTx({ from: 1, price: 49 }), aTx({ from: 1, price: 50 }))).toEqual([
        'tip-below-minimum',
        'pending',
      ])
      expect(bench.counts).toEqual([2, 0])
    })
  })

  describe('operators', () => {
    test('a dropped transaction parks its followers', () => {
      const bench = fresh()
      bench.add(...run(0, 4))

      const { dropped, demoted } = bench.apply({ op: 'drop', now: 0, hash: aTx({ nonce: 1 }).hash })

      expect(dropped).toEqual([{ hash: aTx({ nonce: 1 }).hash, reason: 'removed-by-operator' }])
      expect(demoted).toHaveLength(2)
      expect(bench.nonces(0)).toEqual({ pending: [0], queued: [2, 3] })
      sound(bench)
    })

    test('followers parked by an operator obey the queue cap from the next head on', () => {
      const bench = fresh()
      bench.add(...run(0, 100))
      bench.apply({ op: 'drop', now: 0, hash: aTx({ nonce: 0 }).hash })
      expect(bench.counts).toEqual([0, 99])

      const { dropped } = bench.reset()

      expect(bench.counts).toEqual([0, 64])
      expect(dropped.every(({ reason }) => reason === 'account-queue-cap')).toBe(true)
      sound(bench)
    })

    test('clear empties everything and says so of each', () => {
      const bench = fresh()
      bench.add(...run(0, 3), aTx({ from: 1, nonce: 5 }))

      const { dropped } = bench.apply({ op: 'clear', now: 0 })

      expect(dropped).toHaveLength(4)
      expect(bench.pool.stats).toEqual({ pending: 0, queued: 0, slots: 0 })
      sound(bench)
      expect(bench.codes(...run(0, 3))).toEqual(['pending', 'pending', 'pending'])
    })

    test('an operation that lacks an account is refused and changes nothing', () => {
      const bench = fresh()
      const accounts = new Map()

      const { refused } = bench.apply({
        op: 'add',
        now: 0,
        origin: 'gossip',
        txs: [aTx()],
        accounts,
      })

      expect(refused).toBe(`op lacks an account: ${addressAt(0)}`)
      expect(bench.counts).toEqual([0, 0])
    })

    test('read-only questions remember nothing', () => {
      const bench = fresh()
      expect(bench.pool.nonce(addressAt(7))).toBeUndefined()
      expect(bench.pool.contentFrom(addressAt(7)).pending.size).toBe(0)
      expect(bench.pool.status(aTx().hash)).toBe('unknown')
      expect(bench.pool.inspect().holdings.accounts.size).toBe(0)
    })
  })

  describe('announcements', () => {
    test('only what gossip brought and was pending at once counts as relayed', () => {
      const bench = fresh()
      bench.add(aTx({ nonce: 1 }))

      const own = bench.add(aTx({ nonce: 0 }))
      expect(own.events.map(({ relayed }) => relayed)).toEqual([true, false])

      const local = bench.addFrom('local', aTx({ from: 1 }))
      expect(local.events).toMatchObject([{ relayed: false, origin: 'local' }])
      const replacement = bench.add(aTx({ from: 1, price: 2_000 }))
      expect(replacement.events).toMatchObject([{ relayed: true }])
    })
  })
})
