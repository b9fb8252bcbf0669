import type { Answer } from './errors.ts'
import type { AccountView, Block, Head } from './values/block.ts'
import type { Address, Hash } from './values/bytes.ts'
import type { Addr, Goodbye, PeerId, PeerView, Verdict } from './values/peer.ts'
import type { Topic } from './wire/topics.ts'

export type Write =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export interface Range {
  /** First key wanted. */
  readonly gte?: Uint8Array
  /** First key no longer wanted. */
  readonly lt?: Uint8Array
  readonly reverse?: boolean
  /** Entries at most; default 1,000. */
  readonly limit?: number
}

/**
 * One room's part of the node's database: binary keys in byte order. One actor owns a key range. A batch is atomic; with `sync` it is on
 * disk when the promise resolves, without it has reached the kernel (a killed process loses nothing). Rejections carry `code`
 * `store/full`, `store/closed` or `store/corrupt`.
 */
export interface Store {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  scan(range: Range): Promise<readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]>
  batch(writes: readonly Write[], options?: { readonly sync?: boolean }): Promise<void>
}

/** One signature to recover: 32-byte digest, r and s, recovery id 0 to 3. */
export interface RecoveryJob {
  readonly digest: Uint8Array
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly id: number
}

export interface Signature {
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly yParity: 0 | 1
}

/** Hashes and signatures. Which implementation answers is `backend`; all give the same bytes. */
export interface Crypto {
  readonly backend: 'native' | 'wasm' | 'noble'
  /** Recovery threads; 0 means in the calling thread. */
  readonly workers: number
  keccak256(bytes: Uint8Array): Uint8Array
  sha256(bytes: Uint8Array): Uint8Array
  /** Signer of each entry in order; undefined where no key can be recovered. Rejects with code `crypto/crashed` when a worker dies. */
  recover(batch: readonly RecoveryJob[]): Promise<readonly (Address | undefined)[]>
}

/**
 * Hashes, ciphers and keys of the Lightning world, for the watchtower. Synchronous where a turn can afford it: about 5 microseconds for a
 * penalty. Keys of users are 33-byte compressed points.
 */
export interface TowerCrypto {
  sha256(bytes: Uint8Array): Uint8Array
  ripemd160(bytes: Uint8Array): Uint8Array
  /** ChaCha20-Poly1305 with twelve zero bytes as nonce and no associated data: 16 bytes longer than `plain`. One key, one plaintext. */
  seal(key: Uint8Array, plain: Uint8Array): Uint8Array
  /** What was sealed with `key`; undefined when it was not. */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
  /** Whether these bytes are a point of the curve in 33 bytes. */
  isPublicKey(bytes: Uint8Array): boolean
  /** As `recover`, but whole compressed keys, and ids 2 and 3 may have one. */
  recoverKeys(batch: readonly RecoveryJob[]): Promise<readonly (Uint8Array | undefined)[]>
}

/** The key a tower signs its receipts with. The secret never leaves it. */
export interface TowerKey {
  /** What clients know the tower by: the 33-byte public key. */
  readonly id: Uint8Array
  /** 31 + recovery id, then r and s: 65 bytes, low s, RFC 6979. */
  sign(digest: Uint8Array): Uint8Array
}

/** What became of a transaction handed to a bitcoin node. `code` and `message` are its own words. */
export type Broadcast =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: number | 'transport'; readonly message: string }

/**
 * A node of a chain of unspent outputs, as a watchtower uses it. Ids of transactions in internal order, hashes of blocks as people read them.
 * Rejections mean that it could not be asked: `tower/backend-lost`.
 */
export interface UtxoBackend {
  /** The tip of the best chain. */
  head(): Promise<{ readonly hash: Hash; readonly height: number }>
  /** The block of a height on the best chain, serialised; null above the tip, `pruned` where the node has thrown it away. */
  block(
    height: number,
  ): Promise<{ readonly hash: Hash; readonly bytes: Uint8Array } | 'pruned' | null>
  broadcast(raw: Uint8Array): Promise<Broadcast>
  txStatus(txid: Uint8Array): Promise<'mempool' | 'confirmed' | 'unknown'>
  /** Who spends an output: nobody, a transaction that waits, one in a block; or the output is not known. */
  spender(outpoint: UtxoOutpoint): Promise<'unspent' | 'mempool' | 'spent' | 'unknown-output'>
  /** What a transaction must pay now to be taken. Satoshi per virtual byte. */
  mempoolFloor(): Promise<number>
}

export interface UtxoOutpoint {
  readonly txid: Uint8Array
  readonly index: number
}

/** Accounts this node can sign for. Keys never leave it. */
export interface Signer {
  accounts(): readonly Address[]
  /** Low-s signature over a 32-byte digest; `crypto/unknown-key` for an account it does not hold. */
  sign(address: Address, digest: Uint8Array): Promise<Answer<Signature>>
}

/** Bytes nobody can guess. */
export interface Entropy {
  bytes(count: number): Uint8Array
}

export type GateEvent =
  | { readonly hook: 'dial'; readonly peer: PeerId }
  | { readonly hook: 'dialAddr'; readonly addr: Addr }
  | { readonly hook: 'inbound'; readonly ip: string }
  | { readonly hook: 'inboundEncrypted'; readonly peer: PeerId; readonly ip: string }
export type GateDecision =
  | { readonly allow: true }
  | { readonly allow: false; readonly code: string }
