import { createTestBus, Probe } from '@rockpool/actor'
import {
  type Addr,
  CodedError,
  type ConnectorMessage,
  type ConnectorStats,
  decodePeersRequest,
  encodePeersAnswer,
  encodePeersRequest,
  type Goodbye,
  type MonitorReport,
  type PeerId,
  type PeerView,
  type Store,
} from '@rockpool/protocol'
import { type ConnectionWish, connectionPolicy } from '../connection-policy.ts'
import { connector } from '../connector.actor.ts'

export const protocol = '/rockpool/1337/d1164378/peers/1'
const prefix = '/rockpool/1337/'

export interface ConnectorWorldOptions extends Partial<ConnectionWish> {
  readonly store?: Store
  readonly bootnodes?: readonly PeerId[]
  readonly exempt?: readonly PeerId[]
  /** What each of these names when asked. */
  readonly tells?: Readonly<Record<PeerId, readonly PeerId[]>>
  /** Nobody is there. */
  readonly dead?: readonly PeerId[]
  /** Where a peer says it is; without it `203.0.113.<n>` by the number in its id. */
  readonly addrs?: (id: PeerId) => readonly Addr[]
}

/** A record of this world is the id of who sealed it; one that begins with `forged` nobody has. */
const sealed = (id: PeerId): Uint8Array => new TextEncoder().encode(id)

export const addrOf = (id: PeerId): Addr =>
  `/ip4/203.0.${Number(/\d+/.exec(id)?.[0] ?? 0)}.1/tcp/7625`

const ipIn = (addr: Addr): string => addr.split('/')[2] ?? ''

/** The connector of `me` before a network that says what was asked of it, in virtual time. */
export async function createConnectorWorld(options: ConnectorWorldOptions = {}) {
  const time = createTestBus()
  const { bus } = time
  const addrs = options.addrs ?? ((id: PeerId) => [addrOf(id)])
  const dialled: Addr[] = []
  const byes: { id: PeerId; bye: Goodbye }[] = []
  const askedPeers: PeerId[] = []
  const totals = new Map<PeerId, number>()
  const banned = new Set<PeerId>()
  const shut = new Set<PeerId>()
  const monitor = new Probe<MonitorReport>(bus, 'monitor')
  const ref = bus.spawn(
    'connector',
    connector({
      self: 'me',
      network: {
        async dial(addr) {
          dialled.push(addr)
          const id = addr.slice(addr.lastIndexOf('/') + 1)
          if (options.dead?.includes(id)) throw new CodedError('p2p/dial-failed')
          opened({ id, direction: 'out', ip: ipIn(addr) })
          return id
        },
        async disconnect(id, bye) {
          byes.push({ id, bye })
          closed(id, { heldMs: 60_000 })
        },
        async request(id, _, bytes) {
          if (!decodePeersRequest(bytes).ok) throw new Error('no request')
          askedPeers.push(id)
          return [encodePeersAnswer((options.tells?.[id] ?? []).map(sealed))]
        },
        records: {
          of: async id => sealed(id),
          async open(record) {
            const id = new TextDecoder().decode(record)
            return id.startsWith('forged') ? undefined : { id, addrs: addrs(id) }
          },
        },
      },
      ...{ protocol, prefix, monitor: monitor.ref },
      policy: connectionPolicy({
        ...{ profile: 'public', lo: 20, hi: 30, max: 40, graceMs: 30_000, isBootnode: false },
        ...options,
      }),
      standing: {
        total: id => totals.get(id) ?? 0,
        isExempt: id => options.exempt?.includes(id) === true,
        isBanned: id => banned.has(id),
        isShut: id => shut.has(id) || banned.has(id),
      },
      bootnodes: new Set(options.bootnodes ?? []),
      ...(options.store && { store: options.store }),
    }),
    { mailbox: { capacity: 1_024 } },
  )

  function opened(view: Partial<PeerView> & Pick<PeerView, 'id'>): void {
    const peer: PeerView = {
      ...{ direction: 'in', ip: ipIn(addrOf(view.id)), sinceMs: 0, protocols: [protocol] },
      ...view,
    }
    ref.tell({ type: 'peer.opened', peer })
  }

  function closed(
    peer: PeerId,
    { heldMs = 60_000, goodbye }: { heldMs?: number; goodbye?: Goodbye } = {},
  ): void {
    ref.tell({ type: 'peer.closed', peer, heldMs, ...(goodbye && { goodbye }) })
  }

  /** What a peer that asks is answered: frames. */
  async function serve(from: PeerId, request = encodePeersRequest(16)) {
    const answer = bus.ask<ConnectorMessage, readonly Uint8Array[]>(
      ref,
      reply => ({ type: 'connector.serve', from, request, reply }),
      1_000,
    )
    await time.settle()
    const outcome = await answer
    if (!outcome.ok) throw new Error(outcome.error)
    return outcome.value
  }

  async function stats(): Promise<ConnectorStats> {
    const answer = bus.ask<ConnectorMessage, ConnectorStats>(
      ref,
      reply => ({ type: 'connector.getStats', reply }),
      1_000,
    )
    await time.settle()
    const outcome = await answer
    if (!outcome.ok) throw new Error(outcome.error)
    return outcome.value
  }

  const charges = () =>
    monitor.heard.map(({ peer, reason, detail }) => `${peer} ${reason} ${detail}`)

  return {
    ...time,
    ...{ ref, dialled, byes, asked: askedPeers, totals, banned, shut, monitor },
    ...{ opened, closed, serve, stats, charges },
  }
}
