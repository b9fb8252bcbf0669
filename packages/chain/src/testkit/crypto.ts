import { createHash } from 'node:crypto'
import type { Crypto, Signature } from '@rockpool/protocol'
import { addressOf } from '@rockpool/protocol'
import secp256k1 from 'secp256k1'
import { keccak256 } from './keccak.ts'

/** Real signatures in the calling thread. */
export const testCrypto: Crypto = {
  backend: 'native',
  workers: 0,
  keccak256,
  sha256: bytes => Uint8Array.from(createHash('sha256').update(bytes).digest()),
  recover: async batch =>
    batch.map(({ digest, r, s, id }) => {
      try {
        const key = secp256k1.ecdsaRecover(Uint8Array.from([...r, ...s]), id, digest, false)
        return addressOf(keccak256(key.slice(1)).subarray(12))
      } catch {
        // The library throws for what no key can have signed; the port answers undefined.
        return undefined
      }
    }),
}

export function signWith(key: Uint8Array, digest: Uint8Array): Signature {
  const { signature, recid } = secp256k1.ecdsaSign(digest, key)
  return { r: signature.slice(0, 32), s: signature.slice(32), yParity: recid === 1 ? 1 : 0 }
}
