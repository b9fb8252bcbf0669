import type { Address, Hash } from '../values/bytes.ts'

/** Transaction types the pool takes: legacy, EIP-2930, EIP-1559, EIP-7702. Type 3 (blobs) is recognised and refused. */
export type TxType = 0 | 1 | 2 | 4

export interface AccessEntry {
  readonly address: Address
  readonly storageKeys: readonly Hash[]
}

/** One EIP-7702 authorization tuple, as signed by the authority. */
export interface Authorization {
  readonly chainId: bigint
  readonly address: Address
  readonly nonce: bigint
  readonly yParity: bigint
  readonly r: bigint
  readonly s: bigint
}

/**
 * A decoded transaction with everything that follows from its bytes alone. Frozen by convention. Quantities are bigint, nonce and gas
 * too: 2^64-2 is a legal nonce.
 */
export interface DecodedTx {
  /** The EIP-2718 bytes, exactly as they came; the transaction hash is their keccak256. */
  readonly raw: Uint8Array
  readonly hash: Hash
  readonly type: TxType
  /** Undefined for a legacy transaction without EIP-155 protection. */
  readonly chainId: bigint | undefined
  readonly nonce: bigint
  /** maxFeePerGas; the gas price for types 0 and 1. Wei. */
  readonly feeCap: bigint
  /** maxPriorityFeePerGas; the gas price for types 0 and 1. Wei. */
  readonly tip: bigint
  readonly gas: bigint
  /** Null creates a contract. */
  readonly to: Address | null
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessEntry[]
  readonly authorizations: readonly Authorization[]
  /** As signed: 27/28 or EIP-155 for legacy, yParity for typed ones. */
  readonly v: bigint
  readonly r: bigint
  readonly s: bigint
  /** keccak256 of this is what the sender signed. */
  readonly signingPayload: Uint8Array
  /** gas x feeCap + value: the most this transaction can take from its sender. Wei. */
  readonly cost: bigint
  /** Pool slots of 32 KiB taken: ceil(size / 32768), 1 to 4. */
  readonly slots: number
  readonly zeroBytes: number
  readonly nonZeroBytes: number
  readonly accessAddressCount: number
  readonly accessKeyCount: number
}

/** A transaction whose signatures have been recovered: what pool, chain and gossip exchange. */
export interface TxRecord extends DecodedTx {
  readonly sender: Address
  /** Unique authorities recovered from the authorizations, in list order; bad signatures are skipped. */
  readonly authorities: readonly Address[]
  /** Authority of each authorization by position; null where the signature does not recover. */
  readonly authoritySlots: readonly (Address | null)[]
}
