import type { Hash } from '@rockpool/protocol'

export type Seen<V> = ReturnType<typeof createSeen<V>>

/** The last `max` hashes with a word about each; the one not asked for or set longest goes first. */
export function createSeen<V>(max: number) {
  const values = new Map<Hash, V>()
  // Kept, since all before it is gone: a fresh one would walk over everything deleted since the map was last rebuilt, 22 µs at full size.
  const oldest = values.keys()

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
    const { value: first } = oldest.next()
    if (first !== undefined) values.delete(first)
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
