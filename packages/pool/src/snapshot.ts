import type { Address, Hash, Head, TxOrigin, TxRecord } from '@rockpool/protocol'
import type { PoolAccountView } from './entry.ts'

interface EntryImage {
  readonly seq: number
  readonly tx: TxRecord
  readonly sender: Address
  readonly origin: TxOrigin
  readonly firstSeenMs: number
  readonly half: 'pending' | 'queued'
}

interface AccountImage {
  readonly address: Address
  readonly order: number
  readonly view: PoolAccountView
  readonly beat: number
  readonly unsettled: boolean
  /** Next nonce, where it is noted apart from the list. */
  readonly noted: bigint | undefined
  /** Ranks of arrival, by nonce. */
  readonly pending: readonly number[]
  readonly queue: readonly number[]
}

/** What a pool holds besides its configuration, as plain data: what applies the same operations to it goes on the same way. */
export interface HoldingsImage {
  readonly nextSeq: number
  readonly nextOrder: number
  /** By order of arrival. */
  readonly entries: readonly EntryImage[]
  /** Left the pool, but a price index that removes late, or an announcement that is due, still names them. */
  readonly gone: readonly EntryImage[]
  /** In the order in which they are visited. */
  readonly accounts: readonly AccountImage[]
  /** Accounts with queued transactions, by beat. */
  readonly waiting: readonly Address[]
  readonly prices: {
    readonly baseFee: bigint | undefined
    readonly urgent: readonly number[]
    readonly floating: readonly number[]
    readonly stales: number
  }
}

export interface PoolSnapshot {
  readonly head: Head
  readonly announced: Hash
  readonly clock: number
  readonly lagging: boolean
  readonly nextFee: bigint | undefined
  readonly gasTip: bigint
  readonly changes: number
  /** Replacements to be announced by the next run. */
  readonly replacements: readonly number[]
  readonly holdings: HoldingsImage
}
