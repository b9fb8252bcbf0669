import type { Outcome, Typed } from './api.ts'
import { assert } from './assert.ts'
import type { Cell } from './cell.ts'
import type { Clock } from './clock.ts'
import {
  type Edge,
  type Edges,
  edgeKinds,
  type PipeOutcomes,
  type PortEdges,
  WallGuess,
} from './edges.ts'
import type { Pipe } from './pipe.ts'
import type { Post } from './post.ts'
import type { Turns } from './turns.ts'

export interface RecorderOptions {
  /** Takes an edge. What it holds may change afterwards: it must be encoded before this returns. */
  readonly sink: (edge: Edge) => void
  /** Absent: `kept`. */
  readonly pipes?: PipeOutcomes
}

/**
 * Writes down what a bus hears from outside, so that everything else can be computed again. Begins with the bus; a recording that
 * begins later could not be replayed. Costs nothing but the trace hash inside a turn.
 */
export class Recorder implements Edges, PortEdges {
  readonly replays = false
  wall = 0
  private readonly options: RecorderOptions
  private readonly guess = new WallGuess()
  /** Calls of ports that have not settled, by signature, in the order they were made. */
  private readonly open = new Map<number, object[]>()
  private bus: Post | undefined = undefined
  private clock: Clock | undefined = undefined
  private on = true
  private now = 0
  /** The last stamp is not written yet. */
  private fresh = false
  /** One instant for all that follows from a timer. */
  private held = false
  private booting = true
  private timers = 0
  /** A sweep that may go on. */
  private sweep: [number, number, ...unknown[]] | undefined = undefined
  private edgesMade = 0
  private turnsSeen = 0

  constructor(options: RecorderOptions) {
    this.options = options
  }

  /** Edges so far. */
  get edges(): number {
    return this.edgesMade
  }

  /** Turns that the recording covers. */
  get turns(): number {
    return this.on ? this.turn : this.turnsSeen
  }

  get recording(): boolean {
    return this.on
  }

  /** An operator's note, or that of a check that failed. */
  mark(text: string): void {
    if (this.on) this.write(edgeKinds.mark, text)
  }

  /** The last edge. What the bus hears from here on is not written. */
  end(counters: Readonly<Record<string, number>>): void {
    if (!this.on) return
    this.write(edgeKinds.end, this.hash, counters)
    this.abandon()
  }

  /** Ends without an end, because no more can be written. */
  abandon(): void {
    if (this.on) this.turnsSeen = this.turn
    this.on = false
  }

  /** What is held back until it is sure to be whole goes out. */
  flush(): void {
    const { sweep } = this
    this.sweep = undefined
    if (sweep !== undefined && this.on) this.options.sink(sweep)
  }

  port<T>(signature: number, work: () => Promise<T>): Promise<T> {
    const call = {}
    const calls = this.open.get(signature)
    if (calls === undefined) this.open.set(signature, [call])
    else calls.push(call)
    return new Promise<T>(resolve => resolve(work())).then(
      value => {
        this.answered(signature, call, true, value)
        return value
      },
      (error: unknown) => {
        this.answered(signature, call, false, error)
        throw error
      },
    )
  }

  read<T>(look: () => T): T {
    const value = look()
    if (this.on && this.bus?.inTurn === true) this.write(edgeKinds.read, value)
    return value
  }

  attach(bus: Post, clock: Clock): Clock {
    assert(this.bus === undefined, 'a recorder records one bus')
    this.bus = bus
    this.clock = clock
    return {
      now: () => clock.now(),
      wall: () => clock.wall(),
      at: (due, fn) => {
        const number = ++this.timers
        return clock.at(due, () => this.fired(number, fn))
      },
      clear: timer => clock.clear(timer),
      ...(clock.soon && { soon: clock.soon.bind(clock) }),
    }
  }

  stamp(): number {
    if (this.held || this.clock === undefined) return this.now
    this.now = Math.round(this.clock.now() * 1000) / 1000
    this.wall = this.clock.wall()
    this.fresh = true
    // The instant at which a node boots is that of its first slice.
    if (this.edgesMade === 0) this.slice()
    return this.now
  }

