import { describe, expect, test } from 'vitest'
import { addressAt, aTx, Bench } from './testing.ts'

describe.each(['fixed', 'geth'] as const)('in mode %s', compat => {
  const fresh = (wish: ConstructorParameters<typeof Bench>[0] = {}) =>
    new Bench({ ...wish, config: { compat, ...wish?.config } })

  const plenty = { gas: 30_000_000, bytes: 3_670_016, baseFee: 0n }

  test('25 accounts of 25: nonces ascend inside an account, tips descend across heads, the unaffordable tail is cut', () => {
    for (const baseFee of [0n, 5n, 50n]) {
      const bench = fresh()
      for (let from = 0; from < 25; from++) {
        bench.add(
          ...Array.from({ length: 25 }, (_, nonce) =>
            aTx({
              from,
              nonce,
              feeCap: ((from * 7 + nonce * 13) % 60) + 1,
              tip: ((from * 3 + nonce) % 20) + 1,
            }),
          ),
        )
      }
      const chosen = bench.pool.select({ ...plenty, baseFee })
      const next = new Map<string, bigint>()
      const tipOf = (tx: (typeof chosen)[number]) =>
        tx.feeCap - baseFee < tx.tip ? tx.feeCap - baseFee : tx.tip
      for (const [index, tx] of chosen.entries()) {
        expect(tx.nonce).toBe(next.get(tx.sender) ?? 0n)
        next.set(tx.sender, tx.nonce + 1n)
        expect(tx.feeCap >= baseFee).toBe(true)
        const after = chosen[index + 1]
        // A better one may only come later when it stood behind its own predecessor.
        if (after !== undefined && after.sender !== tx.sender)
          expect(tipOf(after) <= tipOf(tx)).toBe(true)
      }
      for (const [address, txs] of bench.pool.pending()) {
        const payable = txs.findIndex(({ feeCap }) => feeCap < baseFee)
        expect(Number(next.get(address) ?? 0n)).toBe(payable === -1 ? txs.length : payable)
      }
    }
  })

  test('on equal tips the one seen first goes first', () => {
    const bench = fresh()
    for (const from of [3, 1, 2]) {
      bench.now += 1
      bench.add(aTx({ from }))
    }
    expect(bench.pool.select(plenty).map(({ sender }) => sender)).toEqual([3, 1, 2].map(addressAt))
  })

  test('what does not fit is left out with all that follows it in its account, others still get in', () => {
    const bench = fresh()
    bench.add(
      aTx({ from: 0, nonce: 0, price: 90, gas: 60_000 }),
      aTx({ from: 0, nonce: 1, price: 90 }),
      aTx({ from: 1, price: 10 }),
      aTx({ from: 2, price: 5, size: 500 }),
    )
    const senders = (gas: number, bytes: number) =>
      bench.pool.select({ gas, bytes, baseFee: 0n }).map(({ sender, nonce }) => [sender, nonce])

    expect(senders(81_000, 10_000)).toEqual([
      [addressAt(0), 0n],
      [addressAt(0), 1n],
    ])
    expect(senders(59_999, 10_000)).toEqual([
      [addressAt(1), 0n],
      [addressAt(2), 0n],
    ])
    expect(senders(59_999, 609)).toEqual([[addressAt(1), 0n]])
    expect(senders(20_999, 10_000)).toEqual([])
  })

  test('the pending filter cuts each account at its first transaction below the tip or over the gas cap', () => {
    const bench = fresh()
    bench.add(
      aTx({ nonce: 0, feeCap: 50, tip: 20 }),
      aTx({ nonce: 1, feeCap: 30, tip: 20 }),
      aTx({ nonce: 2, feeCap: 50, tip: 20, gas: 90_000 }),
    )
    const count = (filter: Parameters<Bench['pool']['pending']>[0]) =>
      bench.pool.pending(filter).get(addressAt(0))?.length ?? 0

    expect(count({})).toBe(3)
    expect(count({ minTip: 20n })).toBe(3)
    expect(count({ minTip: 21n })).toBe(0)
    expect(count({ minTip: 10n, baseFee: 20n })).toBe(3)
    expect(count({ minTip: 11n, baseFee: 20n })).toBe(1)
    expect(count({ baseFee: 1_000n })).toBe(3)
    expect(count({ gasLimitCap: 89_999n })).toBe(2)
  })

  test('senders the operator calls local go first, in nonce order and within the bounds', () => {
    const bench = fresh({ config: { locals: [addressAt(2)] } })
    bench.add(aTx({ from: 0, price: 900 }), aTx({ from: 1, price: 800 }))
    bench.add(aTx({ from: 2, price: 10 }), aTx({ from: 2, nonce: 1, price: 20 }))
    bench.add(aTx({ from: 2, nonce: 2, price: 5 }))

    const chosen = bench.pool.select({ ...plenty, baseFee: 7n })
    expect(chosen.map(({ sender, nonce }) => [sender, nonce])).toEqual([
      ...[0n, 1n].map(nonce => [addressAt(2), nonce]),
      ...[0, 1].map(from => [addressAt(from), 0n]),
    ])
    expect(bench.pool.select({ ...plenty, gas: 21_000, baseFee: 7n })).toHaveLength(1)
  })
})
