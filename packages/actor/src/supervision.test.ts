import { describe, expect, test } from 'vitest'
import type { Directive, SpawnOptions } from './api.ts'
import { Bus } from './bus.ts'
import { VirtualClock } from './clock.ts'
import { Rng } from './rng.ts'
import { backoffMs, planRestart } from './supervision.ts'
import { createTestBus } from './test-bus.ts'

type Msg = { type: 'hi' } | { type: 'poison' } | { type: 'tick' } | { type: 'gone' }
const always = (directive: Directive) => ({ on: () => directive })

test('backoff doubles from the first wait to the last, within ten percent', () => {
  const waits = [1, 2, 3, 4, 5, 50].map(nth => backoffMs(nth, [100, 1000], 0.5))

  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000])
  expect(backoffMs(1, [100, 1000], 0)).toBe(90)
  expect(backoffMs(1, [100, 1000], 0.999999)).toBeCloseTo(110, 3)
})

test('restarts older than the window do not count', () => {
  const policy = { ...always('restart'), max: 2, within: 1000 }

  expect(planRestart([0, 500], 999, policy, () => 0)).toBeUndefined()
  expect(planRestart([0, 500], 1000, policy, () => 0)?.restarts).toEqual([500, 1000])
})

test('a restart with backoff: the mailbox survives, the life does not, and the third failure escalates', () => {
  const luck = new Rng('1').fork('supervision')
  const waits = [backoffMs(1, [100, 1000], luck.f()), backoffMs(2, [100, 1000], luck.f())]
  const { bus, clock, letters, fatals, advance, run } = createTestBus({ seed: '1' })
  const log: string[] = []
  const note = (what: string) => log.push(`${what}@${Math.round(clock.now() * 1000) / 1000}`)
  const options: SpawnOptions<Msg> = {
    supervision: { ...always('restart'), max: 2, within: 10_000, backoff: [100, 1000] },
  }
  const ref = bus.spawn<Msg>(
    'a',
    ctx => {
      note('start')
      ctx.onStop(() => log.push('stop'))
      ctx.spawn<Msg>('child', child => {
        child.onStop(() => log.push('child'))
        return () => {}
      })
      ctx.every('tick', 10_000, { type: 'tick' })
      return msg => {
        if (msg.type === 'poison') throw new Error('poison')
        note(msg.type)
      }
    },
    options,
  )
  bus.spawn<Msg>('watcher', ctx => {
    ctx.watch(ref, { type: 'gone' })
    return msg => note(msg.type)
  })

  ref.tell({ type: 'poison' })
  ref.tell({ type: 'hi' })
  advance(1000)
  expect(clock.armed).toBe(1)
  ref.tell({ type: 'poison' })
  advance(1000)
  ref.tell({ type: 'poison' })
  run()

  const [first = 0, second = 0] = waits
  expect(log).toEqual([
    'start@0',
    'stop',
    'child',
    `start@${first}`,
    `hi@${first}`,
    'stop',
    'child',
    `start@${1000 + second}`,
    'child',
    'stop',
    'gone@2000',
  ])
  expect(letters.map(({ reason, type }) => [reason, type])).toEqual(
    Array.from({ length: 3 }, () => ['crashed', 'poison']),
  )
  expect(fatals).toHaveLength(1)
  expect([clock.armed, bus.balanced()]).toEqual([0, true])
})

describe('a handler that throws', () => {
  const run = (directive: Directive) => {
    const bed = createTestBus()
    const heard: string[] = []
    let lives = 0
    const ref = bed.bus.spawn<Msg>(
      'a',
      () => {
        lives++
        return msg => {
          if (msg.type === 'poison') throw new Error('poison')
          heard.push(msg.type)
        }
      },
      { supervision: always(directive) },
    )
    ref.tell({ type: 'poison' })
    ref.tell({ type: 'hi' })
    bed.run()
    expect(bed.bus.balanced()).toBe(true)
    return { heard, lives, reasons: bed.letters.map(l => l.reason), fatals: bed.fatals.length }
  }

  test('resumed goes on in the same life', () => {
    expect(run('resume')).toEqual({ heard: ['hi'], lives: 1, reasons: ['crashed'], fatals: 0 })
  })

  test('restarted goes on in the next life', () => {
    expect(run('restart')).toEqual({ heard: ['hi'], lives: 2, reasons: ['crashed'], fatals: 0 })
  })

  test('stopped takes its mailbox along', () => {
    expect(run('stop')).toEqual({ heard: [], lives: 1, reasons: ['crashed', 'dead'], fatals: 0 })
  })

  test('escalated at the root is fatal', () => {
    expect(run('escalate')).toEqual({
      heard: [],
      lives: 1,
      reasons: ['crashed', 'dead'],
      fatals: 1,
    })
  })
})

