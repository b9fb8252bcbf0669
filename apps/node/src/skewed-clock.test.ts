import { VirtualClock } from '@rockpool/actor'
import { expect, test } from 'vitest'
import { skewed } from './skewed-clock.ts'

test('a clock with nothing wrong is the same object', () => {
  const clock = new VirtualClock()

  expect(skewed(clock, { offsetMs: 0, driftPpm: 0 })).toBe(clock)
})

test('an offset moves the wall and nothing else', () => {
  const clock = new VirtualClock(1_000_000)
  const wrong = skewed(clock, { offsetMs: -5_000, driftPpm: 0 })
  clock.set(1_000)

  expect(wrong.wall()).toBe(996_000)
  expect(wrong.now()).toBe(1_000)
})

test('a drift of 1% makes an hour 36 s longer, on the wall too, and timers keep its time', () => {
  const clock = new VirtualClock(0)
  const fast = skewed(clock, { offsetMs: 0, driftPpm: 10_000 })
  let firedAt = 0
  fast.at(1_010, () => {
    firedAt = clock.now()
  })

  clock.fireNext()
  clock.set(3_600_000)

  expect(firedAt).toBeCloseTo(1_000, 3)
  expect(fast.now()).toBe(3_636_000)
  expect(fast.wall()).toBe(3_636_000)
})

test('a timer that is due never finds its instant still to come', () => {
  const clock = new VirtualClock()
  const slow = skewed(clock, { offsetMs: 0, driftPpm: -333 })
  for (let due = 1; due < 2_000; due += 7) {
    let seen = -1
    slow.at(due, () => {
      seen = slow.now()
    })
    clock.fireNext()
    expect(seen).toBeGreaterThanOrEqual(due)
  }
})
