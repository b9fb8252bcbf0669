import type { Answer, Code } from '../errors.ts'
import type { TxRecord } from '../tx/record.ts'
import type { AccountView, Block, BlockFrame, BlockId, Head, TxReceipt } from '../values/block.ts'
import type { Address, Hash } from '../values/bytes.ts'
import type { PeerId } from '../values/peer.ts'
import type { Reply } from './reply.ts'

/** What became of an offered block: its code of room `chain`, and for an invalid one the check that failed. */
export interface ImportOutcome {
  readonly code: Extract<Code, `chain/${string}` | `load/${string}`>
  readonly hash?: Hash
  /** For `chain/invalid-body`, `chain/invalid-header`: which rule, for example `state-root`, `nonce`, `base-fee`. */
  readonly check?: string
}

/** A block from outside (gossip or range fetch), to be judged and perhaps connected. */
export type ChainOffer = {
  type: 'chain.offer'
  frame: BlockFrame
  from: PeerId
  /** Blocks fetched as ancestors of a heavier head are exempt from the caps that hold on gossip. */
  via: 'gossip' | 'fetch'
  reply: Reply<ImportOutcome>
}

/** The producer asks for an unsealed block on the present head from these transactions; those that do not fit are left out. */
export type ChainBuild = {
  type: 'chain.build'
  txs: readonly TxRecord[]
  timeMs: number
  producer: Address
  /** Build on this block instead of the head (side branches of a forced reorg). */
  parent?: Hash
  /** The block will be sealed with this node's key: refused (`chain/double-sign`) when it has signed on that parent before. */
  sign?: boolean
  reply: Reply<Answer<BuiltBlock>>
}

/** An executed block that lacks only its seal. `header` is its encoding, `hash` what is to be signed over. */
export interface BuiltBlock {
  readonly hash: Hash
  readonly header: Uint8Array
  readonly block: Omit<Block, 'seal'>
  readonly receipts: readonly TxReceipt[]
}

/** The producer's own sealed block: written (synced) before it is connected and answered. */
export type ChainConnect = {
  type: 'chain.connect'
  built: BuiltBlock
  seal: Uint8Array
  /** Part of a reorg that an operator forces: the only producer of a network without a director may then sign twice on a parent. */
  forced?: boolean
  reply: Reply<Answer<Block>>
}

export interface ChainStatus {
  readonly chainId: number
  readonly genesisHash: Hash
  readonly head: Head
  /** Sum of the weights of all blocks up to the head. */
  readonly totalWeight: number
  readonly safe: number
  readonly finalized: number
  readonly state: 'following' | 'syncing' | 'diverged'
  /** While syncing: where it began and the highest height heard of. */
  readonly sync?: { readonly start: number; readonly highest: number }
}

/** Anybody asks where the chain stands. */
export type ChainGetStatus = { type: 'chain.getStatus'; reply: Reply<ChainStatus> }

export interface BlockAnswer {
  readonly block: Block
  readonly receipts: readonly TxReceipt[]
  readonly canonical: boolean
  readonly totalWeight: number
}

/** Anybody asks for one block with its receipts; null when not known. */
export type ChainGetBlock = {
  type: 'chain.getBlock'
  id: BlockId
  reply: Reply<Answer<BlockAnswer | null>>
}

export interface MinedTx {
  readonly tx: TxRecord
  readonly block: Block
  readonly index: number
  readonly receipt: TxReceipt
}

/** Anybody asks for a transaction of the canonical branch; null when it is not there. */
export type ChainGetTransaction = {
  type: 'chain.getTransaction'
  hash: Hash
  reply: Reply<Answer<MinedTx | null>>
}

export interface AccountsAnswer {
  readonly at: Head
  /** In the order asked. */
  readonly accounts: readonly AccountView[]
}

/** Anybody asks for accounts at a block, by default at the head; `chain/state-missing` below the undo window. */
export type ChainGetAccounts = {
  type: 'chain.getAccounts'
  addresses: readonly Address[]
  at?: BlockId
  reply: Reply<Answer<AccountsAnswer>>
}

export interface FeeHistory {
  readonly oldest: number
  /** One more than blocks: the last is the next block's. Wei. */
  readonly baseFees: readonly bigint[]
  readonly gasUsedRatios: readonly number[]
  readonly rewards?: readonly (readonly bigint[])[]
}

