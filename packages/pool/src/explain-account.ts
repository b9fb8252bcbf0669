import {
  type Address,
  type ExplainedNonce,
  type Explanation,
  emptyCodeHash,
  zeroHash,
} from '@rockpool/protocol'
import type { Entry } from './entry.ts'
import { explainPooled, missingBefore } from './explain-pooled.ts'
import { type Finding, isShown, type Question, type Sources } from './explain-sources.ts'

/** Both halves of an account, its gaps and its sums. */
export function explainAccount(
  address: Address,
  question: Question,
  sources: Sources,
): Explanation {
  const { view: given } = question
  const { pool, config } = sources
  const account = pool.account(address)
  const view = account?.view ?? given
  const subject = `address ${address}`
  if (view === undefined) {
    const why = 'Nothing of it is in the pool, and its account cannot be read now.'
    return {
      subject,
      state: 'account',
      reason: 'state-missing',
      why,
      unblock: [{ do: 'wait' }],
      story: [],
    }
  }
  const shown = (entries: readonly Entry[] = []) => entries.filter(each => isShown(each, question))
  const lines = (entries: readonly Entry[] = []): ExplainedNonce[] =>
    shown(entries).map(entry => ({
      ...{ nonce: entry.tx.nonce, hash: entry.tx.hash },
      reason: explainPooled(entry, question, sources).reason,
    }))
  const pending = lines(account?.pending.entries)
  const queued = lines(account?.queue.entries)
  const last = queued.at(-1)
  const gaps =
    account === undefined || last === undefined
      ? { missing: [], count: 0n }
      : missingBefore(last.nonce, account, question)
  const costs = [...shown(account?.pending.entries), ...shown(account?.queue.entries)]
  const totalCost = costs.reduce((sum, { tx }) => sum + tx.cost, 0n)
  const poolNonce = account?.next() ?? view.nonce
  const finding = accountFinding({ pending, queued, gaps, poolNonce, nonce: view.nonce })
  return {
    subject,
    state: 'account',
    ...finding,
    story: [],
    account: {
      ...{ nonce: view.nonce, poolNonce, balance: view.balance, totalCost, pending, queued },
      missing: gaps.missing,
      delegated: view.codeHash !== emptyCodeHash && view.codeHash !== zeroHash,
      authorizations: pool.authorizationsOf(address),
      ...(account !== undefined &&
        queued.length > 0 && { beat: account.beat, expires: account.beat + config.lifetimeMs }),
    },
  }
}

interface AccountFacts {
  readonly pending: readonly ExplainedNonce[]
  readonly queued: readonly ExplainedNonce[]
  readonly gaps: { readonly missing: readonly bigint[]; readonly count: bigint }
  readonly poolNonce: bigint
  readonly nonce: bigint
}

function accountFinding({ pending, queued, gaps, poolNonce, nonce }: AccountFacts): Finding {
  const here = `${pending.length} executable, ${queued.length} waiting`
  if (pending.length + queued.length === 0) {
    const why = `Nothing of it is in the pool; its next nonce is ${nonce}.`
    return { reason: 'empty', why, unblock: [{ do: 'send', nonce }] }
  }
  if (queued.length === 0) {
    const why = `${here}; its next nonce is ${poolNonce}.`
    return { reason: 'executable', why, unblock: [{ do: 'wait' }] }
  }
  const [first] = gaps.missing
  if (first === undefined) {
    return {
      reason: 'behind-pending',
      why: `${here}; no nonce is missing.`,
      unblock: [{ do: 'wait' }],
    }
  }
  return {
    reason: 'nonce-gap',
    why: `${here}; ${gaps.count} missing, the first is nonce ${first}.`,
    unblock: gaps.missing.map(missing => ({ do: 'send', nonce: missing })),
  }
}
