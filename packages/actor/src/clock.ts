import { assert } from './assert.ts'
import { type Timer, TimerHeap } from './heap.ts'

/** The only source of time. Bus, machines, stores and network of one node share one. */
export interface Clock {
  /** Monotonic milliseconds since the clock was made, always a whole number of microseconds. */
  now(): number
  /** Milliseconds since the epoch, integer. May jump in both directions. */
  wall(): number
  /** Calls `fn` once, at the monotonic instant `due` or as soon after as possible. */
  at(due: number, fn: () => void): Timer
  clear(timer: Timer): void
  /** Calls `fn` once the event loop had its turn. Absent where steps are made by hand. */
  soon?(fn: () => void): void
}

/** Most timers fired in one go, so that a burst of deadlines cannot hold the event loop. */
export const TIMER_SWEEP = 1024

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

// Taken once: a tripwire that later replaces the globals must not reach the clock itself.
const monotonic = performance.now.bind(performance)
const epoch = Date.now
const { setTimeout: startTimeout, clearTimeout: endTimeout, setImmediate: soon } = globalThis

/** The machine's time. One operating-system timer stands for the earliest deadline. */
export class RealClock implements Clock {
  private readonly heap = new TimerHeap()
  private readonly start = monotonic()
  private frozen = -1
  private timeout: ReturnType<typeof startTimeout> | undefined
  private timeoutDue = Number.POSITIVE_INFINITY
  private idle = false

  now(): number {
    return this.frozen >= 0 ? this.frozen : Math.round((monotonic() - this.start) * 1000) / 1000
  }

  wall(): number {
    return epoch()
  }

  at(due: number, fn: () => void): Timer {
    const timer = this.heap.add(due, fn)
    if (due < this.timeoutDue) this.arm(due)
    else if (this.idle) {
      this.idle = false
      this.timeout?.ref()
    }
    return timer
  }

  clear(timer: Timer): void {
    this.heap.cancel(timer)
    // Nobody waits any more: the timeout left behind must not keep the process alive.
    if (this.heap.alive === 0 && this.timeout !== undefined && !this.idle) {
      this.idle = true
      this.timeout.unref()
    }
  }

  soon(fn: () => void): void {
    soon(fn)
  }

  private arm(due: number): void {
    if (this.timeout !== undefined) endTimeout(this.timeout)
    this.timeoutDue = due
    this.idle = false
    const delay = Math.ceil(Math.min(Math.max(due - this.now(), 0), LONGEST_TIMEOUT_MS))
    this.timeout = startTimeout(this.sweep, delay)
  }

  /** Everything fired together sees one instant: a recording then needs one number for all of it. */
  private readonly sweep = (): void => {
    this.timeout = undefined
    // No arming from within: one arming follows for whatever is left.
    this.timeoutDue = Number.NEGATIVE_INFINITY
    this.frozen = this.now()
    try {
      for (let fired = 0; fired < TIMER_SWEEP; fired++) if (!this.heap.fire(this.frozen)) break
    } finally {
      this.frozen = -1
      this.timeoutDue = Number.POSITIVE_INFINITY
      const next = this.heap.next()
      if (next !== undefined) this.arm(next)
    }
  }
}

/** Time that moves only when told to. */
export class VirtualClock implements Clock {
  private readonly heap = new TimerHeap()
  private instant = 0
  private epochAtZero: number

  /** `epochMs` is what the wall shows at instant 0. */
  constructor(epochMs = 1_700_000_000_000) {
    this.epochAtZero = epochMs
  }

  now(): number {
    return this.instant
  }

  wall(): number {
    return Math.floor(this.epochAtZero + this.instant)
  }

  at(due: number, fn: () => void): Timer {
    return this.heap.add(due, fn)
  }

  clear(timer: Timer): void {
    this.heap.cancel(timer)
  }

  /** Deadlines that will still fire. */
  get armed(): number {
    return this.heap.alive
  }

  /** The next deadline. */
  next(): number | undefined {
    return this.heap.next()
  }

  /** Jumps forward without firing anything. */
  set(instant: number): void {
    assert(instant >= this.instant, `time does not run backwards: ${instant} < ${this.instant}`)
    this.instant = instant
  }

  /** Moves the wall alone, as an operator or a time server would. */
  shiftWall(ms: number): void {
    this.epochAtZero += ms
  }

  /** Jumps to the next deadline not after `until` and fires exactly that one. */
  fireNext(until = Number.POSITIVE_INFINITY): boolean {
    const due = this.heap.next()
    if (due === undefined || due > until) return false
    this.instant = Math.max(this.instant, due)
    return this.heap.fire(due)
  }

  /** Fires up to 1,024 timers due at `instant`, all seeing that instant, as one real sweep does. */
  fireDue(instant: number): number {
    this.set(instant)
    let fired = 0
    while (fired < TIMER_SWEEP && this.heap.fire(instant)) fired++
    return fired
  }
}
