import {
  type Address,
  type BlockId,
  type BlockTag,
  fromHex,
  type Hash,
  limits,
} from '@rockpool/protocol'
import type { Param } from '../method.ts'
import { RpcError, rpcCode } from '../rpc-error.ts'

/** A block as a caller names it: `canonical` asks that a hash be on the branch of the head (EIP-1898). */
export interface BlockWish {
  readonly id: BlockId
  readonly canonical: boolean
}

const tags: ReadonlySet<string> = new Set<BlockTag>([
  'latest',
  'pending',
  'safe',
  'finalized',
  'earliest',
])
const u64Max = 2n ** 64n - 1n
const u256Max = 2n ** 256n - 1n

/** Turns a decoder into a required parameter. Its errors become `invalid argument N: …`. */
export function param<T>(name: string, decode: (value: unknown) => T): Param<T> {
  return { name, optional: false, decode }
}

export function optional<T>(of: Param<T>): Param<T | undefined> {
  return { ...of, optional: true }
}

export const address = param('address', value => readAddress(value, intoType('common.Address')))
export const hash = param('hash', value => readHash(value, intoType('common.Hash')))
export const bytes = param('data', value => readBytes(value, intoType('hexutil.Bytes')))
export const block = param('block', readBlockWish)
/** Left out or null it is the head. */
export const blockOrHead: Param<BlockWish> = {
  ...block,
  optional: true,
  absent: { id: { tag: 'latest' }, canonical: false },
}
export const blockNumber = param('block', readBlockNumber)
export const index = param('index', value =>
  Number(readQuantity(value, intoType('hexutil.Uint'), u64Max)),
)
export const flag = (name: string): Param<boolean> => param(name, value => readFlag(value))
/** A storage slot: geth takes any hex of up to 32 bytes. */
export const slot = param('slot', value => {
  const text = readText(value, 'string')
  if (!/^(0x)?[0-9a-f]*$/i.test(text)) throw new Error(`unable to decode storage key: invalid hex`)
  if (text.replace(/^0x/i, '').length > 64)
    throw new Error(`storage key too long (want at most 32 bytes)`)
  return text
})
/** A hex quantity of at most 256 bits. */
export const quantityParam = (name: string, type = 'hexutil.Big'): Param<bigint> =>
  param(name, value => readQuantity(value, intoType(type)))
/** How long to wait, in milliseconds. */
export const waitMs = param('timeout', value => {
  const into = intoType('uint64')
  // geth wants a number; wallets that write it as a quantity are understood as well.
  if (typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value)) return Number(value)
  if (typeof value !== 'number') throw cannot(kindOf(value), into)
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 64)
    throw cannot(`number ${value}`, into)
  return value
})
/** A count as hex quantity, decimal text or number. */
export const count = (name: string): Param<number> => param(name, readCount)
export const text = (name: string): Param<string> => param(name, value => readText(value, 'string'))
/** Of a filter or subscription; null is one that nobody has. */
export const filterId = param('id', value => (value === null ? '' : readText(value, 'rpc.ID')))
export const anything = (name: string): Param<unknown> => param(name, value => value)

/** Words that end a type error, in Go's manner: where the value was going. */
export type Into = string
export const intoType = (type: string): Into => `Go value of type ${type}`
export const intoField = (struct: string, field: string, type: string): Into =>
  `Go struct field ${struct}.${field} of type ${type}`

export function readAddress(value: unknown, into: Into): Address {
  return readFixed(value, 20, into, 'common.Address') as Address
}

export function readHash(value: unknown, into: Into): Hash {
  return readFixed(value, 32, into, 'common.Hash') as Hash
}

function readFixed(value: unknown, length: number, into: Into, type: string): string {
  const digits = value === '' ? '' : readDigits(value, into)
  if (digits.length % 2 !== 0) throw cannot('hex string of odd length', into)
  if (digits.length !== length * 2)
    throw new Error(`hex string has length ${digits.length}, want ${length * 2} for ${type}`)
  if (!/^[0-9a-f]*$/i.test(digits)) throw cannot('invalid hex string', into)
  return `0x${digits.toLowerCase()}`
}

/**
 * Bytes of hex text in memory of their own (a view into Node's shared 8 KiB slab would be copied whole to a worker). Decoding stops at the
 * first character that is no hex digit, so the length tells whether there was one: no second pass over the text.
 */
export function readBytes(value: unknown, into: Into): Uint8Array {
  const digits = readDigits(value, into)
  if (digits.length % 2 !== 0) throw cannot('hex string of odd length', into)
  const out = fromHex(digits)
  if (out.length * 2 !== digits.length) throw cannot('invalid hex string', into)
  return out
}

