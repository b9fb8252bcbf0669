import type { ActorRef, AskError, Context, Outcome, Typed } from '@rockpool/actor'
import type {
  Added,
  Answer,
  PeerId,
  PoolAdd,
  Recovery,
  StaticContext,
  TxOrigin,
  TxRecord,
} from '@rockpool/protocol'
import type { Entry, Intake } from './intake.ts'
import type { JudgedCode } from './verdict.ts'

/** Transactions of one sender-peer that came together, and what they came with. */
export interface Admitting<C> {
  readonly cause: C
  readonly from: PeerId
  readonly entries: readonly Entry[]
}

export type RecoveredTxs = Outcome<readonly Answer<TxRecord>[], unknown>
export type PooledTxs = Outcome<readonly Answer<Added>[]>

export interface AdmissionParts<C, M> {
  readonly intake: Intake
  readonly recovery: Recovery
  readonly pool: ActorRef<PoolAdd>
  readonly origin: TxOrigin
  /** How long the pool may take to answer. */
  readonly poolMs: number
  /** At the present head. */
  readonly context: () => StaticContext
  /** Messages to self that carry an outcome back to `recovered` and `pooled`. */
  readonly onRecovered: (batch: Admitting<C>, outcome: RecoveredTxs) => M
  readonly onPooled: (batch: Admitting<C>, outcome: PooledTxs) => M
  /** Every entry has its code. */
  readonly done: (batch: Admitting<C>) => void
}

/** The code of a question that got no answer. */
export const unanswered: Readonly<Record<AskError, JudgedCode>> = {
  full: 'load/mailbox-full',
  timeout: 'load/deadline',
  dead: 'load/draining',
  crashed: 'load/internal',
}

/** Examined transactions on their way into the pool: recovery, the checks that need a sender, the pool. Each step ends in `done` or a question. */
export function createAdmission<C, M extends Typed>(
  ctx: Pick<Context<M>, 'ask' | 'pipe' | 'log'>,
  parts: AdmissionParts<C, M>,
) {
  const { intake, recovery, pool, origin, poolMs, context, onRecovered, onPooled, done } = parts

  function begin(batch: Admitting<C>): void {
    const wanted = intake.unrecovered(batch.entries)
    if (wanted.length === 0) return offer(batch)
    ctx.pipe(
      () => recovery.recover(wanted),
      outcome => onRecovered(batch, outcome),
    )
  }

  function recovered(batch: Admitting<C>, outcome: RecoveredTxs): void {
    intake.recovered(batch.entries, outcome.ok ? outcome.value : undefined)
    offer(batch)
  }

  function offer(batch: Admitting<C>): void {
    const txs = intake.survivors(batch.entries, context())
    if (txs.length === 0) return done(batch)
    ctx.ask<PoolAdd, readonly Answer<Added>[]>(
      pool,
      reply => ({ type: 'pool.add', txs, origin, peer: batch.from, reply }),
      poolMs,
      outcome => onPooled(batch, outcome),
    )
  }

  function pooled(batch: Admitting<C>, outcome: PooledTxs): void {
    const busy = !outcome.ok && outcome.error === 'full'
    const noAnswer = outcome.ok ? undefined : busy ? 'actor/busy' : unanswered[outcome.error]
    const answers = outcome.ok ? outcome.value : (noAnswer ?? 'load/internal')
    for (const { hash, code } of intake.pooled(batch.entries, answers)) {
      ctx.log.error('p2p/validator-disagrees', { hash, code })
    }
    done(batch)
  }

  return { begin, recovered, pooled }
}

/** True for what is in the pool now and was not before. */
export function isTaken({ code }: Entry): boolean {
  return code === 'pool/pending' || code === 'pool/replaced' || code === 'pool/queued'
}
