import type { TxRecord } from '../tx/record.ts'
import type { Address, Hash } from './bytes.ts'

/** A header with what follows from it. Fields that are constant on this chain (bloom, ommers, …) exist only in its encoding. */
export interface Header {
  readonly hash: Hash
  readonly parentHash: Hash
  /** Fee recipient: the producer's address; zero in genesis. */
  readonly producer: Address
  readonly stateRoot: Hash
  readonly transactionsRoot: Hash
  readonly receiptsRoot: Hash
  readonly number: number
  readonly gasLimit: number
  readonly gasUsed: number
  /** Block time in whole milliseconds: timestamp x 1000 + the milliseconds of the extra data. */
  readonly timeMs: number
  readonly extraData: Uint8Array
  readonly baseFee: bigint
}

/** A block whose transactions are decoded and recovered. */
export interface Block {
  readonly header: Header
  readonly txs: readonly TxRecord[]
  /** r, s, y: the producer's signature over the header hash, outside the hash; empty in genesis. */
  readonly seal: Uint8Array
  /** Size of the encoded block. Bytes. */
  readonly size: number
}

export interface TxReceipt {
  readonly txHash: Hash
  readonly status: 0 | 1
  readonly gasUsed: number
  readonly cumulativeGasUsed: number
  /** Wei per gas actually paid: base fee + effective tip. */
  readonly effectiveGasPrice: bigint
  /** The created account, or null for a call. */
  readonly contractAddress: Address | null
}

/** What the pool and others need to know of a head. Times in ms, gas in units, base fee in wei. */
export interface Head {
  readonly hash: Hash
  readonly number: number
  readonly parentHash: Hash
  readonly timeMs: number
  readonly gasLimit: number
  readonly gasUsed: number
  readonly baseFee: bigint
}

export interface AccountView {
  readonly nonce: bigint
  readonly balance: bigint
  /** Zero hash when the account does not exist; the empty code hash without code; else the hash of its code (a delegation). */
  readonly codeHash: Hash
  /** Address an EIP-7702 account is delegated to. */
  readonly delegation: Address | null
}

export type BlockTag = 'latest' | 'pending' | 'safe' | 'finalized' | 'earliest'
export type BlockId =
  | { readonly hash: Hash }
  | { readonly number: number }
  | { readonly tag: BlockTag }

/** The decoded envelope of a block as it travels and lies on disk; its header and transactions are still raw. */
export interface BlockFrame {
  readonly header: Uint8Array
  readonly txs: readonly Uint8Array[]
  readonly seal: Uint8Array
}

/** The announcement of a block too large for gossip: its body is fetched. */
export interface BlockAnnounce {
  readonly header: Uint8Array
  readonly seal: Uint8Array
}
