import {
  type ActorRef,
  Bus,
  type BusOptions,
  type Clock,
  type DrainResult,
  type LogSink,
  type Recorder,
} from '@rockpool/actor'
import {
  type BlockSigner,
  type Genesis,
  genesisBlock,
  headOf,
  type ProducerMode,
} from '@rockpool/chain'
import { type ConnectionWish, type MonitorPolicy, readPeers } from '@rockpool/p2p'
import { isJournaled, type PoolConfig, requireJournal } from '@rockpool/pool'
import {
  type Addr,
  type Address,
  type ChainMessage,
  type ChainSource,
  type ChainStatus,
  CodedError,
  type ConnectorMessage,
  type ConnectorStats,
  type Crypto,
  type Entropy,
  encodePoolSyncAnswer,
  type GossipMessage,
  type GossipStats,
  type HealthView,
  limits,
  type MonitorMessage,
  type MonitorStats,
  type NetworkPort,
  type NodeRaise,
  type PeerClosed,
  type PeerOpened,
  type PeerView,
  type PoolMessage,
  type PoolStats,
  type ReconcilerMessage,
  type ReconcilerStats,
  type ResponderMessage,
  type ResponderStats,
  type Series,
  type Signature,
  type Store,
  type SyncMessage,
  type TrackerStats,
  type Verdict,
  type WatcherMessage,
  type WatcherStats,
} from '@rockpool/protocol'
import { requireTower, type TowerConfig } from '@rockpool/tower'
import { type CastMakers, createCast, declareCast } from './cast.ts'
import { createCounts, recordedCounters } from './counts.ts'
import { busSeries, roomSeries, towerSeries } from './metrics.ts'
import type { FactListener } from './observer.actor.ts'
import { recordedPorts, type TowerPorts } from './recorded-ports.ts'
import { topicsOf } from './topics.ts'
import { wiring, wiringOf } from './wiring.ts'

/** Everything the node needs of the outside. In simulation each is a modelled twin. */
export interface NodePorts {
  readonly clock: Clock
  /** Everything random that is no secret follows from it. */
  readonly seed: string
  readonly entropy: Entropy
  /** A room's part of the database. */
  store(room: string): Store
  readonly crypto: Crypto
  readonly network: NetworkPort
  /** The key this node makes blocks with, if the genesis knows it. */
  readonly seal: { readonly address: Address; sign(digest: Uint8Array): Promise<Signature> }
  /** The key of the network's director, on the node that holds it. */
  readonly director?: BlockSigner
  /** The chain of another client, to be followed instead of a dev chain: then there is neither producer nor block sync. */
  readonly source?: ChainSource
  /** Where this node is a watchtower too; `config.tower` says how. */
  readonly tower?: TowerPorts
  readonly log: LogSink
  /** Writes down all that comes from outside, from the first moment on. */
  readonly recorder?: Recorder
  /** Hears, once, of an error that no supervisor could handle. */
  fatal(error: unknown): void
}

export interface NodeConfig {
  readonly version: string
  readonly genesis: Genesis
  readonly pool: PoolConfig
  readonly services: readonly ('rpc' | 'p2p')[]
  /** False for a network of one. */
  readonly expectsPeers: boolean
  readonly mining?: ProducerMode
  /** How its watchtower is run, if it has one. */
  readonly tower?: TowerConfig
  /** Pool sync: whether this node asks others for what it lacks, and how often without cause. Absent: every 10 s. */
  readonly poolSync?: { readonly asks: boolean; readonly intervalMs: number }
  /** Whom this node keeps out. Absent: the default policy, nobody spared, kept on disk. */
  readonly peers?: {
    /** Addresses with `/p2p/<id>`: never banned; may be names. */
    readonly static?: readonly Addr[]
    /** Likewise, but they may be banned. */
    readonly bootnodes?: readonly Addr[]
    readonly policy?: Partial<MonitorPolicy>
    /** How many peers there are, and whom this node dials by itself. Absent: any number, and only those of the configuration. */
    readonly connections?: ConnectionWish
    /** False: a restart forgets bans and scores. */
    readonly persist?: boolean
  }
}

/** What a node is made of. A simulation may put others in their place to see that the difference is noticed. */
export interface NodeParts extends CastMakers {
  bus(options: BusOptions): Bus
}

export interface NodeStatus {
  readonly chain: ChainStatus
  readonly pool: PoolStats
  readonly peers: readonly PeerView[]
}

