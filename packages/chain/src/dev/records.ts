import type { Address, Answer, Hash, Header, TxReceipt, TxRecord, Write } from '@rockpool/protocol'
import {
  decodeRecord,
  encodeRecord,
  failed,
  fromHex,
  hashOf,
  layout,
  ok,
  zeroHash,
} from '@rockpool/protocol'
import type { Via } from './fork-choice.ts'
import type { PaidReceipt } from './packed.ts'
import {
  keyOf,
  packAccount,
  packPlace,
  packReceipts,
  packUndo,
  unpackAccount,
  unpackPlace,
  unpackReceipts,
  unpackUndo,
} from './packed.ts'
import type { Account, Changes } from './state.ts'

const { bytes, integer, number } = layout
const hash32 = bytes(32, 32)
const nothing = new Uint8Array(0)

const nodeRecord = {
  version: 1,
  slots: [number, bytes(1, 1_024), bytes(0, 65), number, integer(0, 1)],
} as const
const signedRecord = { version: 1, slots: [number, hash32] } as const
const metaRecord = { version: 1, slots: [hash32, hash32] } as const

/**
 * Keys of the dev chain's part of the store. One letter, then the hash, address or height itself: `b` block and seal, `h` canonical hash,
 * `r` receipts, `u` undo, `t` place of a transaction on the canonical branch, `a` account, `w` header, seal and total weight, `x` blocks off
 * the canonical branch by height, `s` what this node signed on a parent, `m` genesis and head.
 */
export const keys = {
  block: (hash: Hash) => keyOf('b', hash),
  canonical: (height: number) => join('h', heightBytes(height)),
  receipts: (hash: Hash) => keyOf('r', hash),
  undo: (hash: Hash) => keyOf('u', hash),
  place: (txHash: Hash) => keyOf('t', txHash),
  account: (address: Address) => keyOf('a', address),
  node: (hash: Hash) => keyOf('w', hash),
  side: (height: number, hash: Hash) => join('x', heightBytes(height), fromHex(hash)),
  signed: (parent: Hash) => keyOf('s', parent),
  meta: () => join('m'),
}

/** All keys of one letter, as bounds of a scan. */
export function letterRange(letter: 'a' | 's' | 'x' | 'h'): { gte: Uint8Array; lt: Uint8Array } {
  const code = letter.charCodeAt(0)
  return { gte: Uint8Array.of(code), lt: Uint8Array.of(code + 1) }
}

/** A block of the tree as it is stored: what fork choice and header checks need, without its body. */
export interface NodeRecord {
  readonly totalWeight: number
  readonly encodedHeader: Uint8Array
  readonly seal: Uint8Array
  /** Encoded size of the whole block. Bytes. */
  readonly size: number
  readonly via: Via
}

function encodeNode(node: NodeRecord): Uint8Array {
  const { totalWeight, encodedHeader, seal, size, via } = node
  return encodeRecord(nodeRecord, [totalWeight, encodedHeader, seal, size, via === 'fetch' ? 1 : 0])
}

export function decodeNode(value: Uint8Array): Answer<NodeRecord> {
  const decoded = decodeRecord(nodeRecord, value)
  if (!decoded.ok) return decoded
  const [totalWeight, encodedHeader, seal, size, fetched] = decoded.value
  return ok({ totalWeight, encodedHeader, seal, size, via: fetched === 1 ? 'fetch' : 'gossip' })
}

export function decodeAccount(value: Uint8Array): Answer<Account> {
  return whole(unpackAccount(value))
}

export function decodeUndo(value: Uint8Array): Answer<Changes> {
  return whole(unpackUndo(value))
}

export function decodePlace(value: Uint8Array): Answer<{ block: Hash; index: number }> {
  return whole(unpackPlace(value))
}

/** What each transaction of a block paid: a fee history needs no bodies. */
export function decodePaid(value: Uint8Array): Answer<readonly PaidReceipt[]> {
  return whole(unpackReceipts(value))
}

/** The receipts of a block, whose transactions tell what is not stored. */
export function decodeReceipts(
  value: Uint8Array,
  txs: readonly { readonly hash: Hash }[],
): Answer<readonly TxReceipt[]> {
  const paid = unpackReceipts(value)
  if (paid === undefined || paid.length !== txs.length) return failed('store/corrupt')
  let cumulativeGasUsed = 0
  const receipts = paid.map((receipt, index) => {
    cumulativeGasUsed += receipt.gasUsed
    const { status, gasUsed, effectiveGasPrice, contractAddress } = receipt
    const txHash = txs[index]?.hash ?? zeroHash
    return { txHash, status, gasUsed, cumulativeGasUsed, effectiveGasPrice, contractAddress }
  })
  return ok(receipts)
}

export function decodeSigned(value: Uint8Array): Answer<{ height: number; hash: Hash }> {
  const decoded = decodeRecord(signedRecord, value)
  return decoded.ok ? ok({ height: decoded.value[0], hash: hashOf(decoded.value[1]) }) : decoded
}

