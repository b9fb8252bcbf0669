import type { Addr, Gate, GateDecision, PeerId } from '@rockpool/protocol'
import type { BanBook } from './ban-book.ts'

export interface GateParts {
  readonly self: PeerId
  readonly bans: Pick<BanBook, 'active' | 'covering'>
  /** Static or protected: no ban holds them out. */
  readonly isExempt: (id: PeerId) => boolean
  /** Static peers and bootnodes: their addresses may be names. */
  readonly isConfigured: (id: PeerId) => boolean
  /** Addresses of static peers. */
  readonly exemptIps: ReadonlySet<string>
  /** Epoch ms. */
  readonly wall: () => number
}

/** Transports that exist only inside one process. */
const insideProcess: ReadonlySet<string> = new Set(['memory', 'loop', 'sim'])

const allow: GateDecision = { allow: true }
const deny = (code: string): GateDecision => ({ allow: false, code })
const banned = deny('p2p/banned')

/**
 * May this connection be made? Answered from the ban book, without waiting for anything: the ban of the peer first, then that of
 * the address.
 */
export function createGate(parts: GateParts): Gate {
  const { self, bans, isExempt, isConfigured, exemptIps, wall } = parts

  function ofPeer(id: PeerId, nowMs: number): GateDecision {
    if (id === self) return deny('p2p/peer-is-self')
    if (isExempt(id)) return allow
    return bans.active({ kind: 'peer', value: id }, nowMs) ? banned : allow
  }

  function ofIp(ip: string, nowMs: number): GateDecision {
    if (exemptIps.has(ip)) return allow
    return bans.covering(ip, nowMs) ? banned : allow
  }

  function ofAddr(addr: Addr, nowMs: number): GateDecision {
    const { ip, id, kind } = partsOf(addr)
    if (id !== undefined && isExempt(id)) return allow
    const peer = id === undefined ? allow : ofPeer(id, nowMs)
    if (!peer.allow) return peer
    if (ip !== undefined) return ofIp(ip, nowMs)
    if (insideProcess.has(kind) || (id !== undefined && isConfigured(id))) return allow
    return deny('p2p/address-without-ip')
  }

  return event => {
    const nowMs = wall()
    switch (event.hook) {
      case 'dial':
        return ofPeer(event.peer, nowMs)
      case 'dialAddr':
        return ofAddr(event.addr, nowMs)
      case 'inbound':
        return ofIp(event.ip, nowMs)
      case 'inboundEncrypted': {
        const { peer, ip } = event
        if (hasForeignKey(peer)) return deny('identify/bad-key')
        const decision = ofPeer(peer, nowMs)
        if (!decision.allow || isExempt(peer)) return decision
        // A static peer's address lets in who comes from it until it says who it is.
        return exemptIps.has(ip) && bans.covering(ip, nowMs) ? banned : allow
      }
    }
  }
}

/** Neither Ed25519 nor secp256k1: other keys are not in the id itself but hashed. */
function hasForeignKey(id: PeerId): boolean {
  return id.length === 46 && id.startsWith('Qm')
}

function partsOf(addr: Addr): {
  readonly kind: string
  readonly ip?: string
  readonly id?: PeerId
} {
  const [, kind = '', value = '', ...rest] = addr.split('/')
  const at = rest.lastIndexOf('p2p')
  const id = at === -1 ? undefined : rest[at + 1]
  return {
    kind,
    ...((kind === 'ip4' || kind === 'ip6') && { ip: value }),
    ...(id !== undefined && { id }),
  }
}
