import type { Outcome, Typed } from './api.ts'
import type { Cell } from './cell.ts'
import type { Clock } from './clock.ts'
import type { Pipe } from './pipe.ts'
import type { Post } from './post.ts'

/**
 * One thing that reached the bus from outside: its kind, the number of turns before it, and its fields. Fields that are
 * null at the end are left out. All are plain data; times are `now` in whole microseconds and `wall` in milliseconds,
 * `wall` only where it does not follow from what was said of it before.
 *
 * | kind | fields |
 * |---|---|
 * | end | trace hash, counters by name |
 * | slice | now, wall, trace hash so far |
 * | sweep | now, wall, numbers of the timers that fired, in order |
 * | input | path, message, origin, whether it was an offer, now, wall |
 * | ask | path, message without its `reply`, ms, origin, now, wall |
 * | pipe | number, and where values are kept: whether it is one, the value or the error |
 * | entropy | bytes |
 * | mark | text |
 * | drain | now, wall, deadline; -1 where the drain has ended |
 * | port | signature of the call, place among the open calls of that signature, whether it is a value, the value or the error |
 * | act | name, value, now, wall |
 * | read | what an actor saw of the outside in its turn |
 */
export type Edge = readonly [kind: number, turn: number, ...fields: unknown[]]

export const edgeKinds = {
  end: 0,
  slice: 1,
  sweep: 2,
  input: 3,
  ask: 4,
  pipe: 5,
  entropy: 6,
  mark: 7,
  drain: 8,
  port: 9,
  act: 10,
  read: 11,
} as const

/**
 * Whether the outcome of a pipe is written down. `kept`: it is, and a replay leaves the work out. `made`: the work is done again, over
 * ports that answer from the recording; then what the work itself remembers is there in a replay too.
 */
export type PipeOutcomes = 'kept' | 'made'

/** Stands between the bus and everything outside. One writes down what passes; the other plays it back. */
export interface Edges {
  readonly replays: boolean
  /** Epoch ms that belong to the last stamp. */
  readonly wall: number
  /** The clock of the bus from now on. */
  attach(bus: Post, clock: Clock): Clock
  /** A new instant for all actors. */
  stamp(): number
  /** A slice or a step begins; stamped just before, as the following four. */
  slice(): void
  act(name: string, value: unknown): void
  drainBegins(deadlineMs: number): void
  drainEnds(finish: () => void): void
  /** `msg` still has its reply; undefined when the ask was one too many and made none. */
  ask(path: string, msg: Typed | undefined, ms: number, origin: string | undefined): void
  input(cell: Cell, msg: Typed, polite: boolean, origin: string | undefined): void
  /** Something is done to actors from outside and has no name. True: at a new instant. */
  unnamed(): boolean
  /** Whether the work of a pipe is to be done. */
  begins(pipe: Pipe): boolean
  settled(pipe: Pipe, outcome: Outcome<unknown, unknown>): void
  entropy(make: () => Uint8Array): Uint8Array
}

/** What a port is asked through, so that a replay can answer in its place. `signature` tells calls apart: equal calls, equal numbers. */
export interface PortEdges {
  port<T>(signature: number, work: () => Promise<T>): Promise<T>
  /** Something that is looked up at once; outside turns nobody's decision follows from it. */
  read<T>(look: () => T): T
}

/** The wall follows the monotonic clock until somebody sets it: only where it does not is it written down. */
export class WallGuess {
  private offset = Number.NaN

  at(now: number): number {
    return Math.floor(now + this.offset)
  }

  /** The offset that agrees with this and is nearest to the one before, so that guesses soon are right within their millisecond. */
  correct(now: number, wall: number): void {
    const ahead = wall - this.at(now)
    if (ahead === 1) this.offset = wall - now
    else if (ahead === -1) this.offset = wall + 0.999 - now
    else this.offset = wall + 0.5 - now
  }
}
