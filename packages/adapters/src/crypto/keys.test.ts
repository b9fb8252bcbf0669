import { fromHex, toHex, zeroAddress } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createCrypto } from './crypto.ts'
import { addressOfKey, createSigner, signDigest } from './keys.ts'

const key = new Uint8Array(32).fill(1)
const digest = new Uint8Array(32).fill(2)
const address = '0x1a642f0e3c3af545e7acbd38b07251b3990914f1'

test('a signer lists its accounts and signs for them alone', async () => {
  const signer = createSigner([key, fromHex('46'.repeat(32))])

  expect(signer.accounts()).toEqual([address, '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'])
  expect(await signer.sign(zeroAddress, digest)).toMatchObject({ code: 'crypto/unknown-key' })
  expect(await signer.sign(addressOfKey(key), digest)).toMatchObject({
    ok: true,
    value: { yParity: 0 },
  })
})

test('a signature is the RFC 6979 one and recovers to its account', async () => {
  const { r, s, yParity } = signDigest(digest, key)
  const crypto = await createCrypto({ workers: 0 })

  expect(toHex(r)).toBe('0x97ef30233ead25d10f7bb2bf9eaf571a16f2deb33a75f20819284f0cb8ff3cc1')
  expect(await crypto.recover([{ digest, r, s, id: yParity }])).toEqual([address])
})

test('a signer keeps its own copy of a key', async () => {
  const mine = key.slice()
  const signer = createSigner([mine])
  mine.fill(0)

  expect(await signer.sign(addressOfKey(key), digest)).toMatchObject({ ok: true })
})

test('what is no private key is refused', () => {
  expect(() => addressOfKey(new Uint8Array(32))).toThrow('not a secp256k1 private key')
  expect(() => addressOfKey(new Uint8Array(31).fill(1))).toThrow('not a secp256k1 private key')
  expect(() => createSigner([new Uint8Array(32).fill(255)])).toThrow('not a secp256k1')
})
