import type { Code } from '../errors.ts'
import type { TxType } from '../tx/record.ts'
import type { Address, Hash } from '../values/bytes.ts'
import type { TxOrigin } from './pool.ts'

/** What can happen to a transaction here. */
export type StoryWord =
  | 'received'
  | 'pending'
  | 'queued'
  | 'replaces'
  | 'promoted'
  | 'demoted'
  | 'dropped'
  | 'rejected'
  | 'mined'
  | 'reinjected'
  | 'resubmitted'
  | 'waits'

export interface StoryEvent {
  /** Epoch ms. */
  readonly at: number
  readonly event: StoryWord
  /** A code, the reason of a drop, or for `received` where it came from. */
  readonly reason?: string
  /** The transaction that took its place or that it took the place of. */
  readonly other?: Hash
  /** Id of the message in whose turn it happened; absent for what happened before the last start. */
  readonly cause?: number
}

/** One thing that would change the matter, in an operator's words, with its quantities. */
export interface Unblock {
  readonly do: string
  readonly [quantity: string]: string | number | bigint | boolean
}

export interface ExplainedTx {
  readonly from?: Address
  readonly nonce: bigint
  readonly type: TxType
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly gas: bigint
  readonly slots: number
  readonly size: number
}

/** Where a pooled transaction stands. Quantities in wei. */
export interface ExplainedPlace {
  readonly accountNonce: bigint
  readonly poolNonce: bigint
  /** The first sixteen nonces before it that are not here, and how many there are. */
  readonly missing: readonly bigint[]
  readonly missingCount: bigint
  readonly effectiveTip: bigint
  readonly belowBaseFee: boolean
  /** What the account lacks to pay for it and everything before it. */
  readonly overdraft: bigint
  /** How many of the pooled would be pushed out before it, of how many. */
  readonly evictionRank: number
  readonly evictionOf: number
}

/** One transaction of an account. */
export interface ExplainedNonce {
  readonly nonce: bigint
  readonly hash: Hash
  readonly reason: string
}

export interface ExplainedAccount {
  readonly nonce: bigint
  readonly poolNonce: bigint
  readonly balance: bigint
  /** What everything here may cost it. */
  readonly totalCost: bigint
  readonly pending: readonly ExplainedNonce[]
  readonly queued: readonly ExplainedNonce[]
  readonly missing: readonly bigint[]
  /** It has code, so it may have few transactions in flight (EIP-7702). */
  readonly delegated: boolean
  /** Pooled transactions that carry an authorization of it. */
  readonly authorizations: number
  /** Last sign of life of what waits, and when that expires. Epoch ms. */
  readonly beat?: number
  readonly expires?: number
}

/** What would happen if a transaction that is not here were sent now. */
export type Resend =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly code: Code; readonly message: string }

/** The answer of every `why`: one sentence, a stable reason, what would change it, and what happened. */
export interface Explanation {
  readonly subject: string
  readonly state:
    | 'pending'
    | 'queued'
    | 'recovering'
    | 'mined'
    | 'dropped'
    | 'rejected'
    | 'unknown'
    | 'account'
  readonly reason: string
  readonly why: string
  /** Since when it is so, and until when it lasts at most. Epoch ms. */
  readonly since?: number
  readonly until?: number
  readonly unblock: readonly Unblock[]
  readonly story: readonly StoryEvent[]
  readonly hash?: Hash
  /** Number of the head at which it was first seen. */
  readonly sinceBlock?: bigint
  readonly origin?: TxOrigin
  readonly tracked?: boolean
  readonly tx?: ExplainedTx
  readonly place?: ExplainedPlace
  readonly block?: { readonly number: bigint; readonly index: bigint; readonly hash: Hash }
  readonly by?: Hash
  readonly resend?: Resend
  readonly account?: ExplainedAccount
}