/** Phases of a stop as an operator reads them. */
export type StopPhase = (phase: 'intake' | 'work' | 'actors' | 'network', text: string) => void

export type Node = Awaited<ReturnType<typeof createNode>>

const statusMs = 10_000
const loadMs = 600_000
const noStats: MonitorStats = {
  charges: new Map(),
  bans: new Map(),
  lifts: new Map(),
  active: new Map(),
  states: new Map(),
  counts: new Map(),
  withheld: new Map(),
  totals: [],
  banLatency: { sumMs: 0, count: 0 },
  records: 0,
}
const notNow = [encodePoolSyncAnswer({ kind: 'busy', retryAfterSeconds: 10 })]

/**
 * The whole cast on one bus. Nothing is opened until `start`; `open` says that everybody who serves is listening; `stop` drains and may be
 * called twice.
 */
export async function createNode(
  ports: NodePorts,
  config: NodeConfig,
  parts: Partial<NodeParts> = {},
) {
  const { bus: makeBus = (options: BusOptions) => new Bus(options), ...makers } = parts
  const { crypto, network, recorder: edges } = ports
  const { genesis } = config
  const genesisHeader = genesisBlock(genesis, crypto.keccak256).header
  const names = topicsOf(genesis, genesisHeader.hash, crypto)
  const hasTower = ports.tower !== undefined && config.tower !== undefined
  const bus = makeBus({
    clock: ports.clock,
    seed: ports.seed,
    entropy: count => ports.entropy.bytes(count),
    wiring: wiringOf(hasTower),
    log: ports.log,
    onFatal: error => ports.fatal(error),
    ...(edges && { edges }),
  })
  const refs = declareCast(bus, hasTower, ports.tower?.bitcoin !== undefined)
  const listeners = new Set<FactListener>()
  const totals = createCounts()
  listeners.add(totals.hear)
  let view: HealthView | undefined
  let tracker: TrackerStats = { tracked: 0, journaled: 0, resubmitted: 0, finished: new Map() }
  let stats: GossipStats = { verdicts: new Map(), counts: new Map() }
  let judged: MonitorStats = noStats
  let synced: ReconcilerStats = { exchanges: new Map(), txs: 0, served: new Map() }
  let connected: ConnectorStats = { counts: new Map(), phases: new Map(), outboundShare: 0 }
  let tower: { watcher?: WatcherStats; responder?: ResponderStats } = {}
  let stopping: Promise<DrainResult> | undefined

  const cast = createCast({
    bus,
    refs,
    config,
    names,
    ports: edges === undefined ? ports : recordedPorts(ports, edges),
    wall: () => ports.clock.wall(),
    ...(ports.source && { source: ports.source }),
    makers,
    genesisHash: genesisHeader.hash,
    listeners,
    publish: next => {
      view = next
    },
  })
  cast.boot()

  function health(): HealthView {
    if (view === undefined) throw new TypeError('the lifecycle actor speaks when it is spawned')
    return view
  }

  /** Loads the chain, starts everybody on its head, then the network. */
  async function start(): Promise<void> {
    const advance = (to: 'opening' | 'recovering' | 'starting' | 'failed') =>
      refs.node.tell({ type: 'node.advance', to })
    advance('opening')
    advance('recovering')
    cast.chain()
    const status = await bus.ask<ChainMessage, ChainStatus>(
      refs.chain,
      reply => ({ type: 'chain.getStatus', reply }),
      loadMs,
    )
    if (!status.ok) {
      advance('failed')
      throw new CodedError('node/chain-not-loaded')
    }
    const { head } = status.value
    const journal = await refusing(advance, openJournal)
    const peers = await refusing(advance, openBooks)
    if (hasTower) await refusing(advance, () => requireTower(ports.store('tower')))
    advance('starting')
    cast.rooms({ head, journal, peers })
    await startNetwork()
  }

  /** Whether the pool writes own transactions; refused if the store holds those of another chain. */
  async function openJournal(): Promise<boolean> {
    if (!isJournaled(config.pool)) return false
    const identity = { chainId: BigInt(genesis.chainId), genesis: genesisHeader.hash }
    await requireJournal(ports.store('pool'), identity)
    return true
  }

  /** Who is kept out, before anybody can connect. */
  function openBooks() {
    return readPeers(config.peers?.persist === false ? undefined : ports.store('p2p'))
  }

  /** What cannot be read refuses the start. */
  async function refusing<T>(advance: (to: 'failed') => void, open: () => Promise<T>): Promise<T> {
    try {
      return await open()
    } catch (error) {
      advance('failed')
      throw error
    }
  }

  async function startNetwork(): Promise<void> {
    network.listen({
      opened: peer => tellAll({ type: 'peer.opened', peer }),
      closed: (peer, heldMs, goodbye) =>
        tellAll({ type: 'peer.closed', peer, heldMs, ...(goodbye && { goodbye }) }),
      deliver: async message => {
        const outcome = await bus.ask<GossipMessage, Verdict>(
          refs.gossip,
          reply => ({ type: 'gossip.deliver', ...message, reply }),
          limits.verdictDeadlineMs,
          `gossip:${message.id}`,
        )
        return outcome.ok ? outcome.value : 'ignore'
      },
      wireFault: (peer, reason, detail) => {
        if (stopping !== undefined) return
        refs.monitor.tell({
          type: 'monitor.report',
          peer,
          reason,
          ...(detail !== undefined && { detail }),
        })
      },
    })
    network.serve(
      names.blocks,
      async (from, request) => {
        const answer = await bus.ask<SyncMessage, readonly Uint8Array[]>(
          refs.sync,
          reply => ({ type: 'sync.serve', from, request, reply }),
          limits.rangeRequestMs,
        )
        return answer.ok ? answer.value : []
      },
      { streamsPerPeer: limits.rangeStreamsPerPeer },
    )
    network.serve(
      names.poolSync,
      async (from, request) => {
        const answer = await bus.ask<ReconcilerMessage, readonly Uint8Array[]>(
          refs.reconciler,
          reply => ({ type: 'reconciler.serve', from, request, reply }),
          limits.poolSyncRequestMs,
        )
        return answer.ok ? answer.value : notNow
      },
      {
        requestBytesMax: limits.poolSyncRequestBytesMax,
        streamsPerPeer: limits.poolSyncStreamsPerPeer,
      },
    )
    serveNames()
    await network.start()
    network.subscribe(names.tx)
    if (ports.source === undefined) network.subscribe(names.block)
  }

  function serveNames(): void {
    const { connector } = cast
    if (connector === undefined) return
    network.serve(
      names.peers,
      async (from, request) => {
        const answer = await bus.ask<ConnectorMessage, readonly Uint8Array[]>(
          connector,
          reply => ({ type: 'connector.serve', from, request, reply }),
          limits.exchangeMs,
        )
        return answer.ok ? answer.value : []
      },
      { requestBytesMax: limits.exchangeRequestBytesMax, streamsPerPeer: 1 },
    )
  }

  /** Connections are facts of the network, which is no actor: its listeners are told from outside, by the same table. */
  function tellAll(fact: PeerOpened | PeerClosed): void {
    // The network is closed after the actors: nobody is left to hear of connections that end then.
    if (stopping !== undefined) return
    for (const name of wiring[fact.type]) {
      const listener: Pick<ActorRef<typeof fact>, 'tell'> = refs[name]
      listener.tell(fact)
    }
    cast.connector?.tell(fact)
  }

  async function status(): Promise<NodeStatus> {
    const [chain, pool] = await Promise.all([
      bus.ask<ChainMessage, ChainStatus>(
        refs.chain,
        reply => ({ type: 'chain.getStatus', reply }),
        statusMs,
      ),
      bus.ask<PoolMessage, PoolStats>(
        refs.pool,
        reply => ({ type: 'pool.getStatus', reply }),
        statusMs,
      ),
    ])
    if (!chain.ok || !pool.ok) throw new CodedError('load/not-ready')
    return { chain: chain.value, pool: pool.value, peers: network.peers() }
  }

  /** Numbers of this moment; those of gossip, the reconciler and the tracker are of the scrape before. */
  function series(build: Readonly<Record<string, string>>): Series[] {
    void bus
      .ask<GossipMessage, GossipStats>(
        refs.gossip,
        reply => ({ type: 'gossip.getStats', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) stats = outcome.value
      })
    void bus
      .ask<MonitorMessage, MonitorStats>(
        refs.monitor,
        reply => ({ type: 'monitor.getStats', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) judged = outcome.value
      })
    void bus
      .ask<ReconcilerMessage, ReconcilerStats>(
        refs.reconciler,
        reply => ({ type: 'reconciler.getStats', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) synced = outcome.value
      })
    void bus
      .ask<PoolMessage, TrackerStats>(
        refs.pool,
        reply => ({ type: 'pool.getTrackerStats', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) tracker = outcome.value
      })
    if (cast.connector !== undefined) {
      void bus
        .ask<ConnectorMessage, ConnectorStats>(
          cast.connector,
          reply => ({ type: 'connector.getStats', reply }),
          statusMs,
        )
        .then(outcome => {
          if (outcome.ok) connected = outcome.value
        })
    }
    askTower()
    const { height, blocks, reorgs, pending, queued, slots, added, promoted, demoted, dropped } =
      totals.counts
    const { state, services } = health()
    const bit = (on: boolean) => (on ? 1 : 0)
    return [
      {
        name: 'rockpool_build_info',
        help: 'What is running.',
        kind: 'gauge',
        samples: [{ labels: build, value: 1 }],
      },
      {
        name: 'rockpool_state',
        help: 'State of the lifecycle.',
        kind: 'gauge',
        samples: [{ labels: { state }, value: 1 }],
      },
      {
        name: 'rockpool_ready',
        help: 'Whether a service is served.',
        kind: 'gauge',
        samples: Object.entries(services).map(([service, on]) => ({
          labels: { service },
          value: bit(on),
        })),
      },
      ...busSeries(bus),
      ...roomSeries({
        chain: { height, blocks, reorgs },
        pool: { pending, queued, slots },
        txs: { added, promoted, demoted, dropped },
        peers: network.peers(),
        gossip: stats,
        monitor: judged,
        sync: synced,
        tracker,
        connector: connected,
        meshes: [
          { topic: 'tx', size: network.meshSize(names.tx) },
          ...(ports.source === undefined
            ? [{ topic: 'block', size: network.meshSize(names.block) }]
            : []),
        ],
      }),
      ...(tower.watcher && tower.responder ? towerSeries(tower.watcher, tower.responder) : []),
    ]
  }

  function askTower(): void {
    if (refs.tower === undefined) return
    const { watcher, responder } = refs.tower
    void bus
      .ask<WatcherMessage, WatcherStats>(
        watcher,
        reply => ({ type: 'watcher.info', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) tower = { ...tower, watcher: outcome.value }
      })
    void bus
      .ask<ResponderMessage, ResponderStats>(
        responder,
        reply => ({ type: 'responder.getStats', reply }),
        statusMs,
      )
      .then(outcome => {
        if (outcome.ok) tower = { ...tower, responder: outcome.value }
      })
  }

  /** Closes the intake, works off what is queued, stops the actors, then says goodbye on the network. */
  function stop(deadlineMs: number, say: StopPhase = () => {}): Promise<DrainResult> {
    stopping ??= drain(deadlineMs, say)
    return stopping
  }

  async function drain(deadlineMs: number, say: StopPhase): Promise<DrainResult> {
    refs.node.tell({ type: 'node.drain' })
    refs.reconciler.tell({ type: 'reconciler.drain' })
    cast.connector?.tell({ type: 'connector.drain' })
    await bus.ask<GossipMessage, void>(
      refs.gossip,
      reply => ({ type: 'gossip.drain', reply }),
      Math.min(1_000, deadlineMs),
    )
    await bus.ask<MonitorMessage, void>(
      refs.monitor,
      reply => ({ type: 'monitor.drain', reply }),
      Math.min(1_000, deadlineMs),
    )
    say('intake', 'closed: rpc 503, gossip IGNORE, no dials')
    const result = await bus.drain(deadlineMs, (phase, queued, pipes) => {
      if (phase === 'work-off') say('work', `${queued} messages, ${pipes} writes left`)
      if (phase === 'stop') say('actors', `stopping ${bus.roots.size}`)
    })
    edges?.end(recordedCounters(bus, totals.counts))
    await network.stop()
    say('network', 'goodbye said, connections closed')
    return result
  }

  return {
    bus,
    refs,
    start,
    stop,
    health,
    status,
    series,
    inside: cast.inside,
    /** Everybody who serves is listening: the node is as ready as its chain. */
    open: () => refs.node.tell({ type: 'node.advance', to: 'syncing' }),
    raise: (reason: NodeRaise['reason']) => refs.node.tell({ type: 'node.raise', reason }),
    /** Calls back with every fact until the returned function is called. */
    observe(listener: FactListener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** From memory, for a status line. */
    glance: () => ({ ...totals.counts, peers: network.peers().length }),
    genesisHead: headOf(genesisHeader),
  }
}
