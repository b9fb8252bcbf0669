import type { Code } from './errors.ts'
import type { PoolStats, TxOrigin } from './messages/pool.ts'
import type { TxRecord } from './tx/record.ts'
import type { BannedBy, LiftCause, Subject } from './values/ban.ts'
import type { Block, Head } from './values/block.ts'
import type { Hash } from './values/bytes.ts'
import type { Goodbye, PeerId, PeerView } from './values/peer.ts'

/** The head changed: one fact per change, with the full path. */
export type ChainHead = {
  type: 'chain.head'
  old: Head
  new: Head
  ancestor: { readonly hash: Hash; readonly number: number }
  /** Blocks that left the canonical branch, newest first. */
  removed: readonly Block[]
  /** Blocks that joined it, oldest first. */
  added: readonly Block[]
}

/** The chain fell far behind the heaviest head it knows of, or is back in step. */
export type ChainSyncing = {
  type: 'chain.syncing'
  on: boolean
  /** Where it began, where it is, where it goes. */
  start: number
  current: number
  highest: number
  /** The first look at the peers is over: this node knows where they are and has all that they had. Told once a start. */
  settled?: true
}

/** The chain clock of this node was set: chain time is `chainMs` + (wall time - `wallMs`) x `speed`. */
export type ChainClockSet = {
  type: 'chain.clockSet'
  /** Epoch ms, both: when it was set, and what it showed then. */
  wallMs: number
  chainMs: number
  speed: number
}

export interface PoolEvent {
  readonly tx: TxRecord
  readonly origin: TxOrigin
  /** The router relayed it already, so gossip must not publish it again. */
  readonly relayed: boolean
}

export interface Dropped {
  readonly hash: Hash
  readonly reason: string
  /** The transaction that pushed it out. */
  readonly by?: Hash
  /** For `reorg-lost`: why it could not return. */
  readonly code?: Code
}

/** The pool after one turn. `events` are transactions that entered pending, each sender's in nonce order. */
export type PoolChanged = {
  type: 'pool.changed'
  head: Hash
  added: readonly Hash[]
  promoted: readonly Hash[]
  demoted: readonly Hash[]
  dropped: readonly Dropped[]
  events: readonly PoolEvent[]
  stats: PoolStats
}

/** A peer is connected and identified. */
export type PeerOpened = { type: 'peer.opened'; peer: PeerView }
/** The last connection of a peer has closed. */
export type PeerClosed = { type: 'peer.closed'; peer: PeerId; heldMs: number; goodbye?: Goodbye }

/** Somebody is kept out from now on. On disk, unless `durable` is false: then a restart may forget it. */
export type PeerBanned = {
  type: 'peer.banned'
  subject: Subject
  /** Epoch ms; null has no end. */
  untilMs: number | null
  reason: string
  by: BannedBy
  /** Bans by the monitor within the 30 days before. */
  count: number
  durable: boolean
}

/** A peer deserves a ban and is not banned: nothing it sends is listened to. `why` is what kept it from being banned. */
export type PeerQuarantined = { type: 'peer.quarantined'; peer: PeerId; why: 'budget' | 'floor' }

/** Its quarantine is over. */
export type PeerReleased = { type: 'peer.released'; peer: PeerId }

/** This node has a sign that what looks like bad peers is its own state: what is no proof is not counted. */
export type NodeSuspect = { type: 'node.suspect'; cause: string }

/** It has had none for a while. */
export type NodeTrusted = { type: 'node.trusted' }

/** A ban is over. */
export type PeerLifted = { type: 'peer.lifted'; subject: Subject; cause: LiftCause }

/** Transactions that appointments waited for are in a connected block. One per block. */
export type BreachSeen = {
  type: 'breach.seen'
  height: number
  /** Rows that are answered now, and rows that turned out to be of no use. */
  tracked: readonly Uint8Array[]
  closed: readonly Uint8Array[]
}

/** Penalties that are in a block for the first time. One per block. */
export type BreachAnswered = {
  type: 'breach.answered'
  height: number
  uuids: readonly Uint8Array[]
}

/** Penalties that nobody can undo any more. One per block. */
export type BreachResolved = {
  type: 'breach.resolved'
  height: number
  uuids: readonly Uint8Array[]
}

/** What an actor tells the whole node; who hears it is one table in `node`. */
export type Fact =
  | ChainHead
  | ChainSyncing
  | ChainClockSet
  | PoolChanged
  | PeerOpened
  | PeerClosed
  | PeerBanned
  | PeerLifted
  | BreachSeen
  | BreachAnswered
  | BreachResolved
  | PeerQuarantined
  | PeerReleased
  | NodeSuspect
  | NodeTrusted
