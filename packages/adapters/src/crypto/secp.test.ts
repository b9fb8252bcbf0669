import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '@rockpool/protocol'
import { groupOrder } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { disagreements } from './secp.differential.ts'
import { type Candidate, candidates, openSecp, type Secp } from './secp.ts'

const word = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'))
const digest = new Uint8Array(32).fill(2)
const key = new Uint8Array(32).fill(1)

test('three implementations agree on 200 generated and mutated signatures', async () => {
  expect(await disagreements(200)).toEqual([])
})

describe.each(candidates)('$backend', candidate => {
  test('a signature whose key would be the point at infinity recovers nobody', async () => {
    const secp = await candidate.load()
    // With R = kG and s = h/k the key is (sR - hG)/r = 0.
    const k = 12_345n
    const { x, y } = secp256k1.Point.BASE.multiply(k).toAffine()
    const s = secp256k1.Point.Fn.mul(
      secp256k1.Point.Fn.create(BigInt(toHex(digest))),
      secp256k1.Point.Fn.inv(k),
    )
    const signature = Uint8Array.from([...word(x), ...word(s)])

    expect(secp.recover(digest, signature, Number(y & 1n))).toBeUndefined()
  })

  test('digests of zero and above the group order are taken as they are', async () => {
    const secp = await candidate.load()
    for (const extreme of [new Uint8Array(32), new Uint8Array(32).fill(255), word(groupOrder)]) {
      const { signature, id } = secp.sign(extreme, key)

      expect(secp.recover(extreme, signature, id)).toEqual(secp.publicKey(key))
    }
  })

  test('a high-s signature recovers but does not verify', async () => {
    const secp = await candidate.load()
    const { signature, id } = secp.sign(digest, key)
    const publicKey = secp.publicKey(key) ?? new Uint8Array(0)
    const s = BigInt(toHex(signature.slice(32)))
    const high = Uint8Array.from([...signature.slice(0, 32), ...word(groupOrder - s)])

    expect(secp.verify(digest, signature, publicKey)).toBe(true)
    expect(secp.verify(digest, high, publicKey)).toBe(false)
    expect(secp.recover(digest, high, id ^ 1)).toEqual(publicKey)
  })

  test('keys of zero and of the group order are none', async () => {
    const secp = await candidate.load()

    expect(secp.publicKey(new Uint8Array(32))).toBeUndefined()
    expect(secp.publicKey(word(groupOrder))).toBeUndefined()
    expect(secp.publicKey(word(groupOrder - 1n))).toHaveLength(65)
  })

  test('verifying with bytes that are no key is false', async () => {
    const secp = await candidate.load()
    const { signature } = secp.sign(digest, key)

    expect(secp.verify(digest, signature, new Uint8Array(33))).toBe(false)
    expect(secp.verify(digest, signature, new Uint8Array(7))).toBe(false)
  })
})

const missing: Candidate = {
  backend: 'native',
  load: () => Promise.reject(new Error('No native build was found\nfor this platform')),
}

test('without a native binary the next one is used, and the reason kept to one line', async () => {
  const { secp, fallbackReason } = await openSecp(undefined, [missing, ...candidates.slice(1)])

  expect(secp.backend).toBe('wasm')
  expect(fallbackReason).toBe('native: No native build was found')
})

test('an implementation that answers wrongly is fatal, not skipped', async () => {
  const wrong: Candidate = {
    backend: 'native',
    async load() {
      const [native] = await Promise.all(candidates.map(candidate => candidate.load()))
      return { ...(native as Secp), recover: () => new Uint8Array(65) }
    },
  }

  await expect(openSecp(undefined, [wrong, ...candidates])).rejects.toMatchObject({
    code: 'crypto/self-test',
  })
})

test('a forced implementation is the only one tried', async () => {
  expect((await openSecp('noble')).secp.backend).toBe('noble')
  await expect(openSecp('native', [missing, ...candidates.slice(1)])).rejects.toMatchObject({
    code: 'crypto/self-test',
  })
})
