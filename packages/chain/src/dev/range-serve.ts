import type { ChainFrames, Hash, PeerId, RangeAnswer } from '@rockpool/protocol'
import { encodeRangeAnswer, limits } from '@rockpool/protocol'

interface Use {
  streams: number
  /** Bytes that may still be sent; falls below zero by the last answer. */
  bytesLeft: number
  sinceMs: number
}

/**
 * How much of this node one peer may use to catch up: streams of its own and of all, and bytes a second. What is over is answered busy
 * with a time to come back. Times are monotonic.
 */
export class Servings {
  readonly #uses = new Map<PeerId, Use>()
  #streams = 0

  /** Takes a stream, or tells after how many seconds to ask again. */
  open(peer: PeerId, nowMs: number): { readonly retryAfterSeconds: number } | null {
    const use = this.#useOf(peer, nowMs)
    if (use.streams >= limits.rangeStreamsPerPeer || this.#streams >= limits.rangeStreamsMax) {
      return { retryAfterSeconds: 1 }
    }
    if (use.bytesLeft <= 0) {
      return {
        retryAfterSeconds: Math.max(1, Math.ceil(-use.bytesLeft / limits.rangeBytesPerSecond)),
      }
    }
    use.streams += 1
    this.#streams += 1
    return null
  }

  close(peer: PeerId, bytes: number): void {
    this.#streams -= 1
    const use = this.#uses.get(peer)
    if (use === undefined) return
    use.streams -= 1
    use.bytesLeft -= bytes
  }

  #useOf(peer: PeerId, nowMs: number): Use {
    const known = this.#uses.get(peer)
    const use = known ?? { streams: 0, bytesLeft: limits.rangeBytesPerSecond, sinceMs: nowMs }
    const earned = ((nowMs - use.sinceMs) * limits.rangeBytesPerSecond) / 1_000
    use.bytesLeft = Math.min(limits.rangeBytesPerSecond, use.bytesLeft + earned)
    use.sinceMs = nowMs
    this.#uses.delete(peer)
    this.#uses.set(peer, use)
    this.#shrink()
    return use
  }

  /** The one who has asked least recently is forgotten, unless it is being answered. */
  #shrink(): void {
    for (const [peer, use] of this.#uses) {
      if (this.#uses.size <= limits.rangePeersMax) return
      if (use.streams === 0) this.#uses.delete(peer)
    }
  }
}

export function busyAnswer(retryAfterSeconds: number): readonly Uint8Array[] {
  return [encodeRangeAnswer({ kind: 'busy', retryAfterSeconds })]
}

export function statusAnswer(stand: {
  readonly number: number
  readonly hash: Hash
  readonly totalWeight: number
}): readonly Uint8Array[] {
  const { number, hash, totalWeight } = stand
  return [encodeRangeAnswer({ kind: 'status', number, hash, totalWeight })]
}

/** `found` is null when the chain does not know the block a range begins after. */
export function framesAnswer(
  kind: 'hashes' | 'range' | 'bodies',
  found: ChainFrames | null,
): readonly Uint8Array[] {
  const { hashes, frames, more } = found ?? { hashes: [], frames: [], more: false }
  const last: RangeAnswer = kind === 'hashes' ? { kind, hashes } : { kind: 'end', more }
  return [...frames, encodeRangeAnswer(last)]
}
