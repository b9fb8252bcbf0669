import type { ActorRef, Context } from '@rockpool/actor'
import {
  type ChainHead,
  type ChainMessage,
  type Hash,
  joinHeads,
  limits,
  type TxRecord,
} from '@rockpool/protocol'
import type { AddQueue, Batch } from './add-queue.ts'
import type { About, Announcer } from './announcer.ts'
import { askViews, notReady, type Views } from './chain-views.ts'
import type { Accounts, AddPart, Op } from './op.ts'
import type { Pool } from './pool.ts'
import { resetPath } from './reorg.ts'

/** What the turns tell the actor they run in: the accounts that were waited for, and that more waits. */
export type TurnMessage =
  | { type: 'pool.addViews'; batch: Batch; known: Accounts; views: Views }
  | { type: 'pool.headViews'; head: ChainHead; views: Views }
  | { type: 'pool.goOn' }
  | { type: 'pool.retryHead' }

export interface TurnsParts {
  readonly ctx: Pick<Context<TurnMessage>, 'self' | 'log' | 'after' | 'ask'>
  readonly pool: Pool
  readonly adds: AddQueue
  /** Answers and tells everybody, once the turn may be spoken of. */
  readonly announcer: Announcer
  /** The pool's time. Milliseconds. */
  readonly now: () => number
  readonly chain: ActorRef<ChainMessage>
  /** Those that were submitted as private; undefined: none. */
  readonly privatesOf: (txs: readonly TxRecord[]) => ReadonlySet<Hash> | undefined
  /** Those that were here before a restart, as they stood; and the ranks they hold. */
  readonly standingsOf: (txs: readonly TxRecord[]) => Pick<AddPart, 'restored' | 'seqFloor'>
  /** The journal is still being read: whatever comes is to come after it. */
  readonly isReading: () => boolean
  /** Whether private transactions come back when their block leaves the chain. */
  readonly privateReinject: boolean
  /** Transactions of one turn. */
  readonly turnMax: number
}

/**
 * Whose turn it is at the pool. One operation at a time waits for accounts, one is applied in a turn; what comes meanwhile waits in
 * order, heads in front and joined to one. Accounts are asked at the head the pool has, or gets, with that operation, and serve nothing else.
 */
