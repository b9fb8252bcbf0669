import { type Address, effectiveTip, type TxRecord } from '@rockpool/protocol'
import type { Entry } from './entry.ts'
import type { Holdings } from './holdings.ts'

export interface PendingFilter {
  /** Least effective tip. Wei. */
  readonly minTip?: bigint
  /** Base fee the tip is measured at; without `minTip` it is not looked at, without it the tip counts as it is. Wei. */
  readonly baseFee?: bigint
  /** Most gas of one transaction. */
  readonly gasLimitCap?: bigint
}

/** Per sender the executable transactions, cut at the first that does not pass the filter. */
export function pendingOf(
  holdings: Holdings,
  filter: PendingFilter,
): Map<Address, readonly TxRecord[]> {
  const found = new Map<Address, readonly TxRecord[]>()
  for (const account of holdings.accounts.values()) {
    const { entries } = account.pending
    const stop = entries.findIndex(entry => !passes(entry.tx, filter))
    const passing = stop === -1 ? entries : entries.slice(0, stop)
    if (passing.length === 0) continue
    found.set(
      account.address,
      passing.map(entry => entry.tx),
    )
  }
  return found
}

function passes(tx: TxRecord, { minTip, baseFee, gasLimitCap }: PendingFilter): boolean {
  if (gasLimitCap !== undefined && tx.gas > gasLimitCap) return false
  return minTip === undefined || effectiveTip(tx, baseFee ?? null) >= minTip
}

export interface SelectLimits {
  readonly gas: number
  readonly bytes: number
  readonly baseFee: bigint
  /** Senders whose transactions go before all others'. */
  readonly first?: ReadonlySet<Address>
}

/** The least gas a transaction can need: when less is left, nothing fits. */
const gasLeast = 21_000n

/**
 * The transactions a block should hold, best first: those of the senders named first, among them and among the others always the account head that pays the highest effective tip, on ties the one seen
 * first. An account whose head cannot pay the base fee or does not fit is left out from there on, for its later nonces depend on it.
 */
export function select(
  holdings: Holdings,
  { gas, bytes, baseFee, first }: SelectLimits,
): TxRecord[] {
  const heads: Candidate[] = []
  for (const account of holdings.accounts.values()) {
    const isFirst = first?.has(account.address) === true
    const candidate = candidateAt({ list: account.pending.entries, isFirst }, 0, baseFee)
    if (candidate !== undefined) heads.push(candidate)
  }
  for (let index = (heads.length >> 1) - 1; index >= 0; index--) sink(heads, index)
  const chosen: TxRecord[] = []
  let gasLeft = BigInt(gas)
  let bytesLeft = bytes
  for (let best = heads[0]; best !== undefined && gasLeft >= gasLeast; best = heads[0]) {
    const { tx } = best.entry
    const fits = tx.gas <= gasLeft && tx.raw.length <= bytesLeft
    if (fits) {
      chosen.push(tx)
      gasLeft -= tx.gas
      bytesLeft -= tx.raw.length
    }
    const next = fits ? candidateAt(best, best.index + 1, baseFee) : undefined
    replaceTop(heads, next)
  }
  return chosen
}

interface Line {
  readonly list: readonly Entry[]
  readonly isFirst: boolean
}

interface Candidate extends Line {
  readonly index: number
  readonly entry: Entry
  readonly tip: bigint
}

function candidateAt(
  { list, isFirst }: Line,
  index: number,
  baseFee: bigint,
): Candidate | undefined {
  const entry = list[index]
  if (entry === undefined || entry.tx.feeCap < baseFee) return undefined
  return { list, isFirst, index, entry, tip: effectiveTip(entry.tx, baseFee) }
}

function isBetter(left: Candidate, right: Candidate): boolean {
  if (left.isFirst !== right.isFirst) return left.isFirst
  if (left.tip !== right.tip) return left.tip > right.tip
  const { firstSeenMs, seq } = right.entry
  if (left.entry.firstSeenMs !== firstSeenMs) return left.entry.firstSeenMs < firstSeenMs
  return left.entry.seq < seq
}

function replaceTop(heads: Candidate[], next: Candidate | undefined): void {
  const last = next ?? heads.pop()
  if (last === undefined || heads.length === 0) return
  heads[0] = last
  sink(heads, 0)
}

function sink(heads: Candidate[], start: number): void {
  const moving = heads[start] as Candidate
  let index = start
  for (;;) {
    let below = 2 * index + 1
    if (below >= heads.length) break
    const right = heads[below + 1]
    if (right !== undefined && isBetter(right, heads[below] as Candidate)) below++
    const child = heads[below] as Candidate
    if (!isBetter(child, moving)) break
    heads[index] = child
    index = below
  }
  heads[index] = moving
}
