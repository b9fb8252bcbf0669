import type { Answer, ChainClockSet, ChainClockView } from '@rockpool/protocol'
import { failed, limits, ok } from '@rockpool/protocol'

/**
 * The clock that block times are read from: the wall clock, until an operator of a devnet lets it run faster or slower or puts it forward.
 * It goes on from where it stands when its speed changes, and never goes back unless the wall clock does. A restart begins with the wall clock.
 */
export class ChainClock {
  readonly #wall: () => number
  #wallMs = 0
  #chainMs = 0
  #speed = 1

  constructor(wall: () => number) {
    this.#wall = wall
  }

  /** Epoch ms, whole. */
  now(): number {
    return this.#chainMs + Math.floor((this.#wall() - this.#wallMs) * this.#speed)
  }

  get speed(): number {
    return this.#speed
  }

  /** How long this much chain time takes. Milliseconds. */
  realMs(chainMs: number): number {
    return chainMs / this.#speed
  }

  setSpeed(speed: number): Answer<ChainClockView> {
    const { chainSpeedMin, chainSpeedMax } = limits
    if (!(speed >= chainSpeedMin && speed <= chainSpeedMax)) {
      return failed('devnet/clock', `speed: a number from ${chainSpeedMin} to ${chainSpeedMax}`)
    }
    this.#rebase(0)
    this.#speed = speed
    return ok(this.view())
  }

  jump(ms: number): Answer<ChainClockView> {
    if (!Number.isSafeInteger(ms) || ms < 0 || ms > limits.chainJumpMaxMs) {
      return failed('devnet/clock', `ms: a whole number from 0 to ${limits.chainJumpMaxMs}`)
    }
    this.#rebase(ms)
    return ok(this.view())
  }

  /** Follows the clock of another actor of this node. */
  follow({ wallMs, chainMs, speed }: Omit<ChainClockSet, 'type'>): void {
    this.#wallMs = wallMs
    this.#chainMs = chainMs
    this.#speed = speed
  }

  /** What others follow it by. */
  set(): ChainClockSet {
    const { speed } = this
    return { type: 'chain.clockSet', wallMs: this.#wallMs, chainMs: this.#chainMs, speed }
  }

  view(): ChainClockView {
    const nowMs = this.now()
    return { nowMs, speed: this.#speed, aheadMs: nowMs - this.#wall() }
  }

  #rebase(aheadMs: number): void {
    this.#chainMs = this.now() + aheadMs
    this.#wallMs = this.#wall()
  }
}
