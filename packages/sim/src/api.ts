import type { Rng } from '@rockpool/actor'
import type { Genesis } from '@rockpool/chain'
import type { NetworkNames, Node, NodeConfig, NodeParts, NodePorts } from '@rockpool/node'
import type {
  Added,
  Address,
  Answer,
  ChainSource,
  Crypto,
  Fact,
  GateEvent,
  Hash,
  NetworkPort,
  PeerId,
  Reply,
  Signature,
  Topic,
  TowerCrypto,
  TowerKey,
  Verdict,
  WatcherMessage,
} from '@rockpool/protocol'

/** Which ready bus and actor runs next. */
export type Strategy = 'fifo' | 'random' | 'pct'

/** How a node's wall clock strays from the world's: a constant drift, a slow wave, steps, or noise. */
export type WallModel = 'none' | 'linear' | 'periodic' | 'step' | 'jitter'

/** Which side of a partition a node falls on: a fair coin each, a drawn size, or one alone. */
export type PartitionShape = 'half' | 'size' | 'one'

/** Everything a run follows from: plain JSON. Rates are per virtual second unless named otherwise, times in milliseconds. */
export interface SimOptions {
  readonly seed: string
  readonly seconds: number
  /** Evil ones included. */
  readonly nodes: number
  /** The last so many nodes are scripts on the wire. */
  readonly evil: number
  /** `dev`: the real dev chain inside the nodes. `source`: every node follows the world's block tree. */
  readonly chain: 'dev' | 'source'
  readonly blockMs: number
  readonly latency: { readonly minMs: number; readonly meanMs: number }
  readonly clog: { readonly perSecond: number; readonly meanMs: number }
  readonly partition: {
    readonly perSecond: number
    readonly meanMs: number
    readonly shape: PartitionShape
    readonly symmetric: boolean
  }
  readonly crash: { readonly perNodeSecond: number; readonly restartMeanMs: number }
  readonly reorg: { readonly perBlock: number; readonly depth: number }
  readonly disk: { readonly meanMs: number }
  /** A crash may cut an append-only file inside its last write. */
  readonly tear: boolean
  readonly clock: { readonly driftPpm: number; readonly wall: WallModel }
  readonly txPerSecond: number
  /** Connections reset, publications doubled, slow readers and narrow links, dials that fail, full disks: rates of the whole world. */
  readonly reset: { readonly perSecond: number }
  readonly duplicate: { readonly perSecond: number }
  readonly slow: { readonly perSecond: number; readonly meanMs: number }
  readonly dialFailure: { readonly perSecond: number; readonly meanMs: number }
  readonly diskFull: { readonly perSecond: number; readonly meanMs: number }
  readonly strategy: Strategy
  /** Labels of rare luck that are on. */
  readonly maybe: readonly string[]
  /**
   * Honest nodes that stand still for a while, as under a load they cannot carry, and whose wall clock jumps and comes back; and the one evil node surely
   * does what is banned for. Absent: neither.
   */
  readonly sick?: {
    readonly pause: { readonly perNodeSecond: number; readonly meanMs: number }
    readonly jump: { readonly perNodeSecond: number; readonly mostMs: number }
  }
  /** What the watchtower of the first node is handed, and later must answer. Absent: there is no watchtower. */
  readonly appointments?: { readonly perSecond: number }
}

/** Exit code 127, 128, 129. */
export type ViolationKind = 'crash' | 'liveness' | 'correctness'

export interface Violation {
  /** Of the invariant, for example `nonce-order`. */
  readonly id: string
  readonly kind: ViolationKind
  readonly text: string
  readonly atMs: number
  /** Name of a node. */
  readonly node?: string
  /** Id of the message in whose turn it was seen, on the bus of `node`. */
  readonly message?: number
}

