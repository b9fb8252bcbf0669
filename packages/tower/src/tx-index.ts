import type { HomeBlock, Place } from './home.ts'
import { plainHex } from './signing.ts'

/**
 * Where the transactions of the last blocks are. Each block keeps a list of its own ids, so that adding and forgetting a block touches that
 * block only, whatever else is known.
 */
export class TxIndex {
  private readonly blocks: { readonly block: Place; readonly ids: readonly string[] }[] = []
  private readonly places = new Map<string, Place>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  get size(): number {
    return this.places.size
  }

  /** The block that holds this transaction. */
  find(txid: Uint8Array): Place | undefined {
    return this.places.get(plainHex(txid))
  }

  connect({ hash, height, txs }: HomeBlock): void {
    const block = { hash, height }
    const ids = txs.map(({ txid }) => plainHex(txid))
    for (const id of ids) this.places.set(id, block)
    this.blocks.push({ block, ids })
    if (this.blocks.length > this.most) this.forget(this.blocks.shift())
  }

  disconnect({ hash }: Place): void {
    const at = this.blocks.findIndex(({ block }) => block.hash === hash)
    if (at !== -1) this.forget(this.blocks.splice(at, 1)[0])
  }

  private forget(gone: (typeof this.blocks)[number] | undefined): void {
    if (gone === undefined) return
    for (const id of gone.ids) if (this.places.get(id) === gone.block) this.places.delete(id)
  }
}
