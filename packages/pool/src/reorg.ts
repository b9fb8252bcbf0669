import {
  type ChainHead,
  type Failure,
  type ForkRules,
  failed,
  type Hash,
  limits,
  type TxRecord,
} from '@rockpool/protocol'
import type { Admission } from './admission.ts'
import type { Account } from './entry.ts'
import type { Holdings } from './holdings.ts'
import type { Accounts, ResetPath } from './op.ts'
import { type Compat, type Quirks, quirksOf } from './quirks.ts'

const osakaGasCap = 16_777_216n
const amsterdamGasCap = 4_294_967_295n
const uint64Max = 2n ** 64n - 1n

/** Gives every account its state at the new head. Returns those whose transactions may be affected. */
export function adoptViews(holdings: Holdings, accounts: Accounts): Set<Account> {
  const changed = new Set<Account>()
  for (const account of holdings.accounts.values()) {
    const view = accounts.get(account.address)
    if (view === undefined) throw new Error(`pool reset lacks the account ${account.address}`)
    const { nonce, balance } = account.view
    if (view.nonce !== nonce || view.balance !== balance) changed.add(account)
    account.view = view
    account.forgetNonce()
  }
  return changed
}

type KnownPath = Exclude<ResetPath, { kind: 'missing' }>

/** How a head fact changes the pool. What left comes back oldest block first; in mode `geth` newest first (Q6). */
export function resetPath(
  { old, new: head, removed, added }: ChainHead,
  compat: Compat = 'fixed',
): KnownPath {
  const newestFirst = quirksOf(compat).reinjectsNewestFirst
  const distance = Math.abs(old.number - head.number)
  return {
    kind: distance > limits.reinjectDepthMax ? 'deep' : removed.length === 0 ? 'child' : 'reorg',
    discarded: (newestFirst ? removed : [...removed].reverse()).flatMap(block => block.txs),
    included: new Set(added.flatMap(block => block.txs.map(tx => tx.hash))),
  }
}

export interface Reinjection {
  readonly path: KnownPath
  readonly accounts: Accounts
  /** What was private and is to be so again. */
  readonly privates?: ReadonlySet<Hash>
  readonly rules: ForkRules
  readonly quirks: Quirks
  readonly now: number
}

/**
 * Brings back what only the old branch held. Size, gas cap and minimum tip are checked again, because a block may hold what the pool does
 * not take. What cannot return is told with its reason.
 */
export function reinject(
  holdings: Holdings,
  admission: Admission,
  { path, accounts, privates, rules, quirks, now }: Reinjection,
): void {
  if (path.kind === 'child' || path.kind === 'sethead') return
  for (const tx of path.discarded) {
    if (path.included.has(tx.hash)) continue
    if (path.kind === 'deep') {
      holdings.trail.dropped.push({ hash: tx.hash, reason: 'reorg-too-deep' })
      continue
    }
    const refused = quirks.reinjectsUnchecked ? undefined : checkAgain(tx, rules, admission.gasTip)
    const origin = privates?.has(tx.hash) === true ? 'private' : 'reorg'
    const view = accounts.get(tx.sender)
    const verdict = refused ?? admission.add({ tx, origin, now, view })
    if ('ok' in verdict && verdict.code !== 'pool/known' && !quirks.losesSilently) {
      holdings.trail.dropped.push({ hash: tx.hash, reason: 'reorg-lost', code: verdict.code })
    }
  }
}

function checkAgain(tx: TxRecord, rules: ForkRules, minTip: bigint): Failure | undefined {
  if (tx.raw.length > limits.txBytesMax) return failed('pool/oversized')
  if (tx.gas > gasCap(rules)) return failed('pool/gas-cap')
  return tx.tip < minTip ? failed('pool/tip-below-minimum') : undefined
}

function gasCap(rules: ForkRules): bigint {
  if (rules.amsterdam) return amsterdamGasCap
  return rules.osaka ? osakaGasCap : uint64Max
}

/** The fork that caps a transaction's gas has come: what is above the cap can never be mined. */
export function dropOverGasCap(holdings: Holdings, now: number): void {
  const over = [...holdings.all.values()].filter(entry => entry.tx.gas > osakaGasCap)
  for (const entry of over) {
    holdings.remove(entry, 'gas-cap', now)
    holdings.priced.removed(1)
  }
}
