import type { Gate, GateDecision, GateEvent } from '@rockpool/protocol'
import { createKnocks } from './knocks.ts'

export interface DoorParts {
  /** Who is kept out. */
  readonly gate: Gate
  /** How many there are. */
  readonly room: (event: GateEvent) => GateDecision
  /** Addresses of static peers. */
  readonly exemptIps: ReadonlySet<string>
  /** Epoch ms. */
  readonly wall: () => number
}

/** The gate, then the room behind it; and in front of both a brake for addresses whose ban does not keep them from dialling. */
export function createDoor({ gate, room, exemptIps, wall }: DoorParts): Gate {
  const knocks = createKnocks()
  return event => {
    if (event.hook === 'inbound' && !exemptIps.has(event.ip) && !knocks.admits(event.ip, wall())) {
      return { allow: false, code: 'p2p/refused-lately' }
    }
    const decision = gate(event)
    if (decision.allow) return room(event)
    if (event.hook === 'inboundEncrypted') knocks.refuse(event.ip, wall())
    return decision
  }
}