export function decodeMeta(value: Uint8Array): Answer<{ genesis: Hash; head: Hash }> {
  const decoded = decodeRecord(metaRecord, value)
  return decoded.ok
    ? ok({ genesis: hashOf(decoded.value[0]), head: hashOf(decoded.value[1]) })
    : decoded
}

function whole<T>(value: T | undefined): Answer<T> {
  return value === undefined ? failed('store/corrupt') : ok(value)
}

/** What a fresh store begins with: block 0 and every account of the genesis. */
export function genesisWrites(
  header: Header,
  node: NodeRecord,
  accounts: Iterable<readonly [Address, Account]>,
): Write[] {
  const writes: Write[] = [
    put(keys.node(header.hash), encodeNode(node)),
    put(keys.canonical(0), fromHex(header.hash)),
    headWrite(header.hash, header.hash),
  ]
  for (const [address, account] of accounts) {
    writes.push(put(keys.account(address), packAccount(account)))
  }
  return writes
}

/** A block to be kept beside the canonical branch. `encoded` is the whole block as it travels. */
export function sideWrites(header: Header, node: NodeRecord, encoded: Uint8Array): Write[] {
  return [
    put(keys.block(header.hash), encoded),
    put(keys.node(header.hash), encodeNode(node)),
    put(keys.side(header.number, header.hash), nothing),
  ]
}

/** One block with its effects, as it joins or leaves the canonical branch. */
export interface Effects {
  readonly header: Header
  readonly txs: readonly TxRecord[]
  readonly undo: Changes
}

/** A block joins the canonical branch: one atomic batch with all it does. `stored`: its body lies in the store as a side block. */
export function connectWrites(
  genesis: Hash,
  block: Effects & {
    readonly receipts: readonly TxReceipt[]
    readonly changes: Changes
    readonly node: NodeRecord
    readonly encoded: Uint8Array | null
  },
): Write[] {
  const { header, node, encoded } = block
  const { hash } = header
  const writes: Write[] =
    encoded === null
      ? [del(keys.side(header.number, hash))]
      : [put(keys.block(hash), encoded), put(keys.node(hash), encodeNode(node))]
  writes.push(put(keys.canonical(header.number), fromHex(hash)))
  writes.push(put(keys.receipts(hash), packReceipts(block.receipts)))
  writes.push(put(keys.undo(hash), packUndo(block.undo)))
  for (const [index, tx] of block.txs.entries()) {
    writes.push(put(keys.place(tx.hash), packPlace(hash, index)))
  }
  writes.push(...accountWrites(block.changes), headWrite(genesis, hash))
  return writes
}

/** A block leaves the canonical branch and becomes a side block; its parent is the head. */
export function disconnectWrites(genesis: Hash, { header, txs, undo }: Effects): Write[] {
  const { hash } = header
  return [
    del(keys.canonical(header.number)),
    del(keys.receipts(hash)),
    del(keys.undo(hash)),
    put(keys.side(header.number, hash), nothing),
    ...txs.map(tx => del(keys.place(tx.hash))),
    ...accountWrites(undo),
    headWrite(genesis, header.parentHash),
  ]
}

/** A block off the canonical branch is forgotten. */
export function forgetWrites(header: Header): Write[] {
  const { hash } = header
  return [del(keys.block(hash)), del(keys.node(hash)), del(keys.side(header.number, hash))]
}

/** What this node signed: in the same synced batch as the block, before it is sent. */
export function signedWrite(parent: Hash, height: number, hash: Hash): Write {
  return put(keys.signed(parent), encodeRecord(signedRecord, [height, fromHex(hash)]))
}

function accountWrites(changes: Changes): Write[] {
  const writes: Write[] = []
  for (const [address, account] of changes) {
    const key = keys.account(address)
    writes.push(account === null ? del(key) : put(key, packAccount(account)))
  }
  return writes
}

function headWrite(genesis: Hash, head: Hash): Write {
  return put(keys.meta(), encodeRecord(metaRecord, [fromHex(genesis), fromHex(head)]))
}

function put(key: Uint8Array, value: Uint8Array): Write {
  return { type: 'put', key, value }
}

export function del(key: Uint8Array): Write {
  return { type: 'del', key }
}

function join(letter: string, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 1
  for (const part of parts) length += part.length
  const key = new Uint8Array(length)
  key[0] = letter.charCodeAt(0)
  let offset = 1
  for (const part of parts) {
    key.set(part, offset)
    offset += part.length
  }
  return key
}

/** Six bytes, big-endian, so that byte order is the order of heights. */
function heightBytes(height: number): Uint8Array {
  const out = new Uint8Array(6)
  const view = new DataView(out.buffer)
  view.setUint16(0, Math.floor(height / 2 ** 32))
  view.setUint32(2, height % 2 ** 32)
  return out
}
