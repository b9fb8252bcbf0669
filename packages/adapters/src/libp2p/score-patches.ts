import { CodedError, type PeerId } from '@rockpool/protocol'
import { GOSSIPSUB_VERSION, type Router } from './router.ts'

export interface ScoreWatchOptions {
  /** A manner the router holds against a peer, which ours should too. */
  fault(id: PeerId, reason: string, evidence: string): void
}

/** Labels of the router's own penalties, and what we call them. */
const penalties: ReadonlyMap<string, string> = new Map([
  ['graft_backoff', 'gossip/graft-flood'],
  ['broken_promise', 'gossip/broken-promise'],
])

/**
 * Stands around the router's score. Installed once, before start; a router without the wrapped methods refuses to start.
 *
 * - A peer that is known keeps its record when it comes again. The router overwrites it, so that a new connection, and even a new stream on
 *   the same one, washed a bad score away.
 * - What the router is told of a peer by us is remembered as it was told, so that it can be taken out of the score again: the score is cached
 *   for a heartbeat, and what we think may have changed since.
 * - Penalties for manners are reported.
 */
export function installScoreWatch(router: Router, { fault }: ScoreWatchOptions) {
  const { score } = router
  const addPeer = method(score, 'addPeer')
  const addPenalty = method(score, 'addPenalty')
  const removePeer = method(score, 'removePeer')
  /** What the router was told last, by peer. */
  const told = new Map<PeerId, number>()
  let read: (id: PeerId) => number = () => 0

  function forgetIps(id: PeerId): readonly string[] {
    const ips = [...(score.peerStats.get(id)?.knownIPs ?? [])]
    for (const ip of ips) score.removeIP(id, ip)
    return ips
  }

  Object.assign(score, {
    addPeer(id: PeerId): void {
      const known = score.peerStats.get(id)
      score.scoreCache.delete(id)
      if (known === undefined) return addPeer.call(score, id)
      forgetIps(id)
      known.connected = true
      known.expire = 0
    },
    removePeer(id: PeerId): void {
      removePeer.call(score, id)
      // It asks what we think, too.
      told.delete(id)
    },
    addPenalty(id: PeerId, penalty: number, label: string): void {
      addPenalty.call(score, id, penalty, label)
      const reason = penalties.get(label)
      if (reason !== undefined) fault(id, reason, `${penalty}`)
    },
  })
  score.params.appSpecificScore = id => {
    const said = read(id)
    told.set(id, said)
    return said
  }

  return {
    reputation(next: (id: PeerId) => number): void {
      read = next
    },
    /** The router's score of a peer without what we told it. */
    own: (id: PeerId): number => score.score(id) - (told.get(id) ?? 0),
    /** Drops what the router has recorded of a peer. */
    forgive(id: PeerId): void {
      const isConnected = score.peerStats.get(id)?.connected === true
      const ips = forgetIps(id)
      score.peerStats.delete(id)
      score.scoreCache.delete(id)
      if (!isConnected) return
      addPeer.call(score, id)
      for (const ip of ips) score.addIP(id, ip)
    },
  }
}

function method<Name extends 'addPeer' | 'addPenalty' | 'removePeer'>(
  score: Router['score'],
  name: Name,
): Router['score'][Name] {
  const found: unknown = score[name]
  if (typeof found === 'function') return score[name]
  throw new CodedError(
    'p2p/router-patch-missing',
    `p2p/router-patch-missing: score.${name} (gossipsub ${GOSSIPSUB_VERSION})`,
  )
}
