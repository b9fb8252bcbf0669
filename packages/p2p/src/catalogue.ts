import {
  type Hash,
  type HashPrefix,
  type PoolChanged,
  prefixOf,
  type TxRecord,
} from '@rockpool/protocol'
import { bucketCount, bucketOf, createDigest } from './digest.ts'

export type Catalogue = ReturnType<typeof createCatalogue>

/**
 * Pending transactions that others may see, with their digest; private ones are never in it. Follows the pool by its facts, which carry
 * the records themselves, so that a peer is answered without a question to the pool.
 */
export function createCatalogue() {
  const digest = createDigest()
  /** By first byte, then by prefix; two records under one prefix are somebody's search for them. */
  const buckets = Array.from({ length: bucketCount }, () => new Map<HashPrefix, TxRecord[]>())
  let total = 0

  function hear({ events, demoted, dropped }: PoolChanged): void {
    // What left may have come back in the same turn; what came is still there at its end.
    for (const hash of demoted) remove(hash)
    for (const { hash } of dropped) remove(hash)
    for (const { tx, origin } of events) if (origin !== 'private') add(tx)
  }

  function add(tx: TxRecord): void {
    const bucket = buckets[bucketOf(tx.hash)]
    const prefix = prefixOf(tx.hash)
    const same = bucket?.get(prefix) ?? []
    if (same.some(({ hash }) => hash === tx.hash)) return
    bucket?.set(prefix, [...same, tx])
    digest.add(tx.hash)
    total += 1
  }

  function remove(hash: Hash): void {
    const bucket = buckets[bucketOf(hash)]
    const prefix = prefixOf(hash)
    const same = bucket?.get(prefix) ?? []
    const left = same.filter(tx => tx.hash !== hash)
    if (left.length === same.length) return
    if (left.length > 0) bucket?.set(prefix, left)
    else bucket?.delete(prefix)
    digest.remove(hash)
    total -= 1
  }

  return {
    hear,
    digest: digest.bytes,
    /** Prefixes of one bucket. */
    listed: (bucket: number): Iterable<HashPrefix> => buckets[bucket]?.keys() ?? [],
    find: (prefix: HashPrefix): readonly TxRecord[] => buckets[bucketOf(prefix)]?.get(prefix) ?? [],
    get total() {
      return total
    },
  }
}
