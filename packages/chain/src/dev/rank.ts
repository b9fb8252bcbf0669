import type { Address } from '@rockpool/protocol'
import type { Genesis } from './genesis.ts'

/** Smallest step between ranks, whatever the block time: below it clocks and links decide who wins. Milliseconds. */
const rankStepMsMin = 500

/** Place of a producer in the queue for `height`: 0 is in turn. The turn moves by one each height. */
export function rankOf(producerIndex: number, height: number, count: number): number {
  return (((producerIndex - height) % count) + count) % count
}

/** What a block of this rank adds to its branch: in turn counts most, so that branches of patient producers win. */
export function weightOf(rank: number, count: number): number {
  return count - rank
}

/** Milliseconds that must lie between a block of this rank and its parent: weight must have been waited for. */
export function gapMs(rank: number, blockTimeMs: number): number {
  return blockTimeMs + rank * Math.max(blockTimeMs, rankStepMsMin)
}

/** What a producer may do at a height. */
export interface Turn {
  readonly rank: number
  readonly weight: number
  readonly gapMs: number
  /** The director's blocks have rank 0 and no gap at every height and may compete with each other. */
  readonly director: boolean
}

/** The turn of `producer` at `height`, or null when the genesis names no such producer. */
export function turnOf(
  genesis: Pick<Genesis, 'producers' | 'director' | 'blockTimeMs'>,
  producer: Address,
  height: number,
): Turn | null {
  const count = genesis.producers.length
  if (producer === genesis.director) {
    return { rank: 0, weight: weightOf(0, count), gapMs: 0, director: true }
  }
  const index = genesis.producers.indexOf(producer)
  if (index < 0) return null
  const rank = rankOf(index, height, count)
  return {
    rank,
    weight: weightOf(rank, count),
    gapMs: gapMs(rank, genesis.blockTimeMs),
    director: false,
  }
}
