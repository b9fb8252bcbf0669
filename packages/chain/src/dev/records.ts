import type { Address, Answer, Hash, Header, TxReceipt, TxRecord, Write } from '@rockpool/protocol'
import {
  addressOf,
  decodeRecord,
  encodeRecord,
  failed,
  fromHex,
  hashOf,
  layout,
  limits,
  ok,
} from '@rockpool/protocol'
import type { Via } from './fork-choice.ts'
import type { Account, Changes } from './state.ts'

const { bytes, integer, list, number, quantity, tuple } = layout
const hash32 = bytes(32, 32)
const address20 = bytes(20, 20)
const addressOrNone = bytes(0, 20)
const nothing = new Uint8Array(0)

const accountRecord = { version: 1, slots: [number, quantity(32), addressOrNone] } as const
const nodeRecord = {
  version: 1,
  slots: [number, bytes(1, 1_024), bytes(0, 65), number, integer(0, 1)],
} as const
const undoRecord = {
  version: 1,
  slots: [
    list(tuple(address20, integer(0, 1), number, quantity(32), addressOrNone), limits.accountsMax),
  ],
} as const
const receiptsRecord = {
  version: 1,
  slots: [list(tuple(integer(0, 1), number, quantity(32), addressOrNone), limits.blockTxsMax)],
} as const
const placeRecord = { version: 1, slots: [hash32, number] } as const
const signedRecord = { version: 1, slots: [number, hash32] } as const
const metaRecord = { version: 1, slots: [hash32, hash32] } as const

/**
 * Keys of the dev chain's part of the store. One letter, then the hash, address or height itself: `b` block and seal, `h` canonical hash,
 * `r` receipts, `u` undo, `t` place of a transaction on the canonical branch, `a` account, `w` header, seal and total weight, `x` blocks off
 * the canonical branch by height, `s` what this node signed on a parent, `m` genesis and head.
 */
