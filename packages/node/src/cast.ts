import type { ActorRef, Bus } from '@rockpool/actor'
import {
  chainActor,
  type DevChain,
  producerActor,
  sourceChainActor,
  syncActor,
} from '@rockpool/chain'
import {
  connectionPolicy,
  connector as connectorActor,
  createPeers,
  defaultPolicy,
  gossip,
  monitorMailbox,
  reconciler,
  type StoredPeers,
} from '@rockpool/p2p'
import { type Pool, poolActor, poolMailbox, type Tracker, trackerActor } from '@rockpool/pool'
import {
  type Address,
  type BackendMessage,
  type ChainHead,
  type ChainMessage,
  type ChainSource,
  type ConnectorMessage,
  createRecovery,
  type GossipMessage,
  type GossipStats,
  type Hash,
  type Head,
  type HealthView,
  type Hex,
  limits,
  type MonitorMessage,
  type NodeMessage,
  type ObserverMessage,
  type PeerId,
  type PoolMessage,
  type ProducerMessage,
  type ReconcilerMessage,
  type ResponderMessage,
  type SyncMessage,
  type TrackerMessage,
  toHex,
  type WatcherMessage,
} from '@rockpool/protocol'
import {
  backendActor,
  bitcoinHome,
  evmHome,
  responderActor,
  responderMailbox,
  watcherActor,
  watcherMailbox,
} from '@rockpool/tower'
import { noProducer, noSync } from './absent.ts'
import { node as lifecycleActor } from './node.actor.ts'
import type { NodeConfig } from './node.ts'
import { type FactListener, observer } from './observer.actor.ts'
import type { CastPorts } from './recorded-ports.ts'
import type { NetworkNames } from './topics.ts'

export interface NodeRefs {
  readonly chain: ActorRef<ChainMessage>
  readonly producer: ActorRef<ProducerMessage>
  readonly sync: ActorRef<SyncMessage>
  readonly pool: ActorRef<PoolMessage>
  readonly reconciler: ActorRef<ReconcilerMessage>
  readonly gossip: ActorRef<GossipMessage>
  readonly monitor: ActorRef<MonitorMessage>
  readonly node: ActorRef<NodeMessage>
  readonly observer: ActorRef<ObserverMessage>
  /** Where this node runs a watchtower. */
  readonly tower?: {
    readonly watcher: ActorRef<WatcherMessage>
    readonly responder: ActorRef<ResponderMessage>
    /** Where it watches another chain than this node's. */
    readonly backend?: ActorRef<BackendMessage>
  }
}

/** What a node is made of. A simulation may put others in their place to see that the difference is noticed. */
export interface CastMakers {
  readonly chainActor: typeof chainActor
  readonly producerActor: typeof producerActor
  readonly poolActor: typeof poolActor
  readonly gossip: typeof gossip
  readonly createPeers: typeof createPeers
  readonly watcherActor: typeof watcherActor
}

/** The cores of the rooms, for whoever checks a node from outside: read between turns, changed by nobody. Absent before their start. */
export interface Inside {
  readonly chain?: DevChain
  readonly pool?: Pool
  /** Undefined also where nothing is followed. */
  readonly tracker?: Tracker | undefined
  readonly gossip?: GossipStats
}

export interface CastParts {
  readonly bus: Bus
  readonly refs: NodeRefs
  readonly config: NodeConfig
  readonly names: NetworkNames
  readonly genesisHash: Hash
  readonly ports: CastPorts
  /** Another client's chain, followed instead of a dev chain: then there is neither producer nor block sync. */
  readonly source?: ChainSource
  /** Those of this program in whose place nothing stands here. */
  readonly makers?: Partial<CastMakers>
  /** Epoch ms, for whoever asks between turns. */
  wall(): number
  readonly listeners: ReadonlySet<FactListener>
  publish(view: HealthView): void
}

/** What a replay must know of a node to make it again. */
export interface BootRecord {
  readonly config: NodeConfig
  readonly seal: Address
  readonly self: PeerId
  readonly director: Address | null
  /** What clients know its watchtower by. Absent: it has none. */
  readonly tower?: Hex
}

/** Where everybody but the chain starts. */
export interface Start {
  readonly head: Head
  /** Whether the pool keeps own transactions on disk. */
  readonly journal: boolean
  /** What is on disk about peers. */
  readonly peers: StoredPeers
}

const defaultPoolSync = { asks: true, intervalMs: 10_000 }

