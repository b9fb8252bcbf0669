import { describe, expect, test } from 'vitest'
import { aTx, Bench } from './testing.ts'

const lifetimeMs = 1_000

describe.each(['fixed', 'geth'] as const)('the sign of life of a queue, in mode %s', compat => {
  const fresh = () => new Bench({ config: { compat, lifetimeMs } })

  /** What a look at this instant drops. */
  const expiredAt = (bench: Bench, now: number) => {
    bench.now = now
    const { dropped } = bench.apply({ op: 'expire', now })
    expect(new Set(dropped.map(({ reason }) => reason)).size).toBeLessThanOrEqual(1)
    return dropped.length
  }
  const addAt = (bench: Bench, now: number, ...nonces: number[]) => {
    bench.now = now
    bench.add(...nonces.map(nonce => aTx({ nonce })))
  }

  test('lasts its lifetime to the millisecond', () => {
    const bench = fresh()
    addAt(bench, 0, 5)
    expect(expiredAt(bench, lifetimeMs)).toBe(0)
    expect(expiredAt(bench, lifetimeMs + 1)).toBe(1)
    expect(bench.counts).toEqual([0, 0])
  })

  test('begins with the first that waits; more of them do not renew it', () => {
    const bench = fresh()
    addAt(bench, 0, 5)
    addAt(bench, 900, 6, 7)
    expect(expiredAt(bench, lifetimeMs + 1)).toBe(3)
  })

  test('is renewed by a promotion that leaves something waiting, and begins anew after one that left nothing', () => {
    const bench = fresh()
    addAt(bench, 0, 5)
    addAt(bench, 900, 0)
    expect(expiredAt(bench, 900 + lifetimeMs)).toBe(0)
    expect(expiredAt(bench, 900 + lifetimeMs + 1)).toBe(1)

    const other = fresh()
    addAt(other, 0, 1)
    addAt(other, 900, 0)
    addAt(other, 1_500, 5)
    expect(expiredAt(other, 1_500 + lifetimeMs)).toBe(0)
  })

  test('is renewed by a replacement in pending, not by one that waits', () => {
    const bench = fresh()
    addAt(bench, 0, 0, 5)
    bench.now = 900
    bench.add(aTx({ nonce: 0, price: 1_500 }))
    expect(expiredAt(bench, 900 + lifetimeMs)).toBe(0)

    const other = fresh()
    addAt(other, 0, 0, 5)
    other.now = 900
    other.add(aTx({ nonce: 5, price: 1_500 }))
    expect(expiredAt(other, lifetimeMs + 1)).toBe(1)
    expect(other.counts).toEqual([1, 0])
  })

  test('is not renewed by what is demoted into a queue, and begins with what is demoted into none', () => {
    const waiting = fresh()
    waiting.now = 0
    waiting.add(aTx({ nonce: 0, value: 10 ** 15 }), aTx({ nonce: 1 }), aTx({ nonce: 7 }))
    waiting.now = 900
    waiting.set(0, { balance: 10n ** 14n }).reset()
    expect(waiting.nonces(0)).toEqual({ pending: [], queued: [1, 7] })
    expect(expiredAt(waiting, lifetimeMs + 1)).toBe(2)

    const empty = fresh()
    empty.add(aTx({ nonce: 0, value: 10 ** 15 }), aTx({ nonce: 1 }))
    empty.now = 900
    empty.set(0, { balance: 10n ** 14n }).reset()
    expect(empty.nonces(0)).toEqual({ pending: [], queued: [1] })
    expect(expiredAt(empty, 900 + lifetimeMs)).toBe(0)
    expect(expiredAt(empty, 900 + lifetimeMs + 1)).toBe(1)
  })
})
