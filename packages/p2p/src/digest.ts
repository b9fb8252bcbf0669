import { type Hash, poolDigestBytes } from '@rockpool/protocol'

/** One bucket for each first byte of a hash. */
export const bucketCount = 256
const bucketBytes = poolDigestBytes / bucketCount

/**
 * What a set of hashes looks like from afar: 256 buckets by first byte, each the count mod 2^16 and the sum mod 2^64 of hash bytes 1 to 8,
 * big-endian. Kept with every hash that comes or goes; two sets that differ in a bucket differ in its bytes unless somebody searched for
 * hashes that add up.
 */
export function createDigest() {
  const bytes = new Uint8Array(poolDigestBytes)
  const view = new DataView(bytes.buffer)

  function shift(hash: Hash, sign: 1 | -1): void {
    const at = bucketOf(hash) * bucketBytes
    const word = BigInt(`0x${hash.slice(4, 20)}`)
    // Both setters keep the low bits: counts and sums wrap.
    view.setUint16(at, view.getUint16(at) + sign)
    view.setBigUint64(at + 2, view.getBigUint64(at + 2) + (sign === 1 ? word : -word))
  }

  return {
    /** The live bytes: copy what is kept. */
    bytes: bytes as Uint8Array,
    add: (hash: Hash): void => shift(hash, 1),
    remove: (hash: Hash): void => shift(hash, -1),
  }
}

/** The bucket of a hash or of its prefix. */
export function bucketOf(hash: string): number {
  return Number.parseInt(hash.slice(2, 4), 16)
}

/** Buckets in which two digests differ, ascending. */
export function differing(left: Uint8Array, right: Uint8Array): readonly number[] {
  const buckets: number[] = []
  // Byte by byte: a view of each bucket would cost more than all comparisons.
  for (let at = 0; at < poolDigestBytes; at++) {
    if (left[at] === right[at]) continue
    const bucket = Math.floor(at / bucketBytes)
    buckets.push(bucket)
    at = (bucket + 1) * bucketBytes - 1
  }
  return buckets
}
