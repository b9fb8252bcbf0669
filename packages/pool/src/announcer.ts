import type { ActorRef, Context } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type Block,
  type Failure,
  failed,
  type Hash,
  type NodeClear,
  type NodeRaise,
  type PoolChanged,
  type Write,
} from '@rockpool/protocol'
import type { Batch } from './add-queue.ts'
import { chronicle, tellRefused } from './chronicle.ts'
import type { Commits, WriteFailure } from './commits.ts'
import type { PoolConfig } from './config.ts'
import type { Keeper } from './keeper.ts'
import type { Op, Outcome } from './op.ts'
import type { Pool } from './pool.ts'
import { createSecrets } from './secrets.ts'
import type { Stories, Telling } from './stories.ts'
import type { Decision } from './tracked.ts'
import type { Tracker } from './tracker.ts'

export interface AnnouncerParts {
  readonly ctx: Pick<Context<{ type: string }, PoolChanged>, 'emit' | 'log' | 'id'>
  readonly pool: Pool
  readonly commits: Commits
  readonly journalSync: PoolConfig['journalSync']
  /** Absent: nothing is followed. */
  readonly tracker: Tracker | undefined
  readonly stories: Stories
  /** Absent: only own transactions are kept over a restart. */
  readonly keeper?: Keeper
  readonly now: () => number
  /** Hears whether the journal can be written. */
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
}

/** Besides the operation itself: who asked for it, and the blocks it is about. */
export interface About {
  readonly batch?: Batch
  readonly blocks?: readonly Block[]
}

export type Announcer = ReturnType<typeof createAnnouncer>

/**
 * What follows from an operation once it is applied: what is followed and written of it, then the answers, then the fact. A submission
 * that could not be written is taken back before anybody but the pool has heard of it.
 */
export function createAnnouncer(parts: AnnouncerParts) {
  const { ctx, pool, commits, journalSync, tracker, stories, node } = parts
  const secrets = createSecrets()
  let isFailing = false

  /** Others' rows first: those of own transactions take their place. */
  function recordOf({ writes }: Decision, op: Op, outcome: Outcome): readonly Write[] {
    const others = parts.keeper?.after(op, outcome) ?? []
    const told = stories.takeWrites()
    return others.length + told.length === 0 ? writes : [...others, ...writes, ...told]
  }

  /** For the stories of this turn. */
  function telling(): Telling {
    return { now: parts.now(), cause: ctx.id(), block: pool.head.number }
  }

  /** The operation was applied in this turn. */
  function conclude(op: Op, outcome: Outcome, { batch, blocks }: About = {}): void {
    const isSubmission = op.op === 'add' && (op.origin === 'local' || op.origin === 'private')
    const decision = tracker?.after(op, outcome) ?? undecided(outcome)
    const { entered, answers } = decision
    chronicle(stories, pool, { op, outcome, ...(blocks && { blocks }) }, telling())
    if (batch?.refused) tellRefused(stories, batch.origin, batch.refused, telling())
    secrets.hear(op, outcome)
    const writes = recordOf(decision, op, outcome)
    const fact =
      op.op === 'reset' || hasNews(outcome) ? secrets.without(changed(pool, outcome)) : undefined
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
  function refuse({ origin, txs, answer, refused = [] }: Batch, refusal: Failure): void {
    const all = [...refused, ...txs.map(tx => ({ tx, failure: refusal }))]
    tellRefused(stories, origin, all, telling())
    const decision = tracker?.afterRefusal(origin, txs, refusal.code, parts.now())
    write(decision?.writes ?? [], () => answer(txs.map(() => refusal)))
  }

  /** Nothing of the batch got as far as the pool. */
  function answerRefused({ origin, refused = [], answer }: Batch): void {
    tellRefused(stories, origin, refused, telling())
    commits.say(() => answer([]))
  }

  /** Writes what belongs to no submission, then speaks. A failure leaves the journal with more than it should hold, until the next sweep. */
  function write(records: readonly Write[], words: () => void): void {
    const writes = [...records, ...stories.takeWrites()]
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
    answerRefused,
    telling,
    write,
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
