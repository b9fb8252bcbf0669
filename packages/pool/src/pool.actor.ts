import {
  type ActorRef,
  type Behavior,
  type Mailbox,
  type Outcome,
  unreachable,
} from '@rockpool/actor'
import {
  type Answer,
  type ChainMessage,
  type Code,
  checkStatic,
  type Forks,
  failed,
  type Hash,
  type Head,
  limits,
  type NodeClear,
  type NodeRaise,
  ok,
  type PoolAdd,
  type PoolChanged,
  type PoolDrop,
  type PoolGetNonce,
  type PoolMessage,
  type PoolRecheck,
  type PoolSubmit,
  type PoolUntrack,
  type Recovery,
  rulesAt,
  type StaticContext,
  type Store,
  type TrackerLook,
  type TrackerStats,
  type TxRecord,
} from '@rockpool/protocol'
import { AddQueue } from './add-queue.ts'
import { createAnnouncer } from './announcer.ts'
import { type AnswersMessage, createAnswers } from './answers.ts'
import { askViews, notReady, type Views } from './chain-views.ts'
import { createCommits, type StoredMessage } from './commits.ts'
import type { PoolConfig } from './config.ts'
import { Intake, type Recovering } from './intake.ts'
import { Keeper } from './keeper.ts'
import { Pool } from './pool.ts'
import { createReload, type ReloadMessage } from './reload.ts'
import { Stories } from './stories.ts'
import { Tracker } from './tracker.ts'
import { createTurns, type TurnMessage } from './turns.ts'

export interface PoolActorParts {
  readonly config: PoolConfig
  readonly chain: ActorRef<ChainMessage>
  readonly recovery: Pick<Recovery, 'recover'>
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly forks: Forks
  readonly chainId: bigint
  /** Where own transactions are written, and the chain they are for. Absent: they do not survive the process. */
  readonly journal?: { readonly store: Store; readonly genesis: Hash }
  /** Hears whether the journal can be written. */
  readonly node?: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
  /** The head the first `chain.head` follows. */
  readonly start: Head
  /** Given pool and tracker at every start: for whoever checks them from outside, between turns, reading only. */
  show?(pool: Pool, tracker: Tracker | undefined): void
  /** Who looks after own transactions; told when there is something to look for. */
  readonly tracker?: Pick<ActorRef<TrackerLook>, 'tell'>
}

/** What only the pool tells itself. */
type ToSelf =
  | TurnMessage
  | ReloadMessage
  | StoredMessage
  | AnswersMessage
  | { type: 'pool.recovered'; batch: Recovering; outcome: Outcome<Recovered, unknown> }
  | { type: 'pool.nonceView'; question: PoolGetNonce; views: Views }
  | { type: 'pool.expire' }
type Recovered = readonly Answer<TxRecord>[]
type Message = PoolMessage | ToSelf

/** Heads overtake everything else: the pool must not judge by a state that is gone. */
export const poolMailbox: Mailbox<PoolMessage> = {
  capacity: limits.mailbox.pool,
  urgent: message => message.type === 'chain.head',
}

