import { type Answer, type Failure, failed, ok } from '../errors.ts'
import { limits } from '../limits.ts'
import { type Address, type Hash, hashOf, quantityToBytes } from '../values/bytes.ts'
import type { AccessEntry, Authorization, DecodedTx, TxType } from './record.ts'
import { encodeRlp, headerLength, RlpReader, writeListHeader } from './rlp.ts'

const noEntries: readonly AccessEntry[] = []
const noAuthorizations: readonly Authorization[] = []
const unsignedMax = (1n << 256n) - 1n

/**
 * A signed transaction from its EIP-2718 bytes, strictly: whatever encodes to other bytes is refused. Types 0, 1, 2 and 4; a blob
 * transaction (3) is read only so far that it can be refused by name. One pass, which also yields what the sender signed. `raw` is kept,
 * not copied. Failures: `pool/undecodable`, `pool/type-unsupported`.
 */
export function decodeTx(
  raw: Uint8Array,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): Answer<DecodedTx> {
  const first = raw[0]
  if (first === undefined) return undecodable('typed transaction too short')
  if (first > 0x7f) return decodeLegacy(raw, keccak256)
  if (raw.length === 1) return undecodable('typed transaction too short')
  if (first === 1 || first === 2 || first === 4) return decodeTyped(raw, first, keccak256)
  if (first === 3) return refuseBlob(raw)
  return undecodable('transaction type not supported')
}

/** The chain id a legacy transaction was signed for; undefined without EIP-155 protection. geth's arithmetic, which wraps below 35. */
export function legacyChainId(v: bigint): bigint | undefined {
  if (v === 27n || v === 28n || v === 0n || v === 1n) return undefined
  if (v >= 1n << 64n) return (v - 35n) / 2n
  return BigInt.asUintN(64, v - 35n) / 2n
}

function decodeLegacy(
  raw: Uint8Array,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): Answer<DecodedTx> {
  const reader = new RlpReader(raw)
  const outer = reader.openList('transaction')
  const fieldsAt = reader.at
  const nonce = reader.uint('nonce', 8)
  const gasPrice = reader.uint('gasPrice')
  const gas = reader.uint('gas', 8)
  const to = reader.fixed('to', 20, true) as Address | null
  const value = reader.uint('value')
  const data = reader.view('data')
  const fieldsEnd = reader.at
  const v = reader.uint('v')
  const r = reader.uint('r')
  const s = reader.uint('s')
  reader.closeList(outer, 'transaction')
  reader.finish()
  if (reader.problem !== undefined) return undecodable(reader.problem)
  if (v > unsignedMax || r > unsignedMax || s > unsignedMax) return tooWide()
  const chainId = legacyChainId(v)
  const protection =
    chainId === undefined
      ? undefined
      : encodeRlp([quantityToBytes(chainId), new Uint8Array(0), new Uint8Array(0)])
  const zeroBytes = zerosOf(data)
  return ok({
    raw,
    hash: hashOf(keccak256(raw)),
    type: 0,
    chainId,
    nonce,
    feeCap: gasPrice,
    tip: gasPrice,
    gas,
    to,
    value,
    data,
    accessList: noEntries,
    authorizations: noAuthorizations,
    v,
    r,
    s,
    signingPayload: legacyPayload(raw, fieldsAt, fieldsEnd, protection),
    cost: gas * gasPrice + value,
    slots: slotsOf(raw),
    zeroBytes,
    nonZeroBytes: data.length - zeroBytes,
    accessAddressCount: 0,
    accessKeyCount: 0,
  })
}

function decodeTyped(
  raw: Uint8Array,
  type: Exclude<TxType, 0>,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): Answer<DecodedTx> {
  // geth keeps the amounts of type 4 in 256 bits and those of the older types in integers without bound.
  const widthMax = type === 4 ? 32 : Number.POSITIVE_INFINITY
  const reader = new RlpReader(raw, 1)
  const outer = reader.openList('transaction')
  const fieldsAt = reader.at
  const chainId = reader.uint('chainId', widthMax)
  const nonce = reader.uint('nonce', 8)
  const tip = reader.uint(type === 1 ? 'gasPrice' : 'maxPriorityFeePerGas', widthMax)
  const feeCap = type === 1 ? tip : reader.uint('maxFeePerGas', widthMax)
  const gas = reader.uint('gas', 8)
  const to = reader.fixed('to', 20, type !== 4) as Address | null
  const value = reader.uint('value', widthMax)
  const data = reader.view('data')
  const accessList = readAccessList(reader)
  const authorizations = type === 4 ? readAuthorizations(reader) : noAuthorizations
  const fieldsEnd = reader.at
  const v = reader.uint('yParity', widthMax)
  const r = reader.uint('r', widthMax)
  const s = reader.uint('s', widthMax)
  reader.closeList(outer, 'transaction')
  reader.finish()
  if (reader.problem !== undefined) return undecodable(reader.problem)
  if (v > unsignedMax || r > unsignedMax || s > unsignedMax || chainId > unsignedMax) {
    return tooWide()
  }
  const zeroBytes = zerosOf(data)
  return ok({
    raw,
    hash: hashOf(keccak256(raw)),
    type,
    chainId,
    nonce,
    feeCap,
    tip,
    gas,
    to,
    value,
    data,
    accessList,
    authorizations,
    v,
    r,
    s,
    signingPayload: typedPayload(raw, type, fieldsAt, fieldsEnd),
    cost: gas * feeCap + value,
    slots: slotsOf(raw),
    zeroBytes,
    nonZeroBytes: data.length - zeroBytes,
    accessAddressCount: accessList.length,
    accessKeyCount: keysOf(accessList),
  })
}

