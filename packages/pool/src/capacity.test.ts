import { describe, expect, test } from 'vitest'
import { checkInvariants } from './invariants.ts'
import { addressAt, anAccount, aTx, Bench } from './testing.ts'

describe.each(['fixed', 'geth'] as const)('in mode %s', compat => {
  const fresh = (wish: ConstructorParameters<typeof Bench>[0] = {}) =>
    new Bench({ ...wish, config: { compat, ...wish?.config } })

  const sound = (bench: Bench) => expect(checkInvariants(bench.pool)).toEqual([])
  const run = (from: number, count: number) =>
    Array.from({ length: count }, (_, nonce) => aTx({ from, nonce }))
  const lengths = (bench: Bench, accounts: number) =>
    Array.from({ length: accounts }, (_, from) => bench.nonces(from).pending.length)

  describe('pending over its cap', () => {
    test.each([
      { sizes: [60, 60, 60], cap: 100, left: [33, 33, 33] },
      { sizes: [100, 50, 10], cap: 100, left: [45, 45, 10] },
      { sizes: [32, 32, 32, 32, 32], cap: 1, left: [16, 16, 16, 16, 16] },
      { sizes: [16, 16], cap: 1, left: [16, 16] },
      { sizes: [17, 16], cap: 1, left: [16, 16] },
      { sizes: [50, 50], cap: 100, left: [50, 50] },
    ])('$sizes under a cap of $cap are cut to $left', ({ sizes, cap, left }) => {
      const bench = fresh({ config: { globalSlots: cap, globalQueue: 1_000, accountQueue: 200 } })

      const { dropped, results } = bench.add(...sizes.flatMap((size, from) => run(from, size)))

      expect(lengths(bench, sizes.length)).toEqual(left)
      expect(dropped.every(({ reason }) => reason === 'truncated-pending')).toBe(true)
      expect(results.every(({ ok }) => ok)).toBe(true)
      expect(bench.pool.nonce(addressAt(0))).toBe(BigInt(left[0] ?? 0))
      sound(bench)
    })

    test('five accounts of 64 come down to the cap whole', () => {
      const bench = fresh({ config: { globalSlots: 160, globalQueue: 1_000 } })
      for (let from = 0; from < 5; from++) bench.add(...run(from, 64))
      expect(bench.counts[0]).toBeLessThanOrEqual(160)
      sound(bench)
    })

    test('what is cut leaves the index too', () => {
      const bench = fresh({ config: { accountSlots: 2, globalSlots: 8, globalQueue: 100 } })
      bench.add(...run(0, 16))
      expect(bench.counts).toEqual([8, 0])
      expect(bench.pool.has(aTx({ nonce: 7 }).hash)).toBe(true)
      expect(bench.pool.has(aTx({ nonce: 8 }).hash)).toBe(false)
      sound(bench)
    })
  })

  describe('the queue over its cap', () => {
    test('the account longest without a sign of life loses first, whole, then the next its highest', () => {
      const bench = fresh({ config: { globalQueue: 10 } })
      const gapped = (from: number, count: number) =>
        Array.from({ length: count }, (_, index) => aTx({ from, nonce: index + 1 }))
      for (const from of [0, 1, 2]) {
        bench.now = from * 1_000
        bench.add(...gapped(from, 4))
      }
      expect(bench.counts).toEqual([0, 10])
      expect(bench.nonces(0).queued).toEqual([1, 2])

      bench.now = 3_000
      const { dropped } = bench.add(...gapped(3, 4))

      expect(dropped.every(({ reason }) => reason === 'truncated-queue')).toBe(true)
      expect(bench.nonces(0).queued).toEqual([])
      expect(bench.nonces(1).queued).toEqual([1, 2])
      expect(bench.counts).toEqual([0, 10])
      sound(bench)
    })

    test('573 from four accounts stay within 191, 64 each', () => {
      const bench = fresh({ config: { globalQueue: 191 } })
      for (let index = 0; index < 573; index++) {
        bench.now = index
        bench.add(aTx({ from: index % 4, nonce: 1 + Math.floor(index / 4) }))
      }
      expect(bench.counts[1]).toBeLessThanOrEqual(191)
      for (const from of [0, 1, 2, 3])
        expect(bench.nonces(from).queued.length).toBeLessThanOrEqual(64)
      sound(bench)
    })
  })

  describe('the pool full by slots', () => {
    const full = (prices: readonly number[], slots = prices.length) => {
      const bench = fresh({ config: { globalSlots: slots - 1, globalQueue: 1 } })
      bench.add(...prices.map((price, from) => aTx({ from, price })))
      return bench
    }

    test('the last slot is filled without pushing anybody out', () => {
      const bench = full([100, 10, 20, 30], 5)
      const { results, dropped } = bench.add(aTx({ from: 9, price: 1 }))
      expect(results).toMatchObject([{ ok: true }])
      expect(dropped).toEqual([])
      sound(bench)
    })

    test('equal to the cheapest is underpriced, one wei more pushes it out and is named', () => {
      const bench = full([100, 10, 20, 30, 40])
      expect(bench.add(aTx({ from: 9, price: 10 })).results).toMatchObject([
        {
          code: 'pool/underpriced',
          message: 'transaction underpriced',
          details: {
            // geth learns of a base fee with its first reset.
            worstEffectiveTip: compat === 'geth' ? 10n : 3n,
            worstFeeCap: 10n,
          },
        },
      ])

      const { dropped } = bench.add(aTx({ from: 9, price: 11 }))

      expect(dropped).toEqual([
        {
          hash: aTx({ from: 1, price: 10 }).hash,
          reason: 'evicted-price',
          by: aTx({ from: 9, price: 11 }).hash,
        },
      ])
      expect(bench.pool.stats.slots).toBe(5)
      sound(bench)
    })

    test('a future transaction pushes out a future one but no pending one', () => {
      const bench = fresh({ config: { globalSlots: 2, globalQueue: 2 } })
      bench.add(aTx({ from: 0, price: 5 }), aTx({ from: 1, price: 5 }))
      bench.add(aTx({ from: 2, nonce: 1, price: 2 }), aTx({ from: 3, nonce: 1, price: 2 }))

      expect(bench.codes(aTx({ from: 4, nonce: 1, price: 3 }))).toEqual(['queued'])
      expect(bench.codes(aTx({ from: 5, nonce: 1, price: 3 }))).toEqual(['queued'])
      expect(bench.codes(aTx({ from: 6, price: 4 }), aTx({ from: 7, price: 4 }))).toEqual([
        'pending',
        'pending',
      ])
      expect(bench.codes(aTx({ from: 8, nonce: 1, price: 50 }))).toEqual([
        'future-replaces-pending',
      ])
      expect(bench.counts).toEqual([4, 0])
      sound(bench)
    })

    test('a flood of dear future transactions moves no pending one', () => {
      const bench = fresh({ config: { globalSlots: 40, globalQueue: 10 } })
      bench.add(...Array.from({ length: 50 }, (_, from) => aTx({ from, price: 300 })))
      const before = bench.pool.pending()

      for (let round = 0; round < 5; round++) {
        bench.add(
          ...Array.from({ length: 60 }, (_, index) =>
            aTx({ from: 100 + index, nonce: 5, price: 500 + round }),
          ),
        )
        bench.add(
          ...Array.from({ length: 60 }, (_, index) =>
            aTx({ from: 200, nonce: 5 + index, price: 500 }),
          ),
        )
      }

      expect(bench.pool.pending()).toEqual(before)
      sound(bench)
    })

    test('a nonce the queue leads up to is no future one', () => {
      const bench = full([10, 10, 10, 10, 10])
      const [first, second] = [0, 1].map(nonce => aTx({ from: 9, nonce, price: 20 }))
      if (first === undefined || second === undefined) throw new Error('two transactions')
      expect(bench.codes(first, second)).toEqual(['pending', 'pending'])
      sound(bench)
    })

    test('pushing out the first of an account parks its followers', () => {
      const bench = fresh({ config: { globalSlots: 4, globalQueue: 1 } })
      bench.add(
        aTx({ from: 0, nonce: 0, price: 1 }),
        ...[1, 2].map(nonce => aTx({ from: 0, nonce, price: 30 })),
      )
      bench.add(aTx({ from: 1, price: 40 }), aTx({ from: 2, price: 40 }))

      const { demoted } = bench.add(aTx({ from: 3, price: 2 }))

      expect(demoted).toHaveLength(1)
      expect(bench.nonces(0)).toEqual({ pending: [], queued: [1] })
      sound(bench)
    })

    test('too large for what can be freed is full, and nothing leaves', () => {
      const bench = fresh({ config: { globalSlots: 2, globalQueue: 1 } })
      bench.add(aTx({ from: 0, price: 5 }))
      expect(bench.codes(aTx({ from: 1, price: 50, slots: 4 }))).toEqual(['full'])
      expect(bench.pool.stats.slots).toBe(1)
      sound(bench)
      expect(bench.codes(aTx({ from: 1, price: 50, slots: 3 }))).toEqual(['pending'])
      sound(bench)
    })

    test('more than a quarter of the pool pushed out in one run is full', () => {
      const bench = fresh({ config: { globalSlots: 8, globalQueue: 1 } })
      bench.add(...Array.from({ length: 9 }, (_, from) => aTx({ from, price: 10 + from })))

      const codes = bench.codes(
        ...Array.from({ length: 5 }, (_, index) => aTx({ from: 20 + index, price: 100 + index })),
      )

      expect(codes).toEqual(['pending', 'pending', 'pending', 'full', 'full'])
      expect(bench.codes(aTx({ from: 30, price: 200 }))).toEqual(['pending'])
      sound(bench)
    })

    test('a sender whose only transaction is pushed out may add another in the same batch', () => {
      const bench = full([100, 10, 20, 30, 40])

      const codes = bench.codes(aTx({ from: 9, price: 15 }), aTx({ from: 1, price: 50 }))

      expect(codes).toEqual(['queued', 'pending'])
      expect(bench.pool.has(aTx({ from: 9, price: 15 }).hash)).toBe(false)
      expect(bench.nonces(1).pending).toEqual([0])
      sound(bench)
    })

    test('a replacement in a full pool costs nobody a place', () => {
      const bench = full([100, 10, 20, 30, 40])
      expect(bench.codes(aTx({ from: 1, price: 11 }))).toEqual(['pending'])
      expect(bench.pool.stats.slots).toBe(5)
      expect(bench.pool.has(aTx({ from: 2, price: 20 }).hash)).toBe(true)
      sound(bench)
    })

    // Q2 in mode geth.
    test.runIf(compat === 'fixed')(
      'a replacement that needs more slots pushes out others, never what it replaces',
      () => {
        const bench = full([10, 20, 30, 40, 50])
        expect(bench.codes(aTx({ from: 0, price: 25, slots: 2 }))).toEqual(['pending'])
        expect(bench.pool.has(aTx({ from: 1, price: 20 }).hash)).toBe(false)
        expect(bench.pool.stats.slots).toBe(5)
        expect(bench.codes(aTx({ from: 0, price: 28, slots: 3 }))).toEqual(['underpriced'])
        expect(bench.pool.has(aTx({ from: 0, price: 25, slots: 2 }).hash)).toBe(true)
        sound(bench)
      },
    )

    // In mode geth a full pool is not asked what would become of something.
    test.runIf(compat === 'fixed')(
      'what it replaces counts as room already when it is only asked whether it would be taken',
      () => {
        const bench = full([100, 10, 20, 30, 40])
        const judged = (tx: ReturnType<typeof aTx>) =>
          bench.pool.judge({ ...tx, size: tx.raw.length }, anAccount({ balance: 10n ** 24n }))?.code
        expect(judged(aTx({ from: 1, price: 11 }))).toBeUndefined()
        expect(judged(aTx({ from: 1, price: 11, slots: 2 }))).toBe('pool/underpriced')
        expect(judged(aTx({ from: 9, price: 10 }))).toBe('pool/underpriced')
        expect(judged(aTx({ from: 1, price: 10, salt: 1 }))).toBe('pool/replacement-underpriced')
        sound(bench)
      },
    )

    test('a wave of cheap ones with one good one leaves no gap', () => {
      const bench = fresh({ config: { globalSlots: 128, globalQueue: 1, accountQueue: 200 } })
      bench.add(...Array.from({ length: 128 }, (_, nonce) => aTx({ nonce, price: 1 })))
      bench.add(aTx({ from: 1, nonce: 3, price: 1 }))
      const { events } = bench.add(aTx({ from: 2, price: 3 }))
      expect(events).toHaveLength(1)
      expect(bench.counts[0]).toBe(128)
      sound(bench)
    })

    test('neither a wave of high tips nor one of high caps pushes out the best of the other', () => {
      for (const baseFee of [0n, 7n, 100n, 1_000n]) {
        const bench = fresh({ config: { globalSlots: 10, globalQueue: 10 } })
        bench.reset({}, { baseFee })
        for (let index = 0; index < 20; index++) {
          bench.add(aTx({ from: index, feeCap: 100_000 - index, tip: 1 }))
        }
        for (let index = 20; index < 60; index++) {
          bench.add(aTx({ from: index, feeCap: 10_000, tip: index }))
        }
        expect(bench.pool.has(aTx({ from: 0, feeCap: 100_000, tip: 1 }).hash)).toBe(true)
        expect(bench.pool.has(aTx({ from: 59, feeCap: 10_000, tip: 59 }).hash)).toBe(true)
        sound(bench)
      }
    })
  })
})
