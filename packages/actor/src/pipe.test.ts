import { expect, test } from 'vitest'
import type { Context, Outcome } from './api.ts'
import { createTestBus } from './test-bus.ts'

type Got = { type: 'got'; outcome: Outcome<number, unknown> }
type Msg = { type: 'go' } | { type: 'crash' } | Got
const got = (outcome: Outcome<number, unknown>): Msg => ({ type: 'got', outcome })

function aPiper(go: (ctx: Context<Msg>) => void, luck?: string) {
  const bed = createTestBus(luck === undefined ? {} : { maybe: label => label === luck })
  const heard: unknown[] = []
  const ref = bed.bus.spawn<Msg>(
    'p',
    ctx => msg => {
      if (msg.type === 'go') go(ctx)
      else if (msg.type === 'crash') throw new Error('poison')
      else heard.push(msg.outcome)
    },
    { supervision: { on: () => 'restart' } },
  )
  ref.tell({ type: 'go' })
  const reading = () => bed.bus.meters().actors[0]
  return { ...bed, ref, heard, reading }
}

function deferred() {
  let resolve: (n: number) => void = () => {}
  const promise = new Promise<number>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

test('with the luck of a simulation it comes back up to two seconds later, and still only once', async () => {
  const { bus, heard, settle, pass } = aPiper(ctx => {
    ctx.pipe(async () => 7, got)
  }, 'actor/pipe-late')
  await settle()
  expect(heard).toEqual([])

  await pass(2_000)
  expect(heard).toEqual([{ ok: true, value: 7 }])
  expect(bus.balanced()).toBe(true)
})

test('with the luck of a simulation an answer is not waited for', async () => {
  const { heard, pass } = aPiper(ctx => {
    const nobody = { path: '/nobody', tell: () => {}, offer: () => true }
    ctx.ask<Msg, number>(nobody, () => ({ type: 'go' }), 10_000, got)
  }, 'actor/ask-early')
  await pass(20)

  expect(heard).toEqual([{ ok: false, error: 'timeout' }])
})

test('what a pipe settles to comes back as a message', async () => {
  const { bus, heard, settle } = aPiper(ctx => {
    ctx.pipe(async () => 7, got)
    ctx.pipe(async () => {
      throw 'full'
    }, got)
  })

  await settle()

  expect(heard).toEqual([
    { ok: true, value: 7 },
    { ok: false, error: 'full' },
  ])
  expect([bus.pipes.size, bus.balanced()]).toEqual([0, true])
})

test('the work starts after the turn has ended', () => {
  const order: string[] = []
  const { run } = aPiper(ctx => {
    ctx.pipe(async () => order.push('work'), got)
    order.push('turn')
  })

  run()

  expect(order).toEqual(['turn', 'work'])
})

test('a synchronous throw is a rejection', async () => {
  const { heard, settle } = aPiper(ctx => {
    ctx.pipe(() => {
      throw 'closed'
    }, got)
  })

  await settle()

  expect(heard).toEqual([{ ok: false, error: 'closed' }])
})

test('a pipe times out after its time, not before; what settles later is counted late', async () => {
  const work = deferred()
  const { heard, reading, advance, settle } = aPiper(ctx => ctx.pipe(() => work.promise, got))
  advance(29_999)
  expect(heard).toEqual([])
  advance(1)
  expect(heard).toEqual([{ ok: false, error: 'timeout' }])

  work.resolve(1)
  await settle()

  expect([heard.length, reading()?.late]).toEqual([1, 1])
})

test('a pipe may wait for ever', async () => {
  const work = deferred()
  const { clock, heard, settle, run } = aPiper(ctx =>
    ctx.pipe(() => work.promise, got, Number.POSITIVE_INFINITY),
  )
  run()
  expect(clock.armed).toBe(0)

  work.resolve(1)
  await settle()

  expect(heard).toEqual([{ ok: true, value: 1 }])
})

test('a restart aborts what is under way, and its outcome is stale', async () => {
  const work = deferred()
  const signals: AbortSignal[] = []
  const { bus, clock, ref, heard, reading, run, settle } = aPiper(ctx =>
    ctx.pipe(signal => {
      signals.push(signal)
      return work.promise
    }, got),
  )
  run()
  expect(signals[0]?.aborted).toBe(false)
  ref.tell({ type: 'crash' })
  run()
  expect([signals[0]?.aborted, bus.pipes.size, clock.armed]).toEqual([true, 0, 0])

  work.resolve(1)
  await settle()

  expect([heard, reading()?.stale]).toEqual([[], 1])
  ref.tell({ type: 'go' })
  run()
  expect(signals[1]?.aborted).toBe(false)
})

test('a pipe asked for in a turn that crashed is never started', () => {
  let started = 0
  const { run } = aPiper(ctx => {
    ctx.pipe(async () => ++started, got)
    throw new Error('poison')
  })

  run()

  expect(started).toBe(0)
})

test('the outcome is caused by the turn that asked', async () => {
  const { bus, heard, settle } = aPiper(ctx => ctx.pipe(async () => 1, got))

  await settle()

  expect(heard).toHaveLength(1)
  expect(bus.trace(2).map(({ id, type }) => [id, type])).toEqual([
    [2, 'got'],
    [1, 'go'],
  ])
})
