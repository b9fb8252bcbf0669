import type { Address, Hash, TxReceipt, TxType } from '@rockpool/protocol'
import {
  concatBytes,
  emptyCodeHash,
  fromHex,
  hashOf,
  headerLength,
  writeListHeader,
} from '@rockpool/protocol'
import { CellChanges } from './cells.ts'
import type { Keccak } from './keccak.ts'
import { orderedRoot, orderedTrieRoot } from './ordered-trie.ts'
import type { Changes } from './state.ts'

/** A receipt with the type of its transaction, which its encoding begins with. */
export interface TypedReceipt {
  readonly type: TxType
  readonly receipt: Pick<TxReceipt, 'status' | 'cumulativeGasUsed'>
}

/** Root of Ethereum's ordered trie over the transactions' own bytes. */
export function transactionsRoot(raws: readonly Uint8Array[], keccak256: Keccak): Hash {
  return orderedTrieRoot(raws, keccak256)
}

/** Root of Ethereum's ordered trie over typed receipts: status, cumulative gas, zero bloom, no logs. */
export function receiptsRoot(receipts: readonly TypedReceipt[], keccak256: Keccak): Hash {
  // One buffer for all: each is hashed before the next is written, and the bloom in it stays zero.
  const out = new Uint8Array(receiptBytesMax)
  const encodedAt = (index: number): Uint8Array => {
    const entry = receipts[index]
    return entry === undefined ? out.subarray(0, 0) : encodeReceipt(out, entry)
  }
  return orderedRoot(receipts.length, encodedAt, keccak256)
}

const bloomBytes = 256
/** Header of the bloom, the bloom, and the empty list of logs. */
const bloomAndLogs = bloomBytes + 4
/** Type, header of the list, status, gas of at most eight bytes with its header. */
const receiptHeadMax = 1 + 3 + 1 + 9
const receiptBytesMax = receiptHeadMax + bloomAndLogs

/** Written so that what follows the gas always stands at the end of `out`, whose bloom is never touched. */
function encodeReceipt(out: Uint8Array, { type, receipt }: TypedReceipt): Uint8Array {
  const gas = receipt.cumulativeGasUsed
  const content = 1 + quantityLength(gas) + bloomAndLogs
  const typed = type === 0 ? 0 : 1
  const start = receiptBytesMax - content - headerLength(content) - typed
  out[start] = type
  let at = writeListHeader(out, start + typed, content)
  out[at] = receipt.status === 1 ? 1 : 0x80
  at = writeQuantity(out, at + 1, gas)
  out[at] = 0xb9
  out[at + 1] = bloomBytes >> 8
  out[at + 2] = bloomBytes & 0xff
  out[receiptBytesMax - 1] = 0xc0
  return out.subarray(start)
}

/**
 * The next state root: keccak256 of the parent's root and the accounts that changed, ascending by address. It commits to the whole state,
 * since every root commits to the one before, but is no trie: nothing can be proved from it, and it costs one hash a block.
 */
export function stateRoot(parentRoot: Hash, changes: Changes, keccak256: Keccak): Hash {
  const entries = entriesOf(changes).sort((left, right) => (left.address < right.address ? -1 : 1))
  const list = Buffer.allocUnsafe(32 + entries.length * entryBytesMax)
  let at = 0
  for (const { address, nonce, balance, delegation } of entries) {
    const code = delegation === null ? emptyCode : fromHex(codeHashOf(delegation, keccak256))
    at = writeEntry(list, at, address, nonce, balance, code)
  }
  const header = new Uint8Array(headerLength(at))
  writeListHeader(header, 0, at)
  return hashOf(keccak256(concatBytes(fromHex(parentRoot), header, list.subarray(0, at))))
}

interface Entry {
  readonly address: Address
  readonly nonce: number
  readonly balance: bigint
  readonly delegation: Address | null
}

/** An array of its own; an account that ceases to exist has nothing. The cells of a block that ran say all of it already. */
function entriesOf(changes: Changes): Entry[] {
  if (changes instanceof CellChanges && changes.after) return [...changes.cells]
  return Array.from(changes, ([address, account]) => ({
    address,
    nonce: account?.nonce ?? 0,
    balance: account?.balance ?? 0n,
    delegation: account?.delegation ?? null,
  }))
}

/** List header, address, nonce, balance and code hash of the longest entry. */
const entryBytesMax = 2 + 21 + 9 + 33 + 33

const emptyCode = fromHex(emptyCodeHash)

function writeEntry(
  out: Buffer,
  from: number,
  address: Address,
  nonce: number,
  balance: bigint,
  codeHash: Uint8Array,
): number {
  const content = 21 + quantityLength(nonce) + bigQuantityLength(balance) + 33
  let at = writeListHeader(out, from, content)
  out[at] = 0x80 + 20
  out.write(address.slice(2), at + 1, 'hex')
  at = writeQuantity(out, at + 21, nonce)
  at = writeBigQuantity(out, at, balance)
  out[at] = 0x80 + 32
  out.set(codeHash, at + 1)
  return at + 33
}

/** Hash of an account's code: its delegation designator (EIP-7702) or nothing. */
export function codeHashOf(delegation: Address | null, keccak256: Keccak): Hash {
  if (delegation === null) return emptyCodeHash
  return hashOf(keccak256(concatBytes(delegationPrefix, fromHex(delegation))))
}

const delegationPrefix = Uint8Array.of(0xef, 0x01, 0x00)

/** Bytes of an integer in RLP. */
function quantityLength(value: number): number {
  return value > 0 && value < 0x80 ? 1 : 1 + widthOf(value)
}

function writeQuantity(out: Uint8Array, at: number, value: number): number {
  if (value > 0 && value < 0x80) {
    out[at] = value
    return at + 1
  }
  const width = widthOf(value)
  out[at] = 0x80 + width
  let rest = value
  for (let index = at + width; index > at; index--) {
    out[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return at + 1 + width
}

function widthOf(value: number): number {
  let width = 0
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) width += 1
  return width
}

const word = 1n << 64n

/** Most balances have two words; parsing their hexadecimal text would cost more than hashing them. */
function bigQuantityLength(value: bigint): number {
  if (value < safeMax) return quantityLength(Number(value))
  if (value < word) return 1 + 8 - (Math.clz32(Number(value >> 32n)) >> 3)
  let width = 0
  let rest = value
  for (; rest >= word; rest >>= 64n) width += 8
  const high = Number(rest >> 32n)
  const zeros = high === 0 ? 32 + Math.clz32(Number(rest)) : Math.clz32(high)
  return 1 + width + 8 - (zeros >> 3)
}

const safeMax = BigInt(Number.MAX_SAFE_INTEGER)

function writeBigQuantity(out: Buffer, at: number, value: bigint): number {
  if (value < safeMax) return writeQuantity(out, at, Number(value))
  const width = bigQuantityLength(value) - 1
  out[at] = 0x80 + width
  let rest = value
  let end = at + 1 + width
  for (; end - at > 8; end -= 8) {
    out.writeBigUInt64BE(BigInt.asUintN(64, rest), end - 8)
    rest >>= 64n
  }
  for (let index = end - 1; index > at; index--) {
    out[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return at + 1 + width
}
