import { describe, expect, test } from 'vitest'
import { createBudget } from './budget.ts'
import { createGuard, defaultGuard } from './guard.ts'

const began = (given = {}) => {
  const guard = createGuard({ ...defaultGuard, ...given })
  guard.tick(0, 0, 0)
  return guard
}

describe('this node is suspect', () => {
  test.each([
    ['lag', (guard: ReturnType<typeof began>) => guard.health(501, 1_000), 1_000],
    ['clock', (guard: ReturnType<typeof began>) => guard.tick(1_000, 3_001, 0), 1_000],
    ['clock', (guard: ReturnType<typeof began>) => guard.tick(1_000, -1_001, 0), 1_000],
    ['late-tick', (guard: ReturnType<typeof began>) => guard.tick(6_001, 6_001, 0), 6_001],
    ['store', (guard: ReturnType<typeof began>) => guard.tick(1_000, 1_000, 5_001), 1_000],
  ])('by %s, for a minute after', (cause, act, atMs) => {
    const guard = began()
    act(guard)

    expect(guard.cause(atMs)).toBe(cause)
    expect(guard.suspends('behaviour', atMs + 59_999)).toBe(true)
    expect(guard.suspends('liveness', atMs + 59_999)).toBe(true)
    expect(guard.suspends('provable', atMs)).toBe(false)
    expect(guard.cause(atMs + 60_000)).toBeUndefined()
    expect(guard.suspends('behaviour', atMs + 60_000)).toBe(false)
  })

  test('not yet at the limits themselves', () => {
    const guard = began()
    guard.health(500, 1_000)
    guard.tick(6_000, 8_000, 5_000)

    expect(guard.cause(6_000)).toBeUndefined()
  })

  test('when a third of the groups it dialled seem slow at once; then only liveness is doubted', () => {
    const guard = began()
    for (let group = 0; group < 5; group++) guard.charged('liveness/ping', `g${group}`, 20, 1_000)
    expect(guard.cause(1_000)).toBeUndefined()
    guard.charged('liveness/ping', 'g0', 20, 1_000)
    expect(guard.cause(1_000)).toBeUndefined()
    guard.charged('liveness/ping', 'g5', 20, 60_999)
    expect(guard.cause(60_999)).toBe('liveness-wave')
    expect(guard.suspends('liveness', 60_999)).toBe(true)
    expect(guard.suspends('behaviour', 60_999)).toBe(false)
  })

  test('never for fewer than three groups, nor for charges more than a minute apart', () => {
    const guard = began()
    for (const group of ['a', 'b']) guard.charged('liveness/ping', group, 2, 1_000)
    guard.charged('liveness/ping', 'c', 2, 61_000)

    expect(guard.cause(61_000)).toBeUndefined()
  })

  test('when half of its peers are lost within ten seconds, but at least three', () => {
    const guard = began()
    for (const left of [4, 3]) guard.closed(left, 1_000)
    expect(guard.cause(1_000)).toBeUndefined()
    guard.closed(3, 10_999)
    expect(guard.cause(10_999)).toBe('peers-lost')

    const slow = began()
    for (const [index, left] of [4, 3, 2].entries()) slow.closed(left, index * 5_001)
    expect(slow.cause(10_002)).toBeUndefined()
  })

  test('and says so once, and once that it is over', () => {
    const guard = began()
    guard.health(501, 1_000)
    expect([guard.takeTurn(1_000), guard.takeTurn(2_000)]).toEqual(['suspect', undefined])
    guard.health(501, 30_000)
    expect(guard.takeTurn(61_000)).toBeUndefined()
    expect([guard.takeTurn(90_000), guard.takeTurn(91_000)]).toEqual(['trusted', undefined])
  })

  test('never, where that is switched off', () => {
    const guard = began({ disabled: true })
    guard.health(9_999, 1_000)
    guard.tick(99_000, 0, 99_000)

    expect(guard.cause(99_000)).toBeUndefined()
  })
})

describe('the budget', () => {
  test('is a tenth of the peers in any minute, and one at least', () => {
    const budget = createBudget(0.1)
    expect([0, 9, 19, 64].map(peers => budget.left(peers, 0))).toEqual([1, 1, 1, 6])

    for (let ban = 0; ban < 6; ban++) budget.spend(ban * 1_000)
    expect(budget.left(64, 59_999)).toBe(0)
    expect(budget.left(64, 60_000)).toBe(1)
    expect(budget.left(64, 65_000)).toBe(6)
  })
})
