import type { Hash, Header } from '@rockpool/protocol'
import { encodeRlp, fromHex, hashOf, quantityToBytes, RlpReader, toHex } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aGenesis } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { theirHeader } from '../testkit/oracle.ts'
import { addressAt } from '../testkit/wallets.ts'
import { genesisBlock } from './genesis.ts'
import type { HeaderFields } from './header.ts'
import {
  decodeHeader,
  encodeHeader,
  extraDataOf,
  hashHeader,
  headOf,
  sealDigest,
} from './header.ts'

const hashAt = (value: number): Hash => hashOf(keccak256(quantityToBytes(BigInt(value))))

function aHeader(wish: Partial<HeaderFields> = {}): HeaderFields {
  const timeMs = wish.timeMs ?? 1_700_000_002_345
  return {
    parentHash: hashAt(1),
    producer: addressAt(0xfee),
    stateRoot: hashAt(2),
    transactionsRoot: hashAt(3),
    receiptsRoot: hashAt(4),
    number: 7,
    gasLimit: 30_000_000,
    gasUsed: 21_000,
    timeMs,
    extraData: extraDataOf(timeMs),
    baseFee: 1_000_000_000n,
    ...wish,
  }
}

const anyHeader = fc
  .record({
    parentHash: fc.nat().map(hashAt),
    producer: fc.nat().map(addressAt),
    stateRoot: fc.nat().map(hashAt),
    number: fc.integer({ min: 1, max: 2 ** 50 }),
    gasLimit: fc.integer({ min: 5_000, max: 2 ** 31 }),
    gasUsed: fc.nat(5_000),
    timeMs: fc.nat({ max: 2 ** 52 }),
    baseFee: fc.bigInt(0n, 2n ** 100n),
  })
  .map(aHeader)

/** The 21 fields of an encoded header, to bend one of them. */
function fieldsOf(encoded: Uint8Array): Uint8Array[] {
  const reader = new RlpReader(encoded)
  reader.openList('header')
  return Array.from({ length: 21 }, () => reader.view('field').slice())
}

function bent(index: number, value: Uint8Array, of: HeaderFields = aHeader()): Uint8Array {
  const fields = fieldsOf(encodeHeader(of))
  fields[index] = value
  return encodeRlp(fields)
}

test('EthereumJS gives 100 headers the same hash and the same bytes', () => {
  for (const fields of fc.sample(anyHeader, { numRuns: 100, seed: 4 })) {
    const encoded = encodeHeader(fields)
    const theirs = theirHeader(encoded)

    expect(theirs.hash).toBe(hashHeader(encoded, keccak256))
    expect(toHex(theirs.encoded)).toBe(toHex(encoded))
    expect(theirs.number).toBe(fields.number)
  }
})

test('a header comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(anyHeader, fields => {
      const encoded = encodeHeader(fields)
      const decoded = decodeHeader(encoded, keccak256)

      expect(decoded).toEqual({
        ok: true,
        value: { hash: hashHeader(encoded, keccak256), ...fields },
      })
    }),
  )
})

test('the milliseconds of the block time stand in the extra data', () => {
  expect(toHex(extraDataOf(1_700_000_002_999))).toBe('0x726f636b706f6f6c03e7')
  expect(toHex(extraDataOf(1_700_000_002_000))).toBe('0x726f636b706f6f6c0000')
})

test('the encoding of a header is for ever', () => {
  const digest = hashHeader(encodeHeader(aHeader()), keccak256)

  expect(digest).toBe('0x14512834dbf4ccc7ea4e7956cdebdd1f1b44bfc656c438e47acff0e54da8191f')
})

