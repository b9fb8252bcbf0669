import type { Ban, NetworkPort, PeerId, PeerScore } from '@rockpool/protocol'
import type { BanBook } from './ban-book.ts'
import type { Reputation } from './reputation.ts'

export interface StandingParts {
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly network: Pick<NetworkPort, 'gossipScore'>
  /** Peers of the configuration, never banned. */
  readonly statics: ReadonlySet<PeerId>
  /** Epoch ms. */
  readonly wall: () => number
}

export type Standing = ReturnType<typeof createStanding>

const staticScore = 100

/**
 * How peers stand at this moment, from memory: for the network, which asks at every connection and every look at its mesh, and for gossip, which
 * asks at every delivery. Changed by the monitor alone, in its own turns.
 */
export function createStanding(parts: StandingParts) {
  const { reputation, bans, network, statics, wall } = parts
  const protectedPeers = new Set<PeerId>()
  /** Condemned by proof, and judged at the next tick. */
  const urgent = new Set<PeerId>()

  const isExempt = (id: PeerId): boolean => statics.has(id) || protectedPeers.has(id)

  function score(id: PeerId): PeerScore {
    const { debit, credit } = reputation.score(id, wall())
    const gossip = contribution(network.gossipScore(id))
    return { debit, credit, gossip, total: debit + credit + gossip }
  }

  function banOf(id: PeerId): Ban | undefined {
    return bans.active({ kind: 'peer', value: id }, wall())
  }

  return {
    isExempt,
    isStatic: (id: PeerId): boolean => statics.has(id),
    protectedPeers,
    urgent,
    score,
    banOf,
    /** What the router adds to its own score. */
    forRouter(id: PeerId): number {
      const own = reputation.own(id, wall())
      return statics.has(id) ? staticScore + Math.max(own, 0) : Math.min(20, Math.max(-100, own))
    },
    /** Nothing it says is listened to. */
    isShut: (id: PeerId): boolean => urgent.has(id) || (banOf(id) !== undefined && !isExempt(id)),
  }
}

/** The router alone must not ban: it counts half, within bounds. */
function contribution(gossip = 0): number {
  return Math.min(10, Math.max(-40, gossip / 2))
}
