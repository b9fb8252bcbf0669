import { expect, test } from 'vitest'
import { createTestBus } from './test-bus.ts'

type Msg = { type: 'work'; n: number } | { type: 'done' } | { type: 'tick' }

test('an idle bus drains at once', async () => {
  const { bus, clock } = createTestBus()
  const stopped: string[] = []
  for (const name of ['a', 'b', 'c']) {
    bus.spawn<Msg>(name, ctx => {
      ctx.every('tick', 1000, { type: 'tick' })
      ctx.onStop(() => stopped.push(name))
      return () => {}
    })
  }

  expect(await bus.drain(30_000)).toEqual({ drained: true, left: 0, byType: {} })
  expect([stopped, clock.now(), clock.armed]).toEqual([['c', 'b', 'a'], 0, 0])
})

test('what is queued and piped is worked off, what comes from outside is a dead letter', async () => {
  const { bus, letters, settle } = createTestBus()
  const heard: unknown[] = []
  const ref = bus.spawn<Msg>('a', ctx => msg => {
    heard.push(msg.type)
    if (msg.type === 'work')
      ctx.pipe(
        async () => {},
        () => ({ type: 'done' }),
      )
  })
  ref.tell({ type: 'work', n: 1 })

  const phases: unknown[] = []
  const draining = bus.drain(30_000, (phase, queued) => phases.push([phase, queued]))
  ref.tell({ type: 'work', n: 2 })
  await settle()

  expect(await draining).toEqual({ drained: true, left: 1, byType: { work: 1 } })
  expect(heard).toEqual(['work', 'done'])
  expect(letters.map(({ reason }) => reason)).toEqual(['shutdown'])
  expect(phases).toEqual([
    ['intake-closed', 1],
    ['work-off', 1],
    ['stop', 0],
    ['leftovers', 0],
  ])
  expect(bus.balanced()).toBe(true)
})

test('the deadline is kept: what is left is counted by type and pipes are aborted', async () => {
  const { bus, clock, run, advance } = createTestBus()
  let signal: AbortSignal | undefined
  const ref = bus.spawn<Msg>('a', ctx => msg => {
    if (msg.type === 'work') {
      ctx.pipe(
        aborts => {
          signal = aborts
          return new Promise(() => {})
        },
        () => ({ type: 'done' }),
      )
    }
  })
  const slow = bus.declare<Msg>('slow')
  for (let n = 0; n < 3; n++) slow.tell({ type: 'tick' })
  ref.tell({ type: 'work', n: 1 })
  run()

  const draining = bus.drain(500)
  advance(499)
  expect(signal?.aborted).toBe(false)
  advance(1)

  expect(await draining).toEqual({ drained: false, left: 3, byType: { tick: 3 } })
  expect([signal?.aborted, clock.now(), bus.balanced()]).toEqual([true, 500, true])
})

test('a second drain is the first one', async () => {
  const { bus } = createTestBus()
  bus.spawn<Msg>('a', () => () => {})

  const first = bus.drain(100)

  expect(bus.drain(1)).toBe(first)
  await first
  bus.stopAll('dead')
  expect(bus.balanced()).toBe(true)
})

test('a drain begun inside a turn waits for the turn', async () => {
  const { bus, run } = createTestBus()
  let finished = false
  const ref = bus.spawn<Msg>('a', () => msg => {
    if (msg.type !== 'work') return
    void bus.drain(1000).then(() => {
      finished = true
    })
    ref.tell({ type: 'done' })
  })
  ref.tell({ type: 'work', n: 1 })
  run()
  await Promise.resolve()

  expect([finished, bus.handled, bus.balanced()]).toEqual([true, 2, true])
})
