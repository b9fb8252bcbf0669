export type DeadReason =
  | 'dead'
  | 'full'
  | 'oldest'
  | 'expired'
  | 'crashed'
  | 'shutdown'
  | 'late-reply'

/** A message nobody handled, and why. */
export interface DeadLetter {
  /** Counts from 1; the place to continue a listing from. */
  readonly sequence: number
  readonly reason: DeadReason
  /** Path it was sent to. */
  readonly to: string
  readonly type: string
  readonly msg: unknown
  readonly id: number
  readonly cause: number
  /** Monotonic ms. */
  readonly at: number
  readonly origin?: string
}

export interface DeadCount {
  readonly reason: DeadReason
  /** Kind of the receiver. */
  readonly actor: string
  readonly type: string
  readonly count: number
}

/** Letters kept for reading. */
export const LETTERS_KEPT = 1000
/** Lines logged per (reason, actor, type) and minute; what exceeds them is one line with a number. */
const LINES_PER_MINUTE = 10
const MINUTE_MS = 60_000

type Tally = {
  reason: DeadReason
  actor: string
  type: string
  count: number
  minute: number
  lines: number
}
type Report = (level: 'debug' | 'warn', code: string, fields: Record<string, unknown>) => void

/** The last letters, counters over all of them, and whoever listens. */
export class DeadLetters {
  private readonly ring: DeadLetter[] = []
  private readonly tallies = new Map<string, Tally>()
  private readonly listeners = new Set<(letter: DeadLetter) => void>()
  private readonly report: Report
  private written = 0

  constructor(report: Report) {
    this.report = report
  }

  add(letter: Omit<DeadLetter, 'sequence'>, kind: string): void {
    const numbered: DeadLetter = { ...letter, sequence: ++this.written }
    this.ring[(this.written - 1) % LETTERS_KEPT] = numbered
    this.count(numbered, kind)
    for (const listener of this.listeners) listener(numbered)
  }

  /** Letters after `since`, oldest first. */
  list(since = 0, limit = LETTERS_KEPT): DeadLetter[] {
    const first = Math.max(since, this.written - LETTERS_KEPT)
    const letters: DeadLetter[] = []
    for (let i = first; i < this.written && letters.length < limit; i++) {
      letters.push(this.ring[i % LETTERS_KEPT] as DeadLetter)
    }
    return letters
  }

  counts(): DeadCount[] {
    return [...this.tallies.values()].map(({ reason, actor, type, count }) => ({
      reason,
      actor,
      type,
      count,
    }))
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (letter: DeadLetter) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private count({ reason, type, at, to, id }: DeadLetter, kind: string): void {
    const key = `${reason} ${kind} ${type}`
    let tally = this.tallies.get(key)
    if (tally === undefined) {
      tally = { reason, actor: kind, type, count: 0, minute: at, lines: 0 }
      this.tallies.set(key, tally)
    }
    tally.count++
    if (at - tally.minute >= MINUTE_MS) {
      this.summarize(tally)
      tally.minute = at
      tally.lines = 0
    }
    // What is left over at an orderly end is told in one line by the drain.
    if (++tally.lines <= LINES_PER_MINUTE && reason !== 'shutdown') {
      this.report('warn', 'bus/dead-letter', { reason, to, type, letter: id })
    }
  }

  private summarize({ reason, actor, type, lines }: Tally): void {
    const more = lines - LINES_PER_MINUTE
    if (more <= 0 || reason === 'shutdown') return
    this.report('warn', 'bus/dead-letters', { reason, actor, type, more })
  }
}
