import type { ActorRef } from '@rockpool/actor'
import { Bus, VirtualClock } from '@rockpool/actor'
import type {
  AccountsAnswer,
  AccountView,
  Address,
  Answer,
  BlockId,
  ChainHead,
  ChainMessage,
  ChainStatus,
  ChainSyncing,
  GossipBlock,
  Hash,
  ImportOutcome,
  MonitorReport,
  NetworkPort,
  NodeClear,
  NodeRaise,
  PeerId,
  PoolChanged,
  PoolSelect,
  ProducerMessage,
  Reply,
  Signature,
  Store,
  SyncFetch,
  SyncMessage,
  SyncStands,
  TxRecord,
} from '@rockpool/protocol'
import { createRecovery, decodeBlockFrame, encodeBlockFrame } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { chainActor } from '../chain.actor.ts'
import type { Genesis } from '../dev/genesis.ts'
import type { ProducerMode } from '../dev/producer.actor.ts'
import { producerActor } from '../dev/producer.actor.ts'
import { syncActor } from '../dev/sync.actor.ts'
import { signWith, testCrypto } from './crypto.ts'
import type { Forged } from './forge.ts'
import { keccak256 } from './keccak.ts'
import type { Wallet } from './wallets.ts'

/** Answer of a bus that must answer. */
export function answered<T>(outcome: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!outcome.ok) throw new Error(`no answer: ${String(outcome.error)}`)
  return outcome.value
}

