import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeParams, type Param } from '../method.ts'
import {
  address,
  anything,
  block,
  blockNumber,
  blockOrHead,
  bytes,
  count,
  filterId,
  flag,
  hash,
  index,
  optional,
  percentiles,
  slot,
  waitMs,
} from './params.ts'
import { callData, txArgs } from './tx-args.ts'

/** The value of one parameter, or the words of its refusal. */
function read(param: Param<unknown>, value: unknown): unknown {
  try {
    return decodeParams([param], [value])[0]
  } catch (error) {
    return error instanceof Error ? error.message : error
  }
}

const into = (type: string, what: string) =>
  `invalid argument 0: json: cannot unmarshal ${what} into Go value of type ${type}`

const refused = (what: string) => `invalid argument 0: ${what}`

describe('the list', () => {
  const two = [address, optional(flag('full'))]
  const account = `0x${'ab'.repeat(20)}`

  test('may leave out what is optional, or give null for it', () => {
    expect(decodeParams(two, [account])).toEqual([account, undefined])
    expect(decodeParams(two, [account, null])).toEqual([account, undefined])
    expect(decodeParams(two, [account, true])).toEqual([account, true])
    expect(decodeParams([], undefined)).toEqual([])
    expect(decodeParams([], null)).toEqual([])
  })

  test('must give what is required, and no more than is known', () => {
    expect(() => decodeParams(two, [])).toThrow('missing value for required argument 0')
    expect(() => decodeParams(two, undefined)).toThrow('missing value for required argument 0')
    expect(() => decodeParams(two, [account, true, 1])).toThrow(
      'too many arguments, want at most 2',
    )
    expect(() => decodeParams([], [1])).toThrow('too many arguments, want at most 0')
    expect(() => decodeParams([address, flag('full')], [account])).toThrow(
      'missing value for required argument 1',
    )
  })

  test('must be a list', () => {
    expect(() => decodeParams(two, { account })).toThrow('non-array args')
    expect(() => decodeParams(two, 'x')).toThrow('non-array args')
  })

  test('every refusal is -32602 and names the argument', () => {
    expect(() => decodeParams([anything('a'), address], [1, 2])).toThrow(
      expect.objectContaining({
        code: -32602,
        message:
          'invalid argument 1: json: cannot unmarshal non-string into Go value of type common.Address',
      }),
    )
  })
})

describe('fixed bytes', () => {
  test('are lower case afterwards', () => {
    expect(read(address, `0x${'AB'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`)
    expect(read(hash, `0x${'Cd'.repeat(32)}`)).toBe(`0x${'cd'.repeat(32)}`)
  })

  test('of another length, form or kind are refused in geth’s words', () => {
    expect(read(address, '0x1234')).toBe(
      'invalid argument 0: hex string has length 4, want 40 for common.Address',
    )
    expect(read(hash, '0x12')).toBe(
      'invalid argument 0: hex string has length 2, want 64 for common.Hash',
    )
    expect(read(address, 'ab'.repeat(20))).toBe(
      into('common.Address', 'hex string without 0x prefix'),
    )
    expect(read(address, '')).toBe(refused('hex string has length 0, want 40 for common.Address'))
    expect(read(address, '0x123')).toBe(into('common.Address', 'hex string of odd length'))
    expect(read(address, `0x${'zz'.repeat(20)}`)).toBe(into('common.Address', 'invalid hex string'))
    expect(read(address, 5)).toBe(into('common.Address', 'non-string'))
    expect(read(address, null)).toBe(into('common.Address', 'non-string'))
  })
})

describe('bytes', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), given => {
        const hex = Buffer.from(given).toString('hex')
        const value = read(bytes, `0x${hex}`) as Uint8Array

        expect(Buffer.compare(value, given)).toBe(0)
      }),
    )
  })

  test('are refused when any character is no digit', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        fc.nat(),
        fc.constantFrom('g', ' ', '\n', 'é', '-', '.'),
        (given, at, bad) => {
          const digits = Buffer.from(given).toString('hex').split('')
          digits[at % digits.length] = bad

          expect(read(bytes, `0x${digits.join('')}`)).toBe(
            into('hexutil.Bytes', 'invalid hex string'),
          )
        },
      ),
    )
    expect(read(bytes, '0xabc')).toBe(into('hexutil.Bytes', 'hex string of odd length'))
    expect(read(bytes, 'ab')).toBe(into('hexutil.Bytes', 'hex string without 0x prefix'))
    expect(read(bytes, [])).toBe(into('hexutil.Bytes', 'non-string'))
  })

  test('have memory of their own', () => {
    const value = read(bytes, '0x0102') as Uint8Array

    expect(value.buffer.byteLength).toBe(2)
  })
})

