import {
  type ExplainedPlace,
  type Hash,
  limits,
  type TxRecord,
  type Unblock,
} from '@rockpool/protocol'
import type { Account, Entry } from './entry.ts'
import { type Finding, isHidden, isShown, type Question, type Sources } from './explain-sources.ts'
import { raised } from './state-checks.ts'
import type { Story } from './story.ts'

/** Why a pooled transaction is in its half, and where it stands. */
export function explainPooled(entry: Entry, question: Question, sources: Sources) {
  const place = placeOf(entry, question, sources)
  const finding =
    entry.half === 'pending'
      ? pendingFinding(entry, place, sources)
      : queuedFinding(entry, place, { question, sources })
  const { account } = entry
  const ages = entry.half === 'queued' ? { until: account.beat + sources.config.lifetimeMs } : {}
  return { state: entry.half, ...finding, ...ages, place }
}

function placeOf(entry: Entry, question: Question, { pool }: Sources): ExplainedPlace {
  const { account, tx } = entry
  const baseFee = pool.nextBaseFee
  const headroom = tx.feeCap - (baseFee ?? 0n)
  const { missing, count } = missingBefore(tx.nonce, account, question)
  let need = tx.cost
  for (const before of account.pending.entries) {
    if (before.tx.nonce >= tx.nonce) break
    if (isShown(before, question)) need += before.tx.cost
  }
  for (const before of account.queue.entries) {
    if (before.tx.nonce >= tx.nonce) break
    if (isShown(before, question)) need += before.tx.cost
  }
  const { balance } = account.view
  return {
    accountNonce: account.view.nonce,
    poolNonce: account.next(),
    missing,
    missingCount: count,
    effectiveTip: headroom < tx.tip ? headroom : tx.tip,
    belowBaseFee: headroom < 0n,
    overdraft: need > balance ? need - balance : 0n,
    evictionRank: pool.evictionRank(entry),
    evictionOf: pool.stats.pending + pool.stats.queued,
  }
}

/** Nonces from the account's own up to this one that nothing here has, as far as whoever asks may know. */
export function missingBefore(nonce: bigint, account: Account, question: Question) {
  const missing: bigint[] = []
  let count = 0n
  let at = account.afterPending()
  const holes = (upTo: bigint) => {
    if (upTo <= at) return
    count += upTo - at
    for (let hole = at; hole < upTo && missing.length < limits.missingNoncesMax; hole++)
      missing.push(hole)
  }
  for (const entry of account.queue.entries) {
    const { tx } = entry
    if (tx.nonce >= nonce) break
    if (!isShown(entry, question)) continue
    holes(tx.nonce)
    if (tx.nonce >= at) at = tx.nonce + 1n
  }
  holes(nonce)
  return { missing, count }
}

function pendingFinding(entry: Entry, place: ExplainedPlace, sources: Sources): Finding {
  const { tx } = entry
  const { pool, config, cheapest } = sources
  const baseFee = pool.nextBaseFee ?? 0n
  const raise = (feeCap: bigint, tip: bigint) => replacement(tx, { feeCap, tip }, config.priceBump)
  if (place.belowBaseFee) {
    return {
      reason: 'below-base-fee',
      why: `Waiting for a lower base fee: the next block asks for ${baseFee} wei per gas, this pays at most ${tx.feeCap}.`,
      unblock: [{ do: 'wait', baseFeeAtMost: tx.feeCap }, raise(baseFee + tx.tip, tx.tip)],
    }
  }
  if (place.overdraft > 0n) {
    return {
      reason: 'overdraft',
      why: `Executable, but with everything before it the account lacks ${place.overdraft} wei to pay for it.`,
      unblock: [{ do: 'fund', address: tx.sender, wei: place.overdraft }],
    }
  }
  if (
    cheapest !== undefined &&
    place.effectiveTip < cheapest.tip &&
    entry.firstSeenMs < cheapest.at
  ) {
    return {
      reason: 'not-selected',
      why: `Executable, but its tip of ${place.effectiveTip} wei per gas is below the lowest of the last block, ${cheapest.tip}.`,
      unblock: [{ do: 'wait' }, raise(baseFee + cheapest.tip, cheapest.tip)],
    }
  }
  return {
    reason: 'executable',
    why: 'Executable: it waits for the next block.',
    unblock: [{ do: 'wait' }],
  }
}

/** The least a replacement has to pay that reaches these fees. */
export function replacement(
  tx: Pick<TxRecord, 'feeCap' | 'tip'>,
  { feeCap, tip }: { readonly feeCap: bigint; readonly tip: bigint },
  bump: number,
): Unblock {
  const most = (left: bigint, right: bigint) => (left > right ? left : right)
  const maxPriorityFeePerGas = most(tip, raised(tx.tip, bump))
  return {
    do: 'replace',
    maxFeePerGas: most(most(feeCap, raised(tx.feeCap, bump)), maxPriorityFeePerGas),
    maxPriorityFeePerGas,
  }
}

function queuedFinding(
  { tx }: Entry,
  place: ExplainedPlace,
  { question, sources }: { readonly question: Question; readonly sources: Sources },
): Finding {
  const { missing, missingCount, accountNonce } = place
  const [hole] = missing
  if (hole === undefined) {
    return {
      reason: 'behind-pending',
      why: `Its turn has come, but the pool looks at this account again only with its next transaction or the next block.`,
      unblock: [{ do: 'wait' }],
    }
  }
  const parent = sources.stories.parentOf(tx.sender, hole)
  if (parent !== undefined && isNamed(parent.tx.hash, question, sources)) {
    return parentFinding(hole, parent, sources)
  }
  const list = missing.join(', ')
  const nonces = missingCount === 1n ? `nonce ${list}` : `nonces ${list}`
  const more = missingCount > BigInt(missing.length) ? ` and more (${missingCount} in all)` : ''
  const never = missingCount === 1n ? `${hole} never arrived` : `${missingCount} never arrived`
  return {
    reason: 'nonce-gap',
    why: `Waiting for ${nonces}${more}: the account is at ${accountNonce} and ${never}.`,
    unblock: missing.map(nonce => ({ do: 'send', nonce })),
  }
}

/** It is gone, and may be named. */
function isNamed(hash: Hash, question: Question, sources: Sources): boolean {
  return sources.pool.entry(hash) === undefined && !isHidden(hash, question, sources)
}

function parentFinding(hole: bigint, parent: Story, { pool, stories }: Sources): Finding {
  const { hash, tip } = parent.tx
  const reason = stories.eventsOf(parent).at(-1)?.reason ?? 'unknown'
  if (reason.endsWith('tip-below-minimum') && tip < pool.gasTip) {
    return {
      reason: 'parent-below-tip',
      why: `Waiting for nonce ${hole}: ${hash} has it and its tip of ${tip} wei is below the minimum of ${pool.gasTip}.`,
      unblock: [{ do: 'raise', hash, nonce: hole, maxPriorityFeePerGas: pool.gasTip }],
    }
  }
  return {
    reason: 'parent-dropped',
    why: `Waiting for nonce ${hole}: ${hash} had it and left the pool (${reason}).`,
    unblock: [{ do: 'resend', hash, nonce: hole }],
  }
}
