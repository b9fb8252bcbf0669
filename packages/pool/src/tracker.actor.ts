import { type ActorRef, type Behavior, type Outcome, unreachable } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type GossipRepublish,
  limits,
  type PoolMessage,
  type TrackerMessage,
  type TxRecord,
} from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'

export interface TrackerActorParts {
  readonly config: Pick<PoolConfig, 'journal' | 'rejournalMs' | 'republishMs'>
  readonly pool: ActorRef<PoolMessage>
  readonly gossip: Pick<ActorRef<GossipRepublish>, 'tell'>
}

type Transactions = Outcome<readonly TxRecord[]>
/** What only the tracker tells itself: the pool's answers. */
type ToSelf =
  | { type: 'tracker.lost'; outcome: Transactions }
  | { type: 'tracker.resubmitted'; outcome: Outcome<readonly Answer<Added>[]> }
  | { type: 'tracker.stale'; outcome: Transactions }

/**
 * When own transactions are looked after. What is followed is known in the pool's turns alone; here are the times, the way back into the
 * pool, which is that of everybody, and the way to gossip. A look that the pool does not answer is made up by the next. It looks often only
 * while the pool says that something waits, and otherwise seldom: most nodes never lose anything.
 */
export function trackerActor(parts: TrackerActorParts): Behavior<TrackerMessage | ToSelf> {
  const { config, pool, gossip } = parts
  return ctx => {
    let looks = false
    ctx.every('seldom', limits.trackerRecheckMs, { type: 'tracker.recheck' })
    look(true)
    if (config.republishMs > 0)
      ctx.every('republish', limits.republishLookMs, { type: 'tracker.republish' })
    if (config.journal) ctx.every('sweep', config.rejournalMs, { type: 'tracker.sweep' })

    function look(wanted: boolean): void {
      if (wanted === looks) return
      looks = wanted
      if (wanted) ctx.every('recheck', limits.trackerFirstMs, { type: 'tracker.recheck' })
      else ctx.cancel('recheck')
    }

    function resubmit(outcome: Transactions): void {
      if (!outcome.ok) return ctx.log.warn('pool/recheck-failed', { error: outcome.error })
      const txs = outcome.value
      if (txs.length === 0) return
      ctx.ask<PoolMessage, readonly Answer<Added>[]>(
        pool,
        reply => ({ type: 'pool.add', txs, origin: 'local', reply }),
        limits.trackerRecheckMs,
        answers => ({ type: 'tracker.resubmitted', outcome: answers }),
      )
    }

    return message => {
      switch (message.type) {
        case 'tracker.recheck':
          return ctx.ask<PoolMessage, readonly TxRecord[]>(
            pool,
            reply => ({ type: 'pool.recheck', reply }),
            limits.trackerRecheckMs,
            outcome => ({ type: 'tracker.lost', outcome }),
          )
        case 'tracker.lost':
          return resubmit(message.outcome)
        case 'tracker.resubmitted': {
          const { outcome } = message
          if (!outcome.ok) return ctx.log.warn('pool/resubmit-failed', { error: outcome.error })
          const taken = outcome.value.filter(answer => answer.ok).length
          return ctx.log.debug('pool/resubmitted', { taken, of: outcome.value.length })
        }
        case 'tracker.republish':
          return ctx.ask<PoolMessage, readonly TxRecord[]>(
            pool,
            reply => ({ type: 'pool.takeStale', reply }),
            limits.republishLookMs,
            outcome => ({ type: 'tracker.stale', outcome }),
          )
        case 'tracker.stale': {
          const { outcome } = message
          if (!outcome.ok || outcome.value.length === 0) return
          return gossip.tell({ type: 'gossip.republish', txs: outcome.value })
        }
        case 'tracker.sweep':
          return pool.tell({ type: 'pool.sweepJournal' })
        case 'tracker.look':
          return look(message.wanted)
        default:
          return unreachable(message)
      }
    }
  }
}
