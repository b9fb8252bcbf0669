import { describe, expect, test } from 'vitest'
import type { Context, Outcome, Reply } from './api.ts'
import { createTestBus } from './test-bus.ts'

type Msg = { type: 'go' } | { type: 'tick'; n: number } | { type: 'got'; error: unknown }
const tick = (n: number): Msg => ({ type: 'tick', n })
const hour = 3_600_000

function aTicker(go: (ctx: Context<Msg>) => void) {
  const bed = createTestBus()
  const heard: [number, number][] = []
  const ref = bed.bus.spawn<Msg>('t', ctx => msg => {
    if (msg.type === 'go') go(ctx)
    else if (msg.type === 'tick') heard.push([msg.n, ctx.now()])
  })
  ref.tell({ type: 'go' })
  bed.run()
  return { ...bed, ref, heard }
}

test('a replaced or cancelled timer never arrives, even when it is due', () => {
  const { heard, advance } = aTicker(ctx => {
    ctx.after('a', 10, tick(1))
    ctx.after('a', 20, tick(2))
    ctx.after('b', 10, tick(3))
    ctx.cancel('b')
    ctx.every('c', 5, tick(4))
    ctx.after('c', 20, tick(5))
  })

  advance(100)

  expect(heard).toEqual([
    [2, 20],
    [5, 20],
  ])
})

test('a wait shorter than the clock can tell ends at a later instant', () => {
  const { heard, advance } = aTicker(ctx => ctx.after('a', 1e-9, tick(1)))

  advance(1)

  expect(heard).toEqual([[1, 0.001]])
})

test('a timer already queued can still be taken back', () => {
  const { bus, clock, heard, run } = aTicker(ctx => {
    ctx.after('a', 10, { type: 'go' })
    ctx.cancel('b')
    if (ctx.now() === 0) ctx.after('b', 10, tick(1))
    else ctx.cancel('a')
  })
  clock.fireDue(10)
  run()

  expect(heard).toEqual([])
  expect(clock.armed).toBe(0)
  expect(bus.balanced()).toBe(true)
})

test('after a gap of five and a half periods one tick comes, and the phase stays', () => {
  const { clock, heard, run, advance } = aTicker(ctx => ctx.every('e', 100, tick(0)))
  advance(100)
  clock.fireDue(650)
  run()
  advance(150)

  expect(heard.map(([, at]) => at)).toEqual([100, 650, 700, 800])
})

test('ticks that come while one waits collapse into it', () => {
  const { clock, heard, run } = aTicker(ctx => ctx.every('e', 100, tick(0)))
  for (let i = 0; i < 5; i++) clock.fireNext()

  run()

  expect(heard).toHaveLength(1)
})

test('timers end with the life and with the actor', () => {
  const { bus, clock, ref, heard, advance } = aTicker(ctx => ctx.every('e', 100, tick(0)))
  bus.stop(ref)
  advance(1000)

  expect([heard, clock.armed]).toEqual([[], 0])
})

describe('a deadline in calendar time', () => {
  test.each([
    [0, 0],
    [hour, 0],
    [-hour, 2 * hour],
  ])('is met within 60 s although the wall jumps by %i ms', (jump, due) => {
    const { clock, heard, advance } = aTicker(ctx => ctx.at('ban', ctx.wall() + hour, tick(0)))
    advance(1000)
    clock.shiftWall(jump)
    advance(3 * hour)

    const at = heard[0]?.[1] ?? Number.NaN
    expect(heard).toHaveLength(1)
    const ideal = jump === 0 ? hour : due
    expect(at - ideal).toBeGreaterThanOrEqual(jump > 0 ? 1000 : 0)
    expect(at - ideal).toBeLessThanOrEqual(60_000)
  })

  test('already past comes on the next turn', () => {
    const { clock, heard } = aTicker(ctx => ctx.at('ban', ctx.wall() - 1, tick(0)))

    expect(heard).toEqual([[0, 0]])
    expect(clock.armed).toBe(0)
  })
})

test.each([-1, Number.NaN, 2 ** 53 + 2, Number.POSITIVE_INFINITY])('a delay of %f is a bug', ms => {
  const { fatals, letters } = aTicker(ctx => ctx.after('a', ms, tick(0)))

  expect([fatals.length, letters[0]?.reason]).toEqual([1, 'crashed'])
})

describe('limits: the last that fits and the first that does not', () => {
  const limits = {
    timersPerActor: 2,
    asksPerActor: 2,
    pipesPerActor: 2,
    watchesPerActor: 2,
    asksOutside: 2,
  }

  test('timers', () => {
    const count = (timers: number) => {
      const bed = createTestBus({ limits })
      bed.bus
        .spawn<Msg>('a', ctx => () => {
          for (let i = 0; i < timers; i++) ctx.after(`t${i}`, 10, tick(i))
          ctx.after('t0', 10, tick(0))
        })
        .tell({ type: 'go' })
      bed.run()
      return bed.fatals.length
    }

    expect([count(2), count(3)]).toEqual([0, 1])
  })

  test('watches', () => {
    const count = (watches: number) => {
      const bed = createTestBus({ limits })
      const refs = Array.from({ length: watches }, (_, i) =>
        bed.bus.spawn<Msg>(`w${i}`, () => () => {}),
      )
      bed.bus.spawn<Msg>('a', ctx => {
        for (const ref of refs) ctx.watch(ref, { type: 'go' })
        return () => {}
      })
      return bed.fatals.length
    }

    expect([count(2), count(3)]).toEqual([0, 1])
  })

  test('asks, inside and outside', async () => {
    type Q = { type: 'q'; reply: Reply<number> }
    const { bus, run } = createTestBus({ limits })
    const silent = bus.spawn<Q>('silent', () => () => {})
    const errors: unknown[] = []
    bus
      .spawn<Msg>('a', ctx => msg => {
        if (msg.type === 'got') errors.push(msg.error)
        if (msg.type !== 'go') return
        for (let i = 0; i < 3; i++) {
          ctx.ask(
            silent,
            (reply: Reply<number>): Q => ({ type: 'q', reply }),
            1000,
            (o): Msg => ({ type: 'got', error: o.ok ? 'none' : o.error }),
          )
        }
      })
      .tell({ type: 'go' })
    run()
    expect(errors).toEqual(['full'])

    const outside = [1, 2, 3].map(() => bus.ask(silent, reply => ({ type: 'q', reply }) as Q, 1000))
    expect(await outside[2]).toEqual({ ok: false, error: 'full' })
    expect(bus.asks).toBe(4)
  })

  test('pipes', () => {
    const { bus, run } = createTestBus({ limits })
    const errors: unknown[] = []
    bus
      .spawn<Msg>('a', ctx => msg => {
        if (msg.type === 'got') errors.push(msg.error)
        if (msg.type !== 'go') return
        const map = (o: Outcome<void, unknown>): Msg => ({ type: 'got', error: o.ok || o.error })
        for (let i = 0; i < 3; i++) ctx.pipe(() => new Promise<void>(() => {}), map)
      })
      .tell({ type: 'go' })
    run()

    expect(errors).toEqual(['busy'])
    expect(bus.pipes.size).toBe(2)
  })
})
