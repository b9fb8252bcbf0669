import type { GateDecision, GateEvent, PeerId, PeerView } from '@rockpool/protocol'
import { type ConnectionPolicy, inboundMax } from './connection-policy.ts'
import { ipGroup } from './ip-group.ts'
import { privateRange } from './private-range.ts'

export interface RoomParts {
  readonly policy: ConnectionPolicy
  readonly peers: () => readonly PeerView[]
  readonly isExempt: (id: PeerId) => boolean
  /** Addresses of static peers. */
  readonly exemptIps: ReadonlySet<string>
}

/** Connections that have not said who they are yet, beyond the peers there may be: a static one might be among them. */
const strangersMax = 10

const allow: GateDecision = { allow: true }
const full: GateDecision = { allow: false, code: 'p2p/too-many-peers' }
const crowded: GateDecision = { allow: false, code: 'p2p/too-many-from-address' }

/** Is there room for this connection? The library closes nothing that carries gossip, so the counting is ours. */
export function createRoom({ policy, peers, isExempt, exemptIps }: RoomParts) {
  return (event: GateEvent): GateDecision => {
    if (event.hook === 'inbound') {
      const isFull = peers().length >= policy.max + strangersMax
      return isFull && !exemptIps.has(event.ip) ? full : allow
    }
    if (event.hook !== 'inboundEncrypted' || isExempt(event.peer)) return allow
    const there = peers()
    // Both may have dialled: that is one peer.
    if (there.some(({ id }) => id === event.peer)) return allow
    const inbound = there.filter(({ id, direction }) => direction === 'in' && !isExempt(id))
    if (there.length >= policy.max || inbound.length >= inboundMax(policy)) return full
    return isCrowded(event.ip, there) ? crowded : allow
  }

  function isCrowded(ip: string, there: readonly PeerView[]): boolean {
    if (policy.perGroup === 0 || exemptIps.has(ip)) return false
    if (policy.privateExempt && privateRange(ip) !== undefined) return false
    const group = ipGroup(ip)
    return there.filter(peer => ipGroup(peer.ip) === group).length >= policy.perGroup
  }
}
