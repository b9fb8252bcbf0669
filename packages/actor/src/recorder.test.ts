import { describe, expect, test } from 'vitest'
import type { Behavior, Context, Outcome, Reply } from './api.ts'
import { Bus } from './bus.ts'
import { RealClock } from './clock.ts'
import { type Edge, edgeKinds } from './edges.ts'
import { Recorder } from './recorder.ts'
import { Diverged, Replay, type ReplayOptions } from './replay.ts'
import { createTestBus } from './test-bus.ts'

type Work =
  | { type: 'work'; n: number; reply?: Reply<number> }
  | { type: 'tick' }
  | { type: 'look' }
  | { type: 'done'; outcome: Outcome<number, unknown> }
  | { type: 'asked'; outcome: Outcome<number> }
type Hole = { type: 'question'; reply: Reply<number> }
type Disk = (n: number) => Promise<number>

/** Draws, waits, asks what never answers, writes, crashes and starts again: everything a node's actors do. */
function worker(hole: { path: string; tell(msg: Hole): void }, disk: Disk): Behavior<Work> {
  return (ctx: Context<Work>) => {
    let sum = Math.floor(ctx.random() * 1000)
    ctx.every('tick', 7, { type: 'tick' })
    ctx.at('look', ctx.wall() + 30, { type: 'look' })
    return message => {
      switch (message.type) {
        case 'work': {
          sum += message.n + ctx.int(10)
          message.reply?.tell(sum)
          if (message.n % 97 === 96) throw new Error('a planted crash')
          if (message.n % 11 === 0)
            ctx.pipe(
              () => disk(message.n),
              outcome => ({ type: 'done', outcome }),
            )
          if (message.n % 13 === 0)
            ctx.ask<Hole, number>(
              hole as never,
              reply => ({ type: 'question', reply }),
              5,
              outcome => ({ type: 'asked', outcome }),
            )
          return
        }
        case 'tick':
          sum += (ctx.entropy(2)[0] ?? 0) + (Math.round(ctx.now() * 1000) % 3) + (ctx.wall() % 5)
          if (sum % 2 === 0) ctx.self.tell({ type: 'work', n: sum % 50 })
          return
        case 'done':
          if (message.outcome.ok && message.outcome.value % 2 === 0) ctx.self.tell({ type: 'look' })
          return
      }
    }
  }
}

const seed = 'recorded'
const restarts = { on: () => 'restart' as const, max: 1000, backoff: [1, 4] as const }

function castOf(bus: Bus, disk: Disk) {
  const hole = bus.spawn<Hole>('hole', () => () => {}, { mailbox: { capacity: 100_000 } })
  return [1, 2, 3].map(n =>
    bus.spawn<Work>(`worker:${n}`, worker(hole, disk), {
      supervision: restarts,
      mailbox: { capacity: 200 },
    }),
  )
}

function recorded(slice: number) {
  const edges: Edge[] = []
  const recorder = new Recorder({ sink: edge => edges.push(structuredClone(edge)) })
  let fill = 0
  const bus = new Bus({
    clock: new RealClock(),
    edges: recorder,
    seed,
    slice,
    entropy: count => new Uint8Array(count).fill(++fill),
    onFatal: () => {},
  })
  return { bus, recorder, edges }
}

async function replayed(edges: readonly Edge[], options: ReplayOptions = {}) {
  const replay = new Replay(structuredClone(edges), options)
  const bus = new Bus({
    clock: new RealClock(),
    edges: replay,
    seed,
    onReady: () => {},
    onFatal: () => {},
  })
  castOf(bus, () => {
    throw new Error('no I/O in a replay')
  })
  return { bus, result: await replay.run(bus) }
}

