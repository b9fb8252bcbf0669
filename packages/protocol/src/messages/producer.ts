import type { Answer } from '../errors.ts'
import type { ChainHead, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'
import type { Hash } from '../values/bytes.ts'
import type { BuiltBlock } from './chain.ts'
import type { Reply } from './reply.ts'

/** An operator of a devnet asks for `count` blocks now; answered with their hashes when the last is connected. */
export type ProducerMine = {
  type: 'producer.mine'
  count: number
  reply: Reply<Answer<readonly Hash[]>>
}

/** RPC asks what this node would produce now (the pending block). */
export type ProducerPreview = { type: 'producer.preview'; reply: Reply<Answer<BuiltBlock>> }

export type ProducerMessage =
  | ProducerMine
  | ProducerPreview
  | ChainHead
  | PoolChanged
  | PeerOpened
  | PeerClosed