const ownMakers: CastMakers = {
  ...{ chainActor, producerActor, poolActor, gossip, createPeers, watcherActor },
}

/** Who is on the bus, spawned in three acts: with their values a replay can do the same. Nothing here reaches outside but through `ports`. */
export function createCast(parts: CastParts) {
  const { bus, refs, config, names, ports, source, listeners, publish } = parts
  const { genesis } = config
  const { crypto, network } = ports
  const recovery = createRecovery(crypto, BigInt(genesis.chainId))
  const made = { ...ownMakers, ...parts.makers }
  let inside: Inside = {}
  let connector: ActorRef<ConnectorMessage> | undefined

  function boot(): void {
    const record: BootRecord = {
      config,
      seal: ports.seal.address,
      self: network.self,
      director: ports.director?.address ?? null,
      ...(ports.tower && { tower: toHex(ports.tower.key.id) }),
    }
    bus.act('boot', record, () => {
      bus.spawn(refs.observer, observer(listeners))
      bus.spawn(
        refs.node,
        lifecycleActor({
          version: config.version,
          services: config.services,
          expectsPeers: config.expectsPeers,
          blockTimeMs: config.mining === 'manual' ? 0 : genesis.blockTimeMs,
          publish,
        }),
      )
    })
  }

  function chain(): void {
    bus.act('chain', null, () => {
      if (source !== undefined) {
        const { chainId } = genesis
        const { genesisHash } = parts
        return bus.spawn(refs.chain, sourceChainActor({ source, chainId, genesisHash }))
      }
      return bus.spawn(
        refs.chain,
        made.chainActor({
          genesis,
          store: ports.store('chain'),
          crypto,
          recovery,
          sync: refs.sync,
          node: refs.node,
          show: chain => {
            inside = { ...inside, chain }
          },
        }),
      )
    })
  }

  function rooms(start: Start): void {
    bus.act('rooms', start, spawnRooms)
  }

  function spawnRooms({ head, journal: keepsJournal, peers: stored }: Start): void {
    const journal = keepsJournal && { store: ports.store('pool'), genesis: parts.genesisHash }
    const peers = made.createPeers(peersParts(), stored)
    const shared = {
      keccak256: crypto.keccak256,
      forks: genesis.forks,
      chainId: BigInt(genesis.chainId),
      recovery,
    }
    const tracker = config.pool.noLocals ? undefined : bus.declare<TrackerMessage>('tracker')
    bus.spawn(
      refs.pool,
      made.poolActor({
        ...shared,
        config: config.pool,
        chain: refs.chain,
        node: refs.node,
        ...(tracker && { tracker }),
        ...(journal && { journal }),
        start: head,
        show: (pool, tracker) => {
          inside = { ...inside, pool, tracker }
        },
      }),
    )
    bus.spawn(refs.monitor, peers.actor(refs.node))
    const wish = config.peers?.connections
    if (wish !== undefined) {
      connector = bus.declare<ConnectorMessage>('connector', { capacity: limits.mailbox.connector })
      bus.spawn(
        connector,
        connectorActor({
          ...{ self: network.self, network, protocol: names.peers, prefix: names.prefix },
          ...{
            policy: connectionPolicy(wish),
            standing: peers.standing,
            bootnodes: peers.bootnodes,
          },
          monitor: refs.monitor,
          ...(config.peers?.persist !== false && { store: ports.store('p2p') }),
        }),
      )
    }
    if (tracker !== undefined) {
      const { pool, gossip } = refs
      bus.spawn(tracker, trackerActor({ config: config.pool, pool, gossip }))
    }
    bus.spawn(
      refs.gossip,
      made.gossip({
        ...shared,
        network,
        poolSync: names.poolSync,
        pool: refs.pool,
        chain: refs.chain,
        sync: refs.sync,
        monitor: refs.monitor,
        isShut: peers.isShut,
        shutBy: peers.shutBy,
        sha256: crypto.sha256,
        topics: names,
        minTip: config.pool.priceLimit,
        head,
        blockTimeMs: genesis.blockTimeMs,
        show: gossip => {
          inside = { ...inside, gossip }
        },
      }),
    )
    bus.spawn(
      refs.reconciler,
      reconciler({
        ...shared,
        ...(config.poolSync ?? defaultPoolSync),
        network,
        protocol: names.poolSync,
        isShut: peers.isShut,
        pool: refs.pool,
        monitor: refs.monitor,
        minTip: config.pool.priceLimit,
        head,
        blockTimeMs: genesis.blockTimeMs,
      }),
    )
    spawnTower()
    spawnMakers()
    const first: ChainHead = {
      type: 'chain.head',
      old: head,
      new: head,
      ancestor: head,
      removed: [],
      added: [],
    }
    for (const listener of listeners) listener(first)
  }

  function spawnTower(): void {
    const { tower: actors } = refs
    const { tower } = ports
    if (actors === undefined || tower === undefined || config.tower === undefined) return
    const { watcher, responder, backend } = actors
    const { bitcoin } = tower
    const home =
      bitcoin !== undefined
        ? bitcoinHome({ backend: bitcoin, crypto: tower.crypto })
        : evmHome({
            ...{ chain: refs.chain, pool: refs.pool, crypto: tower.crypto },
            keccak256: crypto.keccak256,
            chainId: BigInt(genesis.chainId),
          })
    const shared = { home, config: config.tower, store: ports.store('tower') }
    bus.spawn(responder, responderActor({ ...shared, watcher }), { supervision: mended })
    const behave = made.watcherActor({ ...shared, ...tower, responder, node: refs.node })
    bus.spawn(watcher, behave, { supervision: mended })
    if (bitcoin === undefined || backend === undefined || config.tower.bitcoin === undefined) return
    const wish = { config: config.tower.bitcoin, backend: bitcoin, watcher, responder }
    bus.spawn(backend, backendActor({ ...wish, node: refs.node }))
  }

  /** Those who make and fetch blocks. */
  function spawnMakers(): void {
    if (source !== undefined) {
      bus.spawn(refs.sync, noSync())
      bus.spawn(refs.producer, noProducer())
      return
    }
    bus.spawn(
      refs.sync,
      syncActor({
        chain: refs.chain,
        network,
        protocol: names.blocks,
        keccak256: crypto.keccak256,
        monitor: refs.monitor,
      }),
    )
    bus.spawn(
      refs.producer,
      made.producerActor({
        genesis,
        keccak256: crypto.keccak256,
        chain: refs.chain,
        pool: refs.pool,
        gossip: refs.gossip,
        address: ports.seal.address,
        seal: digest => ports.seal.sign(digest),
        director: ports.director ?? null,
        ...(config.mining && { mode: config.mining }),
      }),
    )
  }

  function peersParts() {
    const { static: statics = [], bootnodes = [], policy, persist = true } = config.peers ?? {}
    const { connections } = config.peers ?? {}
    return {
      ...{ network, statics, bootnodes },
      ...(connections && { connections: connectionPolicy(connections) }),
      ...(persist && { store: ports.store('p2p') }),
      // Inside a turn all see the instant of the turn.
      wall: () => (bus.inTurn ? bus.wall() : parts.wall()),
      policy: { ...defaultPolicy, ...policy },
    }
  }

  return {
    boot,
    chain,
    rooms,
    inside: () => inside,
    /** From `rooms` on, where the policy has one. */
    get connector() {
      return connector
    },
  }
}