describe('a block', () => {
  test('is a tag, a height, a hash or an EIP-1898 object', () => {
    const blockHash = `0x${'ab'.repeat(32)}`
    for (const tag of ['latest', 'pending', 'safe', 'finalized', 'earliest'])
      expect(read(block, tag)).toEqual({ id: { tag }, canonical: false })
    expect(read(block, '0x10')).toEqual({ id: { number: 16 }, canonical: false })
    expect(read(block, '0x0')).toEqual({ id: { number: 0 }, canonical: false })
    expect(read(block, blockHash)).toEqual({ id: { hash: blockHash }, canonical: false })
    expect(read(block, { blockHash })).toEqual({ id: { hash: blockHash }, canonical: false })
    expect(read(block, { blockHash, requireCanonical: true })).toEqual({
      ...{ id: { hash: blockHash }, canonical: true },
    })
    expect(read(block, { blockNumber: '0x2' })).toEqual({ id: { number: 2 }, canonical: false })
    expect(read(block, { blockNumber: 'latest' })).toEqual({
      ...{ id: { tag: 'latest' }, canonical: false },
    })
  })

  test('that is neither is refused', () => {
    const blockHash = `0x${'ab'.repeat(32)}`
    const refusal = (text: string) => `invalid argument 0: ${text}`
    expect(read(block, { blockHash, blockNumber: '0x1' })).toBe(
      refusal('cannot specify both BlockHash and BlockNumber, choose one or the other'),
    )
    expect(read(block, {})).toBe('invalid arguments; neither block nor hash specified')
    expect(read(block, 5)).toBe(into('string', 'number'))
    expect(read(blockNumber, null)).toBe(refusal('hex string without 0x prefix'))
    expect(read(blockNumber, 'newest')).toBe(refusal('hex string without 0x prefix'))
    expect(read(blockNumber, 1)).toBe(refusal('hex string without 0x prefix'))
    expect(read(blockNumber, '0x')).toBe(refusal('hex string "0x"'))
    expect(read(blockNumber, '0x01')).toBe(refusal('hex number with leading zero digits'))
    expect(read(blockNumber, '')).toBe(refusal('empty hex string'))
    expect(read(blockNumber, '0x1g')).toBe(refusal('invalid hex string'))
  })

  test('may be as high as an int64 and no higher', () => {
    expect(read(blockNumber, '0x7fffffffffffffff')).toEqual({ number: 2 ** 63 })
    expect(read(blockNumber, '0x8000000000000000')).toBe(
      'invalid argument 0: block number larger than int64',
    )
    expect(read(blockNumber, '0x10000000000000000')).toBe(
      'invalid argument 0: hex number > 64 bits',
    )
  })
})

test('what Go reads as its zero value is read so', () => {
  expect(read(flag('full'), null)).toBe(false)
  expect(read(blockOrHead, null)).toEqual({ id: { tag: 'latest' }, canonical: false })
  expect(decodeParams([address, blockOrHead], [`0x${'11'.repeat(20)}`])[1]).toEqual({
    id: { tag: 'latest' },
    canonical: false,
  })
  expect(read(filterId, null)).toBe('')
  expect(read(percentiles, null)).toEqual([])
  expect(read(txArgs, null)).toEqual({ blobFields: [] })
})