/** Real time, real promises and a load that overruns its slices. */
async function liveRun(slice: number) {
  const { bus, recorder, edges } = recorded(slice)
  const clock = new RealClock()
  const disk: Disk = n =>
    new Promise((resolve, reject) =>
      clock.at(clock.now() + (n % 5), () =>
        n % 3 === 0 ? reject(Object.assign(new Error('full'), { code: 'store/full' })) : resolve(n),
      ),
    )
  const workers = castOf(bus, disk)
  let n = 0
  for (let burst = 0; burst < 30; burst++) {
    for (let i = 0; i < 100; i++) workers[++n % 3]?.offer({ type: 'work', n }, `test:${n}`)
    void bus.ask<Work, number>(
      workers[n % 3] as never,
      reply => ({ type: 'work', n: ++n, reply }),
      20,
    )
    if (burst === 15) recorder.mark('half')
    await new Promise<void>(resolve => clock.at(clock.now() + 2, resolve))
  }
  await bus.drain(2_000)
  recorder.end({ handled: bus.handled, dead: bus.dead, refused: bus.refused })
  return { bus, edges }
}

describe('what was recorded under real time', () => {
  test('is replayed to the same trace 10 times of 10, though slices were cut after every few messages', async () => {
    const { bus, edges } = await liveRun(0.05)
    const count = (kind: number) => edges.filter(edge => edge[0] === kind).length
    expect(bus.turns).toBeGreaterThan(2_000)
    expect(bus.deadLetters.counts().some(({ reason }) => reason === 'crashed')).toBe(true)
    for (const kind of Object.values(edgeKinds)) {
      if (kind !== edgeKinds.port && kind !== edgeKinds.act && kind !== edgeKinds.read)
        expect(count(kind)).toBeGreaterThan(0)
    }

    for (let round = 0; round < 10; round++) {
      const again = await replayed(edges)
      expect(again.result).toMatchObject({
        turns: bus.turns,
        hash: bus.traceHash >>> 0,
        stoppedAt: 'ended',
      })
      expect(again.bus.deadLetters.counts()).toEqual(bus.deadLetters.counts())
      const { sent, handled, dead, merged, refused } = bus
      expect(again.bus).toMatchObject({ sent, handled, dead, merged, refused })
    }
  })

  test('goes another way after one changed value, and the replay says at which turn', async () => {
    const { edges } = await liveRun(5)
    const changed = structuredClone(edges) as unknown as unknown[][]
    const at = changed.findIndex(
      (edge, index) => index > edges.length / 2 && edge[0] === edgeKinds.input,
    )
    changed[at]?.splice(3, 1, { type: 'look' })

    const error = await replayed(changed as unknown as Edge[]).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(Diverged)
    const { agreed, turn } = error as Diverged
    expect(agreed).toBeGreaterThan(0)
    expect(turn).toBeGreaterThanOrEqual(agreed)
    expect(turn).toBeGreaterThanOrEqual(changed[at]?.[1] as number)
  })

  test('is replayed up to a turn, and to the first message of a kind', async () => {
    const { edges } = await liveRun(5)

    expect((await replayed(edges, { untilTurn: 500 })).result).toMatchObject({
      turns: 500,
      stoppedAt: 'until',
    })
    const { bus, result } = await replayed(edges, {
      breakAt: ({ actor, type }) => actor === '/worker:2' && type === 'look',
    })
    expect(result).toMatchObject({
      stoppedAt: 'break',
      found: { actor: '/worker:2', type: 'look' },
    })
    expect(bus.trace(result.found?.id ?? 0)[0]).toMatchObject({ type: 'look' })
  })

  test('ends where the file ends', async () => {
    const { edges } = await liveRun(5)
    const cut = edges.slice(0, Math.floor(edges.length / 2))

    expect((await replayed(cut)).result.stoppedAt).toBe('cut')
  })
})

test('an end that no longer follows from the inputs is told with what nobody did', async () => {
  const { edges } = await liveRun(5)
  const last = edges.at(-1) as Edge
  const longer = [
    ...edges.slice(0, -1),
    [last[0], last[1] + 1, ...last.slice(2)] as unknown as Edge,
  ]

  await expect(replayed(longer)).rejects.toThrow(/nobody has anything to do, the file continues at/)
})

