import type { Hash } from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import type { Account, Entry } from './entry.ts'
import type { Holdings } from './holdings.ts'
import type { DropReason } from './op.ts'
import type { Quirks } from './quirks.ts'

export interface RunContext {
  readonly holdings: Holdings
  readonly config: PoolConfig
  readonly quirks: Quirks
  readonly now: number
  /** Gas limit of the head. */
  readonly gasLimit: bigint
  /** Transactions known to be in the new blocks of the branch. */
  readonly included?: ReadonlySet<Hash>
}

/** Drops what is stale or unpayable from the queues and moves what became executable into pending. */
export function promoteAll(accounts: Iterable<Account>, context: RunContext): void {
  let gone = 0
  for (const account of accounts) gone += promote(account, context)
  context.holdings.priced.removed(gone)
}

/** Returns how many it dropped. */
function promote(account: Account, context: RunContext): number {
  const { holdings, config, quirks, now, gasLimit } = context
  const { queue, view } = account
  account.unsettled = false
  if (queue.length === 0) return 0
  const passed = holdings.leftQueue(account, queue.forward(view.nonce))
  for (const entry of passed) holdings.forget(entry, passedReason(entry, context))
  const tooBig = holdings.leftQueue(account, queue.filter(view.balance, gasLimit))
  for (const entry of tooBig) holdings.forget(entry, tooBigReason(entry, account))
  let ready = holdings.takeReady(account, startOf(account, quirks))
  const tooMany = holdings.leftQueue(account, queue.cap(config.accountQueue))
  for (const entry of tooMany) holdings.forget(entry, 'account-queue-cap')
  while (ready.length > 0) {
    joinPending(account, ready, context)
    holdings.refreshBeat(account, now)
    // A run put in front of the list may leave the queue continuing after its tail.
    ready = holdings.takeReady(account, startOf(account, quirks))
  }
  holdings.release(account)
  return passed.length + tooBig.length + tooMany.length
}

/** The nonce up to which the queue may begin for its front to be executable. */
function startOf(account: Account, { startsAtNotedNonce }: Quirks): bigint {
  const noted = account.next()
  if (startsAtNotedNonce) return noted
  const after = account.afterPending()
  return after > noted ? after : noted
}

/** A run that ends below the list without touching it leaves a hole; everything above the hole waits in the queue. */
function joinPending(account: Account, run: Entry[], { holdings, quirks, now }: RunContext): void {
  const head = account.pending.first()
  const tail = run[run.length - 1]
  const hasHole = head !== undefined && tail !== undefined && tail.tx.nonce + 1n < head.tx.nonce
  const parked =
    hasHole && !quirks.keepsHoles
      ? holdings.leftPending(account, account.pending.cutFrom(head.tx.nonce))
      : []
  holdings.join(account, run)
  holdings.park(account, parked, now)
}

/** Drops pending transactions whose nonce the chain has passed. */
export function forwardAll(accounts: Iterable<Account>, context: RunContext): void {
  const { holdings } = context
  let count = 0
  for (const account of accounts) {
    const gone = holdings.leftPending(account, account.pending.forward(account.view.nonce))
    for (const entry of gone) holdings.forget(entry, passedReason(entry, context))
    count += gone.length
  }
  holdings.priced.removed(count)
}

/** Takes out of pending what is no longer executable: the unpayable leave, what stands behind them or behind a gap waits in the queue. */
export function demoteAll(accounts: Iterable<Account>, context: RunContext): void {
  let gone = 0
  for (const account of accounts) gone += demote(account, context)
  context.holdings.priced.removed(gone)
}

/** Returns how many it dropped. */
function demote(account: Account, context: RunContext): number {
  const { holdings, now, gasLimit } = context
  const { pending, view } = account
  const { dropped, parked } = pending.filter(view.balance, gasLimit)
  holdings.leftPending(account, dropped)
  holdings.leftPending(account, parked)
  for (const entry of dropped) holdings.forget(entry, tooBigReason(entry, account))
  holdings.park(account, parked, now)
  const first = pending.first()
  if (first !== undefined && first.tx.nonce !== view.nonce) {
    holdings.park(account, holdings.leftPending(account, pending.cutFrom(first.tx.nonce)), now)
  }
  account.settleNonce()
  holdings.release(account)
  return dropped.length
}

function passedReason(entry: Entry, { included }: RunContext): DropReason {
  return included?.has(entry.tx.hash) === true ? 'mined' : 'nonce-used'
}

function tooBigReason(entry: Entry, { view }: Account): DropReason {
  return entry.tx.cost > view.balance ? 'unpayable' : 'gas-over-block'
}

/**
 * Brings pending back under its cap by cutting the accounts with most down to equal length, never below their guarantee. A pass over
 * the offenders is never interrupted, so it may cut up to their number less one too many (geth).
 */
export function truncatePending({ holdings, config }: RunContext): void {
  const { globalSlots, accountSlots } = config
  if (holdings.pendingCount <= globalSlots) return
  const byLength = [...holdings.large].sort(
    (left, right) => right.pending.length - left.pending.length || left.order - right.order,
  )
  const offenders: Account[] = []
  for (const account of byLength) {
    if (holdings.pendingCount <= globalSlots) return
    const previous = offenders[offenders.length - 1]
    while (
      previous !== undefined &&
      holdings.pendingCount > globalSlots &&
      previous.pending.length > account.pending.length
    ) {
      cutEach(offenders, holdings)
    }
    offenders.push(account)
  }
  const last = offenders[offenders.length - 1]
  if (last === undefined) return
  while (holdings.pendingCount > globalSlots && last.pending.length > accountSlots) {
    cutEach(offenders, holdings)
  }
}

function cutEach(offenders: readonly Account[], holdings: Holdings): void {
  for (const account of offenders) {
    const entry = account.pending.cutLast()
    if (entry === undefined) continue
    holdings.leftPending(account, [entry])
    account.lower(entry.tx.nonce)
    holdings.forget(entry, 'truncated-pending')
    holdings.priced.removed(1)
  }
}

/** Brings the queue back under its cap: the accounts longest without a sign of life lose everything, the last one its highest nonces. */
export function truncateQueue({ holdings, config }: RunContext): void {
  const excess = holdings.queuedCount - config.globalQueue
  let left = excess
  for (const account of holdings.waiting) {
    if (left <= 0) break
    const keep = Math.max(0, account.queue.length - left)
    left -= account.queue.length - keep
    for (const entry of holdings.leftQueue(account, account.queue.cap(keep))) {
      holdings.forget(entry, 'truncated-queue')
    }
    holdings.release(account)
  }
  if (excess > 0) holdings.priced.removed(excess)
}

/** Drops what has waited longer than its lifetime. Pending transactions do not age unless the configuration says so. */
export function expire(context: RunContext): void {
  expireQueued(context)
  if (context.config.pendingLifetimeMs > 0) expirePending(context)
}

function expirePending({ holdings, config, now }: RunContext): void {
  for (const entry of [...holdings.all.values()]) {
    if (entry.half !== 'pending' || now - entry.firstSeenMs <= config.pendingLifetimeMs) continue
    holdings.remove(entry, 'expired-pending', now)
    holdings.priced.removed(1)
  }
}

function expireQueued({ holdings, config, now }: RunContext): void {
  for (const account of holdings.waiting) {
    if (now - account.beat <= config.lifetimeMs) return
    for (const entry of holdings.leftQueue(account, account.queue.cap(0))) {
      holdings.forget(entry, 'expired')
      holdings.priced.removed(1)
    }
    holdings.release(account)
  }
}
