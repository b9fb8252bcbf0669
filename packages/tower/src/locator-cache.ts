import type { HomeBlock, HomeTx, Place } from './home.ts'
import { locatorOf, plainHex } from './signing.ts'

export interface Sighting {
  readonly tx: HomeTx
  readonly block: Place
}

/**
 * The transactions of the last blocks by locator: an appointment that comes a little later than what it waits for is answered all the same.
 * Client and tower see blocks and revocations at different times.
 */
export class LocatorCache {
  private readonly blocks: { readonly block: Place; readonly txs: Map<string, HomeTx> }[] = []
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  get heights(): readonly number[] {
    return this.blocks.map(({ block }) => block.height)
  }

  connect(block: HomeBlock): void {
    const txs = new Map<string, HomeTx>()
    for (const tx of block.txs) txs.set(plainHex(locatorOf(tx.txid)), tx)
    this.blocks.push({ block: { hash: block.hash, height: block.height }, txs })
    if (this.blocks.length > this.most) this.blocks.shift()
  }

  /** Forgets exactly this block. */
  disconnect({ hash }: Place): void {
    const at = this.blocks.findIndex(({ block }) => block.hash === hash)
    if (at !== -1) this.blocks.splice(at, 1)
  }

  /** The newest transaction with this locator. */
  find(locator: Uint8Array): Sighting | undefined {
    const key = plainHex(locator)
    for (let index = this.blocks.length - 1; index >= 0; index -= 1) {
      const entry = this.blocks[index]
      const tx = entry?.txs.get(key)
      if (entry !== undefined && tx !== undefined) return { tx, block: entry.block }
    }
    return undefined
  }
}