/** A node of the world, up or down. Evil ones have no `running`: a script speaks on their wire. */
export interface SimNode {
  /** `n0`, `n1`, … */
  readonly name: string
  readonly index: number
  readonly isEvil: boolean
  readonly peer: PeerId
  readonly addr: string
  readonly ip: string
  /** Undefined while it is down. It may still be starting: `up` says that it is open. */
  readonly running: Node | undefined
  readonly up: boolean
  /** Boots so far. */
  readonly boots: number
  /** Since when it is up, in world time. */
  readonly upSinceMs: number
  /** Its own monotonic clock. */
  nowMs(): number
  wallMs(): number
  /** What it seals blocks with. */
  readonly sealer: Address
  /** Peers it never bans. Absent: nobody. */
  readonly statics?: readonly PeerId[]
  /** Whom it is connected with now. */
  readonly peers?: readonly PeerId[]
}

/** What only evil peers get: a voice on the wire that need not keep any rule. */
export interface Wire {
  readonly port: NetworkPort
  readonly peer: PeerId
  readonly ip: string
  readonly addr: string
  /** Leaves without a word: connections are reset. */
  vanish(): void
  /** Gives messages to one peer only, whether or not the mesh would. */
  push(to: PeerId, topic: Topic, bytes: Uint8Array): void
}

/** One direction of a link. */
export interface LinkOptions {
  readonly bytesPerSecond?: number
}

/** Everything that may go wrong, by hand. Nodes are named by index. All act at once; the world ends none of them by itself but `clog`. */
export interface Faults {
  /** Nothing passes from one node to another any more: what is under way is lost, the connection is reset. */
  cut(from: number, to: number): void
  mend(from: number, to: number): void
  /** Cuts every pair of two groups; symmetric, or only what goes from the first to the second. */
  partition(left: readonly number[], right: readonly number[], symmetric?: boolean): void
  /** Ends every fault of links, disks and dials; nodes that are down stay down. */
  heal(): void
  /** What goes from one node to another waits so long. */
  clog(from: number, to: number, ms: number): void
  /** Resets the connection of two nodes once. */
  reset(a: number, b: number): void
  /** What this node published last is published again. */
  duplicate(node: number): void
  /** The node takes so many bytes a second from each of its links; undefined: all. */
  slowReader(node: number, bytesPerSecond: number | undefined): void
  bandwidth(from: number, to: number, bytesPerSecond: number | undefined): void
  /** What goes from one node to another takes so much longer. */
  latency(from: number, to: number, ms: number): void
  /** Chance with which a dial by this node fails. */
  dialFailure(node: number, chance: number): void
  /** As SIGKILL: nothing is said, the disk keeps a prefix. */
  kill(node: number): void
  /** Starts a node that is down. */
  start(node: number): void
  /** Drains, then is down. */
  stop(node: number): void
  /** As SIGSTOP: whoever asks it waits, its timers fire late. */
  pause(node: number): void
  resume(node: number): void
  /** Kills, and starts after so long. */
  restart(node: number, downMs: number): void
  diskMean(node: number, meanMs: number | undefined): void
  diskFull(node: number, on: boolean): void
  /** The record cannot be read any more. Undefined: one the world draws. */
  diskCorrupt(node: number, room: string, key?: Uint8Array): void
  /** From now on the time of one node runs faster by so many parts per million. */
  skew(node: number, ppm: number): void
  /** Moves the wall clock of one node. */
  wall(node: number, ms: number): void
  /** Asks the simulated chain for a reorg of this depth; nothing on a dev chain. */
  reorg(depth: number): void
}

/** Keys and ciphers of watchtowers and their clients. */
export interface TowerTools {
  readonly crypto: TowerCrypto
  keyOf(secret: Uint8Array): TowerKey
}

/** An appointment of a client, by the transaction that must not appear and the one that answers it. */
export interface Appointed {
  readonly node: number
  readonly dispute: Hash
  readonly penalty: Hash
}

