import type { ChainHead, ChainSyncing, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'

/** What the observer hears, to tell edges outside the bus: subscriptions, status line, metrics. */
export type ObserverMessage = ChainHead | ChainSyncing | PoolChanged | PeerOpened | PeerClosed