export function createTurns(parts: TurnsParts) {
  const { ctx, pool, adds, announcer, now, chain, turnMax, privatesOf, standingsOf } = parts
  let nextHead: ChainHead | undefined
  let isAsking = false
  /** The state of the next head could not be had; it is asked for again a little later, and adds go on at the old head. */
  let isResting = false
  /** An operation was applied in this turn: the next one has to wait for its own. */
  let hasRun = false
  let isGoingOn = false
  /** The chain is being set back to this block: what another branch on it replaces is not brought back. */
  let forgetting: { readonly ancestor: Hash; readonly untilMs: number } | undefined

  /** A turn begins. */
  function begin(): void {
    hasRun = false
  }

  /** True when no add can be applied in this turn. */
  function isBusy(): boolean {
    return isAsking || isHeadDue() || announcer.isFull
  }

  function isHeadDue(): boolean {
    return nextHead !== undefined && !isResting
  }

  function hear(head: ChainHead): void {
    nextHead = nextHead === undefined ? head : joined(nextHead, head)
    isResting = false
  }

  /** Begins the next operation, if none is under way. */
  function work(): void {
    // What is on its way to the disk gives the next turn when it has arrived.
    if (isAsking || announcer.isFull || parts.isReading()) return
    if (hasRun) return goOn()
    if (nextHead !== undefined && !isResting) return askHead(nextHead)
    const batch = adds.next(turnMax)
    if (batch !== undefined) add(batch, new Map())
    goOn()
  }

  function askHead(head: ChainHead): void {
    nextHead = undefined
    isAsking = true
    const addresses = pool.needs({ op: 'reset', path: pathOf(head).path })
    if (addresses.length === 0) return onHead(head, { ok: true, accounts: new Map() })
    askViews<TurnMessage>(ctx, chain, { addresses, at: head.new.hash }, views => ({
      type: 'pool.headViews',
      head,
      views,
    }))
  }

  function onHead(head: ChainHead, views: Views): void {
    isAsking = false
    if (!views.ok) {
      nextHead = nextHead === undefined ? head : joined(head, nextHead)
      isResting = true
      ctx.after('retry head', limits.poolHeadRetryMs, { type: 'pool.retryHead' })
      return ctx.log.warn('pool/state-missing', { why: views.why, number: head.new.number })
    }
    const { accounts } = views
    const follows = head.old.hash === pool.head.hash
    // Happens after a restart, when the pool is empty, or when a fact was lost: every account is looked at again in any case.
    if (!follows) ctx.log.warn('pool/head-gap', { from: pool.head.number, to: head.old.number })
    const old = follows ? head.old : null
    const isSetBack = isForgetting(head)
    const { path, privates } = pathOf(head)
    run(
      {
        ...{ op: 'reset', now: now(), old, new: head.new, accounts },
        path: isSetBack ? { ...path, kind: 'sethead' } : path,
        ...(privates && { privates }),
      },
      { blocks: head.added },
    )
    if (isSetBack) run({ op: 'clear', now: now() })
  }

  /** What comes back stays private if it was, or does not come back. */
  function pathOf(head: ChainHead) {
    const path = resetPath(head, pool.compat)
    if (path.discarded.length === 0) return { path }
    const privates = privatesOf(path.discarded)
    if (privates === undefined || parts.privateReinject) return { path, privates }
    return {
      path: { ...path, discarded: path.discarded.filter(({ hash }) => !privates.has(hash)) },
    }
  }

  function isForgetting({ removed, ancestor }: ChainHead): boolean {
    if (forgetting === undefined || removed.length === 0) return false
    return forgetting.ancestor === ancestor.hash && now() <= forgetting.untilMs
  }

  function forget(ancestor: Hash | null): void {
    forgetting = ancestor === null ? undefined : { ancestor, untilMs: now() + limits.poolForgetMs }
  }

  function add(batch: Batch, accounts: Accounts): void {
    const { origin, txs } = batch
    const addresses = pool.needs({ op: 'add', txs }).filter(address => !accounts.has(address))
    if (addresses.length > 0) {
      isAsking = true
      return askViews<TurnMessage>(ctx, chain, { addresses, at: pool.head.hash }, views => ({
        type: 'pool.addViews',
        batch,
        known: accounts,
        views,
      }))
    }
    if (txs.length === 0) return announcer.answerRefused(batch)
    const privates = ownOrigins.has(origin) ? privatesOf(txs) : undefined
    const more = { ...(privates && { privates }), ...standingsOf(txs) }
    run({ op: 'add', now: now(), origin, txs, accounts, ...more }, { batch })
  }

  function onAdd(batch: Batch, known: Accounts, views: Views): void {
    isAsking = false
    // A sender may have left the pool meanwhile, and with him what the pool knew of him: then `add` asks again.
    if (views.ok) return add(batch, new Map([...known, ...views.accounts]))
    announcer.refuse(batch, notReady(views.why))
  }

  function run(op: Op, about: About = {}): void {
    hasRun = true
    const outcome = pool.apply(op)
    if (outcome.refused !== undefined) throw new Error(outcome.refused)
    announcer.conclude(op, outcome, about)
  }

  /** More waits: it gets a turn of its own, behind what waits in the mailbox. When that is full, its messages give it one as well. */
  function goOn(): void {
    if (isAsking || isGoingOn || announcer.isFull || (adds.isEmpty() && !isHeadDue())) return
    isGoingOn = ctx.self.offer({ type: 'pool.goOn' })
  }

  function onGoOn(): void {
    isGoingOn = false
  }

  function retry(): void {
    isResting = false
  }

  return { begin, isBusy, hear, forget, work, onHead, onAdd, onGoOn, run, retry }
}

/** Two heads as one. When a fact between them is missing, the later one alone. */
function joined(first: ChainHead, second: ChainHead): ChainHead {
  return first.new.hash === second.old.hash ? joinHeads(first, second) : second
}

/** Where private transactions come from, besides the chain. */
const ownOrigins: ReadonlySet<string> = new Set(['local', 'journal'])
