import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { createKeccak } from 'hash-wasm'
import type { Crypto } from '../ports.ts'
import { authorizationPayload, encodeSigned, type TxFields, unsignedPayload } from '../tx/encode.ts'
import type { Authorization } from '../tx/record.ts'
import { type Address, addressOf, bytesToQuantity, concatBytes } from '../values/bytes.ts'

type Native = typeof import('secp256k1')

// The binary itself: the package's root falls back to a slow implementation without a word.
const native = createRequire(import.meta.url)('secp256k1/bindings') as Native
const hasher = await createKeccak(256)

export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary')
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** A private key of one byte, repeated. */
export function keyOf(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

/** The 64-byte public key that made a signature; throws where there is none. */
export function recoverKey(digest: Uint8Array, r: Uint8Array, s: Uint8Array, id: number) {
  return native.ecdsaRecover(concatBytes(r, s), id, digest, false).slice(1)
}

export function addressOfKey(key: Uint8Array): Address {
  return addressOf(keccak256(native.publicKeyCreate(key, false).slice(1)).slice(12))
}

export function signDigest(digest: Uint8Array, key: Uint8Array) {
  const { signature, recid } = native.ecdsaSign(digest, key)
  const yParity: 0 | 1 = recid === 0 ? 0 : 1
  return { r: signature.slice(0, 32), s: signature.slice(32), yParity }
}

export function signTx(fields: TxFields, key: Uint8Array): Uint8Array {
  return encodeSigned(fields, signDigest(keccak256(unsignedPayload(fields)), key))
}

export function signAuthorization(
  fields: Pick<Authorization, 'chainId' | 'address' | 'nonce'>,
  key: Uint8Array,
): Authorization {
  const { r, s, yParity } = signDigest(keccak256(authorizationPayload(fields)), key)
  return { ...fields, yParity: BigInt(yParity), r: bytesToQuantity(r), s: bytesToQuantity(s) }
}

/** Native crypto in the calling thread. `recovered` counts signatures handed over. */
export function createTestCrypto(): Crypto & { readonly recovered: () => number } {
  let count = 0
  return {
    backend: 'native',
    workers: 0,
    keccak256,
    sha256,
    async recover(batch) {
      count += batch.length
      return batch.map(({ digest, r, s, id }) => {
        try {
          return addressOf(keccak256(recoverKey(digest, r, s, id)).slice(12))
        } catch {
          return undefined
        }
      })
    },
    recovered: () => count,
  }
}
