import type {
  Added,
  Address,
  Answer,
  Dropped,
  Hash,
  Head,
  PoolEvent,
  TxOrigin,
  TxRecord,
} from '@rockpool/protocol'
import type { PoolAccountView } from './entry.ts'

/** Accounts as they are at the head of the operation that carries them. */
export type Accounts = ReadonlyMap<Address, PoolAccountView>

/** How the new head follows from the one announced last. */
export type ResetPath =
  | {
      /** `deep`: too far to bring transactions back. `sethead`: set back by an operator, none come back. */
      readonly kind: 'child' | 'reorg' | 'deep' | 'sethead'
      /** Transactions of the blocks that left, in the order in which they are to come back. */
      readonly discarded: readonly TxRecord[]
      /** Hashes of the transactions in the blocks that joined. */
      readonly included: ReadonlySet<Hash>
    }
  /** A block or the new state cannot be had. */
  | { readonly kind: 'missing'; readonly what: 'old' | 'new' | 'state' }

export interface AddPart {
  readonly txs: readonly TxRecord[]
  readonly origin: TxOrigin
  /** Those of them that are private, wherever they came from. */
  readonly privates?: ReadonlySet<Hash>
  /** Those of them that were here before a restart, as they stood then. */
  readonly restored?: ReadonlyMap<Hash, Standing>
  /** Ranks of arrival below it belong to what was here before a restart. */
  readonly seqFloor?: number
  readonly accounts: Accounts
}

/** What a transaction had before a restart. */
export interface Standing {
  /** Rank of arrival. */
  readonly seq: number
  readonly firstSeenMs: number
}

export interface ResetPart {
  /** The head announced last, whether or not its state could be had; null where nobody knows it. */
  readonly old: Head | null
  readonly new: Head
  readonly path: ResetPath
  /** Of what comes back, what was private and is to be so again. */
  readonly privates?: ReadonlySet<Hash>
  readonly accounts: Accounts
}

/** What may be done to a pool. `now` is in milliseconds and never goes backwards. */
export type Op = { readonly now: number } & (
  | ({ readonly op: 'add' } & AddPart)
  | ({ readonly op: 'reset' } & ResetPart)
  /** geth may serve an addition and a reset by one run; ours never does, recorded traces do. The addition is at the old head. */
  | { readonly op: 'merge'; readonly add: AddPart; readonly reset: ResetPart }
  /** Builds the price index anew, as geth does at times of its own. */
  | { readonly op: 'reheap' }
  | { readonly op: 'setGasTip'; readonly tip: bigint }
  | { readonly op: 'expire' }
  /** Last signs of life from before a restart, for accounts that have given none since. */
  | { readonly op: 'restoreBeats'; readonly beats: ReadonlyMap<Address, number> }
  | { readonly op: 'clear' }
  | {
      readonly op: 'drop'
      readonly hash: Hash
      /** Default: removed by the operator. */
      readonly reason?: 'journal-failed'
    }
)

/** What an operation did. */
export interface Outcome {
  /** For `add`: one answer per transaction, in order. */
  readonly results: readonly Answer<Added>[]
  /** Accepted by this operation, even if a cap removed it again in the same run. */
  readonly added: readonly Hash[]
  /** Entered pending out of the queue and is still there. New transactions pass through the queue, so they are here too. */
  readonly promoted: readonly Hash[]
  /** Fell out of pending into the queue and is still there. */
  readonly demoted: readonly Hash[]
  readonly dropped: readonly Dropped[]
  /** Transactions that entered pending, by account, then nonce. */
  readonly events: readonly PoolEvent[]
  /** Why nothing was done; the pool is as before. A bug of the caller. */
  readonly refused?: string
}

/** Why a transaction left the pool. */
export type DropReason =
  | 'mined'
  | 'nonce-used'
  | 'unpayable'
  | 'gas-over-block'
  | 'gas-cap'
  | 'replaced'
  | 'evicted-price'
  | 'truncated-pending'
  | 'truncated-queue'
  | 'account-queue-cap'
  | 'expired'
  | 'expired-pending'
  | 'tip-below-minimum'
  | 'reorg-lost'
  | 'reorg-too-deep'
  | 'removed-by-operator'
  | 'journal-failed'
  | 'cleared'
