import type { ActorRef, Behavior } from '@rockpool/actor'
import type {
  MonitorMessage,
  NetworkPort,
  NodeClear,
  NodeRaise,
  PeerId,
  Store,
} from '@rockpool/protocol'
import { createBanBook } from './ban-book.ts'
import { createBudget } from './budget.ts'
import { createChargeLog } from './charge-log.ts'
import type { ConnectionPolicy } from './connection-policy.ts'
import type { PeerStanding } from './connector.actor.ts'
import { createDoor } from './door.ts'
import { createGate } from './gate.ts'
import { createGroups } from './groups.ts'
import { createGuard, defaultGuard } from './guard.ts'
import { type MonitorFact, monitor, type ToMonitor } from './monitor.actor.ts'
import { loadPeers, type StoredPeers } from './peer-store.ts'
import type { MonitorPolicy } from './policy.ts'
import { createReputation } from './reputation.ts'
import { createRoom } from './room.ts'
import { createRotation } from './rotation.ts'
import { createStanding } from './standing.ts'

export interface PeersParts {
  readonly network: NetworkPort
  /** Absent: bans and scores end with the process. */
  readonly store?: Store
  /** Epoch ms. */
  readonly wall: () => number
  readonly policy: MonitorPolicy
  /** Addresses with `/p2p/<id>` of peers that are never banned. */
  readonly statics: readonly string[]
  /** Addresses that may be names. */
  readonly bootnodes: readonly string[]
  /** How many may connect. Absent: any number. */
  readonly connections?: ConnectionPolicy
}

/** What the judgement of peers is made of. A simulation may put others in their place to see that the difference is noticed. */
export interface PeersMade {
  readonly createStanding: typeof createStanding
  readonly createRotation: typeof createRotation
  readonly createReputation: typeof createReputation
  readonly createGuard: typeof createGuard
  readonly createBudget: typeof createBudget
}

export type Peers = ReturnType<typeof createPeers>

/** The policy without configuration. */
export const defaultPolicy: MonitorPolicy = {
  bans: true,
  threshold: -100,
  banMs: 3_600_000,
  perTick: 1,
  ipThreshold: 5,
  sparesPrivate: false,
  budget: 0.1,
  minPeers: 1,
  guard: defaultGuard,
}

const ownParts: PeersMade = {
  ...{ createStanding, createRotation, createReputation, createGuard, createBudget },
}

/** Reads what is known of peers, and goes on from there. Throws `store/corrupt`. */
export async function openPeers(parts: PeersParts): Promise<Peers> {
  return createPeers(parts, await readPeers(parts.store))
}

/** What is known of peers; nothing without a store. Throws `store/corrupt`. */
export async function readPeers(store: Store | undefined): Promise<StoredPeers> {
  return store ? loadPeers(store) : { records: [], bans: [], groups: [], log: [] }
}

/**
 * Puts gate and reputation before the network, which must not have started: a banned peer is refused from the first connection on.
 */
export function createPeers(
  parts: PeersParts,
  stored: StoredPeers,
  others: Partial<PeersMade> = {},
) {
  const { network, store, wall, policy } = parts
  const made = { ...ownParts, ...others }
  const reputation = made.createReputation(stored.records)
  const groups = createGroups(stored.groups)
  const log = createChargeLog(stored.log)
  const bans = createBanBook(stored.bans)
  const statics = new Set(parts.statics.map(idOf))
  const configured = new Set([...statics, ...parts.bootnodes.map(idOf)])
  const standing = made.createStanding({ reputation, bans, network, statics, wall })
  const exemptIps = new Set(parts.statics.flatMap(ipOf))
  const { isExempt } = standing
  const gate = createGate({
    self: network.self,
    bans,
    isExempt,
    isConfigured: id => configured.has(id),
    exemptIps,
    wall,
  })
  const { connections } = parts
  const room =
    connections && createRoom({ policy: connections, peers: network.peers, isExempt, exemptIps })
  network.gate(room ? createDoor({ gate, room, exemptIps, wall }) : gate)
  network.reputation(standing.forRouter)

  /** The actor that keeps all this. */
  function actor(
    node: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>,
  ): Behavior<MonitorMessage | ToMonitor, MonitorFact> {
    return monitor({
      ...{ self: network.self, reputation, bans, groups, log, standing, network, node, policy },
      ...made,
      ...(store && { store }),
    })
  }

  const places: PeerStanding = {
    total: id => standing.score(id).total,
    isExempt,
    isBanned: id => standing.banOf(id) !== undefined,
    isShut: standing.isShut,
  }
  return {
    actor,
    isShut: standing.isShut,
    standing: places,
    bootnodes: new Set(parts.bootnodes.map(idOf)),
    shutBy: standing.shutBy,
  }
}

const idOf = (addr: string): PeerId => addr.slice(addr.lastIndexOf('/') + 1)

function ipOf(addr: string): readonly string[] {
  const [, kind, ip] = addr.split('/')
  return ip !== undefined && (kind === 'ip4' || kind === 'ip6') ? [ip] : []
}
