import { type Clock, Rng, type Timer, type VirtualClock } from '@rockpool/actor'
import type { SimOptions, WallModel } from './api.ts'

/** What every wall clock of a world without skew shows at instant 0. */
export const EPOCH_MS = 1_700_000_000_000

/** How far a wall clock strays at most from the world's, in the models that do not grow with time. */
const WAVE_MS = 1_500
const STEP_MS = 2_000
const NOISE_MS = 20
const STEP_EVERY_MS = 60_000

/** How one machine's oscillator and calendar are wrong. Survives restarts, since it is the machine's. */
export interface Skew {
  /** Monotonic milliseconds in one of the world's. */
  readonly rate: number
  /** Milliseconds the wall is ahead of the world's at this instant. */
  wall(nowMs: number): number
}

export function skewOf(rng: Rng, { driftPpm, wall }: SimOptions['clock']): Skew {
  const ppm = (rng.f() * 2 - 1) * driftPpm
  return { rate: 1 + ppm / 1_000_000, wall: wallOf(wall, rng, ppm) }
}

function wallOf(model: WallModel, rng: Rng, ppm: number): (nowMs: number) => number {
  switch (model) {
    case 'none':
      return () => 0
    case 'linear':
      return nowMs => (nowMs * ppm) / 1_000_000
    case 'periodic': {
      const high = rng.f() * WAVE_MS
      const periodMs = 60_000 + rng.f() * 540_000
      const phase = rng.f()
      return nowMs => high * triangle(nowMs / periodMs + phase)
    }
    case 'step': {
      const { seed } = rng
      // One draw a step, from a fork of its own: asking for a later instant first changes nothing.
      return nowMs => {
        const step = Math.floor(nowMs / STEP_EVERY_MS)
        return step === 0 ? 0 : (new Rng(`${seed}/step${step}`).f() * 2 - 1) * STEP_MS
      }
    }
    case 'jitter': {
      const shift = rng.u32()
      return nowMs => (scatter(Math.floor(nowMs) ^ shift) / 2 ** 32 - 0.5) * 2 * NOISE_MS
    }
  }
}

/** Between -1 and 1 with period 1. Straight lines: a sine may differ between engines. */
function triangle(x: number): number {
  const part = x - Math.floor(x)
  return part < 0.5 ? 4 * part - 1 : 3 - 4 * part
}

function scatter(n: number): number {
  let word = Math.imul(n ^ (n >>> 16), 0x21f0aaad)
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
  return (word ^ (word >>> 15)) >>> 0
}

/** One boot's view of the world's time. After `kill` none of its timers fires. */
export class NodeClock implements Clock {
  /** Called before each timer of this node fires, and after. */
  onFire: ((fire: () => void) => void) | undefined = undefined
  private readonly base: VirtualClock
  private readonly skew: Skew
  private bootMs: number
  private offsetMs: number
  private rate: number
  /** Timers that were armed before the rate changed, and what stands for them now. */
  private readonly moved = new Map<Timer, Timer>()
  private shiftMs = 0
  private dead = false
  /** What fell due while the process stands still; undefined while it runs. */
  private held: Map<Timer, () => void> | undefined = undefined

  /** `offsetMs`: what `now()` shows at boot. */
  constructor(base: VirtualClock, skew: Skew, offsetMs: number) {
    this.base = base
    this.skew = skew
    this.rate = skew.rate
    this.bootMs = base.now()
    this.offsetMs = Math.round(offsetMs * 1_000) / 1_000
  }

  now(): number {
    const ms = this.offsetMs + (this.base.now() - this.bootMs) * this.rate
    return Math.round(ms * 1_000) / 1_000
  }

  wall(): number {
    const nowMs = this.base.now()
    return Math.floor(EPOCH_MS + nowMs + this.shiftMs + this.skew.wall(nowMs))
  }

  at(due: number, fn: () => void): Timer {
    // Whole microseconds, rounded up, but not for the dust of a rounded sum.
    const whole = Math.ceil(due * 1_000 - 1e-6) / 1_000
    const { rate } = this
    const instantOf = () => this.bootMs + (whole - this.offsetMs) / this.rate
    const timer = this.base.at(instantOf(), () => {
      if (rate !== this.rate && this.now() < whole)
        this.moved.set(timer, this.base.at(instantOf(), fall))
      else fall()
    })
    const fall = () => {
      this.moved.delete(timer)
      if (this.held === undefined) this.fire(fn)
      else this.held.set(timer, fn)
    }
    return timer
  }

  /** From now on it runs at this rate. A timer that was armed before is never early; it may be late by what the clock then gains. */
  setRate(rate: number): void {
    this.offsetMs = this.now()
    this.bootMs = this.base.now()
    this.rate = rate
  }

  private fire(fn: () => void): void {
    if (this.dead) return
    if (this.onFire === undefined) fn()
    else this.onFire(fn)
  }

  clear(timer: Timer): void {
    this.held?.delete(timer)
    this.base.clear(this.moved.get(timer) ?? timer)
    this.moved.delete(timer)
  }

  /** The process stands still: what falls due waits. */
  pause(): void {
    this.held ??= new Map()
  }

  /** Everything that fell due, in its order, all at this instant. */
  resume(): void {
    const { held } = this
    this.held = undefined
    for (const [timer, fn] of held ?? []) {
      held?.delete(timer)
      this.fire(fn)
    }
  }

  shiftWall(ms: number): void {
    this.shiftMs += ms
  }

  get wallShiftMs(): number {
    return this.shiftMs
  }

  kill(): void {
    this.dead = true
  }
}