/** What books, workloads, chaos and evil peers get. */
export interface WorldView {
  readonly options: SimOptions
  readonly genesis: Genesis
  readonly names: NetworkNames
  readonly crypto: Crypto
  /** World time, monotonic, from 0. */
  readonly nowMs: number
  /** Epoch milliseconds of the world: what a clock without skew shows. */
  readonly wallMs: number
  readonly endMs: number
  /** Chaos is over from here: every fault is mended and who is down is started. 90 s before the end, in short runs at half time. */
  readonly healMs: number
  readonly nodes: readonly SimNode[]
  readonly faults: Faults
  /** An independent generator; the same name always gives the same one. */
  fork(name: string): Rng
  /** Acts once, outside of turns; at once if the instant is past. `what` is for the legend. */
  at(ms: number, what: string, act: () => void): void
  /** Recorded; the world stops at its next loop point. Only the first counts. Never throws. */
  violate(violation: Omit<Violation, 'atMs'>): void
  /** Marks a point that a long swarm must reach. */
  sometimes(label: string): void
  /** Adds to a sum that a swarm prints. */
  count(what: string, by?: number): void
  /** As JSON-RPC would, at one node. `load/not-ready` when it is down or does not answer. */
  submit(node: number, raw: Uint8Array): Promise<Answer<Added>>
  sign(digest: Uint8Array, key: Uint8Array): Signature
  addressOf(key: Uint8Array): Address
  /** Absent: no node is a watchtower. */
  readonly tower: TowerTools | undefined
  /** As its HTTP door would, at the watchtower of one node. Undefined when it is down or does not answer. */
  askTower<R>(node: number, make: (reply: Reply<R>) => WatcherMessage): Promise<R | undefined>
  /** What a client of a watchtower was promised, and what he finds. */
  appointed(what: 'receipted' | 'missing', appointed: Appointed): void
  /** The wire of an evil node. `seal` signs with the producer's key of that node, for equivocation. */
  wire(node: number): Wire & { seal(digest: Uint8Array): Signature }
  /** Another voice: a new peer id, on an address of its own or on that of another. For evasion and eclipse. */
  join(name: string, ip?: string): Wire
  /** Whether a message can pass from one node to another now: not cut, both up. */
  reaches(from: number, to: number): boolean
  /** When a link fault last ended or a node last came up; 0: never. Liveness counts from here. */
  readonly healedMs: number
}

/** What passed between nodes, for books that keep their own account. */
export type Edge =
  | {
      readonly type: 'publish'
      readonly node: number
      readonly topic: Topic
      readonly bytes: Uint8Array
      readonly id: string
      readonly recipients: number
    }
  | {
      readonly type: 'deliver'
      readonly node: number
      readonly from: PeerId
      readonly topic: Topic
      readonly bytes: Uint8Array
      readonly id: string
    }
  | {
      readonly type: 'verdict'
      readonly node: number
      readonly from: PeerId
      readonly topic: Topic
      readonly id: string
      readonly verdict: Verdict
    }
  | { readonly type: 'opened'; readonly node: number; readonly peer: PeerId }
  | {
      readonly type: 'closed'
      readonly node: number
      readonly peer: PeerId
      readonly bye?: number
    }
  | {
      readonly type: 'gate'
      readonly node: number
      readonly event: GateEvent
      readonly allow: boolean
    }
  | {
      readonly type: 'stored'
      readonly node: number
      readonly room: string
      readonly sync: boolean
      /** `asked`, then `durable` when a batch with `sync` was answered. */
      readonly phase: 'asked' | 'durable'
    }
  | {
      readonly type: 'submitted'
      readonly node: number
      readonly raw: Uint8Array
    }
  | {
      readonly type: 'answered'
      readonly node: number
      readonly raw: Uint8Array
      readonly answer: Answer<Added>
    }
  | { readonly type: 'life'; readonly node: number; readonly life: NodeLife }
  | (Appointed & {
      readonly type: 'appointment'
      /** `receipted`: the tower has it. `missing`: it says that it does not. */
      readonly what: 'receipted' | 'missing'
    })
  | {
      readonly type: 'log'
      readonly node: number
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly code: string
      readonly fields: Readonly<Record<string, unknown>>
    }

