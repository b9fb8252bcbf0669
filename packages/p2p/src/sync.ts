import { type HashPrefix, limits, type PoolSyncAnswer, type TxRecord } from '@rockpool/protocol'
import type { Catalogue } from './catalogue.ts'
import { bucketCount, differing } from './digest.ts'

/** Buckets of every answer that are listed in full: crafted hashes can hide another's transaction from the sums, not from a list. */
const bucketsListed = 4

type Ids = Extract<PoolSyncAnswer, { kind: 'ids' }>
type Txs = Extract<PoolSyncAnswer, { kind: 'txs' }>

/**
 * What to tell a peer that showed this digest: four buckets at random, then those that differ, from a bucket drawn at random on, so that a
 * peer that lacks more than one answer holds does not get the same part every time.
 */
export function idsFor(
  theirs: Uint8Array,
  ours: Pick<Catalogue, 'digest' | 'listed'>,
  int: (n: number) => number,
): { readonly answer: Ids; readonly differs: boolean } {
  const differ = differing(theirs, ours.digest)
  const buckets = new Set<number>()
  while (buckets.size < bucketsListed) buckets.add(int(bucketCount))
  const start = int(bucketCount)
  for (const bucket of differ) if (bucket >= start) buckets.add(bucket)
  for (const bucket of differ) buckets.add(bucket)

  const prefixes: HashPrefix[] = []
  for (const bucket of buckets) prefixes.push(...ours.listed(bucket))
  const more = prefixes.length > limits.poolSyncIdsMax
  const answer: Ids = { kind: 'ids', more, prefixes: prefixes.slice(0, limits.poolSyncIdsMax) }
  return { answer, differs: differ.length > 0 }
}

/** What to ask a peer for that listed this: nothing twice, nothing known, and no more than one exchange fetches. */
export function wantedOf(
  { more, prefixes }: Pick<Ids, 'more' | 'prefixes'>,
  isKnown: (prefix: HashPrefix) => boolean,
): { readonly prefixes: readonly HashPrefix[]; readonly more: boolean } {
  const lacking = [...new Set(prefixes)].filter(prefix => !isKnown(prefix))
  const max = limits.poolSyncGetsMax * limits.poolSyncGetMax
  return { prefixes: lacking.slice(0, max), more: more || lacking.length > max }
}

/** Bodies for a get, in its order: up to 128 KiB, but at least one. The others are listed as missing. */
export function bodiesFor(
  prefixes: readonly HashPrefix[],
  find: (prefix: HashPrefix) => readonly TxRecord[],
): Txs {
  const txs: Uint8Array[] = []
  const missing: HashPrefix[] = []
  let size = 0
  for (const prefix of new Set(prefixes)) {
    const raws = find(prefix).map(({ raw }) => raw)
    const bytes = raws.reduce((sum, raw) => sum + raw.length, 0)
    const fits =
      (txs.length === 0 && raws.length === 1) ||
      (size + bytes <= limits.poolSyncTxsBytes && txs.length + raws.length <= limits.poolSyncGetMax)
    if (raws.length === 0 || !fits) {
      missing.push(prefix)
      continue
    }
    txs.push(...raws)
    size += bytes
  }
  return { kind: 'txs', txs, missing }
}

/** What of a get to ask for again. Nothing came although one always fits: the rest is not there. */
export function leftOf({ txs, missing }: Txs): readonly HashPrefix[] {
  return txs.length === 0 ? [] : missing
}
