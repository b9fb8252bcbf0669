import { describe, expect, test } from 'vitest'
import type { Context, Reply } from './api.ts'
import { createTestBus } from './test-bus.ts'
import { createWorkerRef, type Port, serveWorker, WORKER_BATCH, WORKER_WINDOW } from './worker.ts'

type Work = { type: 'work'; n: number } | { type: 'ask'; n: number; reply: Reply<number> }

/** Two ends of a channel that delivers when told to, cloning as a thread boundary does. */
function aChannel() {
  const frames: { to: 'host' | 'worker'; frame: unknown }[] = []
  const listeners: Record<string, (frame: unknown) => void> = {}
  const end = (me: 'host' | 'worker', other: 'host' | 'worker'): Port => ({
    postMessage: frame => frames.push({ to: other, frame: structuredClone(frame) }),
    on: (_, listener) => {
      listeners[me] = listener
    },
  })
  return {
    host: end('host', 'worker'),
    worker: end('worker', 'host'),
    frames,
    deliver() {
      const next = frames.shift()
      if (next !== undefined) listeners[next.to]?.(next.frame)
      return next !== undefined
    },
  }
}

function aWorker(capacity = 1024) {
  const here = createTestBus()
  const there = createTestBus()
  const channels = [aChannel()]
  let connections = 0
  const last = () => channels.at(-1) as ReturnType<typeof aChannel>
  const ref = createWorkerRef<Work>({
    bus: here.bus,
    path: '/crypto',
    capacity,
    connect: () => {
      const channel = connections++ === 0 ? last() : aChannel()
      if (channel !== last()) channels.push(channel)
      return channel.host
    },
    backoff: [100, 1000],
  })
  const done: number[] = []
  const actor = there.bus.spawn<Work>(
    'crypto',
    () => msg => {
      done.push(msg.n)
      if (msg.type === 'ask') msg.reply.tell(msg.n * 2)
    },
    { mailbox: { capacity: 8 } },
  )
  const serve = () => serveWorker(last().worker, there.bus, actor)
  serve()
  return { here, there, ref, done, last, serve }
}

async function exchange({ there, last }: Pick<ReturnType<typeof aWorker>, 'there' | 'last'>) {
  for (let quiet = 0; quiet < 3; quiet++) {
    while (last().deliver()) {
      quiet = 0
      await there.settle()
    }
    await there.settle()
  }
}

const ask = (n: number) => (reply: Reply<number>) => ({ type: 'ask' as const, n, reply })

describe('a worker', () => {
  test('answers, and gets everything in order through its small mailbox', async () => {
    const bed = aWorker()
    for (let n = 0; n < 200; n++) bed.ref.tell({ type: 'work', n })
    const answer = bed.here.bus.ask(bed.ref, ask(21), 1000)

    await exchange(bed)

    expect(await answer).toEqual({ ok: true, value: 42 })
    expect(bed.done).toEqual([...Array.from({ length: 200 }, (_, n) => n), 21])
    expect([bed.ref.waiting, bed.ref.posted]).toEqual([0, 0])
    expect(bed.here.letters).toEqual([])
  })

  test('never has more than its window, in batches of at most 32', () => {
    const bed = aWorker()
    for (let n = 0; n < 200; n++) bed.ref.tell({ type: 'work', n })

    const sizes = bed.last().frames.map(({ frame }) => (frame as unknown[]).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(WORKER_BATCH)
    expect(sizes.reduce((a, b) => a + b)).toBe(WORKER_WINDOW)
    expect([bed.ref.posted, bed.ref.waiting]).toEqual([64, 136])
  })

  test('that is full refuses, and says when there is space', async () => {
    const bed = aWorker(10)
    for (let n = 0; n < 74; n++) expect(bed.ref.offer({ type: 'work', n })).toBe(true)
    expect(bed.ref.offer({ type: 'work', n: 74 })).toBe(false)
    bed.ref.tell({ type: 'work', n: 75 })
    let told = 0
    bed.here.bus.whenSpace(bed.ref, () => told++)
    expect([told, bed.here.letters[0]?.reason, bed.here.bus.refused]).toEqual([0, 'full', 1])

    await exchange(bed)

    expect([told, bed.done.length, bed.here.bus.balanced()]).toEqual([1, 74, true])
  })

  test('that dies fails what it had; what still waited goes to the next one, after a backoff', async () => {
    const bed = aWorker()
    const had = bed.here.bus.ask(bed.ref, ask(1), 60_000)
    for (let n = 0; n < 63; n++) bed.ref.tell({ type: 'work', n })
    const waited = bed.here.bus.ask(bed.ref, ask(2), 60_000)

    bed.ref.lost(new Error('exit 1'))
    bed.ref.lost(new Error('twice'))
    expect(await had).toEqual({ ok: false, error: 'crashed' })
    expect(bed.here.letters.map(({ reason }) => reason)).toEqual(Array(64).fill('crashed'))
    const before = bed.last()
    bed.here.advance(89)
    expect(bed.last()).toBe(before)
    bed.here.advance(21)
    expect(bed.last()).not.toBe(before)
    bed.serve()
    await exchange(bed)

    expect(await waited).toEqual({ ok: true, value: 4 })
    expect(bed.here.bus.balanced()).toBe(true)
  })

  test('stopped, twice, leaves nobody waiting', async () => {
    const bed = aWorker(200)
    const asks = Array.from({ length: 70 }, (_, n) => bed.here.bus.ask(bed.ref, ask(n), 60_000))

    bed.ref.stop()
    bed.ref.stop()
    const after = bed.here.bus.ask(bed.ref, ask(0), 60_000)

    const outcomes = await Promise.all([...asks, after])
    expect(new Set(outcomes.map(o => (o.ok ? 'ok' : o.error)))).toEqual(new Set(['dead']))
    expect(bed.here.clock.armed).toBe(0)
  })

  test('is not given a question nobody waits for', async () => {
    const bed = aWorker()
    for (let n = 0; n < 64; n++) bed.ref.tell({ type: 'work', n })
    const outcome = bed.here.bus.ask(bed.ref, ask(99), 10)
    bed.here.advance(10)

    await exchange(bed)

    expect(await outcome).toEqual({ ok: false, error: 'timeout' })
    expect(bed.done).not.toContain(99)
    expect(bed.here.letters.map(({ reason }) => reason)).toEqual(['expired'])
  })

  test('can be waited for from inside an actor', async () => {
    const bed = aWorker(4)
    type Go = { type: 'go' }
    let sent = 0
    const behave = (ctx: Context<Go>) => () => {
      while (sent < 100 && bed.ref.offer({ type: 'work', n: sent })) sent++
      if (sent < 100) ctx.whenSpace(bed.ref, { type: 'go' })
    }
    bed.here.bus.spawn<Go>('source', behave).tell({ type: 'go' })
    for (let i = 0; i < 10; i++) {
      bed.here.run()
      await exchange(bed)
    }

    expect([sent, bed.done.length]).toEqual([100, 100])
  })
})
