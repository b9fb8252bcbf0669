import { Packr } from 'msgpackr'
import secp256k1 from 'secp256k1'
import { concatHex, type Hex, hexToBytes, keccak256, numberToHex, stringToHex, toRlp } from 'viem'

/*
 * The dev chain's block, written from its description alone: so that a node and the test of a node cannot share a mistake. A block here has
 * exactly one transaction, a transfer of type 2, and therefore tries of a single leaf.
 */

export interface Header {
  readonly parentHash: Hex
  readonly producer: Hex
  readonly stateRoot: Hex
  readonly transactionsRoot: Hex
  readonly receiptsRoot: Hex
  readonly number: number
  readonly gasLimit: number
  readonly gasUsed: number
  readonly timeMs: number
  readonly baseFee: bigint
}

export interface AccountState {
  readonly address: Hex
  readonly nonce: number
  readonly balance: bigint
}

const zeroHash = `0x${'00'.repeat(32)}` as const
const zeroBloom = `0x${'00'.repeat(256)}` as const
const emptyOmmers = keccak256(toRlp([]))
const emptyTrie = keccak256('0x80')
const emptyCode = keccak256('0x')
const emptyRequests = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** RLP writes zero as no bytes. */
function quantity(value: number | bigint): Hex {
  return value === 0 || value === 0n ? '0x' : evenHex(numberToHex(value))
}

function evenHex(hex: Hex): Hex {
  return hex.length % 2 === 0 ? hex : `0x0${hex.slice(2)}`
}

/** Root of a trie whose only key is RLP of 0, that is the byte 0x80: one leaf with both nibbles of the key in its path. */
function oneLeafRoot(value: Hex): Hex {
  return keccak256(toRlp(['0x2080', value]))
}

export function transactionsRootOf(raw: Hex): Hex {
  return oneLeafRoot(raw)
}

/** Of one successful transaction of type 2 without logs. */
export function receiptsRootOf(gasUsed: number): Hex {
  return oneLeafRoot(concatHex(['0x02', toRlp(['0x01', quantity(gasUsed), zeroBloom, []])]))
}

export function stateRootAfter(parentRoot: Hex, changed: readonly AccountState[]): Hex {
  const rows = [...changed].sort((left, right) => (left.address < right.address ? -1 : 1))
  const list = rows.map(({ address, nonce, balance }) => [
    ...[address, quantity(nonce), quantity(balance), emptyCode],
  ])
  return keccak256(concatHex([parentRoot, toRlp(list)]))
}

/** Base fee of the block after one with this gas (EIP-1559). */
export function nextBaseFee(gasLimit: number, gasUsed: number, baseFee: bigint): bigint {
  const target = BigInt(Math.floor(gasLimit / 2))
  const used = BigInt(gasUsed)
  if (used === target) return baseFee
  if (used < target) return baseFee - (baseFee * (target - used)) / target / 8n
  const rise = (baseFee * (used - target)) / target / 8n
  return baseFee + (rise > 1n ? rise : 1n)
}

/** The 21 fields of Ethereum's header up to Prague. */
export function encodeHeader(header: Header): Hex {
  const milliseconds = numberToHex(header.timeMs % 1_000, { size: 2 })
  return toRlp([
    header.parentHash,
    emptyOmmers,
    header.producer,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    zeroBloom,
    '0x',
    quantity(header.number),
    quantity(header.gasLimit),
    quantity(header.gasUsed),
    quantity(Math.floor(header.timeMs / 1_000)),
    concatHex([stringToHex('rockpool'), milliseconds]),
    zeroHash,
    '0x0000000000000000',
    quantity(header.baseFee),
    emptyTrie,
    '0x',
    '0x',
    zeroHash,
    emptyRequests,
  ])
}

/** The producer's signature over a header hash: r, s and parity. */
export function sealOf(headerHash: Hex, producerKey: Hex): Uint8Array {
  const digest = keccak256(concatHex([stringToHex('rockpool block 1'), headerHash]), 'bytes')
  const { signature, recid } = secp256k1.ecdsaSign(digest, hexToBytes(producerKey))
  return Buffer.concat([signature, Buffer.of(recid)])
}

const packr = new Packr({ useRecords: false })

/** The frame that travels on topic `block`. */
export function encodeBlock(header: Hex, raws: readonly Hex[], seal: Uint8Array): Uint8Array {
  const bytes = (hex: Hex) => Buffer.from(hex.slice(2), 'hex')
  return Buffer.from(packr.pack([1, 1, bytes(header), raws.map(bytes), Buffer.from(seal)]))
}
