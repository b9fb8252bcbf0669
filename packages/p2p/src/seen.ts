import type { Hash } from '@rockpool/protocol'

export type Seen<V, K extends string = Hash> = ReturnType<typeof createSeen<V, K>>

/** The last `max` hashes, or prefixes of them, with a word about each; the one not asked for or set longest goes first. */
export function createSeen<V, K extends string = Hash>(max: number) {
  const values = new Map<K, V>()
  // Kept, since all before it is gone: a fresh one would walk over everything deleted since the map was last rebuilt, 22 µs at full size.
  const oldest = values.keys()

  function get(key: K): V | undefined {
    const value = values.get(key)
    if (value === undefined) return undefined
    values.delete(key)
    values.set(key, value)
    return value
  }

  function set(key: K, value: V): void {
    values.delete(key)
    values.set(key, value)
    if (values.size <= max) return
    const { value: first } = oldest.next()
    if (first !== undefined) values.delete(first)
  }

  return {
    get,
    set,
    forget: (key: K): void => void values.delete(key),
    get size() {
      return values.size
    },
  }
}
