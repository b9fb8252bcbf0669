import type {
  AbortOptions,
  ConnectionGater,
  PeerId as Libp2pPeerId,
  MultiaddrConnection,
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import {
  type Answer,
  type Failure,
  failed,
  type LinkFaults,
  type LinkRule,
  limits,
  ok,
} from '@rockpool/protocol'
import { peerOf } from './addresses.ts'
import type { NetworkClock } from './clock.ts'
import { createFaultLink, type FaultLink } from './fault-link.ts'
import { type MakeTransport, withEachRaw } from './raw-connections.ts'

interface Parts {
  readonly clock: NetworkClock
  readonly random: () => number
  /** A rule has ended: whoever was out of reach may be dialled again. */
  readonly healed?: () => void
  readonly log: { info(code: string, fields?: Record<string, unknown>): void }
}

/**
 * A raw connection with the two methods through which everything leaves it. They are not in its public interface; the transport's base class
 * declares them, and a version that lacks them is refused.
 */
interface RawConnection extends MultiaddrConnection {
  sendData(chunks: Iterable<Uint8Array>): {
    readonly sentBytes: number
    readonly canSendMore: boolean
  }
  sendClose(options?: AbortOptions): Promise<void>
}

/** A raw connection that is open, and who is at its other end as far as that is known. */
interface Live {
  readonly raw: MultiaddrConnection
  readonly link: FaultLink
  readonly address: string
  id: string | undefined
}

export interface Faults extends LinkFaults {
  /** The same transport with every raw connection behind these rules, below encryption. */
  wrap<Components>(make: MakeTransport<Components>): MakeTransport<Components>
  /** The same gater, which also learns who is at the other end and refuses those who are cut off. */
  watch(gater: ConnectionGater): ConnectionGater
}

/** The transport itself where there are no faults, so that nothing of this stands between a real node and its sockets. */
export function withFaults<Components>(
  make: MakeTransport<Components>,
  faults: Faults | undefined,
): MakeTransport<Components> {
  return faults === undefined ? make : faults.wrap(make)
}

/**
 * Network faults inside this process: they need no privileges, work on every system and touch no other program. A rule is about one other
 * node and what is sent to it. It outlives connections, not the process.
 */
export function createFaults({ clock, random, healed, log }: Parts): Faults {
  const rules = new Map<string, LinkRule>()
  const open = new Map<MultiaddrConnection, Live>()
  /** Address under which an id was dialled, so that a rule for the address also meets its calls to us. */
  const dialled = new Map<string, string>()

  function ruleOf(id: string | undefined, address: string): LinkRule | undefined {
    if (id === undefined) return rules.get(address)
    return rules.get(id) ?? rules.get(address) ?? rules.get(dialled.get(id) ?? '')
  }

  function take(raw: MultiaddrConnection): void {
    const connection = asRaw(raw)
    const sendData = connection.sendData.bind(connection)
    const sendClose = connection.sendClose.bind(connection)
    let telling = false
    const link = createFaultLink({
      clock,
      random,
      write: bytes => sendData([bytes]).canSendMore,
      roomAgain() {
        telling = true
        connection.dispatchEvent(new Event('drain'))
        telling = false
      },
    })
    connection.sendData = chunks => {
      if (link.isOpen()) return sendData(chunks)
      let sentBytes = 0
      let canSendMore = true
      for (const chunk of chunks) {
        sentBytes += chunk.length
        canSendMore = link.push(chunk)
      }
      return { sentBytes, canSendMore }
    }
    connection.sendClose = async options => {
      await orAborted(link.untilEmpty(), options?.signal)
      await sendClose(options)
    }
    raw.addEventListener('drain', () => {
      if (!telling) link.socketDrained()
    })
    raw.addEventListener('close', () => {
      open.delete(raw)
      link.destroy()
    })
    const live = { raw, link, address: addressOf(raw.remoteAddr), id: idOf(raw.remoteAddr) }
    open.set(raw, live)
    apply(live)
  }

  /** Brings one connection under the rule that now holds for it. True when it was cut. */
  function apply({ raw, link, id, address }: Live): boolean {
    const rule = ruleOf(id, address)
    link.reshape(rule ?? {})
    if (rule?.cut !== true) return false
    raw.abort(connectionReset())
    return true
  }

  /** The other end has proved who it is. True when it must go. */
  function identified(raw: MultiaddrConnection, peer: Libp2pPeerId): boolean {
    const live = open.get(raw)
    if (live === undefined) return false
    live.id = peer.toString()
    if (raw.direction === 'outbound') {
      dialled.delete(live.id)
      dialled.set(live.id, live.address)
      const [oldest] = dialled.keys()
      if (dialled.size > limits.linkRulesMax && oldest !== undefined) dialled.delete(oldest)
    }
    return apply(live)
  }

  function applyAll(): void {
    for (const live of [...open.values()]) apply(live)
  }

  function wrap<Components>(make: MakeTransport<Components>): MakeTransport<Components> {
    const tapped = withEachRaw(make, take)
    return components => {
      const transport = tapped(components)
      const dial = transport.dial.bind(transport)
      transport.dial = async (addr, options) => {
        if (ruleOf(idOf(addr), addressOf(addr))?.cut === true) throw connectionReset()
        return dial(addr, options)
      }
      return transport
    }
  }

  function watch(gater: ConnectionGater): ConnectionGater {
    return {
      ...gater,
      denyInboundEncryptedConnection: (peer, raw) =>
        identified(raw, peer) || (gater.denyInboundEncryptedConnection?.(peer, raw) ?? false),
      denyOutboundEncryptedConnection: (peer, raw) =>
        identified(raw, peer) || (gater.denyOutboundEncryptedConnection?.(peer, raw) ?? false),
    }
  }

  function set(rule: LinkRule): Answer<void> {
    const key = keyOf(rule.to)
    if (typeof key !== 'string') return key
    if (!rules.has(key) && rules.size >= limits.linkRulesMax) return failed('p2p/too-many-links')
    rules.set(key, rule)
    log.info('devnet/link', { ...rule })
    applyAll()
    return ok(undefined)
  }

  function clear(to?: string): void {
    const key = to === undefined ? undefined : keyOf(to)
    if (key === undefined) rules.clear()
    else if (typeof key === 'string') rules.delete(key)
    log.info('devnet/link', { to: to ?? 'all', healed: true })
    applyAll()
    healed?.()
  }

  function reset(to: string): number {
    const key = keyOf(to)
    const hit = [...open.values()].filter(
      ({ id, address }) => key === id || key === address || key === dialled.get(id ?? ''),
    )
    log.info('devnet/link', { to, reset: hit.length })
    for (const { raw } of hit) raw.abort(connectionReset())
    return hit.length
  }

  return { set, clear, reset, list: () => [...rules.values()], wrap, watch }
}

function asRaw(connection: MultiaddrConnection): RawConnection {
  const raw = connection as RawConnection
  if (typeof raw.sendData !== 'function' || typeof raw.sendClose !== 'function')
    throw new Error('the transport lacks the methods that faults stand in for')
  return raw
}

/** What rules are found by: the id when the text has one, else host and port. */
function keyOf(to: string): string | Failure {
  try {
    if (!to.startsWith('/')) return peerIdFromString(to).toString()
    const addr = multiaddr(to)
    const hasPort = addr.getComponents().some(({ name }) => name === 'tcp')
    return idOf(addr) ?? (hasPort ? addressOf(addr) : failed('p2p/bad-link'))
  } catch {
    return failed('p2p/bad-link')
  }
}

const idOf = (addr: Multiaddr): string | undefined => peerOf(addr)?.toString()

function addressOf(addr: Multiaddr): string {
  const parts = addr.getComponents().filter(({ name }) => name !== 'p2p')
  return parts.map(({ name, value }) => `/${name}/${value ?? ''}`).join('')
}

function connectionReset(): Error {
  return Object.assign(new Error('connection reset by a devnet fault'), { code: 'ECONNRESET' })
}

function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