/** RPC asks what recent blocks paid (eth_feeHistory); `count` and `percentiles` are already checked for range. */
export type ChainGetFeeHistory = {
  type: 'chain.getFeeHistory'
  count: number
  newest: BlockId
  percentiles: readonly number[]
  reply: Reply<Answer<FeeHistory>>
}

/** RPC asks which tip to suggest: the 60th percentile of recent blocks, geth's oracle. Wei. */
export type ChainSuggestTip = { type: 'chain.suggestTip'; reply: Reply<bigint> }

/** A peer asks for canonical hashes, a range or bodies; answered with encoded block frames by the sync actor. */
export type ChainGetFrames = {
  type: 'chain.getFrames'
  want:
    | { readonly kind: 'hashes'; readonly numbers: readonly number[] }
    | { readonly kind: 'range'; readonly after: Hash; readonly count: number }
    | { readonly kind: 'bodies'; readonly hashes: readonly Hash[] }
  reply: Reply<Answer<ChainFrames>>
}

export interface ChainFrames {
  /** For `hashes`: one per number, null above the head. */
  readonly hashes: readonly (Hash | null)[]
  /** For `range` and `bodies`: encoded blocks, oldest first. */
  readonly frames: readonly Uint8Array[]
  /** True when the range goes on after the last frame. */
  readonly more: boolean
}

/** Sync says how far the others are: height of the heaviest head heard of, 0 when none is heavier than ours. */
export type ChainHeard = {
  type: 'chain.heard'
  highest: number
  /** A heavier branch parts deeper than this node follows. */
  tooDeep: boolean
  /** The first peers have told of their heads, and this node has all that they had. */
  settled?: true
}

export interface Reorg {
  /** When the head moved. Epoch ms. */
  readonly atMs: number
  readonly ancestor: { readonly hash: Hash; readonly number: number }
  readonly old: { readonly hash: Hash; readonly number: number }
  readonly new: { readonly hash: Hash; readonly number: number }
  /** Blocks that left and joined. */
  readonly removedCount: number
  readonly addedCount: number
  /** Their hashes, newest removed and oldest added first, up to `limits.reorgHashesKept` each. */
  readonly removed: readonly Hash[]
  readonly added: readonly Hash[]
}

/** What a producer did that nobody else can be blamed for. */
export interface ProducerFaults {
  readonly producer: Address
  /** Blocks that failed execution. */
  readonly invalid: number
  /** Second blocks on one parent. */
  readonly doubles: number
}

export interface ReorgsAnswer {
  /** Newest first. */
  readonly reorgs: readonly Reorg[]
  readonly producers: readonly ProducerFaults[]
}

/** An operator asks what left the canonical branch since this node started, and who signed twice. */
export type ChainGetReorgs = { type: 'chain.getReorgs'; reply: Reply<ReorgsAnswer> }

/**
 * An operator makes the chain clock of this node run `speed` times as fast as the wall clock, from 0.1 to 1,000; the clock does not
 * jump. It rules when blocks are made and how far ahead of it a block may be. Refused by a number that is none of these: `devnet/clock`.
 */
export type ChainSetSpeed = {
  type: 'chain.setSpeed'
  speed: number
  reply: Reply<Answer<ChainClockView>>
}

/** An operator puts the chain clock of this node forward by `ms`, a whole number from 0; a chain clock never goes back. */
export type ChainJump = { type: 'chain.jump'; ms: number; reply: Reply<Answer<ChainClockView>> }

/** Where the chain clock of a node stands. */
export interface ChainClockView {
  /** Chain time. Epoch ms. */
  readonly nowMs: number
  /** Times as fast as the wall clock. */
  readonly speed: number
  /** Chain time less wall time. Milliseconds. */
  readonly aheadMs: number
}

export type ChainMessage =
  | ChainSetSpeed
  | ChainJump
  | ChainHeard
  | ChainGetReorgs
  | ChainOffer
  | ChainBuild
  | ChainConnect
  | ChainGetStatus
  | ChainGetBlock
  | ChainGetTransaction
  | ChainGetAccounts
  | ChainGetFeeHistory
  | ChainSuggestTip
  | ChainGetFrames
