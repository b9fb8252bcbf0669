import type { AccountView, Address, TxOrigin, TxRecord } from '@rockpool/protocol'
import { PendingList, QueueList } from './list.ts'

/** What the pool reads of an account, at one head. */
export type PoolAccountView = Pick<AccountView, 'nonce' | 'balance' | 'codeHash'>

/** A sender with at least one transaction in the pool. It carries the account as it is at the pool's head, so no second cache can go stale. */
export class Account {
  readonly address: Address
  /** Rank of first entry into the pool: the order in which accounts are visited. */
  readonly order: number
  view: PoolAccountView
  readonly pending: PendingList = new PendingList()
  readonly queue = new QueueList()
  /** Instant of the last sign of life of the queue; meaningless while nothing is queued. Milliseconds. */
  beat = 0
  /** Something was demoted since the last run that looked at the queue: the next reset must look even if the account did not change. */
  unsettled = false

  constructor(address: Address, order: number, view: PoolAccountView) {
    this.address = address
    this.order = order
    this.view = view
  }

  /** Next nonce after the pending transactions. Derived, so that it cannot disagree with them. */
  next(): bigint {
    return this.afterPending()
  }

  /** Nonce after the last pending transaction, or the account's own. */
  afterPending(): bigint {
    return this.pending.length > 0 ? this.pending.next() : this.view.nonce
  }

  /** The next nonce where it is kept apart from the pending transactions. */
  get noted(): bigint | undefined {
    return undefined
  }

  /** Pending reaches up to here now. Nothing to do where that is derived, here and below. */
  note(_next: bigint): void {}

  /** What had this nonce left pending. */
  lower(_nonce: bigint): void {}

  /** There is a new state. */
  forgetNonce(): void {}

  /** A reset is complete. */
  settleNonce(): void {}

  find(nonce: bigint): Entry | undefined {
    return this.pending.get(nonce) ?? this.queue.get(nonce)
  }

  isEmpty(): boolean {
    return this.pending.length === 0 && this.queue.length === 0
  }
}

const exactMax = BigInt(Number.MAX_SAFE_INTEGER)

/** A pooled transaction with what the pool knows of it beyond its bytes. */
export class Entry {
  readonly tx: TxRecord
  readonly account: Account
  /** Rank of arrival; the last resort of every order. */
  readonly seq: number
  readonly origin: TxOrigin
  readonly firstSeenMs: number
  half: 'pending' | 'queued' = 'queued'
  /** True once it has left the pool. */
  gone = false
  /** Mirrors of the fees for fast comparison, meaningful only where `exact`. */
  readonly feeCap: number
  readonly tip: number
  readonly exact: boolean
  /** Tip paid at the base fee of the price index; owned by the price index, as the two below. */
  effectiveTip = 0
  place: 'none' | 'urgent' | 'floating' = 'none'
  position = -1

  constructor(tx: TxRecord, account: Account, seq: number, origin: TxOrigin, nowMs: number) {
    this.tx = tx
    this.account = account
    this.seq = seq
    this.origin = origin
    this.firstSeenMs = nowMs
    this.feeCap = Number(tx.feeCap)
    this.tip = Number(tx.tip)
    this.exact = tx.feeCap <= exactMax && tx.tip <= exactMax
  }
}