/** Pure and synchronous: may this connection be made? */
export type Gate = (event: GateEvent) => GateDecision

export interface NetworkSink {
  opened(peer: PeerView): void
  closed(id: PeerId, heldMs: number, bye?: Goodbye): void
  deliver(message: {
    readonly topic: Topic
    readonly bytes: Uint8Array
    readonly id: string
    readonly from: PeerId
  }): Promise<Verdict>
  wireFault(id: PeerId, reason: string, evidence?: string): void
}

/** Bounds of one request: answer bytes over all frames, and time until the last frame. */
export interface RequestBounds {
  readonly bytesMax: number
  readonly deadlineMs: number
}

/** Addresses that peers have sealed with their keys. */
export interface PeerRecords {
  /** What a peer said of itself when it was identified last; undefined for one that sealed nothing. */
  of(id: PeerId): Promise<Uint8Array | undefined>
  /** Who sealed this, and the addresses in it, without the id; undefined for what no peer has sealed. */
  open(
    record: Uint8Array,
  ): Promise<{ readonly id: PeerId; readonly addrs: readonly Addr[] } | undefined>
}

/**
 * The network as the node sees it: gossip topics, and request streams of u32-length-prefixed frames (one frame asked, one or more
 * answered). Installed sink and gate before `start`.
 */
export interface NetworkPort {
  readonly self: PeerId
  /** Addresses others can dial, each ending in `/p2p/<self>`. Empty before `start`. */
  addresses(): readonly Addr[]
  start(): Promise<void>
  stop(): Promise<void>
  peers(): readonly PeerView[]
  publish(topic: Topic, bytes: Uint8Array): Promise<{ readonly recipients: number }>
  subscribe(topic: Topic): void
  unsubscribe(topic: Topic): void
  meshSize(topic: Topic): number
  /** What the router holds for or against a peer it knows, without the part that `reputation` gave it. */
  gossipScore(id: PeerId): number | undefined
  dial(addr: Addr, deadlineMs: number): Promise<PeerId>
  disconnect(id: PeerId, bye: Goodbye): Promise<void>
  request(
    id: PeerId,
    protocol: string,
    bytes: Uint8Array,
    bounds: RequestBounds,
  ): Promise<readonly Uint8Array[]>
  serve(
    protocol: string,
    handler: (from: PeerId, bytes: Uint8Array) => Promise<readonly Uint8Array[]>,
    options?: { readonly requestBytesMax?: number; readonly streamsPerPeer?: number },
  ): void
  gate(decide: Gate): void
  /** Whoever knows what this node thinks of a peer; the router asks it at every look, so it answers from memory. */
  reputation(read: (id: PeerId) => number): void
  /** The router holds nothing against this peer any more. */
  forgive(id: PeerId): void
  /** Keeps a peer connected by this address with `/p2p/<id>` from now on, as if it stood in the configuration; or no longer. Absent: it cannot. */
  keep?(addr: Addr): void
  unkeep?(id: PeerId): void
  listen(sink: NetworkSink): void
  /** Absent where peers seal nothing: they name nobody to each other. */
  readonly records?: PeerRecords
}

/** The other end of a link: a peer id, or a listening address with or without `/p2p/<id>`. */
export type LinkEnd = string

/**
 * What a development network does to the bytes this node sends to one other; the way back is the other node's rule. Without any of the
 * optional fields the link is whole.
 */
export interface LinkRule {
  readonly to: LinkEnd
  readonly latencyMs?: number
  /** Latency varies by this much either way. */
  readonly jitterMs?: number
  readonly bytesPerSecond?: number
  /** Nothing leaves until this ends; nothing is lost. */
  readonly stall?: boolean
  /** Connections are reset, and dials and calls of that peer fail with ECONNRESET. A connection needs both directions, so one side's cut is enough. */
  readonly cut?: boolean
}

/** The rules of one node's links. */
export interface LinkFaults {
  /** Puts this rule in the place of the one before. Bytes under way keep their time. */
  set(rule: LinkRule): Answer<void>
  /** Ends the rule of one link, or all. */
  clear(to?: LinkEnd): void
  /** Resets every connection of one link once; the number of connections. */
  reset(to: LinkEnd): number
  list(): readonly LinkRule[]
}

/** A head event of a chain source: what is removed is what was added before; newest removed first, oldest added first. */
export interface HeadEvent {
  readonly old: Head
  readonly new: Head
  readonly ancestor: { readonly hash: Hash; readonly number: number }
  readonly removed: readonly Block[]
  readonly added: readonly Block[]
}

export type SourceStatus =
  | { readonly state: 'following' }
  | { readonly state: 'syncing' }
  | { readonly state: 'stale'; readonly sinceMs: number }
  | { readonly state: 'unreachable'; readonly reason: string }

/** Where heads come from: the dev chain inside the node, or a remote client. */
export interface ChainSource {
  head(): Promise<Head>
  block(hash: Hash): Promise<Block | null>
  hashAt(number: number): Promise<Hash | null>
  /** In the order asked; `chain/state-missing` when that state is gone, never a newer value. */
  accounts(addresses: readonly Address[], at: Hash): Promise<Answer<readonly AccountView[]>>
  /** In order, never skipping. Returns what ends the callbacks. */
  onHead(listener: (event: HeadEvent) => void): () => void
  status(): SourceStatus
}
