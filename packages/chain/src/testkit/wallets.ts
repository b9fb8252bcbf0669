import type {
  Address,
  Authorization,
  DecodedTx,
  Signature,
  TxFields,
  TxRecord,
} from '@rockpool/protocol'
import {
  addressOf,
  authorizationPayload,
  bytesToQuantity,
  decodeTx,
  encodeSigned,
  fromHex,
  isSignatureInRange,
  unsignedPayload,
  withSigners,
} from '@rockpool/protocol'
import secp256k1 from 'secp256k1'
import { keccak256 } from './keccak.ts'

export const testChainId = 1337n

/** An authorization and who signed it, which its bytes tell only after recovery. */
export interface SignedAuthorization extends Authorization {
  readonly authority: Address
}

export type TxWish = Partial<Omit<TxFields, 'authorizations' | 'nonce'>> & {
  readonly nonce: bigint | number
  readonly authorizations?: readonly SignedAuthorization[]
}

export interface Wallet {
  readonly address: Address
  readonly key: Uint8Array
  /** A signed transaction as the pool would hand it over; by default a transfer of 1 wei that any base fee up to 100 gwei lets in. */
  tx(wish: TxWish): TxRecord
  authorize(wish: {
    readonly address: Address
    readonly nonce: bigint
    readonly chainId?: bigint
  }): SignedAuthorization
}

/** Wallet of a seed; the same seed is the same wallet. */
export function walletOf(seed: number): Wallet {
  return walletOfKey(keccak256(Buffer.from(`wallet ${seed}`)))
}

export function walletOfKey(key: Uint8Array): Wallet {
  const publicKey = secp256k1.publicKeyCreate(key, false)
  const address = addressOf(keccak256(publicKey.slice(1)).subarray(12))
  const sign = (payload: Uint8Array): Signature => {
    const { signature, recid } = secp256k1.ecdsaSign(keccak256(payload), key)
    return {
      r: signature.slice(0, 32),
      s: signature.slice(32),
      yParity: recid === 1 ? 1 : 0,
    }
  }
  return {
    address,
    key,
    tx(wish) {
      const fields: TxFields = {
        type: 2,
        chainId: testChainId,
        feeCap: 100_000_000_000n,
        tip: 1_000_000_000n,
        gas: 21_000n,
        to: addressAt(0xdead),
        value: 1n,
        ...wish,
        nonce: BigInt(wish.nonce),
      }
      const raw = encodeSigned(fields, sign(unsignedPayload(fields)))
      const decoded = decodeTx(raw, keccak256)
      if (!decoded.ok) throw new Error(decoded.message)
      return recordOf(decoded.value, address, wish.authorizations ?? [])
    },
    authorize(wish) {
      const content = { chainId: testChainId, ...wish }
      const { r, s, yParity } = sign(authorizationPayload(content))
      return {
        ...content,
        yParity: BigInt(yParity),
        r: bytesToQuantity(r),
        s: bytesToQuantity(s),
        authority: address,
      }
    },
  }
}

/** What recovery would say, without recovering: a signature out of range has no signer. */
function recordOf(
  tx: DecodedTx,
  sender: Address,
  authorizations: readonly SignedAuthorization[],
): TxRecord {
  const authoritySlots = authorizations.map(({ r, s, yParity, authority }) =>
    isSignatureInRange(r, s, yParity) ? authority : null,
  )
  return withSigners(tx, sender, authoritySlots)
}

/** A plain address made of a number. */
export function addressAt(value: number): Address {
  return addressOf(fromHex(value.toString(16).padStart(40, '0')))
}
