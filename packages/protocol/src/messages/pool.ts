import type { Answer, Code } from '../errors.ts'
import type { ChainHead } from '../events.ts'
import type { TxRecord } from '../tx/record.ts'
import type { Address, Hash } from '../values/bytes.ts'
import type { PeerId } from '../values/peer.ts'
import type { Explanation } from './explain.ts'
import type { Reply } from './reply.ts'

/** Where a transaction came from. `local`: submitted to this node by RPC. */
export type TxOrigin = 'local' | 'gossip' | 'sync' | 'journal' | 'reorg' | 'private'

export interface Added {
  readonly hash: Hash
  readonly half: 'pending' | 'queued'
  /** Hash of the transaction it took the place of. */
  readonly replaced?: Hash
  /** Submitted here and not in the pool yet: refused for the time being with this code, followed and submitted again. */
  readonly deferred?: Code
  /** False for what was submitted here and is not followed, because too many are: it does not survive a restart. */
  readonly tracked?: false
}

/** Gossip hands over recovered transactions that passed the static checks; one answer per transaction, in order. */
export type PoolAdd = {
  type: 'pool.add'
  txs: readonly TxRecord[]
  origin: TxOrigin
  peer?: PeerId
  reply: Reply<readonly Answer<Added>[]>
}

/** RPC submits signed bytes. Answered after the turn that applied it. What RPC alone asks of them: `checkSubmission`. */
export type PoolSubmit = {
  type: 'pool.submit'
  raw: Uint8Array
  /** Most that gas x fee cap may come to; absent: no cap. Wei. */
  feeCapWei?: bigint
  /** False refuses transactions that could be replayed on another chain; absent: they are taken. */
  allowUnprotected?: boolean
  /** It never leaves this node but in a block. */
  isPrivate?: boolean
  reply: Reply<Answer<Added>>
}

export interface PoolStats {
  readonly pending: number
  readonly queued: number
  readonly slots: number
}

export interface PooledTx {
  readonly tx: TxRecord
  readonly half: 'pending' | 'queued'
  readonly origin: TxOrigin
  readonly firstSeenMs: number
}

/** Transactions of one or all senders, by sender, then ascending nonce. */
export interface PoolContent {
  readonly pending: ReadonlyMap<Address, readonly TxRecord[]>
  readonly queued: ReadonlyMap<Address, readonly TxRecord[]>
}

export type PoolGetStatus = { type: 'pool.getStatus'; reply: Reply<PoolStats> }
/** RPC asks for everything, or for one sender's transactions. */
export type PoolGetContent = {
  type: 'pool.getContent'
  from?: Address
  /** The operator asks: private ones too. */
  all?: true
  reply: Reply<PoolContent>
}
/** RPC asks for the next nonce after the sender's pending transactions. */
export type PoolGetNonce = { type: 'pool.getNonce'; address: Address; reply: Reply<Answer<bigint>> }
export type PoolGetTransaction = {
  type: 'pool.getTransaction'
  hash: Hash
  /** The operator asks: a private one too. */
  all?: true
  reply: Reply<PooledTx | null>
}

/** The producer asks for the best transactions: account heads by effective tip, then first seen. */
export type PoolSelect = {
  type: 'pool.select'
  gas: number
  bytes: number
  baseFee: bigint
  reply: Reply<readonly TxRecord[]>
}

/** An operator raises or lowers the minimum tip. Wei. */
export type PoolSetGasTip = { type: 'pool.setGasTip'; tip: bigint }

/** An operator takes a transaction out, for good. Answered false when the pool does not have it. */
export type PoolDrop = { type: 'pool.drop'; hash: Hash; reply: Reply<boolean> }
/** An operator has an own transaction followed no longer. Answered false when nobody follows it. */
export type PoolUntrack = { type: 'pool.untrack'; hash: Hash; reply: Reply<boolean> }

/** What became of a transaction and why, or how it stands with an account. */
export type PoolExplain = {
  type: 'pool.explain'
  subject: Hash | Address
  /** The operator asks: private ones too. */
  all?: true
  reply: Reply<Explanation>
}

/** Hashes the pool knows something about that begin so, at most as many as said. `0x` and at least four digits. */
export type PoolFindHashes = {
  type: 'pool.findHashes'
  prefix: string
  most: number
  reply: Reply<readonly Hash[]>
}

/** Who sent these, in their order; null: the pool knows nothing of that hash, or it is private. */
export type PoolGetSenders = {
  type: 'pool.getSenders'
  hashes: readonly Hash[]
  reply: Reply<readonly (Address | null)[]>
}

