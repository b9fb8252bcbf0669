import type { ActorRef, Context } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type Failure,
  failed,
  type Hash,
  type NodeClear,
  type NodeRaise,
  type PoolChanged,
  type Write,
} from '@rockpool/protocol'
import type { Batch } from './add-queue.ts'
import type { Commits, WriteFailure } from './commits.ts'
import type { PoolConfig } from './config.ts'
import type { Op, Outcome } from './op.ts'
import type { Pool } from './pool.ts'
import type { Decision } from './tracked.ts'
import type { Tracker } from './tracker.ts'

export interface AnnouncerParts {
  readonly ctx: Pick<Context<{ type: string }, PoolChanged>, 'emit' | 'log'>
  readonly pool: Pool
  readonly commits: Commits
  readonly journalSync: PoolConfig['journalSync']
  /** Absent: nothing is followed. */
  readonly tracker: Tracker | undefined
  readonly now: () => number
  /** Hears whether the journal can be written. */
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
}

export type Announcer = ReturnType<typeof createAnnouncer>

/**
 * What follows from an operation once it is applied: what is followed and written of it, then the answers, then the fact. A submission
 * that could not be written is taken back before anybody but the pool has heard of it.
 */
export function createAnnouncer(parts: AnnouncerParts) {
  const { ctx, pool, commits, journalSync, tracker, node } = parts
  let isFailing = false

  /** The operation was applied in this turn. */
  function conclude(op: Op, outcome: Outcome, batch?: Batch): void {
    const isSubmission = op.op === 'add' && op.origin === 'local'
    const decision = tracker?.after(op, outcome) ?? undecided(outcome)
    const { writes, entered, answers } = decision
    const fact = op.op === 'reset' || hasNews(outcome) ? changed(pool, outcome) : undefined
    commits.push({ writes, sync: isSynced(isSubmission && entered.length > 0) }, failure => {
      judge(writes, failure)
      const lost = failure === undefined ? nobody : takeBack(decision, isSubmission)
      batch?.answer(failure === undefined ? answers : withoutLost(op, answers, lost, failure))
      if (fact !== undefined) ctx.emit(without(fact, lost))
      for (const hash of lost) {
        const drop: Op = { op: 'drop', hash, reason: 'journal-failed', now: parts.now() }
        conclude(drop, pool.apply(drop))
      }
    })
  }

  /** The pool could not be asked about the batch. */
  function refuse({ origin, txs, answer }: Batch, refusal: Failure): void {
    const decision = tracker?.afterRefusal(origin, txs, refusal.code, parts.now())
    write(decision?.writes ?? [], () => answer(txs.map(() => refusal)))
  }

  /** Writes what belongs to no submission, then speaks. A failure leaves the journal with more than it should hold, until the next sweep. */
  function write(writes: readonly Write[], words: () => void): void {
    commits.push({ writes, sync: isSynced(false) }, failure => {
      judge(writes, failure)
      words()
    })
  }

  function isSynced(hasSubmission: boolean): boolean {
    return journalSync === 'all' || (journalSync === 'local' && hasSubmission)
  }

  /** Hashes the pool has to give back. */
  function takeBack({ entered }: Decision, isSubmission: boolean): ReadonlySet<Hash> {
    if (isSubmission) return new Set(tracker?.undo(entered))
    tracker?.unwritten(entered)
    return nobody
  }

  /** Says it when the disk begins and ceases to refuse. */
  function judge(writes: readonly Write[], failure: WriteFailure): void {
    if (writes.length === 0 || (failure !== undefined) === isFailing) return
    isFailing = failure !== undefined
    if (failure === undefined) {
      ctx.log.info('pool/journal-recovered')
      return node?.tell({ type: 'node.clear', code: 'journal-failed' })
    }
    ctx.log.error('pool/journal-failed', { error: failure.cause })
    node?.tell({
      type: 'node.raise',
      reason: {
        code: 'journal-failed',
        services: [],
        text: `transaction journal unavailable: ${failure.cause}; submissions are refused`,
      },
    })
  }

  return {
    conclude,
    refuse,
    write,
    /** Something that needs no record, in its turn. */
    say: commits.say,
    get isFull() {
      return commits.isFull
    },
  }
}

const nobody: ReadonlySet<Hash> = new Set()

const undecided = ({ results }: Outcome): Decision => ({
  answers: results,
  writes: [],
  entered: [],
})

function withoutLost(
  op: Op,
  answers: readonly Answer<Added>[],
  lost: ReadonlySet<Hash>,
  failure: NonNullable<WriteFailure>,
): readonly Answer<Added>[] {
  if (op.op !== 'add') return answers
  const refusal = failed('pool/journal-failed', `transaction journal unavailable: ${failure.cause}`)
  return answers.map((answer, index) => {
    const hash = op.txs[index]?.hash
    return hash !== undefined && answer.ok && lost.has(hash) ? refusal : answer
  })
}

function hasNews({ added, promoted, demoted, dropped, events }: Outcome): boolean {
  return [added, promoted, demoted, dropped, events].some(list => list.length > 0)
}

function changed(pool: Pool, outcome: Outcome): PoolChanged {
  const { added, promoted, demoted, dropped, events } = outcome
  const head = pool.head.hash
  return {
    type: 'pool.changed',
    head,
    added,
    promoted,
    demoted,
    dropped,
    events,
    stats: pool.stats,
  }
}

function without(fact: PoolChanged, lost: ReadonlySet<Hash>): PoolChanged {
  if (lost.size === 0) return fact
  const { added, promoted, demoted, events } = fact
  const isKept = (hash: Hash) => !lost.has(hash)
  return {
    ...fact,
    added: added.filter(isKept),
    promoted: promoted.filter(isKept),
    demoted: demoted.filter(isKept),
    events: events.filter(({ tx }) => isKept(tx.hash)),
  }
}
