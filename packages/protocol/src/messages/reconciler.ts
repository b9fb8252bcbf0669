import type { ChainHead, ChainSyncing, PeerClosed, PeerOpened, PoolChanged } from '../events.ts'
import type { PeerId } from '../values/peer.ts'
import type { Reply } from './reply.ts'

/** A peer asks on the pool sync protocol; the answer is its one frame, or none when the request was no request. */
export type ReconcilerServe = {
  type: 'reconciler.serve'
  from: PeerId
  request: Uint8Array
  reply: Reply<readonly Uint8Array[]>
}

/** The node is stopping: begin no exchange, answer busy. */
export type ReconcilerDrain = { type: 'reconciler.drain' }

export interface ReconcilerStats {
  /** Exchanges ended, by outcome: `useful`, `nothing`, `busy`, `timeout`, `bad`, `failed`. */
  readonly exchanges: ReadonlyMap<string, number>
  /** Transactions the pool took. */
  readonly txs: number
  /** Requests of peers by answer: `ids`, `txs`, `busy`, `none`. */
  readonly served: ReadonlyMap<string, number>
}

export type ReconcilerGetStats = { type: 'reconciler.getStats'; reply: Reply<ReconcilerStats> }

export type ReconcilerMessage =
  | ReconcilerServe
  | ReconcilerDrain
  | ReconcilerGetStats
  | ChainHead
  | ChainSyncing
  | PoolChanged
  | PeerOpened
  | PeerClosed