/** The digits after `0x`. */
function readDigits(value: unknown, into: Into): string {
  if (typeof value !== 'string') throw cannot('non-string', into)
  if (value === '') throw cannot('empty hex string', into)
  if (!value.startsWith('0x') && !value.startsWith('0X'))
    throw cannot('hex string without 0x prefix', into)
  return value.slice(2)
}

/** A minimal hex quantity of at most `max`. */
export function readQuantity(value: unknown, into: Into, max: bigint = u256Max): bigint {
  if (typeof value !== 'string') throw cannot('non-string', into)
  const fault = quantityFault(value)
  if (fault !== undefined) throw cannot(fault, into)
  const quantity = BigInt(value)
  if (quantity > max) throw cannot(`hex number > ${max === u64Max ? 64 : 256} bits`, into)
  return quantity
}

export const readU64 = (value: unknown, into: Into): bigint => readQuantity(value, into, u64Max)

function quantityFault(text: string): string | undefined {
  if (text === '') return 'empty hex string'
  if (!/^0x/i.test(text)) return 'hex string without 0x prefix'
  if (text.length === 2) return 'hex string "0x"'
  if (text[2] === '0' && text.length > 3) return 'hex number with leading zero digits'
  return /^0x[0-9a-f]+$/i.test(text) ? undefined : 'invalid hex string'
}

export function cannot(what: string, into: Into): Error {
  return new Error(`json: cannot unmarshal ${what} into ${into}`)
}

/** Null is false, as everywhere in Go. */
function readFlag(value: unknown): boolean {
  if (value === null) return false
  if (typeof value === 'boolean') return value
  throw cannot(kindOf(value), intoType('bool'))
}

function readText(value: unknown, type: string): string {
  if (typeof value === 'string') return value
  throw cannot(kindOf(value), intoType(type))
}

/** What JSON calls it, as Go's decoder says. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

export function readRecord(value: unknown, type: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw cannot(kindOf(value), intoType(type))
}

function readCount(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !/^(0x[0-9a-f]{1,13}|[0-9]{1,15})$/i.test(text))
    throw new Error(`invalid hex or decimal integer "${String(text)}"`)
  return Number(text)
}

/** A tag or a height. */
export function readBlockNumber(value: unknown): BlockId {
  const text = typeof value === 'number' ? String(value) : value
  if (value === null) throw new Error('hex string without 0x prefix')
  if (typeof text !== 'string') throw cannot(kindOf(value), intoType('rpc.BlockNumber'))
  if (tags.has(text)) return { tag: text as BlockTag }
  const fault = quantityFault(text)
  if (fault !== undefined) throw new Error(fault)
  const height = BigInt(text)
  if (height > u64Max) throw new Error('hex number > 64 bits')
  if (height > 2n ** 63n - 1n) throw new Error('block number larger than int64')
  // No chain reaches 2^53; what is beyond is above every head and must stay so as a number.
  return { number: Number(height) }
}

/** A tag, a height, a hash, or an EIP-1898 object. */
function readBlockWish(value: unknown): BlockWish {
  if (typeof value === 'string' && value.length === 66)
    return { id: { hash: readHash(value, intoType('common.Hash')) }, canonical: false }
  if (typeof value !== 'object' || value === null) {
    if (typeof value !== 'string') throw cannot(kindOf(value), intoType('string'))
    return { id: readBlockNumber(value), canonical: false }
  }
  const { blockHash, blockNumber, requireCanonical } = readRecord(value, 'rpc.BlockNumberOrHash')
  const hasHash = blockHash !== undefined && blockHash !== null
  const hasNumber = blockNumber !== undefined && blockNumber !== null
  if (hasHash && hasNumber)
    throw new Error('cannot specify both BlockHash and BlockNumber, choose one or the other')
  if (hasNumber) return { id: readBlockNumber(blockNumber), canonical: false }
  // Told when it is used, not when it is read: so it is no fault of the argument.
  if (!hasHash)
    throw new RpcError(rpcCode.domain, 'invalid arguments; neither block nor hash specified')
  return {
    id: { hash: readHash(blockHash, intoField('erased', 'blockHash', 'common.Hash')) },
    canonical: requireCanonical === true,
  }
}

/** Percentiles of eth_feeHistory; their range is judged later, with geth's own words. */
export const percentiles = param('rewardPercentiles', (value): readonly number[] => {
  if (value === null) return []
  if (!Array.isArray(value)) throw cannot(kindOf(value), intoType('[]float64'))
  for (const item of value)
    if (typeof item !== 'number') throw cannot(kindOf(item), intoType('float64'))
  return value.slice(0, limits.feeHistoryPercentilesMax + 1) as number[]
})
