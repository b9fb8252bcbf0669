import type { ChainClockSet, ChainHead, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'
import type { TxRecord } from '../tx/record.ts'
import type { Block } from '../values/block.ts'
import type { PeerId, Verdict } from '../values/peer.ts'
import type { Topic } from '../wire/topics.ts'
import type { Reply } from './reply.ts'

/** The network delivers a message of a topic; answered with what the router does with it. */
export type GossipDeliver = {
  type: 'gossip.deliver'
  topic: Topic
  bytes: Uint8Array
  /** Message id of the router, for logs and evidence. */
  id: string
  from: PeerId
  reply: Reply<Verdict>
}

/** The producer hands over its own new block, already on disk. */
export type GossipBlock = { type: 'gossip.block'; block: Block; frame: Uint8Array }

/** The tracker hands over own transactions that stay pending: routers may have lost them. */
export type GossipRepublish = { type: 'gossip.republish'; txs: readonly TxRecord[] }

/** The node is stopping: flush what waits, judge nothing more. */
export type GossipDrain = { type: 'gossip.drain'; reply: Reply<void> }

export interface GossipStats {
  /** Verdicts by topic kind, verdict and code. */
  readonly verdicts: ReadonlyMap<string, number>
  /** `batches`, `entries`, `announced`, `blocks` sent; `unheard` sends without a recipient; `refused` entries that found no room; `soft` outcomes. */
  readonly counts: ReadonlyMap<string, number>
}

export type GossipGetStats = { type: 'gossip.getStats'; reply: Reply<GossipStats> }

export type GossipMessage =
  | GossipDeliver
  | GossipBlock
  | GossipRepublish
  | GossipDrain
  | GossipGetStats
  | ChainHead
  | ChainClockSet
  | PoolChanged
  | PeerOpened
  | PeerClosed