/** Value of an answer that must be good. */
export function good<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`)
  return answer.value
}

const wiring = {
  'chain.head': ['pool', 'facts', 'producer'],
  'chain.syncing': ['syncs'],
  'chain.clockSet': ['producer'],
  'pool.changed': ['producer'],
}

/** A pool of one list: what is given waits until it is mined. */
class FakePool {
  readonly ref: ActorRef<PoolSelect | ChainHead | { type: 'give'; txs: readonly TxRecord[] }>
  waiting: TxRecord[] = []
  readonly mined: Hash[] = []

  constructor(bus: Bus) {
    this.ref = bus.spawn<
      PoolSelect | ChainHead | { type: 'give'; txs: readonly TxRecord[] },
      PoolChanged
    >('pool', ctx => message => {
      if (message.type === 'pool.select') return message.reply.tell(this.waiting)
      if (message.type === 'give') this.waiting.push(...message.txs)
      else {
        const back = [...message.removed].reverse().flatMap(({ txs }) => txs)
        const gone = new Set(message.added.flatMap(({ txs }) => txs.map(({ hash }) => hash)))
        this.waiting = [...back, ...this.waiting].filter(({ hash }) => !gone.has(hash))
      }
      const stats = { pending: this.waiting.length, queued: 0, slots: this.waiting.length }
      const none: readonly Hash[] = []
      ctx.emit({
        type: 'pool.changed',
        head: `0x` as Hash,
        added: none,
        promoted: none,
        demoted: none,
        dropped: [],
        events: [],
        stats,
      })
    })
  }
}

export interface NodeWish {
  readonly genesis: Genesis
  readonly producer?: Wallet
  readonly director?: Wallet
  readonly mode?: ProducerMode
  readonly store?: Store
  readonly seed?: string
}

/** Chain, sync and, with a key, producer of one node on a bus of its own, and probes where the rest of a node would be. */
export class TestNode {
  readonly id: PeerId
  readonly bus: Bus
  readonly store: Store
  readonly chain: ActorRef<ChainMessage>
  readonly sync: ActorRef<SyncMessage>
  readonly producer: ActorRef<ProducerMessage>
  readonly pool: FakePool
  readonly facts: ChainHead[] = []
  readonly syncs: ChainSyncing[] = []
  readonly faults: MonitorReport[] = []
  readonly fetches: SyncFetch[] = []
  readonly blocks: GossipBlock[] = []
  readonly health: (NodeRaise | NodeClear)[] = []
  /** Digests this node was asked to sign. */
  readonly sealed: string[] = []
  failure: unknown = null
  /** Holds sealing back, as a slow signer would. */
  holdSeal: Promise<void> | null = null

  constructor(net: TestNet, id: PeerId, wish: NodeWish) {
    const { genesis, producer } = wish
    this.id = id
    this.store = wish.store ?? new MemoryStore()
    this.bus = new Bus({
      clock: net.clock,
      seed: wish.seed ?? id,
      wiring,
      onReady: () => {},
      onFatal: error => {
        this.failure = error
      },
    })
    const { bus } = this
    const recovery = createRecovery(testCrypto, BigInt(genesis.chainId))
    this.chain = bus.declare<ChainMessage>('chain')
    this.sync = bus.declare<SyncMessage>('sync')
    const gossip = bus.spawn<GossipBlock>('gossip', () => message => {
      this.blocks.push(message)
      net.spread(this, message)
    })
    const monitor = bus.spawn<MonitorReport>('monitor', () => message => {
      this.faults.push(message)
    })
    bus.spawn<ChainHead>('facts', () => fact => {
      this.facts.push(fact)
    })
    bus.spawn<ChainSyncing>('syncs', () => fact => {
      this.syncs.push(fact)
    })
    this.pool = new FakePool(bus)
    const fetches: Pick<ActorRef<SyncFetch | SyncStands>, 'tell'> = {
      tell: message => {
        if (message.type === 'sync.fetch') this.fetches.push(message)
        this.sync.tell(message)
      },
    }
    const network: Pick<NetworkPort, 'request'> = {
      request: (peer, _protocol, bytes) => net.request(this, peer, bytes),
    }
    bus.spawn(
      this.chain,
      chainActor({
        genesis,
        store: this.store,
        crypto: testCrypto,
        recovery,
        sync: fetches,
        node: { tell: message => void this.health.push(message) },
      }),
    )
    bus.spawn(
      this.sync,
      syncActor({ chain: this.chain, network, protocol: 'blocks', keccak256, monitor }),
    )
    this.producer = bus.spawn(
      'producer',
      producerActor({
        genesis,
        keccak256,
        chain: this.chain,
        pool: this.pool.ref,
        gossip,
        address: producer?.address ?? null,
        seal: digest => this.#seal(producer, digest),
        director: wish.director
          ? { address: wish.director.address, seal: digest => this.#seal(wish.director, digest) }
          : null,
        mode:
          wish.mode ??
          (producer === undefined
            ? 'manual'
            : genesis.blockTimeMs === 0
              ? 'on-demand'
              : 'interval'),
      }),
    )
  }

  async #seal(producer: Wallet | undefined, digest: Uint8Array): Promise<Signature> {
    if (producer === undefined) throw new Error('this node has no key')
    this.sealed.push(Buffer.from(digest).toString('hex'))
    await this.holdSeal
    return signWith(producer.key, digest)
  }

  stop(): void {
    this.bus.stopAll('dead')
  }
}

/** Nodes on one virtual clock, with links that take `latencyMs` and may be cut. */
export class TestNet {
  readonly clock: VirtualClock
  readonly nodes: TestNode[] = []
  latencyMs = 20
  /** Whether a message from one node reaches another. */
  linked: (from: PeerId, to: PeerId) => boolean = () => true
  /** Blocks a node shows to another instead of its own, or none. */
  shown: (from: PeerId, to: PeerId, block: GossipBlock) => GossipBlock | null = (_, __, block) =>
    block
  requests = 0

  constructor(epochMs: number) {
    this.clock = new VirtualClock(epochMs)
  }

  node(id: PeerId, wish: NodeWish): TestNode {
    const node = new TestNode(this, id, wish)
    this.nodes.push(node)
    return node
  }

  remove(node: TestNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    node.stop()
  }

  /** Two nodes learn of each other. */
  connect(left: TestNode, right: TestNode): void {
    for (const [node, id] of [
      [left, right.id],
      [right, left.id],
    ] as const) {
      const peer = { id, direction: 'out' as const, ip: '10.0.0.1', sinceMs: 0, protocols: [] }
      node.sync.tell({ type: 'peer.opened', peer })
    }
  }

  connectAll(): void {
    for (const [index, node] of this.nodes.entries()) {
      for (const other of this.nodes.slice(index + 1)) this.connect(node, other)
    }
  }

  /** A block of one node reaches the others. */
  spread(from: TestNode, message: GossipBlock): void {
    for (const to of this.nodes) {
      if (to === from || !this.linked(from.id, to.id)) continue
      const shown = this.shown(from.id, to.id, message)
      if (shown === null) continue
      this.clock.at(this.clock.now() + this.latencyMs, () => {
        void offer(to, shown.frame, from.id).then(outcome => {
          // What is good travels on, as a router would send it.
          const isGood = outcome.code === 'chain/imported' || outcome.code === 'chain/side-branch'
          if (isGood) this.spread(to, shown)
        })
      })
    }
  }

  async request(from: TestNode, peer: PeerId, request: Uint8Array): Promise<readonly Uint8Array[]> {
    this.requests += 1
    const to = this.nodes.find(({ id }) => id === peer)
    if (to === undefined || !this.linked(from.id, peer)) throw new Error('not connected')
    const outcome = await to.bus.ask(
      to.sync,
      (reply: Reply<readonly Uint8Array[]>) => ({
        type: 'sync.serve' as const,
        from: from.id,
        request,
        reply,
      }),
      10_000,
    )
    return answered(outcome)
  }

  /** Lets everything happen that needs no time. I/O here takes microtasks only; what still waits after many of them is held back. */
  async settle(): Promise<void> {
    for (let ticks = 0; ; ticks++) {
      let underWay = false
      for (const { bus, failure } of this.nodes) {
        if (bus.runUntilIdle() > 0) ticks = 0
        if (bus.pipes.size > 0) underWay = true
        if (failure !== null) throw failure
      }
      if (ticks > (underWay ? 3_000 : 12)) return
      await null
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.clock.now() + ms
    await this.settle()
    while (this.clock.fireNext(until)) await this.settle()
    this.clock.set(until)
    await this.settle()
  }

  /** Asks and lets things happen until the answer is there. */
  async ask<M extends { type: string }, R>(
    node: TestNode,
    to: ActorRef<M>,
    make: (reply: Reply<R>) => M,
  ): Promise<R> {
    const outcome = node.bus.ask<M, R>(to, make, 60_000)
    await this.settle()
    return answered(await outcome)
  }

  offer(
    to: TestNode,
    { frame }: Pick<Forged, 'frame'>,
    from: PeerId = 'mallory',
    via: 'gossip' | 'fetch' = 'gossip',
  ): Promise<ImportOutcome> {
    return this.ask<ChainMessage, ImportOutcome>(to, to.chain, reply => ({
      type: 'chain.offer',
      frame,
      from,
      via,
      reply,
    }))
  }

  async offerAll(
    to: TestNode,
    blocks: readonly Forged[],
    via: 'gossip' | 'fetch' = 'fetch',
  ): Promise<ImportOutcome[]> {
    const outcomes: ImportOutcome[] = []
    for (const block of blocks) outcomes.push(await this.offer(to, block, 'mallory', via))
    return outcomes
  }

  status(node: TestNode): Promise<ChainStatus> {
    return this.ask<ChainMessage, ChainStatus>(node, node.chain, reply => ({
      type: 'chain.getStatus',
      reply,
    }))
  }

  accounts(
    node: TestNode,
    addresses: readonly Address[],
    at?: BlockId,
  ): Promise<Answer<AccountsAnswer>> {
    return this.ask<ChainMessage, Answer<AccountsAnswer>>(node, node.chain, reply => ({
      type: 'chain.getAccounts',
      addresses,
      reply,
      ...(at === undefined ? {} : { at }),
    }))
  }

  async account(node: TestNode, address: Address, at?: BlockId): Promise<AccountView> {
    const [view] = good(await this.accounts(node, [address], at)).accounts
    if (view === undefined) throw new Error('no account')
    return view
  }
}

async function offer(to: TestNode, bytes: Uint8Array, from: PeerId): Promise<ImportOutcome> {
  const decoded = decodeBlockFrame(bytes)
  if (!decoded.ok) return { code: 'chain/block-undecodable' }
  const outcome = await to.bus.ask<ChainMessage, ImportOutcome>(
    to.chain,
    reply => ({ type: 'chain.offer', frame: decoded.value, from, via: 'gossip', reply }),
    30_000,
  )
  return outcome.ok ? outcome.value : { code: 'load/internal' }
}

export function frameBytes({ frame }: Pick<Forged, 'frame'>): Uint8Array {
  return encodeBlockFrame(frame)
}
