import { type Added, type Answer, type Failure, type Hash, ok } from '@rockpool/protocol'
import type { Entry } from './entry.ts'
import type { Trail } from './holdings.ts'
import type { Outcome } from './op.ts'

/** What the additions of an operation came to. */
export interface Verdicts {
  readonly verdicts: readonly (Entry | Failure)[]
  /** Rank of arrival of the first of them. */
  readonly firstSeq: number
}

export interface Announcement {
  /** Replacements in pending since the last run that announced. */
  readonly replacements: readonly Entry[]
  /** Q4: also what has left pending since. */
  readonly theGone: boolean
}

export const nothing: Outcome = {
  results: [],
  added: [],
  promoted: [],
  demoted: [],
  dropped: [],
  events: [],
}

/** What an operation did, from the trail it left. */
export function outcomeOf(
  { added, promoted, demoted, dropped }: Trail,
  { replacements, theGone }: Announcement,
  add?: Verdicts,
): Outcome {
  const stillPending = promoted.length === 0 ? promoted : [...new Set(promoted)].filter(isPending)
  const announced = theGone
    ? onePerNonce([...replacements, ...promoted])
    : replacements.length === 0
      ? stillPending
      : [...new Set([...stillPending, ...replacements.filter(isPending)])]
  return {
    results: resultsOf(add, dropped),
    added: added.map(hashOfEntry),
    promoted: stillPending.map(hashOfEntry),
    demoted: demoted.length === 0 ? [] : [...new Set(demoted)].filter(isQueued).map(hashOfEntry),
    dropped,
    events: sorted(announced).map(({ tx, origin, seq }) => ({
      tx,
      origin,
      // The router forwards what its own verdict accepted, and only that.
      relayed: origin === 'gossip' && add !== undefined && seq >= add.firstSeq,
    })),
  }
}

function resultsOf(
  add: Verdicts | undefined,
  dropped: Outcome['dropped'],
): readonly Answer<Added>[] {
  if (add === undefined) return []
  const replacedBy = new Map<Hash, Hash>()
  for (const { hash, reason, by } of dropped) {
    if (reason === 'replaced' && by !== undefined) replacedBy.set(by, hash)
  }
  return add.verdicts.map(verdict => {
    if ('ok' in verdict) return verdict
    const { half, tx } = verdict
    const replaced = replacedBy.get(tx.hash)
    return ok(replaced === undefined ? { hash: tx.hash, half } : { hash: tx.hash, half, replaced })
  })
}

/** Of a sender's entries with one nonce the last. */
function onePerNonce(entries: readonly Entry[]): Entry[] {
  const last = new Map<string, Entry>()
  for (const entry of entries) last.set(`${entry.tx.sender} ${entry.tx.nonce}`, entry)
  return [...last.values()]
}

/** By account, then nonce. Most come sorted, which costs one comparison each. */
function sorted(entries: Entry[]): Entry[] {
  for (let index = 1; index < entries.length; index++) {
    if (byAccountAndNonce(entries[index - 1] as Entry, entries[index] as Entry) > 0) {
      return [...entries].sort(byAccountAndNonce)
    }
  }
  return entries
}

function byAccountAndNonce(left: Entry, right: Entry): number {
  if (left.account !== right.account) return left.account.order - right.account.order
  return left.tx.nonce < right.tx.nonce ? -1 : 1
}

const hashOfEntry = (entry: Entry): Hash => entry.tx.hash
const isPending = (entry: Entry): boolean => !entry.gone && entry.half === 'pending'
const isQueued = (entry: Entry): boolean => !entry.gone && entry.half === 'queued'
