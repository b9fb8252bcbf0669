import {
  addressOf,
  type Crypto,
  createRecovery,
  decodeTx,
  encodeSigned,
  fromHex,
  type Recovery,
  type TxFields,
  type TxRecord,
  toHex,
  unsignedPayload,
  zeroAddress,
} from '@rockpool/protocol'
import { createKeccak, createSHA256 } from 'hash-wasm'
import secp256k1 from 'secp256k1'

const keccak = await createKeccak(256)
const sha = await createSHA256()

export const keccak256 = (bytes: Uint8Array): Uint8Array =>
  keccak.init().update(bytes).digest('binary')
export const sha256 = (bytes: Uint8Array): Uint8Array => sha.init().update(bytes).digest('binary')

export const chainId = 1337n

/** The `Crypto` port over the native library, in the calling thread. */
const crypto: Crypto = {
  backend: 'native',
  workers: 0,
  keccak256,
  sha256,
  async recover(batch) {
    return batch.map(({ digest, r, s, id }) => {
      try {
        const signature = Uint8Array.from([...r, ...s])
        const key = secp256k1.ecdsaRecover(signature, id, digest, false)
        return addressOf(keccak256(key.slice(1)).slice(12))
      } catch {
        return undefined
      }
    })
  },
}

export const newRecovery = (): Recovery => createRecovery(crypto, chainId)

export type TxWish = Partial<TxFields> & { readonly from?: number }

/** Signed bytes of a transfer of 1 wei, but for what is wished. */
export function aRaw({ from = 1, ...wish }: TxWish = {}): Uint8Array {
  const key = keyOf(from)
  const fields: TxFields = {
    type: 2,
    chainId,
    nonce: 0n,
    feeCap: 2_000_000_000n,
    tip: 1_000_000_000n,
    gas: 21_000n,
    to: zeroAddress,
    value: 1n,
    ...wish,
  }
  const { signature, recid } = secp256k1.ecdsaSign(keccak256(unsignedPayload(fields)), key)
  const yParity = recid === 1 ? 1 : 0
  return encodeSigned(fields, { r: signature.slice(0, 32), s: signature.slice(32), yParity })
}

/** The same as a recovered record. */
export function aTx(wish: TxWish = {}): TxRecord {
  const decoded = decodeTx(aRaw(wish), keccak256)
  if (!decoded.ok) throw new Error(decoded.message)
  const key = secp256k1.publicKeyCreate(keyOf(wish.from ?? 1), false)
  const sender = addressOf(keccak256(key.slice(1)).slice(12))
  return { ...decoded.value, sender, authorities: [], authoritySlots: [] }
}

/** Well-formed bytes whose signature recovers nobody: r is not the x of any point. */
export function unrecoverable(wish: TxWish = {}): Uint8Array {
  const raw = aRaw(wish)
  // A type 2 transaction ends in: 01|80, a0 r, a0 s.
  for (let tries = 1; tries < 256; tries++) {
    const copy = raw.slice()
    copy[raw.length - 34] = tries
    const decoded = decodeTx(copy, keccak256)
    if (!decoded.ok) continue
    const { signingPayload, r, s, v } = decoded.value
    const word = (value: bigint) => value.toString(16).padStart(64, '0')
    try {
      const digest = keccak256(signingPayload)
      secp256k1.ecdsaRecover(fromHex(word(r) + word(s)), Number(v), digest, false)
    } catch {
      return copy
    }
  }
  throw new Error(`every r recovers somebody in ${toHex(raw)}`)
}

function keyOf(seed: number): Uint8Array {
  const key = new Uint8Array(32).fill(1)
  new DataView(key.buffer).setUint32(28, seed)
  return key
}
