import type { ChainHead, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'
import type { ChainMessage } from './chain.ts'
import type { GossipMessage } from './gossip.ts'
import type { PoolMessage } from './pool.ts'
import type { ProducerMessage } from './producer.ts'
import type { SyncMessage } from './sync.ts'

/** What the observer hears, to tell edges outside the bus: subscriptions, status line, metrics. */
export type ObserverMessage = ChainHead | PoolChanged | PeerOpened | PeerClosed

/** Each actor of the cast and what it accepts from others. */
export type Inbox = {
  chain: ChainMessage
  producer: ProducerMessage
  sync: SyncMessage
  pool: PoolMessage
  gossip: GossipMessage
  observer: ObserverMessage
}
