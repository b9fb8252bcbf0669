import type { Hash } from '@rockpool/protocol'

export type Seen<V> = ReturnType<typeof createSeen<V>>

/** The last `max` hashes with a word about each; the one not asked for or set longest goes first. */
export function createSeen<V>(max: number) {
  const values = new Map<Hash, V>()

  function get(hash: Hash): V | undefined {
    const value = values.get(hash)
    if (value === undefined) return undefined
    values.delete(hash)
    values.set(hash, value)
    return value
  }

  function set(hash: Hash, value: V): void {
    values.delete(hash)
    values.set(hash, value)
    if (values.size <= max) return
    for (const oldest of values.keys()) {
      values.delete(oldest)
      return
    }
  }

  return {
    get,
    set,
    forget: (hash: Hash): void => void values.delete(hash),
    get size() {
      return values.size
    },
  }
}
