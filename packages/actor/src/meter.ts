import type { DeadCount } from './dead-letters.ts'
import type { TraceRow } from './trace.ts'

/** A handler over this holds up everybody; it is logged and counted by message type. */
export const SLOW_HANDLER_MS = 50
/** Clock reads are dear: one message in this many is timed. */
const LOOK_EVERY = 32
/** After a slow batch, this many messages are timed one by one to find out which it was. */
const LOOK_CLOSELY = 1000
/** 1 µs, 2 µs, 4 µs … 64 ms (2^16 µs), and one bucket for whatever took longer. */
const BUCKETS = 18

/** Numbers of all actors of one kind, living and gone. */
export class KindMeter {
  readonly kind: string
  handled = 0
  /** Outcomes for a life that had ended. */
  stale = 0
  /** Pipes that settled after their timeout. */
  late = 0
  restarts = 0
  highWater = 0
  /** Sampled handler times: bucket i counts up to 2^i µs. Absent until the first sample. */
  buckets: Float64Array | undefined = undefined
  slow: Map<string, number> | undefined = undefined

  constructor(kind: string) {
    this.kind = kind
  }

  sample(ms: number): void {
    this.buckets ??= new Float64Array(BUCKETS)
    const bucket = Math.min(BUCKETS - 1, 32 - Math.clz32(Math.max(0, Math.ceil(ms * 1000) - 1)))
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1
  }

  countSlow(type: string): void {
    this.slow ??= new Map()
    this.slow.set(type, (this.slow.get(type) ?? 0) + 1)
  }
}

/** `/proxy/stream:ab12` is of kind `/proxy/stream`: what follows a colon names the instance. */
export function kindOf(path: string): string {
  return path.includes(':') ? path.replaceAll(/:[^/]*/g, '') : path
}

/** A meter per kind, made when the first of its kind is spawned. */
export class Kinds {
  private readonly byName = new Map<string, KindMeter>()

  of(path: string): KindMeter {
    const name = kindOf(path)
    let meter = this.byName.get(name)
    if (meter === undefined) {
      meter = new KindMeter(name)
      this.byName.set(name, meter)
    }
    return meter
  }

  all(): KindMeter[] {
    return [...this.byName.values()]
  }
}

type Report = (code: string, fields: Record<string, unknown>) => void

/**
 * Decides when a slice is over and times a sample of the handlers. Its reads of the clock never reach an actor.
 *
 * It looks after 32 messages, or sooner when they have lately been slow: 32 messages of 1 ms would hold the event loop
 * for six slices.
 */
export class Pace {
  slices = 0
  overruns = 0
  lagMs = 0
  lagMaxMs = 0
  private readonly sliceMs: number
  private readonly report: Report
  private readonly latest: (count: number) => readonly TraceRow[]
  private began = 0
  private lookedAt = 0
  private batch = LOOK_EVERY
  private left = LOOK_EVERY
  private closely = 0

  constructor(sliceMs: number, report: Report, latest: (count: number) => readonly TraceRow[]) {
    this.sliceMs = sliceMs
    this.report = report
    this.latest = latest
  }

  begin(plannedAt: number, now: number): void {
    this.slices++
    this.lagMs = now - plannedAt
    if (this.lagMs > this.lagMaxMs) this.lagMaxMs = this.lagMs
    this.began = now
    this.lookedAt = now
  }

  end(now: number): void {
    if (now - this.began > 2 * this.sliceMs) this.overruns++
  }

  /** Counts a message about to be handled; true: time this one. */
  due(): boolean {
    return --this.left <= 0
  }

  /** True: the slice is over. Only ever asked after a handled message; a cut before one could not be replayed. */
  look(startedAt: number, now: number, kind: KindMeter, type: string): boolean {
    kind.sample(now - startedAt)
    const batchMs = now - this.lookedAt
    this.lookedAt = now
    if (now - startedAt > SLOW_HANDLER_MS) {
      kind.countSlow(type)
      this.report('bus/slow-handler', { actor: kind.kind, type, ms: now - startedAt })
    } else if (batchMs > SLOW_HANDLER_MS) {
      this.report('bus/slow-handler', { ms: batchMs, turns: this.latest(this.batch) })
    }
    if (batchMs > SLOW_HANDLER_MS) this.closely = LOOK_CLOSELY
    const fit = Math.floor((this.sliceMs * this.batch) / (4 * Math.max(batchMs, 0.001)))
    this.batch = this.closely > 0 ? 1 : Math.max(1, Math.min(LOOK_EVERY, fit))
    if (this.closely > 0) this.closely--
    this.left = this.batch
    return now - this.began >= this.sliceMs
  }
}

export interface ActorReading {
  /** Kind, not path: children are summed. */
  readonly actor: string
  readonly count: number
  readonly depth: { readonly system: number; readonly urgent: number; readonly user: number }
  readonly highWater: number
  readonly oldestMs: number
  readonly timers: number
  readonly asks: number
  readonly pipes: number
  readonly handled: number
  readonly stale: number
  readonly late: number
  readonly restarts: number
  /** Sampled handler times: entry i counts up to 2^i µs, the last one everything above 64 ms. */
  readonly handlerBuckets: readonly number[]
  readonly slowHandlers: Readonly<Record<string, number>>
}

export interface BusReading {
  readonly sent: number
  readonly handled: number
  readonly dead: number
  readonly merged: number
  readonly queued: number
  readonly refused: number
  readonly turns: number
  readonly readyActors: number
  readonly slices: number
  readonly sliceOverruns: number
  /** Gap between the planned and the real start of the last slice, and the largest so far. */
  readonly loopLagMs: number
  readonly loopLagMaxMs: number
  readonly timers: number
  readonly asks: number
  readonly pipes: number
  readonly traceBytes: number
  readonly balanced: boolean
  readonly actors: readonly ActorReading[]
  readonly deadLetters: readonly DeadCount[]
}
