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
  const { reputation, bans, network, wall } = parts
  /** Those of the configuration, and those an operator has added since. */
  const statics = new Set(parts.statics)
  const protectedPeers = new Set<PeerId>()
  /** Condemned by proof, and judged at the next tick. */
  const urgent = new Set<PeerId>()

  const isExempt = (id: PeerId): boolean => statics.has(id) || protectedPeers.has(id)

  function score(id: PeerId): PeerScore {
    const own = reputation.score(id, wall())
    const router = network.gossipScore(id)
    const gossip = contribution(router)
    return {
      ...{ ...own, gossip, total: own.debit + own.credit + gossip },
      ...(router !== undefined && { router }),
    }
  }

  function banOf(id: PeerId): Ban | undefined {
    return bans.active({ kind: 'peer', value: id }, wall())
  }

  const isQuarantined = (id: PeerId): boolean =>
    reputation.isQuarantined(id, wall()) && !isExempt(id)

  /** Why nothing a peer says is listened to. */
  function shutBy(id: PeerId): 'peer/banned' | 'peer/quarantined' | undefined {
    if (isQuarantined(id)) return 'peer/quarantined'
    return urgent.has(id) || (banOf(id) && !isExempt(id)) ? 'peer/banned' : undefined
  }

  return {
    isExempt,
    isQuarantined,
    isStatic: (id: PeerId): boolean => statics.has(id),
    statics,
    protectedPeers,
    urgent,
    score,
    banOf,
    shutBy,
    /** What the router adds to its own score. */
    forRouter(id: PeerId): number {
      if (isQuarantined(id)) return -100
      const own = reputation.own(id, wall())
      return statics.has(id) ? staticScore + Math.max(own, 0) : Math.min(20, Math.max(-100, own))
    },
    isShut: (id: PeerId): boolean => shutBy(id) !== undefined,
  }
}

/** The router alone must not ban: it counts half, within bounds. */
function contribution(gossip = 0): number {
  return Math.min(10, Math.max(-40, gossip / 2))
}