  slice(): void {
    if (this.on) this.write(edgeKinds.slice, ...this.when(), this.hash)
  }

  act(name: string, value: unknown): void {
    if (this.on) this.write(edgeKinds.act, name, value, ...this.when())
  }

  drainBegins(deadlineMs: number): void {
    if (this.on) this.write(edgeKinds.drain, ...this.when(), deadlineMs)
  }

  drainEnds(finish: () => void): void {
    if (this.on) this.write(edgeKinds.drain, ...this.when(), -1)
    this.hold(finish)
  }

  ask(path: string, msg: Typed | undefined, ms: number, origin: string | undefined): void {
    if (!this.on) return
    let plain: object | null = null
    if (msg !== undefined) {
      const { reply: _, ...rest } = msg as { reply?: unknown }
      plain = rest
    }
    this.write(edgeKinds.ask, path, plain, ms, origin ?? null, ...this.when())
  }

  input(cell: Cell, msg: Typed, polite: boolean, origin: string | undefined): void {
    if (this.on) this.write(edgeKinds.input, cell.path, msg, origin ?? null, polite, ...this.when())
  }

  unnamed(): boolean {
    if (!this.on) return true
    assert(this.booting || this.held, 'what is done to actors of a recorded bus is an act')
    return false
  }

  begins(): boolean {
    return true
  }

  settled(pipe: Pipe, outcome: Outcome<unknown, unknown>): void {
    if (this.on && pipe.waits) {
      if (this.options.pipes === 'made') this.write(edgeKinds.pipe, pipe.number)
      else {
        const said = outcome.ok ? outcome.value : outcome.error
        this.write(edgeKinds.pipe, pipe.number, outcome.ok, said)
      }
    }
    pipe.settle(outcome)
  }

  entropy(make: () => Uint8Array): Uint8Array {
    const bytes = make()
    if (this.on) this.write(edgeKinds.entropy, bytes)
    return bytes
  }

  private get hash(): number {
    return (this.bus?.traceHash ?? 0) >>> 0
  }

  private get turn(): number {
    // A bus that is being made has no turns yet.
    return (this.bus as Turns | undefined)?.turns ?? 0
  }

  private answered(signature: number, call: object, isValue: boolean, said: unknown): void {
    const calls = this.open.get(signature) ?? []
    const index = calls.indexOf(call)
    if (calls.length === 1) this.open.delete(signature)
    else calls.splice(index, 1)
    if (this.on) this.write(edgeKinds.port, signature, index, isValue, said)
  }

  private fired(number: number, fn: () => void): void {
    const { sweep, turn, bus } = this
    if (this.on) {
      const now = Math.round((this.clock?.now() ?? 0) * 1000) / 1000
      if (sweep !== undefined && sweep[1] === turn && this.now === now) sweep.push(number)
      else {
        bus?.advance()
        this.flush()
        this.edgesMade++
        this.booting = false
        this.sweep = [edgeKinds.sweep, turn, ...this.when(), number]
      }
    }
    this.hold(fn)
  }

  private hold(fn: () => void): void {
    const { held } = this
    this.held = this.on
    try {
      fn()
    } finally {
      this.held = held
    }
  }

  /** Now and wall of a stamp that no edge has told yet. */
  private when(): [number | null, number | null] {
    if (!this.fresh) return [null, null]
    this.fresh = false
    const { now, wall, guess } = this
    const us = Math.round(now * 1000)
    if (guess.at(now) === wall) return [us, null]
    guess.correct(now, wall)
    return [us, wall]
  }

  private write(kind: number, ...fields: unknown[]): void {
    this.flush()
    if (this.edgesMade++ > 0) this.booting = false
    // A value that is null is one; what was not said is left out.
    if (kind !== edgeKinds.pipe && kind !== edgeKinds.port && kind !== edgeKinds.read) {
      while (fields.length > 0 && fields[fields.length - 1] === null) fields.pop()
    }
    this.options.sink([kind, this.turn, ...fields])
  }
}
