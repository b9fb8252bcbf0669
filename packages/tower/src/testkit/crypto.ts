import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { concatBytes, fromHex, type TowerCrypto, type TowerKey } from '@rockpool/protocol'

export const sha256 = (bytes: Uint8Array) =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

/** The tower's hashes and ciphers by libraries of another hand than the node's. */
export const testCrypto: TowerCrypto = {
  sha256,
  ripemd160: bytes => ripemd160(bytes),
  seal(key, plain) {
    const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), {
      authTagLength: 16,
    })
    return concatBytes(cipher.update(plain), cipher.final(), cipher.getAuthTag())
  },
  open(key, sealed) {
    if (sealed.length < 16) return undefined
    const cipher = createDecipheriv('chacha20-poly1305', key, new Uint8Array(12), {
      authTagLength: 16,
    })
    cipher.setAuthTag(sealed.subarray(sealed.length - 16))
    const plain = cipher.update(sealed.subarray(0, sealed.length - 16))
    try {
      cipher.final()
      return new Uint8Array(plain)
    } catch {
      return undefined
    }
  },
  isPublicKey(bytes) {
    try {
      secp256k1.Point.fromBytes(bytes)
      return bytes.length === 33
    } catch {
      return false
    }
  },
  recoverKeys: async batch =>
    batch.map(({ digest, r, s, id }) => {
      if (digest.length !== 32 || r.length !== 32 || s.length !== 32)
        throw new RangeError('a job has 32 bytes each')
      try {
        return secp256k1.Signature.fromBytes(concatBytes(r, s), 'compact')
          .addRecoveryBit(id)
          .recoverPublicKey(digest)
          .toBytes(true)
      } catch {
        return undefined
      }
    }),
}

/** A key of one byte, repeated, or of 32 bytes. */
export function aKey(secret: number | Uint8Array): TowerKey {
  const key = typeof secret === 'number' ? new Uint8Array(32).fill(secret) : secret
  return {
    id: secp256k1.getPublicKey(key, true),
    sign(digest) {
      const signed = secp256k1.sign(digest, key, {
        prehash: false,
        lowS: true,
        format: 'recovered',
      })
      return concatBytes(Uint8Array.of(31 + (signed[0] ?? 0)), signed.subarray(1))
    },
  }
}

/** A file of `vectors/tower`. */
export function readVector(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../../../../vectors/tower/${name}`, import.meta.url), 'utf8'),
  )
}

export const hex = (text: string) => fromHex(text.replaceAll(/\s/g, ''))
