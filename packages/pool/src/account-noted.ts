import { Account } from './entry.ts'
import { SparsePendingList } from './list-sparse.ts'

/**
 * An account as geth keeps it: its next nonce is noted apart from its pending transactions, so the two can disagree (Q5, Q20). A promotion
 * notes the nonce after it, even when that is lower; whatever leaves pending lowers it; every reset sets it right.
 */
export class NotedAccount extends Account {
  override readonly pending = new SparsePendingList()
  private noted: bigint | undefined

  override next(): bigint {
    return this.noted ?? this.view.nonce
  }

  override note(next: bigint): void {
    this.noted = next
  }

  override lower(nonce: bigint): void {
    if (nonce < this.next()) this.noted = nonce
  }

  override forgetNonce(): void {
    this.noted = undefined
  }

  override settleNonce(): void {
    this.noted = this.pending.length > 0 ? this.pending.next() : undefined
  }
}
