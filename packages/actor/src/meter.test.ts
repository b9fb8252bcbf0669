import { describe, expect, test } from 'vitest'
import { Bus } from './bus.ts'
import { VirtualClock } from './clock.ts'
import { KindMeter, kindOf } from './meter.ts'
import { createTestBus } from './test-bus.ts'

type Msg = { type: string; us: number }

/** Virtual time that passes while handlers work, and an event loop turned by hand. */
class WorkingClock extends VirtualClock {
  private readonly queue: (() => void)[] = []

  work(us: number): void {
    this.set(Math.round(this.now() * 1000 + us) / 1000)
  }

  soon(fn: () => void): void {
    this.queue.push(fn)
  }

  /** One round of the event loop; false when there was nothing to do. */
  turn(): boolean {
    const round = this.queue.splice(0)
    for (const fn of round) fn()
    return round.length > 0
  }
}

function aWorkingBus() {
  const clock = new WorkingClock()
  const lines: Record<string, unknown>[] = []
  const bus = new Bus({ clock, log: (_, code, fields) => lines.push({ code, ...fields }) })
  const worker = bus.declare<Msg>('worker', { capacity: 500_000 })
  bus.spawn(worker, () => (msg: Msg) => clock.work(msg.us))
  return { bus, clock, lines, worker }
}

describe('fairness', () => {
  test.each([2, 100, 1000])(
    'a backlog of messages of %i us holds the event loop for a slice',
    us => {
      const { bus, clock, worker } = aWorkingBus()
      for (let i = 0; i < 20_000; i++) worker.tell({ type: 'x', us })

      let longest = 0
      for (let before = clock.now(); clock.turn(); before = clock.now()) {
        longest = Math.max(longest, clock.now() - before)
      }

      expect(bus.handled).toBe(20_000)
      // The first batch may be of 32 before the bus knows how slow they are.
      expect(longest).toBeLessThanOrEqual(us === 1000 ? 32 : 5 + (32 * us) / 1000)
      expect(bus.pace.slices).toBeGreaterThan(5)
    },
  )

  test('a small actor waits no longer than a slice and its own turn', () => {
    const { bus, clock, worker } = aWorkingBus()
    for (let i = 0; i < 100_000; i++) worker.tell({ type: 'x', us: 2 })
    let waited = 0
    let sentAt = 0
    const small = bus.spawn<Msg>('small', () => () => {
      waited = Math.max(waited, clock.now() - sentAt)
    })

    for (let i = 0; clock.turn() && i < 100; i++) {
      sentAt = clock.now()
      small.tell({ type: 'x', us: 0 })
    }

    expect(waited).toBeGreaterThan(0)
    expect(waited).toBeLessThanOrEqual(5)
  })

  test('a slow handler is noticed with its batch and named on its second occurrence', () => {
    const { bus, clock, lines, worker } = aWorkingBus()
    for (let i = 0; i < 200; i++) {
      worker.tell(i === 40 || i === 120 ? { type: 'bad', us: 80_000 } : { type: 'good', us: 2 })
    }

    while (clock.turn()) {}

    expect(lines.map(({ code, type }) => [code, type])).toEqual([
      ['bus/slow-handler', undefined],
      ['bus/slow-handler', 'bad'],
    ])
    const turns = lines[0]?.['turns'] as { type: string }[]
    expect(turns.map(({ type }) => type)).toContain('bad')
    expect(bus.meters().actors[0]?.slowHandlers).toEqual({ bad: 1 })
    expect(bus.meters().sliceOverruns).toBe(2)
  })
})

test('what follows a colon names the instance, not the kind', () => {
  expect(kindOf('/proxy/stream:ab/leg:1')).toBe('/proxy/stream/leg')
  expect(kindOf('/proxy')).toBe('/proxy')
})

test('handler times fall into buckets of powers of two microseconds', () => {
  const meter = new KindMeter('/a')

  for (const ms of [0, 0.001, 0.0011, 0.002, 0.004, 65.536, 65.537, 1000]) meter.sample(ms)

  const buckets = [...(meter.buckets ?? [])]
  expect(buckets.slice(0, 3)).toEqual([2, 2, 1])
  expect(buckets.slice(16)).toEqual([1, 2])
})

test('a reading shows every number of the bus, and children summed by kind', () => {
  const { bus, clock, run } = createTestBus()
  bus.spawn<Msg>('proxy', ctx => {
    for (const name of ['stream:1', 'stream:2']) {
      const child = ctx.spawn<Msg>(name, inner => {
        inner.after('retire', 1000, { type: 'retire', us: 0 })
        return () => {}
      })
      child.tell({ type: 'x', us: 0 })
    }
    return () => {}
  })
  clock.set(5)

  const before = bus.meters()
  run()
  const after = bus.meters()

  expect(before).toMatchObject({ sent: 2, queued: 2, readyActors: 2, timers: 2, balanced: true })
  expect(before.actors.find(({ actor }) => actor === '/proxy/stream')).toMatchObject({
    count: 2,
    depth: { system: 0, urgent: 0, user: 2 },
    highWater: 1,
    oldestMs: 5,
    timers: 2,
  })
  expect(after.actors.find(({ actor }) => actor === '/proxy/stream')).toMatchObject({
    depth: { user: 0 },
    handled: 2,
    oldestMs: 0,
  })
  expect(after).toMatchObject({ handled: 2, queued: 0, turns: 2, readyActors: 0 })
})

test('what has stopped stays in the sums', () => {
  const { bus, run } = createTestBus()
  const ref = bus.spawn<Msg>('a', () => () => {})
  for (let i = 0; i < 3; i++) ref.tell({ type: 'x', us: 0 })
  run()

  bus.stop(ref)

  expect(bus.meters().actors[0]).toMatchObject({ count: 0, handled: 3, highWater: 3 })
})
