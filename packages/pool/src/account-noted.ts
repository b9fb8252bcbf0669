import { Account } from './entry.ts'
import { SparsePendingList } from './list-sparse.ts'

/**
 * An account as geth keeps it: its next nonce is noted apart from its pending transactions, so the two can disagree (Q5, Q20). A promotion
 * notes the nonce after it, even when that is lower; whatever leaves pending lowers it; every reset sets it right.
 */
export class NotedAccount extends Account {
  override readonly pending = new SparsePendingList()
  private ownNext: bigint | undefined

  override get noted(): bigint | undefined {
    return this.ownNext
  }

  override next(): bigint {
    return this.ownNext ?? this.view.nonce
  }

  override note(next: bigint): void {
    this.ownNext = next
  }

  override lower(nonce: bigint): void {
    if (nonce < this.next()) this.ownNext = nonce
  }

  override forgetNonce(): void {
    this.ownNext = undefined
  }

  override settleNonce(): void {
    this.ownNext = this.pending.length > 0 ? this.pending.next() : undefined
  }
}