describe('a header is refused', () => {
  const why = (encoded: Uint8Array): string => {
    const decoded = decodeHeader(encoded, keccak256)
    if (decoded.ok) return 'decoded'
    expect(decoded.code).toBe('chain/block-undecodable')
    return decoded.message
  }

  test.each([1, 6, 7, 13, 14, 16, 17, 18, 19, 20])(
    'with another value in constant field %i',
    index => {
      const value = fieldsOf(encodeHeader(aHeader()))[index] ?? new Uint8Array(0)
      const other = value.length === 0 ? Uint8Array.of(1) : value.map(byte => byte ^ 1)

      expect(why(bent(index, other))).toBe(`not a block: field ${index} is not constant`)
    },
  )

  test.each([0, 3, 4, 5])('with 31 bytes in hash field %i', index => {
    expect(why(bent(index, new Uint8Array(31)))).toBe(`not a block: field ${index} is not a hash`)
  })

  test.each([8, 9, 10, 11])('with a leading zero or eight bytes in number field %i', index => {
    const message = `not a block: field ${index} is not a number`

    expect(why(bent(index, Uint8Array.of(0, 1)))).toBe(message)
    expect(why(bent(index, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)))).toBe(message)
    expect(why(bent(index, fromHex('20000000000000')))).toBe(message)
  })

  test('with extra data that is not the mark and milliseconds below 1,000', () => {
    expect(why(bent(12, fromHex('726f636b706f6f6c03e8')))).toBe('not a block: extra data')
    expect(why(bent(12, fromHex('726f636b706f6f6b0001')))).toBe('not a block: extra data')
    expect(why(bent(12, fromHex('726f636b706f6f6c000000')))).toBe('not a block: extra data')
    expect(why(bent(12, new Uint8Array(32)))).toBe('not a block: extra data')
  })

  test('with a base fee of 33 bytes or a leading zero', () => {
    expect(why(bent(15, new Uint8Array(33).fill(1)))).toBe('not a block: base fee')
    expect(why(bent(15, Uint8Array.of(0)))).toBe('not a block: base fee')
  })

  test('with a time beyond 2^53 milliseconds', () => {
    expect(why(bent(11, fromHex('1fffffffffffff')))).toBe('not a block: timestamp')
  })

  test('with a producer that is not an address', () => {
    expect(why(bent(2, new Uint8Array(19)))).toBe('not a block: producer is not an address')
  })

  test('with a field less, a field more, bytes behind, or a list as a field', () => {
    const encoded = encodeHeader(aHeader())
    const fields = fieldsOf(encoded)

    expect(why(encodeRlp(fields.slice(0, 20)))).toContain('missing')
    expect(why(encodeRlp([...fields, new Uint8Array(0)]))).toContain('too many')
    expect(why(Uint8Array.of(...encoded, 0))).toContain('more than one value')
    expect(why(encodeRlp([...fields.slice(0, 20), []]))).toContain('is a list')
    expect(why(new Uint8Array(0))).toContain('rlp:')
    expect(why(new Uint8Array(2_000))).toBe('not a block: header too long')
  })

  test('whatever byte is changed, if it decodes at all it is another header', () => {
    const encoded = encodeHeader(aHeader())
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const other = encoded.map((byte, index) => (index === at ? byte ^ flip : byte))
        const decoded = decodeHeader(other, keccak256)
        if (!decoded.ok) return

        expect(toHex(encodeHeader(decoded.value))).toBe(toHex(other))
      }),
    )
  })
})

test('genesis may carry 32 bytes of extra data, and only without a producer', () => {
  const { encoded, header } = genesisBlock(aGenesis(), keccak256)

  expect(decodeHeader(encoded, keccak256)).toEqual({ ok: true, value: header })
  expect(decodeHeader(bent(2, fromHex(addressAt(1)), header), keccak256)).toMatchObject({
    message: 'not a block: producer of genesis',
  })
})

test('a seal signs the hash under a mark of its own', () => {
  const hash = hashAt(1)
  const expected = keccak256(
    Buffer.concat([Buffer.from('rockpool block 1'), Buffer.from(fromHex(hash))]),
  )

  expect(toHex(sealDigest(hash, keccak256))).toBe(toHex(expected))
})

test('a head is the part of a header that others need', () => {
  const header: Header = { hash: hashAt(9), ...aHeader() }

  expect(headOf(header)).toEqual({
    hash: hashAt(9),
    number: 7,
    parentHash: hashAt(1),
    timeMs: 1_700_000_002_345,
    gasLimit: 30_000_000,
    gasUsed: 21_000,
    baseFee: 1_000_000_000n,
  })
})