export const keys = {
  block: (hash: Hash) => keyOf('b', fromHex(hash)),
  canonical: (height: number) => keyOf('h', heightBytes(height)),
  receipts: (hash: Hash) => keyOf('r', fromHex(hash)),
  undo: (hash: Hash) => keyOf('u', fromHex(hash)),
  place: (txHash: Hash) => keyOf('t', fromHex(txHash)),
  account: (address: Address) => keyOf('a', fromHex(address)),
  node: (hash: Hash) => keyOf('w', fromHex(hash)),
  side: (height: number, hash: Hash) => keyOf('x', heightBytes(height), fromHex(hash)),
  signed: (parent: Hash) => keyOf('s', fromHex(parent)),
  meta: () => keyOf('m'),
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

export function encodeNode(node: NodeRecord): Uint8Array {
  const { totalWeight, encodedHeader, seal, size, via } = node
  return encodeRecord(nodeRecord, [totalWeight, encodedHeader, seal, size, via === 'fetch' ? 1 : 0])
}

export function decodeNode(value: Uint8Array): Answer<NodeRecord> {
  const decoded = decodeRecord(nodeRecord, value)
  if (!decoded.ok) return decoded
  const [totalWeight, encodedHeader, seal, size, fetched] = decoded.value
  return ok({ totalWeight, encodedHeader, seal, size, via: fetched === 1 ? 'fetch' : 'gossip' })
}

export function encodeAccount(account: Account): Uint8Array {
  return encodeRecord(accountRecord, [
    account.nonce,
    account.balance,
    account.delegation === null ? nothing : fromHex(account.delegation),
  ])
}

export function decodeAccount(value: Uint8Array): Answer<Account> {
  const decoded = decodeRecord(accountRecord, value)
  if (!decoded.ok) return decoded
  const [nonce, balance, delegation] = decoded.value
  return ok({ nonce, balance, delegation: addressOrNull(delegation) })
}

export function encodeUndo(undo: Changes): Uint8Array {
  const entries = [...undo].map(([address, account]) => [
    fromHex(address),
    account === null ? 0 : 1,
    account?.nonce ?? 0,
    account?.balance ?? 0n,
    account === null || account.delegation === null ? nothing : fromHex(account.delegation),
  ])
  return encodeRecord(undoRecord, [entries as [Uint8Array, number, number, bigint, Uint8Array][]])
}

export function decodeUndo(value: Uint8Array): Answer<Changes> {
  const decoded = decodeRecord(undoRecord, value)
  if (!decoded.ok) return decoded
  const undo = new Map<Address, Account | null>()
  for (const [address, exists, nonce, balance, delegation] of decoded.value[0]) {
    const account = { nonce, balance, delegation: addressOrNull(delegation) }
    undo.set(addressOf(address), exists === 1 ? account : null)
  }
  return ok(undo)
}

/** Receipts without what follows from the block: transaction hashes and running sums. */
export function encodeReceipts(receipts: readonly TxReceipt[]): Uint8Array {
  const entries = receipts.map(receipt => [
    receipt.status,
    receipt.gasUsed,
    receipt.effectiveGasPrice,
    receipt.contractAddress === null ? nothing : fromHex(receipt.contractAddress),
  ])
  return encodeRecord(receiptsRecord, [entries as [number, number, bigint, Uint8Array][]])
}

export function decodeReceipts(
  value: Uint8Array,
  txs: readonly { readonly hash: Hash }[],
): Answer<readonly TxReceipt[]> {
  const decoded = decodeRecord(receiptsRecord, value)
  if (!decoded.ok) return decoded
  const entries = decoded.value[0]
  if (entries.length !== txs.length) return failed('store/corrupt')
  let cumulativeGasUsed = 0
  const receipts: TxReceipt[] = []
  for (const [index, tx] of txs.entries()) {
    const entry = entries[index]
    if (entry === undefined) return failed('store/corrupt')
    const [status, gasUsed, effectiveGasPrice, contract] = entry
    cumulativeGasUsed += gasUsed
    receipts.push({
      txHash: tx.hash,
      status: status === 1 ? 1 : 0,
      gasUsed,
      cumulativeGasUsed,
      effectiveGasPrice,
      contractAddress: addressOrNull(contract),
    })
  }
  return ok(receipts)
}

/** What each transaction of a block paid per gas and how much it used: a fee history needs no bodies. */
export function decodePaid(
  value: Uint8Array,
): Answer<readonly { readonly gasUsed: number; readonly effectiveGasPrice: bigint }[]> {
  const decoded = decodeRecord(receiptsRecord, value)
  if (!decoded.ok) return decoded
  return ok(
    decoded.value[0].map(([, gasUsed, effectiveGasPrice]) => ({ gasUsed, effectiveGasPrice })),
  )
}

export function decodePlace(value: Uint8Array): Answer<{ block: Hash; index: number }> {
  const decoded = decodeRecord(placeRecord, value)
  return decoded.ok ? ok({ block: hashOf(decoded.value[0]), index: decoded.value[1] }) : decoded
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
    writes.push(put(keys.account(address), encodeAccount(account)))
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
  writes.push(put(keys.receipts(hash), encodeReceipts(block.receipts)))
  writes.push(put(keys.undo(hash), encodeUndo(block.undo)))
  const hashBytes = fromHex(hash)
  for (const [index, tx] of block.txs.entries()) {
    writes.push(put(keys.place(tx.hash), encodeRecord(placeRecord, [hashBytes, index])))
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
    writes.push(account === null ? del(key) : put(key, encodeAccount(account)))
  }
  return writes
}

function headWrite(genesis: Hash, head: Hash): Write {
  return put(keys.meta(), encodeRecord(metaRecord, [fromHex(genesis), fromHex(head)]))
}

export function put(key: Uint8Array, value: Uint8Array): Write {
  return { type: 'put', key, value }
}

export function del(key: Uint8Array): Write {
  return { type: 'del', key }
}

function keyOf(letter: string, ...parts: readonly Uint8Array[]): Uint8Array {
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

function addressOrNull(value: Uint8Array): Address | null {
  return value.length === 0 ? null : addressOf(value)
}
