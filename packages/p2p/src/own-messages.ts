import type { Outcome } from '@rockpool/actor'
import type { GossipMessage, ImportOutcome } from '@rockpool/protocol'
import type { Admitting, PooledTxs, RecoveredTxs } from './admission.ts'
import type { Batch } from './batch.ts'
import type { Case } from './docket.ts'
import type { Fetch } from './tx-fetch.ts'

/** What only the gossip actor tells itself: outcomes of what it asked and piped, and its timers. */
export type ToSelf =
  | { type: 'gossip.fetched'; fetch: Fetch; outcome: Outcome<readonly Uint8Array[], unknown> }
  | { type: 'gossip.recovered'; batch: Admitting<Case>; outcome: RecoveredTxs }
  | { type: 'gossip.pooled'; batch: Admitting<Case>; outcome: PooledTxs }
  | { type: 'gossip.imported'; entered: Case; outcome: Outcome<ImportOutcome> }
  | {
      type: 'gossip.published'
      /** Absent for a block, which is sent once. */
      batch?: Batch
      outcome: Outcome<{ readonly recipients: number }, unknown>
    }
  | { type: 'gossip.judge' }
  | { type: 'gossip.expire' }
  | { type: 'gossip.flush' }
  | { type: 'gossip.retry' }

export type Heard = GossipMessage | ToSelf
