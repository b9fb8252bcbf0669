import type { PeerId, PeerView } from '@rockpool/protocol'
import type { ConnectionPolicy } from './connection-policy.ts'

/** A connected peer as far as it matters who has to go. */
export interface Held extends Pick<PeerView, 'id' | 'direction' | 'sinceMs'> {
  readonly total: number
  readonly isQuarantined: boolean
  /** Static or protected. */
  readonly isExempt: boolean
  /** Speaks at least one protocol of this network. */
  readonly isShared: boolean
}

/** Below it a peer is suspect: still listened to, and among the first to go. */
export const suspectBelow = -50
/** The inbound peers that are here longest stay: who fills a node up later cannot push them out. */
const eldersMax = 8

/**
 * Whom to send away of more than `hi` peers: the quarantined, then who has nothing to say here, then the suspect, then the lowest score, of
 * equals the newest that dialled in. Never static or protected peers, never the eldest, and never below the outbound quota. Equals are taken
 * in the order given, which should be random.
 */
export function toPrune(peers: readonly Held[], policy: ConnectionPolicy): readonly PeerId[] {
  const elders = new Set(
    peers
      .filter(({ direction, isQuarantined }) => direction === 'in' && !isQuarantined)
      .sort((left, right) => left.sinceMs - right.sinceMs)
      .slice(0, eldersMax)
      .map(({ id }) => id),
  )
  let surplus = peers.length - policy.hi
  let outbound = peers.filter(({ direction }) => direction === 'out').length
  const order = peers
    .filter(({ id, isExempt }) => !isExempt && !elders.has(id))
    .sort((left, right) => {
      const byClass = classOf(left) - classOf(right) || left.total - right.total
      if (byClass !== 0) return byClass
      if (left.direction !== right.direction) return left.direction === 'in' ? -1 : 1
      return right.sinceMs - left.sinceMs
    })
  const gone: PeerId[] = []
  for (const { id, direction, isQuarantined } of order) {
    if (surplus <= 0) break
    if (direction === 'out') {
      if (outbound <= policy.outbound && !isQuarantined) continue
      outbound -= 1
    }
    gone.push(id)
    surplus -= 1
  }
  return gone
}

function classOf({ isQuarantined, isShared, total }: Held): number {
  if (isQuarantined) return 0
  if (!isShared) return 1
  return total < suspectBelow ? 2 : 3
}
