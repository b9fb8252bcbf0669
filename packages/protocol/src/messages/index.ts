import type { BackendMessage } from './backend.ts'
import type { ChainMessage } from './chain.ts'
import type { GossipMessage } from './gossip.ts'
import type { MonitorMessage } from './monitor.ts'
import type { NodeMessage } from './node.ts'
import type { ObserverMessage } from './observer.ts'
import type { PoolMessage } from './pool.ts'
import type { ProducerMessage } from './producer.ts'
import type { ReconcilerMessage } from './reconciler.ts'
import type { ResponderMessage } from './responder.ts'
import type { SyncMessage } from './sync.ts'
import type { WatcherMessage } from './watcher.ts'

/** Each actor of the cast and what it accepts from others. */
export type Inbox = {
  chain: ChainMessage
  producer: ProducerMessage
  sync: SyncMessage
  reconciler: ReconcilerMessage
  pool: PoolMessage
  gossip: GossipMessage
  monitor: MonitorMessage
  watcher: WatcherMessage
  responder: ResponderMessage
  backend: BackendMessage
  node: NodeMessage
  observer: ObserverMessage
}