/** Named if it is one list of the 14 fields, or that list with its blobs around it; else it is no transaction at all. */
function refuseBlob(raw: Uint8Array): Failure {
  const reader = new RlpReader(raw, 1)
  const outer = reader.openList('transaction')
  const wrapped = reader.atList()
  let count = 0
  for (; reader.more(); count += 1) reader.skip('field')
  reader.closeList(outer, 'transaction')
  reader.finish()
  if (reader.problem !== undefined) return undecodable(reader.problem)
  if (wrapped ? count !== 4 && count !== 5 : count !== 14) {
    return undecodable(`rlp: transaction has ${count} fields, not 14`)
  }
  return failed('pool/type-unsupported', 'transaction type not supported: received type 3', {
    type: 3,
  })
}

function readAccessList(reader: RlpReader): readonly AccessEntry[] {
  const outer = reader.openList('accessList')
  if (!reader.more()) {
    reader.closeList(outer, 'accessList')
    return noEntries
  }
  const entries: AccessEntry[] = []
  while (reader.more()) {
    const entry = reader.openList('accessList entry')
    const address = reader.fixed('accessList address', 20) as Address
    const keys = reader.openList('accessList storageKeys')
    const storageKeys: Hash[] = []
    while (reader.more()) storageKeys.push(reader.fixed('accessList storageKey', 32) as Hash)
    reader.closeList(keys, 'accessList storageKeys')
    reader.closeList(entry, 'accessList entry')
    entries.push({ address, storageKeys })
  }
  reader.closeList(outer, 'accessList')
  return entries
}

function readAuthorizations(reader: RlpReader): readonly Authorization[] {
  const authorizations: Authorization[] = []
  const outer = reader.openList('authorizationList')
  while (reader.more()) {
    const entry = reader.openList('authorization')
    authorizations.push({
      chainId: reader.uint('authorization chainId', 32),
      address: reader.fixed('authorization address', 20) as Address,
      nonce: reader.uint('authorization nonce', 8),
      yParity: reader.uint('authorization yParity', 1),
      r: reader.uint('authorization r', 32),
      s: reader.uint('authorization s', 32),
    })
    reader.closeList(entry, 'authorization')
  }
  reader.closeList(outer, 'authorizationList')
  return authorizations
}

function legacyPayload(
  raw: Uint8Array,
  fieldsAt: number,
  fieldsEnd: number,
  protection: Uint8Array | undefined,
): Uint8Array {
  // `protection` is the list (chain id, 0, 0); at most 35 bytes, so its header is one byte, which is left out.
  const tail = protection === undefined ? undefined : protection.subarray(1)
  const length = fieldsEnd - fieldsAt + (tail?.length ?? 0)
  const out = new Uint8Array(headerLength(length) + length)
  const at = writeListHeader(out, 0, length)
  out.set(raw.subarray(fieldsAt, fieldsEnd), at)
  if (tail !== undefined) out.set(tail, at + fieldsEnd - fieldsAt)
  return out
}

/** The signed part is shorter than the whole, so its type byte and list header fit into the bytes before its first field. */
function typedPayload(
  raw: Uint8Array,
  type: number,
  fieldsAt: number,
  fieldsEnd: number,
): Uint8Array {
  const length = fieldsEnd - fieldsAt
  const from = fieldsAt - headerLength(length) - 1
  // Not `raw.slice`: that of a Buffer does not copy.
  const out: Uint8Array = Uint8Array.prototype.slice.call(raw, from, fieldsEnd)
  out[0] = type
  writeListHeader(out, 1, length)
  return out
}

function zerosOf(data: Uint8Array): number {
  let count = 0
  for (let index = 0; index < data.length; index += 1) if (data[index] === 0) count += 1
  return count
}

function keysOf(accessList: readonly AccessEntry[]): number {
  let count = 0
  for (const entry of accessList) count += entry.storageKeys.length
  return count
}

function slotsOf(raw: Uint8Array): number {
  return Math.ceil(raw.length / limits.txSlotBytes)
}

function undecodable(message: string): Failure {
  return failed('pool/undecodable', message)
}

function tooWide(): Failure {
  return undecodable('transaction chain id or signature value exceeds 256 bits')
}
