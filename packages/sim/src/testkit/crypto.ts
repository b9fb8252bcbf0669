import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import {
  type Address,
  addressOf,
  type Crypto,
  concatBytes,
  type Signature,
} from '@rockpool/protocol'
import { createKeccak } from 'hash-wasm'

type Native = typeof import('secp256k1')

// The binary itself: the package's root falls back to a slow implementation without a word.
const native = createRequire(import.meta.url)('secp256k1/bindings') as Native
const hasher = await createKeccak(256)

export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary')
}

export function sign(digest: Uint8Array, key: Uint8Array): Signature {
  const { signature, recid } = native.ecdsaSign(digest, key)
  return { r: signature.slice(0, 32), s: signature.slice(32), yParity: recid === 0 ? 0 : 1 }
}

export function addressOfKey(key: Uint8Array): Address {
  return addressOf(keccak256(native.publicKeyCreate(key, false).slice(1)).slice(12))
}

/** Real hashes and signatures in the calling thread. */
export const testCrypto: Crypto = {
  backend: 'native',
  workers: 0,
  keccak256,
  sha256: bytes => new Uint8Array(createHash('sha256').update(bytes).digest()),
  recover: async batch =>
    batch.map(({ digest, r, s, id }) => {
      try {
        const key = native.ecdsaRecover(concatBytes(r, s), id, digest, false)
        return addressOf(keccak256(key.slice(1)).slice(12))
      } catch {
        // The library throws for what no key can have signed; the port answers undefined.
        return undefined
      }
    }),
}