test('work made again answers from the ports, and what it remembers is there in the replay too', async () => {
  type Say = { type: 'ask'; key: number } | { type: 'told'; outcome: Outcome<number, unknown> }
  const cache = (
    port: <T>(signature: number, work: () => Promise<T>) => Promise<T>,
    disk: Disk,
  ) => {
    const known = new Map<number, number>()
    const heard: unknown[] = []
    const behavior: Behavior<Say> = ctx => message => {
      if (message.type === 'told') return void heard.push(message.outcome)
      const { key } = message
      if (known.has(key)) return void heard.push(known.get(key))
      ctx.pipe(
        async () => {
          const value =
            (await port(key, () => disk(key))) + (await port(100 + key, () => disk(key * 2)))
          known.set(key, value)
          return value
        },
        outcome => ({ type: 'told', outcome }),
      )
    }
    return { behavior, heard }
  }
  const edges: Edge[] = []
  const recorder = new Recorder({ pipes: 'made', sink: edge => edges.push(structuredClone(edge)) })
  const live = new Bus({ clock: new RealClock(), edges: recorder, seed })
  const clock = new RealClock()
  const disk: Disk = key =>
    new Promise((resolve, reject) =>
      clock.at(clock.now() + (7 - key), () =>
        key === 5 ? reject(new Error('torn')) : resolve(key * 10),
      ),
    )
  const first = cache((signature, work) => recorder.port(signature, work), disk)
  const act = () => live.spawn('cache', first.behavior)
  live.act('cast', null, act)
  for (const key of [1, 2, 3, 5, 1, 2]) live.roots.get('cache')?.tell({ type: 'ask', key } as Say)
  await new Promise<void>(resolve => clock.at(clock.now() + 30, resolve))
  for (const key of [1, 2, 3, 5]) live.roots.get('cache')?.tell({ type: 'ask', key } as Say)
  await live.drain(1_000)
  recorder.end({})

  let again = new Bus({ clock: new RealClock() })
  const replay = new Replay(edges, {
    pipes: 'made',
    acts: { cast: () => again.act('cast', null, () => again.spawn('cache', second.behavior)) },
  })
  const second = cache(
    signature => replay.port(signature),
    () => Promise.reject(new Error('no I/O in a replay')),
  )
  again = new Bus({ clock: new RealClock(), edges: replay, seed, onReady: () => {} })

  expect(await replay.run(again)).toMatchObject({ hash: live.traceHash >>> 0, stoppedAt: 'ended' })
  expect(second.heard).toEqual(first.heard)
  expect(first.heard).toContain(30)
})

test('what is done to a recorded bus without a name is refused once it runs', () => {
  const { bus } = recorded(5)
  const ref = bus.spawn<Work>('a', () => () => {})
  ref.tell({ type: 'tick' })

  expect(() => bus.stop(ref)).toThrow(/is an act/)
  bus.act('late', null, () => bus.spawn('b', () => () => {}))
  bus.act('end', null, () => bus.stopAll('dead'))
})

test('the wall is written only where it does not follow from the clock', () => {
  const edges: Edge[] = []
  const { bus, clock, run } = createTestBus({
    edges: new Recorder({ sink: edge => edges.push(structuredClone(edge)) }),
  })
  const ref = bus.spawn<Work>('a', () => () => {})
  for (let i = 0; i < 50; i++) {
    clock.set(clock.now() + 3.7)
    if (i === 30) clock.shiftWall(3_600_000)
    ref.tell({ type: 'tick' })
    run()
  }

  const walls = edges.filter(edge => edge[0] === edgeKinds.input && edge[7] !== undefined)
  expect(walls.length).toBeLessThan(9)
  expect(walls.some(edge => (edge[7] as number) > 1_700_003_600_000)).toBe(true)
})
