import { type Hash, toHex } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketOf, createDigest, differing } from './digest.ts'
import { sha256 } from './testkit/wallets.ts'

const hashes = [
  '0x0001020304050607080102030405060708010203040506070000000000000000',
  `0x00ffffffffffffff${'00'.repeat(24)}`,
  `0x7f${'22'.repeat(31)}`,
] as Hash[]

const digestOf = (all: Iterable<Hash>): Uint8Array => {
  const digest = createDigest()
  for (const hash of all) digest.add(hash)
  return digest.bytes
}

test('three hashes have the digest that every implementation must give', () => {
  const bytes = digestOf(hashes)

  expect(bytes.length).toBe(2_560)
  expect(toHex(bytes.slice(0, 10))).toBe('0x00020102030405060608')
  expect(toHex(bytes.slice(1_270, 1_280))).toBe('0x00012222222222222222')
  expect(toHex(sha256(bytes))).toBe(
    '0xc7f5f84efecbce5e4824fc5eda098f28511163b53fbfd327a23cc9d8095a84c6',
  )
})

const anyHash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => `0x${Buffer.from(bytes).toString('hex')}` as Hash)

test('kept through any history it is the digest of what is left', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyHash, fc.boolean()), { maxLength: 60 }), history => {
      const digest = createDigest()
      const left = new Set<Hash>()
      for (const [hash, stays] of history) {
        if (left.has(hash)) continue
        digest.add(hash)
        if (stays) left.add(hash)
        else digest.remove(hash)
      }

      expect(digest.bytes).toEqual(digestOf(left))
    }),
  )
})

test('two sets differ exactly in the buckets of what only one of them has', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyHash), fc.array(anyHash, { maxLength: 3 }), (both, extra) => {
      const only = [...new Set(extra)].filter(hash => !both.includes(hash))
      const expected = [...new Set(only.map(bucketOf))].sort((a, b) => a - b)

      expect(differing(digestOf(both), digestOf([...both, ...only]))).toEqual(expected)
    }),
  )
})

test('a count past 65,535 wraps and comes back', () => {
  const digest = createDigest()
  const [hash] = hashes as [Hash]
  for (let count = 0; count < 65_536; count++) digest.add(hash)
  expect(toHex(digest.bytes.slice(0, 2))).toBe('0x0000')
  for (let count = 0; count < 65_536; count++) digest.remove(hash)

  expect(digest.bytes).toEqual(new Uint8Array(2_560))
})
