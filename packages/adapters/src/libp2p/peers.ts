import type { Connection, IdentifyResult, Libp2p, PeerId as Libp2pPeerId } from '@libp2p/interface'
import {
  CodedError,
  type Direction,
  type Goodbye,
  limits,
  type PeerId,
  type PeerView,
} from '@rockpool/protocol'
import { ipOf } from './addresses.ts'
import type { NetworkClock } from './clock.ts'

interface Parts {
  readonly libp2p: Libp2p
  readonly clock: NetworkClock
  /** The last connection of an id has closed, whether it was identified or not; what it said before. */
  gone(id: PeerId): Goodbye | undefined
  opened(view: PeerView): void
  closed(id: PeerId, heldMs: number, bye: Goodbye | undefined): void
}

interface Entry {
  readonly id: Libp2pPeerId
  readonly sinceMs: number
  readonly direction: Direction
  readonly ip: string
  agent: string | undefined
  protocols: readonly string[]
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

const GOSSIP_PROTOCOL = '/meshsub/'

/**
 * Who is connected: one entry per peer id, whatever the number of its connections. A peer counts from its identification on, because a
 * refused one looks connected for some milliseconds, until its last connection has closed.
 */
export function createPeers({ libp2p, clock, gone, opened, closed }: Parts) {
  const entries = new Map<PeerId, Entry>()
  /** Connections that have not been identified, with the instant they were made. */
  const strangers = new Map<Connection, number>()
  const waiters = new Map<PeerId, Set<Waiter>>()

  libp2p.addEventListener('connection:open', ({ detail }) => {
    strangers.set(detail, clock.now())
  })
  libp2p.addEventListener('connection:close', ({ detail }) => {
    strangers.delete(detail)
  })
  libp2p.addEventListener('peer:identify', ({ detail }) => identified(detail))
  libp2p.addEventListener('peer:disconnect', ({ detail }) => left(detail.toString()))

  function identified({ connection, peerId, agentVersion, protocols }: IdentifyResult): void {
    strangers.delete(connection)
    if (connection.status !== 'open') return
    const id = peerId.toString()
    const known = entries.get(id)
    if (known !== undefined) {
      known.agent = agentVersion
      known.protocols = protocols
      return
    }
    const entry: Entry = {
      id: peerId,
      sinceMs: clock.now(),
      direction: connection.direction === 'inbound' ? 'in' : 'out',
      ip: ipOf(connection.remoteAddr),
      agent: agentVersion,
      protocols,
    }
    entries.set(id, entry)
    opened(viewOf(id, entry))
    for (const waiter of waiters.get(id) ?? []) waiter.resolve()
  }

  function left(id: PeerId): void {
    const error = new CodedError('p2p/dial-failed', 'connection closed before identification')
    for (const waiter of waiters.get(id) ?? []) waiter.reject(error)
    const bye = gone(id)
    const entry = entries.get(id)
    if (entry === undefined) return
    entries.delete(id)
    closed(id, clock.now() - entry.sinceMs, bye)
  }

  /** Open connections of a peer, oldest first. */
  function connectionsOf(entry: Entry | undefined): readonly Connection[] {
    if (entry === undefined) return []
    return libp2p.getConnections(entry.id).filter(({ status }) => status === 'open')
  }

  function viewOf(id: PeerId, entry: Entry): PeerView {
    const { sinceMs, direction, ip, agent, protocols } = entry
    const rttMs = Math.min(
      ...connectionsOf(entry).map(({ rtt }) => rtt ?? Number.POSITIVE_INFINITY),
    )
    return {
      id,
      direction,
      ip,
      sinceMs,
      protocols,
      ...(Number.isFinite(rttMs) && { rttMs }),
      ...(agent !== undefined && { agent }),
    }
  }

  /** Resolves once the peer is identified; rejects when its connection closes before or the signal aborts. */
  function untilOpened(id: PeerId, signal: AbortSignal): Promise<void> {
    if (entries.has(id)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const set = waiters.get(id) ?? new Set()
      waiters.set(id, set)
      const leave = (): void => {
        set.delete(waiter)
        if (set.size === 0) waiters.delete(id)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        resolve() {
          leave()
          resolve()
        },
        reject(error) {
          leave()
          reject(error)
        },
      }
      const onAbort = () => waiter.reject(signal.reason as Error)
      set.add(waiter)
      signal.addEventListener('abort', onAbort)
    })
  }

  /** Closes connections on which nobody has said who they are. */
  function sweep(): void {
    for (const [connection, sinceMs] of strangers)
      if (clock.now() - sinceMs >= limits.identifyMs)
        connection.abort(new Error('not identified in time'))
  }

  return {
    has: (id: PeerId): boolean => entries.has(id),
    views: (): readonly PeerView[] => [...entries].map(([id, entry]) => viewOf(id, entry)),
    /** Ids of all peers that speak gossip. */
    gossiping: (): readonly PeerId[] =>
      [...entries]
        .filter(([, { protocols }]) => protocols.some(name => name.startsWith(GOSSIP_PROTOCOL)))
        .map(([id]) => id),
    idOf: (id: PeerId): Libp2pPeerId | undefined => entries.get(id)?.id,
    connectionTo: (id: PeerId): Connection | undefined => connectionsOf(entries.get(id))[0],
    untilOpened,
    sweep,
  }
}
