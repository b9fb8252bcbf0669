import type { Hash } from '@rockpool/protocol'
import { hashOf, headerLength, writeListHeader } from '@rockpool/protocol'
import type { Keccak } from './keccak.ts'

/**
 * Root of a Merkle-Patricia trie whose keys are the encoded positions 0, 1, 2 … Ascending key order is known beforehand (1 to 127, then
 * 0, whose encoding is 0x80, then the rest), so the trie is built from sorted ranges without inserting.
 */
export function orderedTrieRoot(values: readonly Uint8Array[], keccak256: Keccak): Hash {
  if (values.length === 0) return hashOf(keccak256(Uint8Array.of(0x80)))
  const entries: Entry[] = []
  const push = (index: number): void => {
    const value = values[index]
    if (value !== undefined) entries.push({ path: nibblesOf(index), value })
  }
  for (let index = 1; index < Math.min(values.length, 128); index++) push(index)
  push(0)
  for (let index = 128; index < values.length; index++) push(index)
  return hashOf(keccak256(new OrderedTrie(entries, keccak256).node(0, entries.length, 0)))
}

interface Entry {
  readonly path: Uint8Array
  readonly value: Uint8Array
}

const emptyReference = Uint8Array.of(0x80)

class OrderedTrie {
  readonly #entries: readonly Entry[]
  readonly #keccak256: Keccak
  /** Encodings are written here and hashed at once; each is void when the next is written. */
  #scratch = new Uint8Array(1_024)

  constructor(entries: readonly Entry[], keccak256: Keccak) {
    this.#entries = entries
    this.#keccak256 = keccak256
  }

  /** Encoding of the node over entries `from` to `to` (exclusive), whose paths agree in the first `depth` nibbles. */
  node(from: number, to: number, depth: number): Uint8Array {
    const first = this.#entries[from]
    const last = this.#entries[to - 1]
    if (first === undefined || last === undefined) throw new RangeError('a node has entries')
    if (to - from === 1)
      return this.#leaf(compactPath(first.path, depth, { leaf: true }), first.value)
    let shared = depth
    // No key is a prefix of another, so two different paths differ before either ends.
    while (first.path[shared] === last.path[shared]) shared += 1
    if (shared > depth) {
      const child = this.#reference(this.node(from, to, shared))
      const path = compactPath(first.path.subarray(0, shared), depth, { leaf: false })
      return this.#list([stringOf(path), child])
    }
    const children: Uint8Array[] = []
    let start = from
    for (let nibble = 0; nibble < 16; nibble++) {
      let end = start
      while (end < to && this.#entries[end]?.path[depth] === nibble) end += 1
      children.push(
        end === start ? emptyReference : this.#reference(this.node(start, end, depth + 1)),
      )
      start = end
    }
    children.push(emptyReference)
    return this.#list(children)
  }

  /** How a parent names a child: by its hash, or by itself when its encoding is shorter than a hash. */
  #reference(encoded: Uint8Array): Uint8Array {
    if (encoded.length < 32) return encoded.slice()
    const out = new Uint8Array(33)
    out[0] = 0xa0
    out.set(this.#keccak256(encoded), 1)
    return out
  }

  #leaf(path: Uint8Array, value: Uint8Array): Uint8Array {
    const header = stringHeader(value)
    return this.#list([stringOf(path), header, value])
  }

  /** A list of what is encoded already. */
  #list(parts: readonly Uint8Array[]): Uint8Array {
    let content = 0
    for (const part of parts) content += part.length
    const length = headerLength(content) + content
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length * 2)
    let at = writeListHeader(this.#scratch, 0, content)
    for (const part of parts) {
      this.#scratch.set(part, at)
      at += part.length
    }
    return this.#scratch.subarray(0, length)
  }
}

/** Nibbles of the RLP of a position. */
function nibblesOf(index: number): Uint8Array {
  if (index === 0) return Uint8Array.of(8, 0)
  if (index < 0x80) return Uint8Array.of(index >> 4, index & 15)
  const digits: number[] = []
  for (let rest = index; rest > 0; rest = Math.floor(rest / 256)) {
    digits.unshift((rest >> 4) & 15, rest & 15)
  }
  return Uint8Array.of(8, digits.length / 2, ...digits)
}

/** Nibbles from `depth` on as bytes, with a first nibble that says leaf or extension and whether the count is odd. */
function compactPath(
  nibbles: Uint8Array,
  depth: number,
  { leaf }: { readonly leaf: boolean },
): Uint8Array {
  const count = nibbles.length - depth
  const odd = count % 2
  const out = new Uint8Array((count >> 1) + 1)
  out[0] = ((leaf ? 2 : 0) + odd) * 16 + (odd === 1 ? (nibbles[depth] ?? 0) : 0)
  for (let index = depth + odd, at = 1; index < nibbles.length; index += 2, at++) {
    out[at] = (nibbles[index] ?? 0) * 16 + (nibbles[index + 1] ?? 0)
  }
  return out
}

/** A short path as an RLP string. */
function stringOf(path: Uint8Array): Uint8Array {
  if (path.length === 1 && (path[0] ?? 0) < 0x80) return path
  const out = new Uint8Array(1 + path.length)
  out[0] = 0x80 + path.length
  out.set(path, 1)
  return out
}

/** What stands before a value as an RLP string; nothing before a single byte below 0x80. */
function stringHeader(value: Uint8Array): Uint8Array {
  const { length } = value
  if (length === 1 && (value[0] ?? 0) < 0x80) return new Uint8Array(0)
  const out = new Uint8Array(headerLength(length))
  writeListHeader(out, 0, length)
  // A string header is a list header 0x40 lower.
  out[0] = (out[0] ?? 0) - 0x40
  return out
}
