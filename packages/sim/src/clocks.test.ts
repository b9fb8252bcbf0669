import { Rng, VirtualClock } from '@rockpool/actor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WallModel } from './api.ts'
import { NodeClock, skewOf } from './clocks.ts'

const flat = { rate: 1, wall: () => 0 }

describe('the clock of a node', () => {
  test('fires no timer a nanosecond before its own time, whatever its drift and boot', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -500, max: 500, noNaN: true }),
        fc.double({ min: 0, max: 100_000, noNaN: true }),
        fc.double({ min: 0, max: 10_000, noNaN: true }),
        fc.double({ min: 0, max: 1_000_000, noNaN: true }),
        (ppm, bootMs, offsetMs, waitMs) => {
          const base = new VirtualClock()
          base.set(bootMs)
          const clock = new NodeClock(base, { rate: 1 + ppm / 1e6, wall: () => 0 }, offsetMs)
          const due = clock.now() + waitMs
          let fired = -1
          clock.at(due, () => {
            fired = clock.now()
          })
          base.fireNext()
          expect(fired - due).toBeGreaterThan(-2e-9)
          expect(fired - due).toBeLessThan(0.002)
          expect(Math.round(fired * 1_000) / 1_000).toBe(fired)
        },
      ),
    )
  })

  test('runs as much faster or slower as it drifts', () => {
    const base = new VirtualClock()
    const fast = new NodeClock(base, { rate: 1.0005, wall: () => 0 }, 0)
    const slow = new NodeClock(base, { rate: 0.9995, wall: () => 0 }, 0)
    base.set(1_000_000)
    expect([fast.now(), slow.now()]).toEqual([1_000_500, 999_500])
  })

  test('fires nothing after its process was killed', () => {
    const base = new VirtualClock()
    const clock = new NodeClock(base, flat, 0)
    let fired = 0
    clock.at(10, () => fired++)
    clock.kill()
    base.fireNext()
    expect(fired).toBe(0)
  })

  test('shows a wall that an operator moved, and a monotonic time that he did not', () => {
    const base = new VirtualClock()
    const clock = new NodeClock(base, flat, 0)
    const wall = clock.wall()
    clock.shiftWall(-3_600_000)
    expect(clock.wall()).toBe(wall - 3_600_000)
    expect(clock.now()).toBe(0)
  })
})

describe('wall models', () => {
  const bounds: readonly (readonly [model: WallModel, mostMs: number])[] = [
    ['none', 0],
    ['linear', 300],
    ['periodic', 1_500],
    ['step', 2_000],
    ['jitter', 20],
  ]
  for (const [model, mostMs] of bounds) {
    test(`${model} strays by ${mostMs} ms at most, and the same way each time it is asked`, () => {
      for (let seed = 0; seed < 20; seed++) {
        const make = () => skewOf(new Rng(`${seed}`), { driftPpm: 500, wall: model })
        const [left, right] = [make(), make()]
        right.wall(500_000)
        for (let at = 0; at < 600_000; at += 7_777) {
          expect(Math.abs(left.wall(at))).toBeLessThanOrEqual(mostMs)
          expect(right.wall(at)).toBe(left.wall(at))
        }
      }
    })
  }
})

test('a rate that changes moves what is armed: nothing is early, what is cleared stays cleared', () => {
  const base = new VirtualClock()
  const clock = new NodeClock(base, { rate: 1, wall: () => 0 }, 0)
  const fired: number[] = []
  clock.at(1_000, () => fired.push(clock.now()))
  const cleared = clock.at(1_500, () => fired.push(-1))
  base.set(500)
  clock.setRate(0.5)
  expect(clock.now()).toBe(500)
  while (base.fireNext(1_500));
  expect(fired).toEqual([1_000])
  base.fireNext(2_000)
  clock.clear(cleared)
  while (base.fireNext(9_000));
  expect(fired).toEqual([1_000])
})
