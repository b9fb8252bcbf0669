import type { Entry } from './entry.ts'
import { indexOfNonce, PendingList } from './list.ts'

/** Executable transactions as geth keeps them: by nonce, possibly with holes (Q20). */
export class SparsePendingList extends PendingList {
  override next(): bigint {
    return (this.last()?.tx.nonce ?? -1n) + 1n
  }

  override get(nonce: bigint): Entry | undefined {
    const entry = this.entries[indexOfNonce(this.entries, nonce)]
    return entry !== undefined && entry.tx.nonce === nonce ? entry : undefined
  }

  /** Takes an ascending run of which no nonce is here yet. */
  override join(run: readonly Entry[]): void {
    for (const entry of run) {
      this.entries.splice(indexOfNonce(this.entries, entry.tx.nonce), 0, entry)
      this.count(entry)
    }
  }

  override replace(entry: Entry): void {
    const index = indexOfNonce(this.entries, entry.tx.nonce)
    const old = this.entries[index] as Entry
    this.entries[index] = entry
    this.count(entry)
    this.totalCost -= old.tx.cost
  }

  override forward(nonce: bigint): Entry[] {
    const gone = this.entries.splice(0, indexOfNonce(this.entries, nonce))
    this.discount(gone)
    return gone
  }

  override cutFrom(nonce: bigint): Entry[] {
    const gone = this.entries.splice(indexOfNonce(this.entries, nonce))
    this.discount(gone)
    return gone
  }
}
