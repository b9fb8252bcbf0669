import type { Context, Outcome, Typed } from './api.ts'
import { LONGEST_MS } from './ask.ts'
import { assert } from './assert.ts'
import type { Cell } from './cell.ts'
import type { Timer } from './heap.ts'
import type { SystemItem } from './mailbox.ts'

/** Default of `ctx.pipe`. */
export const PIPE_MS = 30_000

const mostLateMs = 2_000

/** How much later the outcome of I/O is heard than it comes: in simulations, rarely, up to two seconds. */
export function lateness(chance: Pick<Context<Typed>, 'maybe' | 'int'>): number {
  return chance.maybe('actor/pipe-late') ? chance.int(mostLateMs) : 0
}

/**
 * One piece of I/O under way. Given as a thunk and numbered, so that a replay can leave the work out and put the
 * recorded outcome in its place.
 */
export class Pipe implements SystemItem {
  readonly type = '$pipe'
  readonly number: number
  private readonly cell: Cell
  private readonly incarnation: number
  private readonly cause: number
  private readonly work: (signal: AbortSignal) => Promise<unknown>
  private readonly map: (outcome: Outcome<never, unknown>) => Typed
  /** How much later its outcome is heard than it came: luck that only simulations have. */
  private readonly lateMs: number
  private readonly timer: Timer | undefined
  private outcome: Outcome<unknown, unknown> | undefined = undefined
  private ended = false

  constructor(
    cell: Cell,
    work: (signal: AbortSignal) => Promise<unknown>,
    map: (outcome: Outcome<never, unknown>) => Typed,
    ms: number,
    lateMs = 0,
  ) {
    const forever = ms === Number.POSITIVE_INFINITY
    assert(forever || (ms >= 0 && ms <= LONGEST_MS), `a pipe waits 0 … 2^53 ms, not ${ms}`)
    const { bus } = cell
    this.number = ++bus.pipesMade
    this.cell = cell
    this.incarnation = cell.incarnation
    this.cause = bus.id
    this.work = work
    this.map = map
    this.lateMs = lateMs
    cell.pipes ??= new Set()
    cell.pipes.add(this)
    bus.pipes.set(this.number, this)
    this.timer = forever
      ? undefined
      : bus.clock.at(bus.instant + ms, () => this.settle({ ok: false, error: 'timeout' }))
  }

  /** Its outcome is open and somebody wants it. */
  get waits(): boolean {
    return !this.ended && this.outcome === undefined
  }

  /** Calls the work. Not before the turn that asked for it has ended. */
  start(): void {
    const { edges } = this.cell.bus
    if (!this.waits || (edges !== undefined && !edges.begins(this))) return
    const hear = (outcome: Outcome<unknown, unknown>) => {
      if (edges === undefined) this.settle(outcome)
      else edges.settled(this, outcome)
    }
    const settle = (outcome: Outcome<unknown, unknown>) => {
      const { clock } = this.cell.bus
      if (this.lateMs === 0) hear(outcome)
      else clock.at(clock.now() + this.lateMs, () => hear(outcome))
    }
    let promise: Promise<unknown>
    try {
      promise = this.work(this.cell.signal())
    } catch (error) {
      promise = Promise.reject(error)
    }
    promise.then(
      value => settle({ ok: true, value }),
      (error: unknown) => settle({ ok: false, error }),
    )
  }

  settle(outcome: Outcome<unknown, unknown>): void {
    const { cell } = this
    if (this.ended) cell.countStale(this.type)
    else if (this.outcome !== undefined) cell.kind.late++
    else {
      this.outcome = outcome
      this.forget()
      cell.pipes?.delete(this)
      cell.bus.notify(cell, this, this.cause)
    }
  }

  /** The life that asked has ended: whatever comes is stale. */
  end(): void {
    this.ended = true
    this.forget()
  }

  open(cell: Cell): Typed | undefined {
    if (cell.incarnation === this.incarnation) {
      return this.map(this.outcome as Outcome<never, unknown>)
    }
    cell.countStale(this.type)
    return undefined
  }

  private forget(): void {
    const { bus } = this.cell
    if (this.timer !== undefined) bus.clock.clear(this.timer)
    bus.pipes.delete(this.number)
  }
}
