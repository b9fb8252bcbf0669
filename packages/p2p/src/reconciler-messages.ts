import type { Outcome } from '@rockpool/actor'
import type { PeerId, PoolSyncRequest, ReconcilerMessage } from '@rockpool/protocol'
import type { Admitting, PooledTxs, RecoveredTxs } from './admission.ts'
import type { Exchange } from './exchange.ts'

/** What only the reconciler tells itself: outcomes of what it asked and piped, and its timers. */
type ToSelf =
  | {
      type: 'reconciler.answered'
      exchange: Exchange
      asked: PoolSyncRequest['kind']
      outcome: Outcome<readonly Uint8Array[], unknown>
    }
  | { type: 'reconciler.recovered'; batch: Admitting<Exchange>; outcome: RecoveredTxs }
  | { type: 'reconciler.pooled'; batch: Admitting<Exchange>; outcome: PooledTxs }
  | { type: 'reconciler.visit'; peer: PeerId }
  | { type: 'reconciler.tick' }
  | { type: 'reconciler.serveNext' }

export type FromReconciler = ReconcilerMessage | ToSelf
