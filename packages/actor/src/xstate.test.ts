import { describe, expect, test } from 'vitest'
import { assign, createMachine, setup } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import type { Context } from './api.ts'
import { createTestBus } from './test-bus.ts'
import { hosted, hostIn } from './xstate.ts'

const ticker = setup({
  types: { context: {} as { ticks: number } },
  actions: { count: assign({ ticks: ({ context }) => context.ticks + 1 }) },
}).createMachine({
  id: 'ticker',
  context: { ticks: 0 },
  initial: 'on',
  states: { on: { after: { 1000: { target: 'on', reenter: true, actions: 'count' } } } },
})

type StreamEvent = { type: 'open' } | { type: 'close' } | { type: 'packet' }
const stream = setup({ types: { events: {} as StreamEvent } }).createMachine({
  id: 'stream',
  initial: 'routing',
  states: {
    routing: { on: { open: 'open', close: 'closing' } },
    open: { on: { close: 'closing' } },
    closing: { after: { 30000: 'retired' } },
    retired: { type: 'final' },
  },
})

const faulty = setup({
  types: { events: {} as { type: 'go' } },
  actions: {
    fail: () => {
      throw new Error('in an action')
    },
  },
}).createMachine({
  id: 'faulty',
  initial: 'idle',
  states: { idle: { on: { go: { actions: 'fail' } } } },
})

test('a one-second ticker ticks 3,600 times in a virtual hour', () => {
  const { bus, fatals, advance } = createTestBus()
  let ticks = 0
  bus.spawn(
    'ticker',
    hosted(ticker, () => ({
      onSnapshot: state => {
        ticks = state.context.ticks
      },
    })),
  )

  advance(3_600_000)

  expect([ticks, fatals, bus.balanced()]).toEqual([3600, [], true])
})

test('a closing stream key retires at 30.000 s and not a moment sooner; a straggler is a dead letter', () => {
  const { bus, clock, letters, run, advance } = createTestBus()
  const states: string[] = []
  const ref = bus.spawn(
    'stream',
    hosted(stream, () => ({ onSnapshot: state => states.push(`${state.value}@${clock.now()}`) })),
  )
  ref.tell({ type: 'open' })
  ref.tell({ type: 'close' })
  run()

  advance(29_999)
  ref.tell({ type: 'packet' })
  run()
  expect(states.at(-1)).toBe('closing@29999')
  advance(1)
  expect(states.at(-1)).toBe('retired@30000')
  ref.tell({ type: 'packet' })

  expect(letters.map(({ reason, type }) => [reason, type])).toEqual([['dead', 'packet']])
})

test('a delayed transition is a turn of its own, caused by the turn that armed it', () => {
  const { bus, run, advance } = createTestBus()
  const ref = bus.spawn('stream', hosted(stream))
  ref.tell({ type: 'close' })
  run()
  advance(30_000)

  expect(bus.trace(2).map(({ type }) => type)).toEqual(['$after', 'close'])
})

describe('a throw', () => {
  test('in an action restarts the machine under supervision', () => {
    const { bus, letters, run } = createTestBus()
    let lives = 0
    const ref = bus.spawn(
      'faulty',
      hosted(faulty, () => {
        lives++
        return {}
      }),
      { supervision: { on: error => (String(error).includes('action') ? 'restart' : 'stop') } },
    )
    ref.tell({ type: 'go' })
    ref.tell({ type: 'go' })
    run()

    expect(lives).toBe(3)
    expect(letters.map(({ reason }) => reason)).toEqual(['crashed', 'crashed'])
  })

  test('in the observer of a snapshot is for supervision too', () => {
    const { bus, fatals, run } = createTestBus()
    const ref = bus.spawn(
      'stream',
      hosted(stream, () => ({
        onSnapshot: state => {
          if (state.value === 'open') throw new Error('observer')
        },
      })),
    )
    ref.tell({ type: 'open' })
    run()

    expect(String(fatals[0])).toContain('observer')
  })
})

describe('inside an actor', () => {
  type Msg = { type: 'go' }
  const inActor = (act: (ctx: Context<Msg>) => void) => {
    const bed = createTestBus()
    bed.bus.spawn<Msg>('proxy', ctx => () => act(ctx)).tell({ type: 'go' })
    bed.run()
    return bed
  }

  test('a machine decides at once, several side by side', () => {
    const seen: unknown[] = []
    const { advance } = inActor(ctx => {
      const a = hostIn(ctx, 'a', stream)
      const b = hostIn(ctx, 'b', stream)
      a.send({ type: 'open' })
      b.send({ type: 'close' })
      seen.push(a.state.value, b.state.value)
      ctx.onStop(() => {})
      seen.push(() => [a.state.value, b.state.value])
    })
    advance(30_000)

    expect(seen.slice(0, 2)).toEqual(['open', 'closing'])
    expect((seen[2] as () => unknown)()).toEqual(['open', 'retired'])
  })

  test('a machine ends with its actor, and so do its timers', () => {
    const { bus, clock } = inActor(ctx => {
      hostIn(ctx, 'a', ticker)
    })
    expect(clock.armed).toBe(1)

    bus.stopAll('dead')

    expect(clock.armed).toBe(0)
  })

  test('a restored machine keeps its state and goes on by events', () => {
    let state: unknown
    inActor(ctx => {
      const first = hostIn(ctx, 'a', stream)
      first.send({ type: 'open' })
      const restored = hostIn(ctx, 'b', stream, { snapshot: first.snapshot() })
      state = restored.state.value
      restored.send({ type: 'close' })
      state = [state, restored.state.value]
    })

    expect(state).toEqual(['open', 'closing'])
  })

  test('a machine cannot be restored where it would wait for ever', () => {
    const { fatals } = inActor(ctx => {
      const first = hostIn(ctx, 'a', stream)
      first.send({ type: 'close' })
      hostIn(ctx, 'b', stream, { snapshot: first.snapshot() })
    })

    expect(String(fatals[0])).toContain('waits for a timer nobody arms again')
  })
})

test('every shortest path of the chart can be walked on the hosted machine', () => {
  const chart = createMachine({
    id: 'peer',
    initial: 'known',
    states: {
      known: { on: { connect: 'good', ban: 'banned' } },
      good: { on: { doubt: 'suspect', leave: 'known', ban: 'banned' } },
      suspect: { on: { clear: 'good', ban: 'banned' } },
      banned: { on: { lift: 'known' } },
    },
  })
  const paths = getShortestPaths(chart)
  for (const path of paths) {
    const { bus, run } = createTestBus()
    let value: unknown
    const ref = bus.spawn(
      'peer',
      hosted(chart, () => ({
        onSnapshot: state => {
          value = state.value
        },
      })),
    )
    for (const { event } of path.steps) if (event.type !== 'xstate.init') ref.tell(event)
    run()

    expect(value).toEqual(path.state.value)
  }

  expect(paths).toHaveLength(4)
})
