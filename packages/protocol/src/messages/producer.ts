import type { Answer } from '../errors.ts'
import type { ChainClockSet, ChainHead, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'
import type { Hash } from '../values/bytes.ts'
import type { BuiltBlock } from './chain.ts'
import type { Reply } from './reply.ts'

/** An operator of a devnet asks for `count` blocks now; answered with their hashes when the last is connected. */
export type ProducerMine = {
  type: 'producer.mine'
  count: number
  reply: Reply<Answer<readonly Hash[]>>
}

/** What a forced reorg did. */
export interface ForcedReorg {
  readonly ancestor: { readonly hash: Hash; readonly number: number }
  /** Newest first. */
  readonly removed: readonly Hash[]
  /** Oldest first. */
  readonly added: readonly Hash[]
  /** Transactions of the removed blocks that are in the added ones. */
  readonly reinjected: readonly Hash[]
}

/** An operator of a devnet wants the last `depth` blocks replaced, keeping that share (0 to 1) of their transactions. */
export type ProducerReorg = {
  type: 'producer.reorg'
  depth: number
  keepTxs: number
  reply: Reply<Answer<ForcedReorg>>
}

/** RPC asks what this node would produce now (the pending block). */
export type ProducerPreview = { type: 'producer.preview'; reply: Reply<Answer<BuiltBlock>> }

export type ProducerMessage =
  | ProducerMine
  | ProducerReorg
  | ProducerPreview
  | ChainHead
  | ChainClockSet
  | PoolChanged
  | PeerOpened
  | PeerClosed
