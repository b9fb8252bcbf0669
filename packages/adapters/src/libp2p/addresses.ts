import type { PeerId as Libp2pPeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { type Addr, CodedError, limits, type PeerId } from '@rockpool/protocol'

export interface Target {
  readonly id: PeerId
  readonly addr: Multiaddr
  readonly kind: 'static' | 'bootnode'
}

/** The literal IP in an address, or '' for a name. */
export function ipOf(addr: Multiaddr): string {
  const part = addr.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')
  return part?.value ?? ''
}

/** The peer an address ends in; undefined for an address that names nobody. */
export function peerOf(addr: Multiaddr): Libp2pPeerId | undefined {
  const id = addr.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return id === undefined ? undefined : peerIdFromString(id)
}

/** `text` as an address to listen on or to advertise, or `config/bad-listen-address`. */
export function listenAddress(text: Addr): string {
  try {
    return multiaddr(text).toString()
  } catch (cause) {
    throw new CodedError('config/bad-listen-address', `config/bad-listen-address: ${text}`, {
      cause,
    })
  }
}

/**
 * The peers to keep connected. The node's own id and exact repetitions are left out; text that is no address, an address without
 * `/p2p/<id>` and one id under two addresses refuse to start with `config/bad-static-peer` or `config/bad-bootnode`.
 */
export function parseTargets(
  statics: readonly Addr[],
  bootnodes: readonly Addr[],
  self: PeerId,
  skipped: (kind: Target['kind']) => void,
  protocol: 'tcp' | 'memory' = 'tcp',
): readonly Target[] {
  const targets = new Map<PeerId, Target>()
  const add = (text: Addr, kind: Target['kind']) => {
    const target = parse(text, kind, protocol)
    if (target === undefined) throw bad(text, kind)
    if (target.id === self) return skipped(kind)
    const known = targets.get(target.id)
    if (known !== undefined && known.kind === kind && !known.addr.equals(target.addr))
      throw bad(text, kind)
    if (known === undefined) targets.set(target.id, target)
    if (targets.size > limits.staticPeersMax) throw bad(text, kind)
  }
  for (const text of statics) add(text, 'static')
  for (const text of bootnodes) add(text, 'bootnode')
  return [...targets.values()]
}

function parse(text: Addr, kind: Target['kind'], protocol: string): Target | undefined {
  try {
    const addr = multiaddr(text)
    const id = peerOf(addr)
    const dialable = addr.getComponents().some(({ name }) => name === protocol)
    return id === undefined || !dialable ? undefined : { id: id.toString(), addr, kind }
  } catch {
    // What is not an address is refused by the caller, with the text that was given.
    return undefined
  }
}

function bad(text: Addr, kind: Target['kind']): CodedError {
  const code = kind === 'static' ? 'config/bad-static-peer' : 'config/bad-bootnode'
  return new CodedError(code, `${code}: ${text}`)
}
