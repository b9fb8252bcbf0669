import type { Hash } from '@rockpool/protocol'
import { hashOf, headerLength, writeListHeader } from '@rockpool/protocol'
import type { Keccak } from './keccak.ts'

/** Root of a Merkle-Patricia trie whose keys are the encoded positions 0, 1, 2 … of `values`. */
export function orderedTrieRoot(values: readonly Uint8Array[], keccak256: Keccak): Hash {
  return orderedRoot(values.length, index => values[index] ?? nothing, keccak256)
}

/** The same without a list: `valueAt` is asked once for each position, and what it gives is read before it is asked again. */
export function orderedRoot(
  count: number,
  valueAt: (index: number) => Uint8Array,
  keccak256: Keccak,
): Hash {
  if (count === 0) return hashOf(keccak256(Uint8Array.of(0x80)))
  return new OrderedTrie(count, valueAt, keccak256).root()
}

const nothing = new Uint8Array(0)
/** Room before the content of a node for the header of its list. */
const headerRoom = 9
/** Sixteen references of 33 bytes and an empty value; an extension needs less. */
const innerBytes = headerRoom + 16 * 33 + 1
const referenceBytes = 33

/**
 * Built from sorted ranges without inserting, since the order of the keys is known beforehand: 1 to 127, then 0, whose encoding is 0x80,
 * then the rest. Nodes are written where they are hashed, one buffer for each depth: small arrays for every path and reference would cost
 * as much as the hashes.
 */
class OrderedTrie {
  readonly #count: number
  readonly #valueAt: (index: number) => Uint8Array
  readonly #keccak256: Keccak
  /** The node that is being written at each depth. */
  readonly #inner: Uint8Array[] = []
  #leaf = new Uint8Array(512)

  constructor(count: number, valueAt: (index: number) => Uint8Array, keccak256: Keccak) {
    this.#count = count
    this.#valueAt = valueAt
    this.#keccak256 = keccak256
  }

  root(): Hash {
    return hashOf(this.#keccak256(this.#node(0, this.#count, 0)))
  }

  /** Position at a place in the order of keys. */
  #at(place: number): number {
    const short = Math.min(this.#count, 128)
    if (place < short - 1) return place + 1
    return place === short - 1 ? 0 : place
  }

  /** Encoding of the node over places `from` to `to` (exclusive), whose keys agree in the first `depth` nibbles. Void after the next. */
  #node(from: number, to: number, depth: number): Uint8Array {
    const first = this.#at(from)
    if (to - from === 1) return this.#leafOf(first, depth)
    const last = this.#at(to - 1)
    let shared = depth
    // No key is a prefix of another, so two different keys differ before either ends.
    while (nibbleOf(first, shared) === nibbleOf(last, shared)) shared += 1
    const out = this.#innerAt(depth)
    if (shared > depth) {
      const at = writePath(out, headerRoom, { index: first, depth, end: shared, leaf: false })
      return listOf(out, this.#writeReference(out, at, this.#node(from, to, shared)))
    }
    let at = headerRoom
    let start = from
    for (let nibble = 0; nibble < 16; nibble++) {
      let end = start
      while (end < to && nibbleOf(this.#at(end), depth) === nibble) end += 1
      if (end === start) out[at++] = 0x80
      else at = this.#writeReference(out, at, this.#node(start, end, depth + 1))
      start = end
    }
    out[at++] = 0x80
    return listOf(out, at)
  }

  #leafOf(index: number, depth: number): Uint8Array {
    const value = this.#valueAt(index)
    // Path of at most nine bytes, header of the value of at most nine.
    const most = headerRoom + 2 * referenceBytes + value.length
    if (this.#leaf.length < most) this.#leaf = new Uint8Array(most * 2)
    const out = this.#leaf
    let at = writePath(out, headerRoom, { index, depth, end: nibblesOf(index), leaf: true })
    const { length } = value
    if (length !== 1 || (value[0] ?? 0) >= 0x80) {
      const header = at
      at = writeListHeader(out, header, length)
      // A string header is a list header 0x40 lower.
      out[header] = (out[header] ?? 0) - 0x40
    }
    out.set(value, at)
    return listOf(out, at + length)
  }

  /** How a parent names a child: by its hash, or by itself when its encoding is shorter than a hash. */
  #writeReference(out: Uint8Array, at: number, encoded: Uint8Array): number {
    if (encoded.length < 32) {
      out.set(encoded, at)
      return at + encoded.length
    }
    out[at] = 0xa0
    out.set(this.#keccak256(encoded), at + 1)
    return at + referenceBytes
  }

  #innerAt(depth: number): Uint8Array {
    const known = this.#inner[depth]
    if (known !== undefined) return known
    const made = new Uint8Array(innerBytes)
    this.#inner[depth] = made
    return made
  }
}

/** A node whose content ends at `end`, with the header of its list before it. */
function listOf(out: Uint8Array, end: number): Uint8Array {
  const content = end - headerRoom
  const start = headerRoom - headerLength(content)
  writeListHeader(out, start, content)
  return out.subarray(start, end)
}

/** Bytes that follow the first of an encoded position; none when the first says all. */
function widthOf(index: number): number {
  if (index < 0x80) return 0
  if (index < 0x100) return 1
  return index < 0x1_0000 ? 2 : index < 0x100_0000 ? 3 : 4
}

/** Nibbles of the RLP of a position. */
function nibblesOf(index: number): number {
  return 2 + 2 * widthOf(index)
}

function nibbleOf(index: number, depth: number): number {
  const byte = byteOf(index, depth >> 1)
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

function byteOf(index: number, at: number): number {
  if (index === 0) return 0x80
  if (index < 0x80) return index
  const width = widthOf(index)
  return at === 0 ? 0x80 + width : (index >>> (8 * (width - at))) & 0xff
}

/** Nibbles `depth` to `end` of a key as an RLP string, with a first nibble that says leaf or extension and whether the count is odd. */
function writePath(
  out: Uint8Array,
  from: number,
  path: {
    readonly index: number
    readonly depth: number
    readonly end: number
    readonly leaf: boolean
  },
): number {
  const { index, depth, end, leaf } = path
  const odd = (end - depth) % 2
  const length = ((end - depth) >> 1) + 1
  let at = from
  // One byte of a path is always below 0x40, and stands for itself.
  if (length > 1) out[at++] = 0x80 + length
  out[at++] = ((leaf ? 2 : 0) + odd) * 16 + (odd === 1 ? nibbleOf(index, depth) : 0)
  for (let nibble = depth + odd; nibble < end; nibble += 2) {
    out[at++] = nibbleOf(index, nibble) * 16 + nibbleOf(index, nibble + 1)
  }
  return at
}
