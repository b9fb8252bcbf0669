import type { Rng, VirtualClock } from '@rockpool/actor'
import { limits } from '@rockpool/protocol'

/** Between two arrivals on one link, so that order is kept. */
const APART_MS = 0.001

/** One direction between two hosts: reliable and in order, as a stream is. What is sent arrives, or its connection ends. */
export class Link {
  cut = false
  bytesPerSecond: number | undefined = undefined
  /** On top of what the link takes by itself. */
  extraMs = 0
  private last = 0
  private freeAt = 0
  private readonly clock: VirtualClock
  private readonly rng: Rng
  private readonly minMs: number
  private readonly meanMs: number

  constructor(clock: VirtualClock, rng: Rng, latency: { minMs: number; meanMs: number }) {
    this.clock = clock
    this.rng = rng
    this.minMs = latency.minMs
    this.meanMs = latency.meanMs
  }

  /**
   * When so many bytes arrive, sent now to a reader of so many bytes a second; undefined when more wait to be sent than a stream holds,
   * which ends the connection.
   */
  arrival(bytes: number, readsPerSecond: number | undefined): number | undefined {
    const now = this.clock.now()
    let departs = now
    const rate = slower(this.bytesPerSecond, readsPerSecond)
    if (rate !== undefined) {
      departs = Math.max(now, this.freeAt) + (bytes * 1_000) / rate
      if (((departs - now) * rate) / 1_000 > limits.wireSendBufferBytes) return undefined
      this.freeAt = departs
    }
    this.last = Math.max(departs + this.travelMs(), this.last + APART_MS)
    return this.last
  }

  /** What is sent from now on does not arrive before so long. */
  clog(ms: number): void {
    this.last = Math.max(this.last, this.clock.now() + ms)
  }

  /** A connection is new: nothing of the old one is before it. */
  fresh(): void {
    this.freeAt = 0
  }

  travelMs(): number {
    return this.minMs + this.extraMs + this.rng.exp(this.meanMs)
  }
}

function slower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b
  return b === undefined ? a : Math.min(a, b)
}