/** `start`: created. `open`: serves. `kill`, `stop` (drained): down. `failed`: could not start. */
export type NodeLife = 'start' | 'open' | 'kill' | 'stop' | 'failed'

/** A checker outside the nodes. Calls `violate`, never throws. */
export interface Book {
  /** Invariants it watches over. */
  readonly ids: readonly string[]
  /** Once, before the first event. */
  begin?(world: WorldView): void
  /** Every 5 virtual seconds, between turns. */
  checkpoint?(world: WorldView): void
  /** Chaos has ended and everything is mended; liveness counts from here. */
  healed?(world: WorldView): void
  end?(world: WorldView): void
  fact?(node: SimNode, fact: Fact, world: WorldView): void
  edge?(edge: Edge, world: WorldView): void
}

/** Chaos, a workload, an evil peer, a plan: called once before the first event; arms what it wants with `at`. */
export type Driver = (world: WorldView) => void

/** What one node is built from; a planted bug gives back other ports, another configuration, other parts. */
export interface NodeBuild {
  readonly ports: NodePorts
  readonly config: NodeConfig
  readonly parts?: Partial<NodeParts>
}

/** A simulated chain that all nodes follow. */
export interface WorldChain {
  /** The view of one node; may be asked again after a restart. */
  source(node: number): ChainSource
  reorg(depth: number): void
}

/** What the world needs of the outside, and who plays in it. */
export interface WorldParts {
  /** Real hashing and recovery in the calling thread; its promises may settle at once. */
  readonly crypto: Crypto
  sign(digest: Uint8Array, key: Uint8Array): Signature
  addressOf(key: Uint8Array): Address
  /** Resolves once every microtask has run. */
  hop(): Promise<void>
  /** CPU milliseconds of this process. */
  cpuMs?(): number
  readonly books?: readonly Book[]
  readonly drivers?: readonly Driver[]
  /** For worlds with appointments. */
  readonly tower?: TowerTools
  /** For `chain: 'source'`. */
  chain?(world: WorldView): WorldChain
  /** Planted bugs. */
  decorate?(build: NodeBuild, node: SimNode, world: WorldView): NodeBuild
  /** Changes to every node's configuration. */
  readonly config?: Partial<NodeConfig>
  readonly genesis?: Genesis
  /** Whom a node never bans, besides those it dials first. */
  spared?(node: number): readonly number[]
  /** Nodes from here on, but evil ones, are started by a driver. */
  readonly bootsFirst?: number
  /** Which nodes dial which at boot; absent: a ring, and two drawn ones each. */
  dials?(node: number, world: WorldView): readonly number[]
  /** A line an event. */
  legend?(line: string): void
  /** Each event as it is mixed into the hash, to find the first that differs. */
  event?(row: EventRow): void
  /** Turns of each node whose causes are kept; absent: 2,048. */
  readonly traceRows?: number
  /** Guards against ambient time and chance inside turns. */
  readonly tripwire?: boolean
  /** Stops here, before the end. */
  readonly untilMs?: number
  /** When everything is mended and started by the world; absent: as its options say. At the end: never. */
  readonly healMs?: number
  /** Of the genesis: who may make blocks on demand. */
  readonly director?: Address
}

/** One event of the run: a turn, or a timer of the world. */
export interface EventRow {
  readonly atMs: number
  readonly node: string
  readonly actor: string
  readonly type: string
  readonly id: number
  readonly cause: number
}

export interface RunResult {
  readonly violation?: Violation
  /** Eight hex digits over every event; equal histories have equal hashes. */
  readonly hash: string
  /** Turns and timers. */
  readonly events: number
  readonly nodeHours: number
  readonly cpuMs: number
  /** Labels reached, and log codes, with how often. */
  readonly coverage: ReadonlyMap<string, number>
  readonly counts: Readonly<Record<string, number>>
  /** How the message of the violation came about, one line a hop, newest first. */
  readonly chain?: readonly string[]
}
