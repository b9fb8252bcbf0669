import type { Address, Hash, TxReceipt, TxType } from '@rockpool/protocol'
import {
  concatBytes,
  emptyCodeHash,
  encodeRlp,
  fromHex,
  hashOf,
  quantityToBytes,
} from '@rockpool/protocol'
import type { Keccak } from './keccak.ts'
import type { Changes } from './state.ts'

type Item = Uint8Array | readonly Item[]

const nothing = new Uint8Array(0)
const zeroBloom = new Uint8Array(256)
const one = Uint8Array.of(1)

/** A receipt with the type of its transaction, which its encoding begins with. */
export interface TypedReceipt {
  readonly type: TxType
  readonly receipt: Pick<TxReceipt, 'status' | 'cumulativeGasUsed'>
}

/** Root of Ethereum's ordered trie over the transactions' own bytes. */
export function transactionsRoot(raws: readonly Uint8Array[], keccak256: Keccak): Hash {
  return orderedRoot(raws, keccak256)
}

/** Root of Ethereum's ordered trie over typed receipts: status, cumulative gas, zero bloom, no logs. */
export function receiptsRoot(receipts: readonly TypedReceipt[], keccak256: Keccak): Hash {
  return orderedRoot(receipts.map(encodeReceipt), keccak256)
}

function encodeReceipt({ type, receipt }: TypedReceipt): Uint8Array {
  const body = encodeRlp([
    receipt.status === 1 ? one : nothing,
    quantityToBytes(BigInt(receipt.cumulativeGasUsed)),
    zeroBloom,
    [],
  ])
  return type === 0 ? body : concatBytes(Uint8Array.of(type), body)
}

/**
 * The next state root: keccak256 of the parent's root and the accounts that changed, ascending by address. It commits to the whole state,
 * since every root commits to the one before, but is no trie: nothing can be proved from it, and it costs one hash a block.
 */
export function stateRoot(parentRoot: Hash, changes: Changes, keccak256: Keccak): Hash {
  const entries = [...changes].sort(([left], [right]) => (left < right ? -1 : 1))
  const list = entries.map(
    ([address, account]): Item => [
      fromHex(address),
      quantityToBytes(BigInt(account?.nonce ?? 0)),
      quantityToBytes(account?.balance ?? 0n),
      fromHex(codeHashOf(account?.delegation ?? null, keccak256)),
    ],
  )
  return hashOf(keccak256(concatBytes(fromHex(parentRoot), encodeRlp(list))))
}

/** Hash of an account's code: its delegation designator (EIP-7702) or nothing. */
export function codeHashOf(delegation: Address | null, keccak256: Keccak): Hash {
  if (delegation === null) return emptyCodeHash
  return hashOf(keccak256(concatBytes(delegationPrefix, fromHex(delegation))))
}

const delegationPrefix = Uint8Array.of(0xef, 0x01, 0x00)

/**
 * Root of a Merkle-Patricia trie whose keys are the encoded positions 0, 1, 2 … Ascending key order is known beforehand (1 to 127, then
 * 0, whose encoding is 0x80, then the rest), so the trie is built from sorted ranges without inserting.
 */
function orderedRoot(values: readonly Uint8Array[], keccak256: Keccak): Hash {
  if (values.length === 0) return hashOf(keccak256(Uint8Array.of(0x80)))
  const entries: Entry[] = []
  for (let index = 1; index < Math.min(values.length, 128); index++) push(index)
  push(0)
  for (let index = 128; index < values.length; index++) push(index)
  return hashOf(keccak256(encodeRlp(node(entries, 0, entries.length, 0, keccak256))))

  function push(index: number): void {
    const value = values[index]
    if (value !== undefined) entries.push({ path: nibblesOf(index), value })
  }
}

interface Entry {
  readonly path: Uint8Array
  readonly value: Uint8Array
}

function nibblesOf(index: number): Uint8Array {
  const key = encodeRlp(quantityToBytes(BigInt(index)))
  const out = new Uint8Array(key.length * 2)
  for (const [position, byte] of key.entries()) {
    out[position * 2] = byte >> 4
    out[position * 2 + 1] = byte & 15
  }
  return out
}

/** The node over entries `from` to `to` (exclusive), whose paths agree in the first `depth` nibbles. No key is a prefix of another. */
function node(
  entries: readonly Entry[],
  from: number,
  to: number,
  depth: number,
  keccak256: Keccak,
): Item {
  const first = entries[from]
  const last = entries[to - 1]
  if (first === undefined || last === undefined) return nothing
  if (to - from === 1) return [compactPath(first.path.subarray(depth), true), first.value]
  let shared = depth
  while (first.path[shared] === last.path[shared]) shared += 1
  if (shared > depth) {
    const child = reference(node(entries, from, to, shared, keccak256), keccak256)
    return [compactPath(first.path.subarray(depth, shared), false), child]
  }
  const branch: Item[] = []
  let start = from
  for (let nibble = 0; nibble < 16; nibble++) {
    let end = start
    while (end < to && entries[end]?.path[depth] === nibble) end += 1
    branch.push(
      end === start
        ? nothing
        : reference(node(entries, start, end, depth + 1, keccak256), keccak256),
    )
    start = end
  }
  branch.push(nothing)
  return branch
}

/** How a parent names a child: by its hash, or by itself when its encoding is shorter than a hash. */
function reference(child: Item, keccak256: Keccak): Item {
  const encoded = encodeRlp(child)
  return encoded.length < 32 ? child : keccak256(encoded)
}

/** Nibbles as bytes, with a first nibble that says leaf or extension and whether the count is odd. */
function compactPath(nibbles: Uint8Array, leaf: boolean): Uint8Array {
  const odd = nibbles.length % 2
  const out = new Uint8Array((nibbles.length >> 1) + 1)
  out[0] = ((leaf ? 2 : 0) + odd) * 16 + (odd === 1 ? (nibbles[0] ?? 0) : 0)
  for (let index = odd; index < nibbles.length; index += 2) {
    out[(index >> 1) + 1] = (nibbles[index] ?? 0) * 16 + (nibbles[index + 1] ?? 0)
  }
  return out
}
