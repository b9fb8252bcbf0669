import type { Block, Hash, TxReceipt } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import type { Undo } from './state.ts'

/** A block in memory; its effects once it has been executed on the canonical branch. */
export interface Resident {
  readonly block: Block
  readonly receipts?: readonly TxReceipt[]
  readonly undo?: Undo
}

/**
 * The blocks that are likely to be asked for: bounded by count and by encoded bytes, first in first out. Everything in it lies in the store
 * as well, so losing one costs a read and nothing else.
 */
export class Residents {
  readonly #byHash = new Map<Hash, Resident>()
  #bytes = 0

  get(hash: Hash): Resident | undefined {
    return this.#byHash.get(hash)
  }

  set(resident: Resident): void {
    const { hash } = resident.block.header
    this.drop(hash)
    this.#byHash.set(hash, resident)
    this.#bytes += resident.block.size
  }

  drop(hash: Hash): void {
    const resident = this.#byHash.get(hash)
    if (resident === undefined) return
    this.#byHash.delete(hash)
    this.#bytes -= resident.block.size
  }

  /** Lets the oldest go. Call only when everything is in the store. */
  shrink(): void {
    for (const hash of this.#byHash.keys()) {
      const fits =
        this.#byHash.size <= limits.residentBlocksMax && this.#bytes <= limits.residentBytesMax
      if (fits) return
      this.drop(hash)
    }
  }
}
