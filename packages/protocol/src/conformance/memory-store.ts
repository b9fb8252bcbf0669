import { CodedError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Range, Store, Write } from '../ports.ts'
import { toHex } from '../values/bytes.ts'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A `Store` in memory: atomic, in byte order, and copying in both directions as the one on disk. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Entry>()
  #sorted: readonly Entry[] | undefined = []
  #closed = false
  /** Batches taken, for claims about what was written how. */
  readonly batches: { readonly count: number; readonly sync: boolean }[] = []

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#entries.get(toHex(key))?.value.slice()
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check()
    return keys.map(key => this.#entries.get(toHex(key))?.value.slice())
  }

  async scan(range: Range): Promise<readonly Entry[]> {
    this.#check()
    const { gte, lt, reverse = false, limit = limits.storeScanDefault } = range
    const all = this.#inOrder()
    const from = gte ? all.findIndex(entry => Buffer.compare(entry.key, gte) >= 0) : 0
    const end = lt ? all.findIndex(entry => Buffer.compare(entry.key, lt) >= 0) : -1
    const wanted = from === -1 ? [] : all.slice(from, end === -1 ? undefined : end)
    if (reverse) wanted.reverse()
    return wanted.slice(0, limit).map(({ key, value }) => ({
      key: key.slice(),
      value: value.slice(),
    }))
  }

  /** Applied at the call, so that two un-awaited batches keep their order. */
  async batch(writes: readonly Write[], options?: { readonly sync?: boolean }): Promise<void> {
    this.#check()
    this.batches.push({ count: writes.length, sync: options?.sync ?? false })
    for (const write of writes) {
      const id = toHex(write.key)
      if (write.type === 'del') {
        if (this.#entries.delete(id)) this.#sorted = undefined
        continue
      }
      this.#entries.set(id, { key: bytesOf(write.key), value: bytesOf(write.value) })
      this.#sorted = undefined
    }
  }

  /** From now on everything rejects with `store/closed`. */
  close(): void {
    this.#closed = true
  }

  #check(): void {
    if (this.#closed) throw new CodedError('store/closed')
  }

  #inOrder(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => Buffer.compare(a.key, b.key))
    return this.#sorted
  }
}

/** A copy that is a plain Uint8Array, whatever came in. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes)
}
