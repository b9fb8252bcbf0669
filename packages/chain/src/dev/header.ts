import type { Answer, Hash, Head, Header } from '@rockpool/protocol'
import {
  addressOf,
  bytesEqual,
  bytesToQuantity,
  concatBytes,
  encodeRlp,
  failed,
  fromHex,
  hashOf,
  ok,
  quantityToBytes,
  RlpReader,
  zeroAddress,
} from '@rockpool/protocol'
import type { Keccak } from './keccak.ts'

export type HeaderFields = Omit<Header, 'hash'>

/** keccak256 of the encoding of an empty list: no ommers. */
const emptyOmmersHash = fromHex('1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347')
/** Root of an ordered trie without entries: no withdrawals. */
const emptyTrieRoot = fromHex('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')
/** SHA-256 of nothing: no execution requests (EIP-7685). */
const emptyRequestsHash = fromHex(
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
)
const zeroBytes32 = new Uint8Array(32)
const zeroBytes8 = new Uint8Array(8)
const zeroBloom = new Uint8Array(256)
const nothing = new Uint8Array(0)

const mark = Buffer.from('rockpool', 'latin1')
const sealMark = Buffer.from('rockpool block 1', 'latin1')
const genesisExtraBytes = 32
const headerBytesMax = 1_024

/** Where each field stands in Ethereum's header list up to Prague; the others are constant on this chain. */
const constants: readonly (readonly [index: number, value: Uint8Array])[] = [
  [1, emptyOmmersHash],
  [6, zeroBloom],
  [7, nothing],
  [13, zeroBytes32],
  [14, zeroBytes8],
  [16, emptyTrieRoot],
  [17, nothing],
  [18, nothing],
  [19, zeroBytes32],
  [20, emptyRequestsHash],
]
const fieldCount = 21

/** Extra data of every block but genesis: the mark and the milliseconds of the block time, which the timestamp cannot hold. */
export function extraDataOf(timeMs: number): Uint8Array {
  const out = new Uint8Array(10)
  out.set(mark)
  new DataView(out.buffer).setUint16(8, timeMs % 1000)
  return out
}

/** Ethereum's header encoding up to Prague (21 fields), so that any Ethereum library computes the same hash. */
export function encodeHeader(fields: HeaderFields): Uint8Array {
  return encodeRlp([
    fromHex(fields.parentHash),
    emptyOmmersHash,
    fromHex(fields.producer),
    fromHex(fields.stateRoot),
    fromHex(fields.transactionsRoot),
    fromHex(fields.receiptsRoot),
    zeroBloom,
    nothing,
    count(fields.number),
    count(fields.gasLimit),
    count(fields.gasUsed),
    count(Math.floor(fields.timeMs / 1000)),
    fields.extraData,
    zeroBytes32,
    zeroBytes8,
    quantityToBytes(fields.baseFee),
    emptyTrieRoot,
    nothing,
    nothing,
    zeroBytes32,
    emptyRequestsHash,
  ])
}

/** Identity of a header, and so of its block: keccak-256 of its encoding. The seal is not part of it. */
export function hashHeader(encoded: Uint8Array, keccak256: Keccak): Hash {
  return hashOf(keccak256(encoded))
}

/** What a producer signs: bound to this chain's blocks, so that the signature can be nothing else. */
export function sealDigest(hash: Hash, keccak256: Keccak): Uint8Array {
  return keccak256(concatBytes(sealMark, fromHex(hash)))
}

/**
 * A header from its bytes. One encoding per header: minimal lengths, every constant field as it must be, extra data of exactly the right
 * form (32 bytes in genesis, else mark and milliseconds). What the fields may be on top of a parent is `checkHeader`.
 */
export function decodeHeader(bytes: Uint8Array, keccak256: Keccak): Answer<Header> {
  if (bytes.length > headerBytesMax) return undecodable('header too long')
  const reader = new RlpReader(bytes)
  const outer = reader.openList('header')
  const fields: Uint8Array[] = []
  for (let index = 0; index < fieldCount; index++) fields.push(reader.view(`field ${index}`))
  reader.closeList(outer, 'header')
  reader.finish()
  if (reader.problem !== undefined) return undecodable(reader.problem)
  const at = (index: number): Uint8Array => fields[index] ?? nothing
  for (const [index, value] of constants) {
    if (!bytesEqual(at(index), value)) return undecodable(`field ${index} is not constant`)
  }
  for (const index of [0, 3, 4, 5]) {
    if (at(index).length !== 32) return undecodable(`field ${index} is not a hash`)
  }
  if (at(2).length !== 20) return undecodable('producer is not an address')
  const numbers: number[] = []
  for (const index of [8, 9, 10, 11]) {
    const value = countFrom(at(index))
    if (value === null) return undecodable(`field ${index} is not a number`)
    numbers.push(value)
  }
  const [number = 0, gasLimit = 0, gasUsed = 0, seconds = 0] = numbers
  const extraData = at(12)
  const milliseconds = number === 0 ? 0 : millisecondsOf(extraData)
  if (milliseconds === null) return undecodable('extra data')
  if (number === 0 && extraData.length !== genesisExtraBytes) return undecodable('extra data')
  const timeMs = seconds * 1000 + milliseconds
  if (!Number.isSafeInteger(timeMs)) return undecodable('timestamp')
  const baseFee = at(15)
  if (baseFee.length > 32 || baseFee[0] === 0) return undecodable('base fee')
  const producer = addressOf(at(2))
  if (number === 0 && producer !== zeroAddress) return undecodable('producer of genesis')
  return ok({
    hash: hashHeader(bytes, keccak256),
    parentHash: hashOf(at(0)),
    producer,
    stateRoot: hashOf(at(3)),
    transactionsRoot: hashOf(at(4)),
    receiptsRoot: hashOf(at(5)),
    number,
    gasLimit,
    gasUsed,
    timeMs,
    extraData: extraData.slice(),
    baseFee: bytesToQuantity(baseFee),
  })
}

/** What the pool and others need to know of a header. */
export function headOf(header: Header): Head {
  return {
    hash: header.hash,
    number: header.number,
    parentHash: header.parentHash,
    timeMs: header.timeMs,
    gasLimit: header.gasLimit,
    gasUsed: header.gasUsed,
    baseFee: header.baseFee,
  }
}

function millisecondsOf(extraData: Uint8Array): number | null {
  if (extraData.length !== 10 || !bytesEqual(extraData.subarray(0, 8), mark)) return null
  const value = ((extraData[8] ?? 0) << 8) | (extraData[9] ?? 0)
  return value <= 999 ? value : null
}

function count(value: number): Uint8Array {
  return quantityToBytes(BigInt(value))
}

function countFrom(bytes: Uint8Array): number | null {
  if (bytes.length > 7 || bytes[0] === 0) return null
  const value = Number(bytesToQuantity(bytes))
  return Number.isSafeInteger(value) ? value : null
}

function undecodable(why: string): Answer<Header> {
  return failed('chain/block-undecodable', `not a block: ${why}`)
}
