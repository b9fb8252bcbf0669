import type { Context, Outcome, Typed } from '@rockpool/actor'
import type { ChainHead, Hash } from '@rockpool/protocol'
import type { OpenBlob } from './blob.ts'
import type { Sent } from './tracker.ts'

/** A transaction of the tower's chain. */
export interface HomeTx {
  /** Internal order. */
  readonly txid: Uint8Array
  readonly raw: Uint8Array
  /** What it spends, on chains where transactions spend: id (internal order) and index of an output. */
  readonly inputs?: readonly { readonly txid: Uint8Array; readonly index: number }[]
}

/** A place of the chain. A block is its hash; the height says where to look. */
export interface Place {
  readonly hash: Hash
  readonly height: number
}

export interface HomeBlock extends Place {
  readonly parent: Hash
  readonly txs: readonly HomeTx[]
}

/**
 * The chain a tower watches. `block` gives the canonical block of a height, or null above the tip; the answer comes back as a message. What
 * it rejects with is waited out: a block is never skipped.
 */
export interface Home {
  readonly kind: 'utxo-locator' | 'evm-txid'
  readonly open: OpenBlob
  /** An id as people of this chain read it, without `0x`. */
  shown(txid: Uint8Array): string
  /** The head a fact tells of; undefined where facts are of another chain. */
  headOf(fact: ChainHead): Place | undefined
  /** Where the chain stands, for a start; undefined when that cannot be had now. */
  tip<M extends Typed>(
    ctx: Pick<Context<M>, 'ask' | 'pipe'>,
    map: (place: Place | undefined) => M,
  ): void
  block<M extends Typed>(
    ctx: Pick<Context<M>, 'ask' | 'pipe'>,
    height: number,
    map: (outcome: Outcome<HomeBlock | null, unknown>) => M,
  ): void
  /** Hands a transaction to the network of this chain. */
  send<M extends Typed>(
    ctx: Pick<Context<M>, 'ask' | 'pipe'>,
    raw: Uint8Array,
    map: (sent: Sent) => M,
  ): void
}