export type DiffPlace = 'pending' | 'queued' | 'absent'

export interface PoolDifference {
  readonly hash: Hash
  readonly from?: Address
  readonly nonce: bigint
  readonly before: DiffPlace
  readonly now: DiffPlace
  /** Why it is absent now. */
  readonly reason?: string
}

/** What differs between two instants of one pool. */
export interface PoolDiff {
  /** Messages after whose turns the pool is compared, as causes of events name them. */
  readonly since: number
  readonly until: number
  /** False: something that happened since is forgotten. */
  readonly complete: boolean
  readonly changes: readonly PoolDifference[]
}

/** RPC asks what is elsewhere than after the turn of the message `since`. Nothing older than this process is known. */
export type PoolGetDiff = {
  type: 'pool.getDiff'
  since: number
  /** The operator asks: private ones too. */
  all?: true
  reply: Reply<PoolDiff>
}

/** The pool as it is set up and stands. */
export interface PoolInfo {
  readonly config: Readonly<Record<string, unknown>>
  readonly head: { readonly number: number; readonly hash: Hash }
  /** The state of a later head could not be had. */
  readonly drifted: boolean
  /** Least tip cap now. Wei. */
  readonly gasTip: bigint
  readonly stats: PoolStats
  /** Records read from disk and decided about, of how many; absent when that is done. */
  readonly loading?: { readonly done: number; readonly of: number }
  readonly tracked: number
  readonly stories: { readonly kept: number; readonly bound: number; readonly oldestMs?: number }
}
export type PoolGetInfo = { type: 'pool.getInfo'; reply: Reply<PoolInfo> }

/** The tracker looks after own transactions: answered with those that should be added again, each sender's in nonce order. */
export type PoolRecheck = { type: 'pool.recheck'; reply: Reply<readonly TxRecord[]> }
/** The tracker asks for own transactions that have been pending so long that they should be published again. */
export type PoolTakeStale = { type: 'pool.takeStale'; reply: Reply<readonly TxRecord[]> }
/** The tracker has the journal compared with what is followed: what nobody follows is removed, what is missing written. */
export type PoolSweepJournal = { type: 'pool.sweepJournal' }

/** An own transaction as it is followed. */
export interface TrackedTx {
  readonly hash: Hash
  readonly from: Address
  readonly nonce: bigint
  readonly state: 'pooled' | 'waiting'
  /** Why it is not in the pool: a code or the reason it left. */
  readonly reason?: string
  /** Times it was submitted again, and when last. Epoch ms. */
  readonly tries: number
  readonly lastTryMs?: number
}

export interface TrackerStats {
  readonly tracked: number
  /** Records on disk, or on their way there. */
  readonly journaled: number
  readonly resubmitted: number
  /** No longer followed, by reason. */
  readonly finished: ReadonlyMap<string, number>
  /** Stories kept of transactions that are not in the pool. */
  readonly stories?: number
  /** Refused by the pool or in front of it, by code. */
  readonly rejected?: ReadonlyMap<string, number>
  /** Questions why, by the state that was answered. */
  readonly explained?: ReadonlyMap<string, number>
}

/** RPC asks for every own transaction that is followed. */
export type PoolGetTracked = {
  type: 'pool.getTracked'
  /** The operator asks: private ones too. */
  all?: true
  reply: Reply<readonly TrackedTx[]>
}
/** An operator asks for every own transaction that is followed, to write it to a file. */
export type PoolGetOwn = { type: 'pool.getOwn'; reply: Reply<readonly TxRecord[]> }
export type PoolGetTrackerStats = { type: 'pool.getTrackerStats'; reply: Reply<TrackerStats> }

/**
 * An operator of a devnet sets the chain back to `ancestor`: when the head moves to another branch on that block, what the old branch held
 * does not come back, and the pool is emptied. For half a minute, or until the next of these; null ends it.
 */
export type PoolForget = { type: 'pool.forget'; ancestor: Hash | null; reply: Reply<null> }

export type PoolMessage =
  | PoolForget
  | PoolAdd
  | PoolSubmit
  | PoolGetStatus
  | PoolGetContent
  | PoolGetNonce
  | PoolGetTransaction
  | PoolSelect
  | PoolSetGasTip
  | PoolDrop
  | PoolUntrack
  | PoolExplain
  | PoolFindHashes
  | PoolGetSenders
  | PoolGetDiff
  | PoolGetInfo
  | PoolRecheck
  | PoolTakeStale
  | PoolSweepJournal
  | PoolGetTracked
  | PoolGetOwn
  | PoolGetTrackerStats
  | ChainHead
