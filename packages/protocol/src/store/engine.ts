/** One change of a database, with its whole key. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/**
 * As much of abstract-level as a database needs, keys and values as bytes: LevelDB in production, a twin of it in the simulator. What it
 * returns may be a view on memory that it uses again. Failures are errors with LevelDB's codes and texts.
 */
export interface Engine {
  readonly status: string
  open(): Promise<void>
  close(): Promise<void>
  getSync(key: Uint8Array): Uint8Array | undefined
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /** From `gte`, before `lt`, in byte order. */
  entries(range: {
    readonly gte: Uint8Array
    readonly lt: Uint8Array
    readonly reverse: boolean
    readonly limit: number
  }): Promise<[key: Uint8Array, value: Uint8Array][]>
  /** All of it or nothing. With `sync` it is on the disk when this resolves. */
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>
}
