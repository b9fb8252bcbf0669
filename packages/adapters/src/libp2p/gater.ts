import type { ConnectionGater } from '@libp2p/interface'
import type { Gate, GateDecision, GateEvent, PeerId } from '@rockpool/protocol'
import { ipOf } from './addresses.ts'
import type { NetworkMeter } from './metrics.ts'

/**
 * Puts the node's gate behind libp2p's hooks. Outbound connections and inbound upgraded ones are let through: the dial hooks and the
 * encrypted hook have decided by then. A gate that throws denies. Hooks are closures, because libp2p calls one of them without `this`.
 */
export function createGater(
  decide: (event: GateEvent) => GateDecision,
  self: PeerId,
  meter: NetworkMeter,
): ConnectionGater {
  const denied = (event: GateEvent): boolean => {
    const decision = asked(decide, event)
    meter.gated(event.hook, decision.allow ? 'allow' : 'deny')
    return !decision.allow
  }
  return {
    denyDialPeer: id => denied({ hook: 'dial', peer: id.toString() }),
    denyDialMultiaddr: addr => denied({ hook: 'dialAddr', addr: addr.toString() }),
    denyInboundConnection: link => denied({ hook: 'inbound', ip: ipOf(link.remoteAddr) }),
    denyInboundEncryptedConnection: (id, link) =>
      denied({ hook: 'inboundEncrypted', peer: id.toString(), ip: ipOf(link.remoteAddr) }),
    denyOutboundConnection: () => false,
    denyOutboundEncryptedConnection: () => false,
    denyOutboundUpgradedConnection: () => false,
    denyInboundUpgradedConnection: () => false,
    // The opposite sense: true stores the address. Our own are always stored.
    filterMultiaddrForPeer: (id, addr) =>
      id.toString() === self || asked(decide, { hook: 'dialAddr', addr: addr.toString() }).allow,
  }
}

function asked(decide: Gate, event: GateEvent): GateDecision {
  try {
    return decide(event)
  } catch {
    return { allow: false, code: 'load/internal' }
  }
}