test('a time to wait is a number, or a quantity as wallets write it', () => {
  expect(read(waitMs, 250)).toBe(250)
  expect(read(waitMs, '0x64')).toBe(100)
  for (const value of [-5, 1.5, 1e30])
    expect(read(waitMs, value)).toBe(into('uint64', `number ${value}`))
  expect(read(waitMs, '100')).toBe(into('uint64', 'string'))
  expect(read(waitMs, {})).toBe(into('uint64', 'object'))
})

test('an authorization lacks a field by name, an access list is wrong at a path', () => {
  const to = `0x${'11'.repeat(20)}`
  expect(read(txArgs, { authorizationList: [{ chainId: '0x1' }] })).toBe(
    refused("missing required field 'address' for SetCodeAuthorization"),
  )
  const path = 'Go struct field TransactionArgs.accessList'
  expect(read(txArgs, { accessList: [{ address: 5 }] })).toBe(
    refused(`json: cannot unmarshal non-string into ${path}.address of type common.Address`),
  )
  expect(read(txArgs, { accessList: [{ address: to, storageKeys: ['0x1'] }] })).toBe(
    refused(
      `json: cannot unmarshal hex string of odd length into ${path}.storageKeys of type common.Hash`,
    ),
  )
})

test('small parameters keep to their kind', () => {
  expect(read(flag('full'), 1)).toBe(into('bool', 'number'))
  expect(read(flag('full'), 'true')).toBe(into('bool', 'string'))
  expect(read(index, '0x2')).toBe(2)
  expect(read(index, 2)).toBe(into('hexutil.Uint', 'non-string'))
  expect(read(count('blocks'), '0x5')).toBe(5)
  expect(read(count('blocks'), '5')).toBe(5)
  expect(read(count('blocks'), 5)).toBe(5)
  expect(read(count('blocks'), -1)).toBe('invalid argument 0: invalid hex or decimal integer "-1"')
  expect(read(count('blocks'), 'x')).toBe('invalid argument 0: invalid hex or decimal integer "x"')
  expect(read(slot, '0x0')).toBe('0x0')
  expect(read(slot, `0x${'0'.repeat(64)}`)).toBe(`0x${'0'.repeat(64)}`)
  expect(read(slot, `0x${'0'.repeat(65)}`)).toContain('storage key too long')
  expect(read(percentiles, [1, 2.5])).toEqual([1, 2.5])
  expect(read(percentiles, ['1'])).toBe(into('float64', 'string'))
})

describe('a transaction', () => {
  test('keeps what is given and leaves out what is absent or null', () => {
    const to = `0x${'11'.repeat(20)}`
    expect(read(txArgs, { to, value: '0x5', nonce: null, data: '0x01' })).toEqual({
      ...{ to, value: 5n, data: Uint8Array.of(1), blobFields: [] },
    })
  })

  test('names the field that is wrong', () => {
    expect(read(txArgs, { value: '5' })).toBe(
      'invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go struct field TransactionArgs.value of type *hexutil.Big',
    )
    expect(read(txArgs, { gas: '0x10000000000000000' })).toBe(
      'invalid argument 0: json: cannot unmarshal hex number > 64 bits into Go struct field TransactionArgs.gas of type hexutil.Uint64',
    )
    expect(read(txArgs, { maxFeePerGas: `0x1${'0'.repeat(64)}` })).toContain(
      'hex number > 256 bits',
    )
    expect(read(txArgs, [])).toContain('cannot unmarshal array')
  })

  test('may give its data under both names when they are equal', () => {
    const both = (data: string, input: string) =>
      read(txArgs, { data, input }) as Parameters<typeof callData>[0]

    expect(callData(both('0x01', '0x01'))).toEqual(Uint8Array.of(1))
    expect(() => callData(both('0x01', '0x02'))).toThrow(
      'both "data" and "input" are set and not equal',
    )
  })

  test('cannot poison anything by its names', () => {
    const given = JSON.parse('{"__proto__":{"value":"0x5"},"constructor":1}') as unknown

    expect(read(txArgs, given)).toEqual({ blobFields: [] })
    expect(({} as { value?: unknown }).value).toBeUndefined()
  })
})
