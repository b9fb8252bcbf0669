import type { AskError, Outcome } from '@rockpool/actor'
import type { Added, Answer, GossipMessage, ImportOutcome, TxRecord } from '@rockpool/protocol'
import type { Batch } from './batch.ts'
import type { Case } from './docket.ts'
import type { Entry } from './intake.ts'
import type { JudgedCode } from './verdict.ts'

/** What only the gossip actor tells itself: outcomes of what it asked and piped, and its timers. */
export type ToSelf =
  | {
      type: 'gossip.recovered'
      entered: Case
      entries: readonly Entry[]
      outcome: Outcome<readonly Answer<TxRecord>[], unknown>
    }
  | {
      type: 'gossip.pooled'
      entered: Case
      entries: readonly Entry[]
      outcome: Outcome<readonly Answer<Added>[]>
    }
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

/** The code of a question that got no answer. */
export const unanswered: Readonly<Record<AskError, JudgedCode>> = {
  full: 'load/mailbox-full',
  timeout: 'load/deadline',
  dead: 'load/draining',
  crashed: 'load/internal',
}
