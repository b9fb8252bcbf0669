import { limits, type PeerId } from '@rockpool/protocol'
import { createBuckets } from './buckets.ts'
import { createSoftWatch } from './soft-watch.ts'

const KiB = 1_024

/** What one peer may send of a topic: messages, their bytes, and the transactions in them. */
export const tolls = {
  tx: {
    messages: { perSecond: 100, burst: 200 },
    bytes: { perSecond: 1_024 * KiB, burst: 2_048 * KiB },
    txs: { perSecond: 2_000, burst: 4_096 },
  },
  block: {
    messages: { perSecond: 10, burst: 50 },
    bytes: { perSecond: 2_048 * KiB, burst: 4_096 * KiB },
  },
} as const

/** How long a peer that has brought nothing counts as new. */
const newMs = 600_000

/**
 * How much of what a peer sends is looked at. A peer that is new and has brought nothing yet has half of it, and so for a while has one that
 * floods with what is nobody's fault alone. What is over the rate is dropped and never charged: a relay is not to blame for the load of the
 * network. `blockTimeMs` 0: blocks come when there is something to put in.
 */
export function createToll(blockTimeMs: number, charge: (peer: PeerId, detail: string) => void) {
  const lanes = { tx: createBuckets(pick(tolls.tx)), block: createBuckets(tolls.block) }
  const txs = createBuckets({ txs: tolls.tx.txs })
  const soft = createSoftWatch(charge)
  /** When each connected peer came; absent once it has brought something. */
  const newcomers = new Map<PeerId, number>()
  let blockShare = blockShareOf(blockTimeMs)

  function isNew(peer: PeerId, nowMs: number): boolean {
    const sinceMs = newcomers.get(peer)
    if (sinceMs === undefined) return false
    if (nowMs - sinceMs < newMs) return true
    newcomers.delete(peer)
    return false
  }

  return {
    /** True when a message may be looked at. */
    admits(topic: keyof typeof tolls, peer: PeerId, bytes: number, nowMs: number): boolean {
      const share = (isNew(peer, nowMs) ? 0.5 : 1) * (topic === 'block' ? blockShare : 1)
      return lanes[topic].take(peer, { messages: 1, bytes }, nowMs, share)
    },
    /** True when that many transactions of a message may be checked. */
    admitsTxs(peer: PeerId, count: number, nowMs: number): boolean {
      const share = (isNew(peer, nowMs) ? 0.5 : 1) * (soft.isSlowed(peer, nowMs) ? 0.5 : 1)
      return txs.take(peer, { txs: count }, nowMs, share)
    },
    /** Chain time runs so many times as fast as the wall clock. */
    pace(speed: number): void {
      blockShare = blockShareOf(blockTimeMs / speed)
    },
    /** So many transactions of a peer were judged, and for so many it is a flood when there are many. */
    judged: soft.note,
    /** This peer was the first to bring something of use. */
    brought: (peer: PeerId): void => void newcomers.delete(peer),
    opened(peer: PeerId, nowMs: number): void {
      if (newcomers.size < limits.ratePeersMax) newcomers.set(peer, nowMs)
    },
    closed: (peer: PeerId): void => void newcomers.delete(peer),
  }
}

/** The rate of blocks holds for chains of up to two and a half blocks a second; a faster one needs more. */
const blockShareOf = (blockTimeMs: number): number =>
  Math.max(1, blockTimeMs === 0 ? 4 : 400 / blockTimeMs)

const pick = ({ messages, bytes }: typeof tolls.tx) => ({ messages, bytes })