test('an unknown error climbs until somebody has an opinion', () => {
  const { bus, fatals, run } = createTestBus()
  let lives = 0
  const parent = bus.spawn<Msg>(
    'parent',
    ctx => {
      lives++
      const middle = ctx.spawn<Msg>('middle', inner => {
        const child = inner.spawn<Msg>('child', () => () => {
          throw new Error('poison')
        })
        return msg => child.tell(msg)
      })
      return msg => middle.tell(msg)
    },
    { supervision: always('restart') },
  )

  parent.tell({ type: 'poison' })
  run()

  expect([lives, fatals.length, bus.balanced()]).toEqual([2, 0, true])
})

test('a throwing setup counts like a throwing handler, and cannot loop for ever', () => {
  const { bus, fatals } = createTestBus()
  let setups = 0

  bus.spawn<Msg>(
    'a',
    () => {
      setups++
      throw new Error('no')
    },
    { supervision: { ...always('restart'), max: 3 } },
  )

  expect([setups, fatals.length]).toEqual([4, 1])
})

test('a setup cannot be resumed', () => {
  const { bus, fatals } = createTestBus()

  bus.spawn<Msg>(
    'a',
    () => {
      throw new Error('no')
    },
    { supervision: always('resume') },
  )

  expect(fatals).toHaveLength(1)
})

test('a fatal error nobody listens to is thrown by whoever runs the bus', () => {
  const bus = new Bus({ clock: new VirtualClock() })
  const ref = bus.spawn<Msg>('a', () => () => {
    throw new Error('poison')
  })
  ref.tell({ type: 'hi' })

  expect(() => bus.step()).toThrow('poison')
  expect(bus.balanced()).toBe(true)
})

test('stopping takes children first, in the order they were spawned, and can be asked for twice', () => {
  const { bus } = createTestBus()
  const order: string[] = []
  const ref = bus.spawn<Msg>('p', ctx => {
    for (const name of ['a', 'b']) {
      ctx.spawn<Msg>(name, child => {
        child.spawn<Msg>('leaf', leaf => {
          leaf.onStop(() => order.push(leaf.path))
          return () => {}
        })
        child.onStop(() => order.push(child.path))
        return () => {}
      })
    }
    ctx.onStop(() => order.push('first'))
    ctx.onStop(() => order.push('second'))
    return () => {}
  })

  bus.stop(ref)
  bus.stop(ref)

  expect(order).toEqual(['/p/a/leaf', '/p/a', '/p/b/leaf', '/p/b', 'second', 'first'])
})

test('a watch on a dead actor is answered at once, past a full mailbox; an unwatched one is silent', () => {
  const { bus, run } = createTestBus()
  const dead = bus.spawn<Msg>('dead', () => () => {})
  const other = bus.spawn<Msg>('other', () => () => {})
  bus.stop(dead)
  const heard: string[] = []
  const watcher = bus.declare<Msg>('w', { capacity: 1 })
  watcher.tell({ type: 'hi' })
  bus.spawn(watcher, ctx => {
    ctx.watch(dead, { type: 'gone' })
    ctx.watch(other, { type: 'tick' })
    ctx.unwatch(other)
    return (msg: Msg) => heard.push(msg.type)
  })
  bus.stop(other)

  run()

  expect(heard).toEqual(['gone', 'hi'])
})

test('an actor stops itself and its children, nobody else', () => {
  const { bus, fatals, run } = createTestBus()
  const other = bus.spawn<Msg>('other', () => () => {})

  bus.spawn<Msg>('a', ctx => () => ctx.stop(other)).tell({ type: 'hi' })
  run()

  expect(String(fatals[0])).toContain('may stop itself and its children')
})

test('an onStop that throws is logged and does not keep the others from running', () => {
  const codes: string[] = []
  const { bus } = createTestBus({ log: (_, code) => codes.push(code) })
  let ran = false
  const ref = bus.spawn<Msg>('a', ctx => {
    ctx.onStop(() => {
      ran = true
    })
    ctx.onStop(() => {
      throw new Error('no')
    })
    return () => {}
  })

  bus.stop(ref)

  expect([ran, codes]).toEqual([true, ['actor/stop-failed']])
})
