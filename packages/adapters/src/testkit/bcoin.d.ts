/** What the façade uses of bcoin 1.0.2, which has no types of its own. Ids as hex are in internal order. */
declare module 'bcoin' {
  interface Tx {
    readonly inputs: readonly {
      readonly prevout: { readonly hash: string; readonly index: number }
    }[]
    hash(encoding: 'hex'): string
    txid(): string
    toRaw(): Buffer
    hasCoins(view: View): boolean
    getFee(view: View): number
    getVirtualSize(): number
    isCoinbase(): boolean
  }
  interface View {
    readonly map: unknown
  }
  interface Block {
    readonly txs: readonly Tx[]
    hash(encoding: 'hex'): string
    toRaw(): Buffer
  }
  interface Entry {
    readonly hash: string
    readonly height: number
    readonly prevBlock: string
    readonly bits: number
    readonly time: number
    rhash(): string
  }
  interface MempoolEntry {
    readonly fee: number
    readonly tx: Tx
  }
  interface Job {
    readonly attempt: { items: readonly unknown[]; refresh(): void }
    mineAsync(): Promise<Block>
  }
  class FullNode {
    constructor(options: Readonly<Record<string, unknown>>)
    readonly http: { open: () => Promise<void>; close: () => Promise<void> }
    readonly chain: {
      readonly tip: Entry
      readonly height: number
      add(block: Block): Promise<Entry | null>
      getEntry(hashOrHeight: string | number): Promise<Entry | null>
      getBlock(hash: string): Promise<Block | null>
      isMainHash(hash: string): Promise<boolean>
    }
    readonly mempool: {
      readonly tip: string
      readonly options: object
      readonly map: ReadonlyMap<string, MempoolEntry>
      addTX(tx: Tx): Promise<readonly string[] | null>
      getCoinView(tx: Tx): Promise<View>
      getTX(hash: string): Tx | null
      getEntry(hash: string): MempoolEntry | null
      getSpentTX(hash: string, index: number): Tx | null
      evictEntry(entry: MempoolEntry): void
      removeOrphan(hash: string): void
    }
    readonly miner: {
      mineBlock(tip: Entry, address: unknown): Promise<Block>
      readonly cpu: { createJob(tip: Entry, address: unknown): Promise<Job> }
    }
    readonly rpc: {
      execute(call: { method: string; params: readonly unknown[] }): Promise<unknown>
    }
    on(event: 'disconnect', listener: (entry: Entry, block: Block) => void): void
    open(): Promise<void>
    close(): Promise<void>
  }
  const bcoin: {
    readonly FullNode: typeof FullNode
    readonly TX: { fromRaw(raw: Uint8Array): Tx }
    readonly Address: { fromWitnessPubkeyhash(hash: Buffer): unknown }
  }

  export type { Block, Entry, MempoolEntry, Tx, View }
  export { FullNode }
  export default bcoin
}