/** Glue around the pool's core: takes messages in, asks the chain and the recovery for what they need, answers when the core has. */
export function poolActor(parts: PoolActorParts): Behavior<Message, PoolChanged> {
  const { config, chain, recovery, keccak256, forks, chainId, start } = parts
  return ctx => {
    let clock = 0
    const pool = new Pool({ config, forks, head: start })
    const adds = new AddQueue()
    const journal = isJournaled(config) ? parts.journal : undefined
    const { republishJitterMs } = limits
    const tracker = config.noLocals
      ? undefined
      : new Tracker({
          config,
          pool,
          isJournaling: journal !== undefined,
          keepsRanks: config.persist === 'all',
          jitterMs: () => ctx.int(2 * republishJitterMs + 1) - republishJitterMs,
        })
    parts.show?.(pool, tracker)
    const keeper =
      journal !== undefined && tracker !== undefined && config.persist === 'all'
        ? new Keeper({ pool, tracker })
        : undefined
    const stories = new Stories({
      max: config.stories,
      isOwn: hash => tracker?.has(hash) === true,
    })
    const commits = createCommits(ctx, journal?.store)
    const announcer = createAnnouncer({
      ...{ ctx, pool, commits, tracker, stories, now },
      ...(keeper && { keeper }),
      journalSync: config.journalSync,
      ...(parts.node && { node: parts.node }),
    })
    const turns = createTurns({
      ...{ ctx, pool, adds, announcer, now, chain, turnMax: config.turnMax },
      privatesOf: txs => tracker?.privatesOf(txs),
      privateReinject: config.privateReinject,
      standingsOf: txs => {
        const restored = keeper?.standingsOf(txs)
        return restored === undefined && reload?.progress === undefined
          ? {}
          : { ...(restored && { restored }), seqFloor: keeper?.seqFloor ?? 0 }
      },
      isReading: () => reload?.isReading === true,
    })
    const intake = new Intake({
      keccak256,
      isPooled: hash => pool.has(hash),
      context: () => contextOf(pool, forks, chainId),
    })
    const reload =
      journal !== undefined && tracker !== undefined
        ? createReload({
            ...{ ctx, store: journal.store, intake, tracker, stories, announcer, now },
            ...(keeper && { keeper }),
            rowsMax: 2 * (config.globalSlots + config.globalQueue) + limits.trackedMax,
            restoreBeats: beats => turns.run({ op: 'restoreBeats', now: now(), beats }),
            identity: { chainId, genesis: journal.genesis },
          })
        : undefined
    const answers = createAnswers({
      ...{ ctx, config, pool, stories, tracker, chain, announcer },
      recovering: hash => intake.positionOf(hash),
      loading: () => reload?.progress ?? (reload?.isReading ? { done: 0, of: 0 } : undefined),
    })
    /** The tracker begins with looking. */
    let isLooking = true
    ctx.every('expire', limits.poolExpireMs, { type: 'pool.expire' })

    const waiting = () => intake.size + adds.size

    /** The pool's time never goes backwards, whatever the calendar does. */
    function now(): number {
      clock = Math.max(clock, ctx.wall())
      return clock
    }

    function takeAdd({ txs, origin, reply }: PoolAdd): void {
      if (waiting() + txs.length > config.intakeQueue) {
        return reply.tell(txs.map(() => failed('actor/busy')))
      }
      adds.push({ origin, txs, answer: results => reply.tell(results) })
    }

    function takeSubmit(submission: PoolSubmit): void {
      const fits = waiting() < config.intakeQueue && intake.push(submission)
      if (!fits) submission.reply.tell(failed('actor/busy'))
    }

    /** As many of the same kind as lie at the head of the mailbox and fit into the turn. */
    function takeMore<K extends Message>(isKind: (m: Message) => m is K, take: (m: K) => void) {
      while (!turns.isBusy() && waiting() < config.turnMax) {
        const [next] = ctx.take(isKind, 1)
        if (next === undefined) return
        take(next)
      }
    }

    function recoverNext(): void {
      if (reload?.isReading) return
      for (let batch = intake.begin(); batch !== undefined; batch = intake.begin()) recover(batch)
    }

    function recover(batch: Recovering): void {
      ctx.pipe(
        () => recovery.recover(batch.txs),
        outcome => ({ type: 'pool.recovered', batch, outcome }),
      )
    }

    function untrack({ hash, reply }: PoolUntrack): void {
      const writes = tracker?.untrack(hash)
      if (writes === undefined) return reply.tell(false)
      announcer.write(writes, () => reply.tell(true))
    }

    function drop({ hash, reply }: PoolDrop): void {
      const isHere = pool.has(hash)
      if (isHere) turns.run({ op: 'drop', hash, now: now() })
      reply.tell(isHere)
    }

    function tellNonce(question: PoolGetNonce): void {
      const { address, reply } = question
      const nonce = pool.nonce(address)
      if (nonce !== undefined) return reply.tell(ok(nonce))
      const at = pool.head.hash
      askViews<Message>(ctx, chain, { addresses: [address], at }, views => ({
        type: 'pool.nonceView',
        question,
        views,
      }))
    }

    function onNonceView({ address, reply }: PoolGetNonce, views: Views): void {
      const nonce = pool.nonce(address)
      if (nonce !== undefined) return reply.tell(ok(nonce))
      if (!views.ok) return reply.tell(notReady(views.why))
      reply.tell(ok(views.accounts.get(address)?.nonce ?? 0n))
    }

    /** Why the static checks would refuse an own transaction at this head. */
    function staticRefusal(tx: TxRecord): Code | undefined {
      const context = { ...contextOf(pool, forks, chainId), minTip: 0n }
      return checkStatic(tx, context, ok(tx))?.code
    }

    function recheck({ reply }: PoolRecheck): void {
      if (tracker === undefined) return reply.tell([])
      const { txs, writes, expired, waits } = tracker.recheck(now(), staticRefusal)
      const telling = announcer.telling()
      for (const { hash } of txs) stories.happened(hash, 'resubmitted', telling)
      for (const hash of expired) stories.left(hash, 'local-expired', telling)
      for (const { hash, code } of waits) stories.happened(hash, 'waits', telling, code)
      // Told again even if nothing has changed: whoever looks may have begun anew.
      isLooking = tracker.wantsLook(now())
      parts.tracker?.tell({ type: 'tracker.look', wanted: isLooking })
      announcer.write(writes, () => reply.tell(txs))
    }

    function wakeTracker(): void {
      if (isLooking || tracker === undefined || !tracker.wantsLook(now())) return
      isLooking = true
      parts.tracker?.tell({ type: 'tracker.look', wanted: true })
    }

    function handle(message: Message): void {
      switch (message.type) {
        case 'chain.head':
          answers.hear(message)
          return turns.hear(message)
        case 'pool.add':
          takeAdd(message)
          return takeMore(isAdd, takeAdd)
        case 'pool.submit':
          takeSubmit(message)
          return takeMore(isSubmit, takeSubmit)
        case 'pool.recovered':
          for (const job of intake.finish(message.batch, message.outcome)) adds.push(job)
          return
        case 'pool.addViews':
          return turns.onAdd(message.batch, message.known, message.views)
        case 'pool.headViews':
          return turns.onHead(message.head, message.views)
        case 'pool.nonceView':
          return onNonceView(message.question, message.views)
        case 'pool.forget':
          turns.forget(message.ancestor)
          return message.reply.tell(null)
        case 'pool.setGasTip':
          return turns.run({ op: 'setGasTip', now: now(), tip: message.tip })
        case 'pool.expire':
          return turns.run({ op: 'expire', now: now() })
        case 'pool.retryHead':
          return turns.retry()
        case 'pool.goOn':
          return turns.onGoOn()
        case 'pool.getStatus':
          return message.reply.tell(pool.stats)
        case 'pool.getContent':
          return answers.content(message)
        case 'pool.explain':
          return answers.explain(message)
        case 'pool.explainViews':
          return answers.onViews(message)
        case 'pool.getDiff':
          return answers.diff(message)
        case 'pool.getSenders':
          return answers.senders(message)
        case 'pool.findHashes':
          return answers.findHashes(message)
        case 'pool.getInfo':
          return answers.info(message)
        case 'pool.drop':
          return drop(message)
        case 'pool.untrack':
          return untrack(message)
        case 'pool.getNonce':
          return tellNonce(message)
        case 'pool.getTransaction':
          return answers.transaction(message)
        case 'pool.select':
          return message.reply.tell(pool.select(message))
        case 'pool.recheck':
          return recheck(message)
        case 'pool.takeStale':
          return message.reply.tell(tracker?.takeStale(now()) ?? [])
        case 'pool.getTracked':
          return message.reply.tell(tracker?.list(message.all === true) ?? [])
        case 'pool.getOwn':
          return message.reply.tell(tracker?.own() ?? [])
        case 'pool.getTrackerStats':
          return message.reply.tell({ ...(tracker?.stats ?? nothingTracked), ...answers.stats })
        case 'pool.sweepJournal':
          return reload?.sweep()
        case 'pool.stored':
          return commits.onStored(message)
        case 'pool.journalRead':
          return reload?.onRead(message.outcome)
        case 'pool.reload':
          return reload?.load(message.rows)
        case 'pool.journalKeys':
          return reload?.onKeys(message.outcome)
        default:
          return unreachable(message)
      }
    }

    return message => {
      turns.begin()
      handle(message)
      recoverNext()
      turns.work()
      wakeTracker()
    }
  }
}

const nothingTracked: TrackerStats = {
  tracked: 0,
  journaled: 0,
  resubmitted: 0,
  finished: new Map(),
}

/** Whether anything survives a restart. */
export function isJournaled({ journal, noLocals, persist }: PoolConfig): boolean {
  return journal && !noLocals && persist !== 'none'
}

const isAdd = (message: Message): message is PoolAdd => message.type === 'pool.add'
const isSubmit = (message: Message): message is PoolSubmit => message.type === 'pool.submit'

function contextOf(pool: Pool, forks: Forks, chainId: bigint): StaticContext {
  const { number, timeMs, gasLimit } = pool.head
  const timeSeconds = Math.floor(timeMs / 1000)
  const rules = rulesAt(forks, { number, timeSeconds, merged: true })
  return { rules, chainId, gasLimit, minTip: pool.gasTip }
}
