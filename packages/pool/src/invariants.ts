import type { Address, Hash } from '@rockpool/protocol'
import type { Account, Entry } from './entry.ts'
import type { Outcome } from './op.ts'
import type { Pool } from './pool.ts'
import { notesNonces } from './quirks.ts'

/**
 * Everything that must hold of a pool between operations, recounted from scratch. Returns what does not, in words; nothing means sound.
 * `outcome`: the operation that led here, whose promises are checked too.
 */
export function checkInvariants(pool: Pool, outcome?: Outcome): string[] {
  const broken: string[] = []
  const claim: Claim = (holds, words) => {
    if (!holds) broken.push(words())
  }
  checkAccounts(pool, claim)
  checkTotals(pool, claim)
  checkPrices(pool, claim)
  if (outcome !== undefined) checkOutcome(pool, outcome, claim)
  return broken
}

/** Words are made only where something is broken: most of the time nothing is. */
type Claim = (holds: boolean, words: () => string) => void

function checkAccounts(pool: Pool, claim: Claim): void {
  const { holdings, head, quirks } = pool.inspect()
  const gasLimit = BigInt(head.gasLimit)
  for (const account of holdings.accounts.values()) {
    const { address, view, pending, queue } = account
    claim(!account.isEmpty(), () => `${address} is held without transactions`)
    claim(
      holdings.waiting.has(account) === queue.length > 0,
      () => `${address} has a beat iff queued`,
    )
    let next = view.nonce
    for (const { tx } of pending.entries) {
      const isPlace = quirks.keepsHoles ? tx.nonce >= next : tx.nonce === next
      claim(isPlace, () => `${address} pending ${tx.nonce} where ${next} belongs`)
      next = tx.nonce
      claim(tx.cost <= view.balance, () => `${address} pending ${tx.nonce} is not payable`)
      claim(tx.gas <= gasLimit, () => `${address} pending ${tx.nonce} is over the gas limit`)
      next++
    }
    if (!notesNonces(quirks)) {
      claim(account.next() === next, () => `${address} next nonce is not after its pending`)
    }
    if (quirks.keepsHoles) next = view.nonce
    for (const { tx } of queue.entries) {
      claim(tx.nonce >= next, () => `${address} queued ${tx.nonce} below the next nonce ${next}`)
      claim(pending.get(tx.nonce) === undefined, () => `${address} has ${tx.nonce} in both halves`)
      next = tx.nonce + 1n
    }
    checkHalf(account, pending.entries, 'pending', pool, claim)
    checkHalf(account, queue.entries, 'queued', pool, claim)
    claim(pending.totalCost === costOf(pending.entries), () => `${address} pending cost drifted`)
    claim(queue.totalCost === costOf(queue.entries), () => `${address} queued cost drifted`)
  }
  let beat = Number.NEGATIVE_INFINITY
  for (const account of holdings.waiting) {
    claim(account.beat >= beat, () => 'accounts do not wait in the order of their beats')
    claim(
      holdings.accounts.get(account.address) === account,
      () => 'an account without a place waits',
    )
    beat = account.beat
  }
}

function checkHalf(
  account: Account,
  entries: readonly Entry[],
  half: Entry['half'],
  pool: Pool,
  claim: Claim,
): void {
  const { all } = pool.inspect().holdings
  for (const entry of entries) {
    const name = () => `${entry.tx.hash} (${account.address} ${entry.tx.nonce})`
    claim(all.get(entry.tx.hash) === entry, () => `${name()} is in a list but not in the index`)
    claim(entry.account === account && !entry.gone, () => `${name()} belongs elsewhere`)
    claim(entry.half === half, () => `${name()} says ${entry.half}, is ${half}`)
  }
}

function checkTotals(pool: Pool, claim: Claim): void {
  const { holdings, config } = pool.inspect()
  let pending = 0
  let queued = 0
  for (const account of holdings.accounts.values()) {
    pending += account.pending.length
    queued += account.queue.length
    const isLarge = account.pending.length > config.accountSlots
    claim(holdings.large.has(account) === isLarge, () => `${account.address} large flag is wrong`)
  }
  let slots = 0
  const authorizations = new Map<Address, number>()
  for (const { tx } of holdings.all.values()) {
    slots += tx.slots
    for (const address of tx.authorities) {
      authorizations.set(address, (authorizations.get(address) ?? 0) + 1)
    }
  }
  claim(
    holdings.pendingCount === pending,
    () => `counts ${holdings.pendingCount} pending of ${pending}`,
  )
  claim(holdings.queuedCount === queued, () => `counts ${holdings.queuedCount} queued of ${queued}`)
  claim(holdings.slots === slots, () => `counts ${holdings.slots} slots of ${slots}`)
  claim(
    holdings.all.size === pending + queued,
    () => 'the index is not pending and queued together',
  )
  claim(slots <= config.globalSlots + config.globalQueue, () => `${slots} slots are over capacity`)
  for (const [address, count] of authorizations) {
    claim(holdings.authorizationsOf(address) === count, () => `${address} authorizations drifted`)
  }
}

function checkPrices(pool: Pool, claim: Claim): void {
  const { holdings, quirks, nextBaseFee } = pool.inspect()
  const { priced, all } = holdings
  if (quirks.pricesLazily) {
    const priceable = new Set([...priced.entries()].map(({ tx }) => tx.hash))
    for (const hash of all.keys())
      claim(priceable.has(hash), () => `${hash} is held but not priced`)
    return
  }
  claim(priced.length === all.size, () => `prices ${priced.length} of ${all.size}`)
  const isDue = nextBaseFee === undefined || priced.baseFee === nextBaseFee
  claim(isDue, () => 'prices at another base fee than the next')
  for (const entry of priced.entries()) {
    claim(all.get(entry.tx.hash) === entry, () => `${entry.tx.hash} is priced but not held`)
  }
}

function checkOutcome(pool: Pool, outcome: Outcome, claim: Claim): void {
  const dropped = new Set(outcome.dropped.map(({ hash }) => hash))
  const { quirks } = pool.inspect()
  for (const { tx } of quirks.announcesTheGone ? [] : outcome.events) {
    claim(pool.status(tx.hash) === 'pending', () => `${tx.hash} is announced but not pending`)
  }
  for (const hash of outcome.promoted) {
    claim(pool.status(hash) === 'pending', () => `${hash} is told promoted`)
  }
  for (const hash of outcome.demoted) {
    claim(pool.status(hash) === 'queued', () => `${hash} is told demoted`)
  }
  for (const hash of outcome.added) {
    claim(
      pool.has(hash) || dropped.has(hash),
      () => `${hash} was accepted and left without a reason`,
    )
  }
}

function costOf(entries: readonly Entry[]): bigint {
  return entries.reduce((sum, { tx }) => sum + tx.cost, 0n)
}

/** The whole content in one text: equal texts, equal pools. Accounts in their order, with beats. */
export function fingerprint(pool: Pool): string {
  const lines: string[] = []
  for (const { address, pending, queue, beat } of pool.inspect().holdings.accounts.values()) {
    const list = (entries: readonly Entry[]): readonly Hash[] => entries.map(({ tx }) => tx.hash)
    lines.push(`${address} p ${list(pending.entries)} q ${list(queue.entries)}`)
    if (queue.length > 0) lines.push(`  beat ${beat}`)
  }
  return lines.join('\n')
}