/** A tower that cannot write reads everything again when it can. */
const mended = {
  on: () => 'restart' as const,
  max: limits.towerRestartsMax,
  within: limits.towerRestartsWithinMs,
}

/** Every root by name: what is told before its actor exists waits in the mailbox. */
export function declareCast(bus: Bus, hasTower: boolean, hasBackend: boolean): NodeRefs {
  const { mailbox } = limits
  return {
    chain: bus.declare<ChainMessage>('chain', { capacity: mailbox.chain }),
    pool: bus.declare<PoolMessage>('pool', poolMailbox),
    reconciler: bus.declare<ReconcilerMessage>('reconciler', { capacity: mailbox.reconciler }),
    sync: bus.declare<SyncMessage>('sync', { capacity: mailbox.sync }),
    gossip: bus.declare<GossipMessage>('gossip', { capacity: mailbox.gossip }),
    monitor: bus.declare<MonitorMessage>('monitor', monitorMailbox),
    producer: bus.declare<ProducerMessage>('producer', { capacity: mailbox.producer }),
    node: bus.declare<NodeMessage>('node', { capacity: mailbox.node }),
    observer: bus.declare<ObserverMessage>('observer', { capacity: mailbox.observer }),
    ...(hasTower && {
      tower: {
        watcher: bus.declare<WatcherMessage>('watcher', watcherMailbox),
        responder: bus.declare<ResponderMessage>('responder', responderMailbox),
        ...(hasBackend && {
          backend: bus.declare<BackendMessage>('backend', { capacity: mailbox.backend }),
        }),
      },
    }),
  }
}
