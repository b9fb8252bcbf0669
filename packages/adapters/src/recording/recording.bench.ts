import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Behavior, Bus, RealClock, Recorder, type Reply } from '@rockpool/actor'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { openRecording, type RecordingFile, type RecordingHeader } from './file.ts'

const turns = 1_500_000
const asks = 60_000
const payloadBytes = 110
const rounds = 8

type Ball = { type: 'ball' }
type Submit = { type: 'pool.submit'; raw: Uint8Array; reply: Reply<boolean> }
type Stored = { type: 'pool.stored' } | { type: 'pool.checked' }

const header: RecordingHeader = {
  ...{ wallMs: 0, nodeVersion: process.version, commit: '', seed: '1', quantum: 64, sliceMs: 5 },
  ...{ configDigest: '', protocolVersion: 1, chainId: 1337 },
}

/** What recording costs: inside turns, and for a bus that hears everything from outside, as a node under load does. */
export async function rows(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-bench-'))
  let made = 0
  const record = async () => {
    const recorder: Recorder = new Recorder({ pipes: 'made', sink: edge => file.add(edge) })
    const file = await openRecording({
      ...{ path: join(folder, `${++made}.rprec`), header, maxBytes: 2 ** 30 },
      ...{ flush: () => recorder.flush(), stopped: () => {} },
    })
    return { recorder, file }
  }
  try {
    const plain = { balls: Number.POSITIVE_INFINITY, submits: Number.POSITIVE_INFINITY }
    const recorded = { ...plain }
    let bytesPerTurn = 0
    // Turn about, the best of each: other processes share the cores.
    for (let round = 0; round < rounds; round++) {
      plain.balls = Math.min(plain.balls, await cpuUs(() => pingPong(undefined)))
      plain.submits = Math.min(
        plain.submits,
        await cpuUs(async () => void (await submits(undefined))),
      )
      const first = await record()
      recorded.balls = Math.min(recorded.balls, await cpuUs(() => pingPong(first.recorder)))
      await first.file.close()
      const second = await record()
      let made = 0
      recorded.submits = Math.min(
        recorded.submits,
        await cpuUs(async () => {
          made = await submits(second.recorder)
        }),
      )
      await second.file.close()
      bytesPerTurn = bytesBeside(second.file, made)
    }
    const share = (kind: 'balls' | 'submits') =>
      (100 * (recorded[kind] - plain[kind])) / plain[kind]
    return [
      atMost('recording: bytes per turn beside the payload', 'B', bytesPerTurn, 40),
      atMost('recording: more CPU inside turns, of a bare turn', '%', share('balls'), 15),
      atMost(
        'recording: more CPU for each submission, file included',
        'us',
        (recorded.submits - plain.submits) / asks,
        8,
      ),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function atMost(row: string, unit: string, ours: number, target: number): BenchRow {
  return { row, unit, ours, target: `<= ${target}`, met: ours <= target }
}

async function cpuUs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function pingPong(recorder: Recorder | undefined): Promise<void> {
  return new Promise(resolve => {
    const bus = new Bus({ clock: new RealClock(), ...(recorder && { edges: recorder }) })
    let left = turns
    const a = bus.declare<Ball>('a')
    const b = bus.declare<Ball>('b')
    const hit = (to: typeof a) => () => () => {
      if (--left > 0) to.tell({ type: 'ball' })
      else resolve()
    }
    bus.spawn(a, hit(b))
    bus.spawn(b, hit(a))
    a.tell({ type: 'ball' })
  })
}

/** Submissions from outside, each checked and stored as a pool does it: two waits, three turns. The number of turns. */
async function submits(recorder: Recorder | undefined): Promise<number> {
  const bus = new Bus({ clock: new RealClock(), ...(recorder && { edges: recorder }) })
  const port = <T>(n: number, work: () => Promise<T>) =>
    recorder === undefined ? work() : recorder.port(n, work)
  const pool: Behavior<Submit | Stored> = ctx => {
    const replies: Reply<boolean>[] = []
    return message => {
      if (message.type === 'pool.submit') {
        replies.push(message.reply)
        const work = () => port(1, () => Promise.resolve(message.raw.subarray(0, 20)))
        ctx.pipe(work, () => ({ type: 'pool.checked' }))
      } else if (message.type === 'pool.checked') {
        const work = () => port(2, () => Promise.resolve())
        ctx.pipe(work, () => ({ type: 'pool.stored' }))
      } else replies.shift()?.tell(true)
    }
  }
  const ref = bus.spawn<Submit, Submit | Stored>(bus.declare<Submit>('pool'), pool)
  const asker = async (from: number) => {
    for (let n = 0; n < asks / 100; n++) {
      const raw = new Uint8Array(payloadBytes).fill(from + n)
      const make = (reply: Reply<boolean>): Submit => ({ type: 'pool.submit', raw, reply })
      await bus.ask<Submit, boolean>(ref, make, 10_000, 'rpc')
    }
  }
  await Promise.all(Array.from({ length: 100 }, (_, n) => asker(n)))
  return bus.turns
}

/** Without what was submitted and what the ports answered. */
function bytesBeside(file: RecordingFile, made: number): number {
  return (file.bytes - asks * (payloadBytes + 20)) / made
}
