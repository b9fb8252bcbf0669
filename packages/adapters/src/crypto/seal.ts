import { createCipheriv, createDecipheriv, getHashes, hash } from 'node:crypto'
import { ripemd160 as slowRipemd } from '@noble/hashes/legacy.js'

const cipher = 'chacha20-poly1305'
const tagBytes = 16
const options = { authTagLength: tagBytes } as const
/** Safe while one key seals one plaintext: the key is the hash of the transaction that the plaintext answers. */
const nonce = new Uint8Array(12)

export function sealPlain(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const sealing = createCipheriv(cipher, key, nonce, options)
  const sealed = new Uint8Array(plain.length + tagBytes)
  sealed.set(sealing.update(plain), 0)
  sealing.final()
  sealed.set(sealing.getAuthTag(), plain.length)
  return sealed
}

/** Nothing of the plaintext is given away before the tag is found right. */
export function openSealed(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined
  const end = sealed.length - tagBytes
  const opening = createDecipheriv(cipher, key, nonce, options)
  opening.setAuthTag(sealed.subarray(end))
  const plain = opening.update(sealed.subarray(0, end))
  try {
    opening.final()
  } catch {
    return undefined
  }
  return new Uint8Array(plain)
}

/** Some builds of OpenSSL leave RIPEMD-160 out. */
const isBuiltIn = getHashes().includes('ripemd160')

export function ripemd160(bytes: Uint8Array): Uint8Array {
  return isBuiltIn ? new Uint8Array(hash('ripemd160', bytes, 'buffer')) : slowRipemd(bytes)
}
