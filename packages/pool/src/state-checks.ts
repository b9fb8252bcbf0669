import {
  type Address,
  emptyCodeHash,
  type Failure,
  failed,
  type TxRecord,
  zeroHash,
} from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import type { Account, Entry } from './entry.ts'
import type { Holdings } from './holdings.ts'
import type { Quirks } from './quirks.ts'

export interface StateRules {
  readonly config: PoolConfig
  readonly quirks: Quirks
  readonly holdings: Holdings
  /** True when another pool holds transactions of the address. */
  readonly reservedElsewhere: (address: Address) => boolean
}

/** Everything that can be wrong with a transaction given its sender's account and what the pool holds, in geth's order. */
export function checkState(tx: TxRecord, account: Account, rules: StateRules): Failure | undefined {
  return (
    checkNonce(tx, account) ??
    checkFunds(tx, account, rules.config) ??
    checkDelegation(tx, account, rules) ??
    checkAuthorities(tx, rules) ??
    (rules.reservedElsewhere(tx.sender) ? failed('pool/address-reserved') : undefined)
  )
}

function checkNonce(tx: TxRecord, { view }: Account): Failure | undefined {
  if (view.nonce <= tx.nonce) return undefined
  return failed(
    'pool/nonce-too-low',
    `nonce too low: next nonce ${view.nonce}, tx nonce ${tx.nonce}`,
    { next: view.nonce },
  )
}

/** First alone, then on top of what the sender's pending transactions may cost already. What is queued does not count (geth). */
function checkFunds(tx: TxRecord, account: Account, config: PoolConfig): Failure | undefined {
  const { balance } = account.view
  const { cost } = tx
  if (balance < cost) {
    return insufficient(`balance ${balance}, tx cost ${cost}`, { balance, cost, need: cost })
  }
  const spent =
    account.pending.totalCost + (config.strictBalance ? account.queue.costBelow(tx.nonce) : 0n)
  if (spent === 0n) return undefined
  const old = account.pending.get(tx.nonce)
  const added = old === undefined ? cost : cost - old.tx.cost
  const need = spent + added
  if (balance >= need) return undefined
  const word = old === undefined ? 'cost' : 'bumped'
  return insufficient(`balance ${balance}, queued cost ${spent}, tx ${word} ${added}`, {
    balance,
    cost,
    spent,
    need,
  })
}

interface Shortage {
  readonly balance: bigint
  readonly cost: bigint
  readonly spent?: bigint
  readonly need: bigint
}

function insufficient(sums: string, { balance, cost, spent = 0n, need }: Shortage): Failure {
  const overshot = need - balance
  return failed(
    'pool/insufficient-funds',
    `insufficient funds for gas * price + value: ${sums}, overshot ${overshot}`,
    { balance, cost, spent, overshot },
  )
}

/** An account whose code can move its funds gets few transactions in flight: one of them could void all the others (EIP-7702). */
function checkDelegation(tx: TxRecord, account: Account, rules: StateRules): Failure | undefined {
  const { config, holdings } = rules
  if (!hasCode(account, rules.quirks) && holdings.authorizationsOf(tx.sender) === 0)
    return undefined
  const { pending, queue } = account
  if (config.delegatedSlots === 1) {
    if (pending.length === 0) {
      return tx.nonce === account.next() ? undefined : failed('pool/delegated-gap')
    }
    return pending.get(tx.nonce) === undefined ? failed('pool/delegated-in-flight') : undefined
  }
  if (account.find(tx.nonce) !== undefined) return undefined
  if (isGapped(tx, account, account.next())) return failed('pool/delegated-gap')
  return pending.length + queue.length < config.delegatedSlots
    ? undefined
    : failed('pool/delegated-in-flight')
}

function hasCode({ view }: Account, { absentIsDelegated }: Quirks): boolean {
  if (view.codeHash === emptyCodeHash) return false
  return view.codeHash !== zeroHash || absentIsDelegated
}

/** An authorization can void its authority's transactions, so an authority with several in flight may not be delegated. */
function checkAuthorities(tx: TxRecord, rules: StateRules): Failure | undefined {
  for (const authority of tx.authorities) {
    const account = rules.holdings.accounts.get(authority)
    const inFlight = account === undefined ? 0 : account.pending.length + account.queue.length
    if (inFlight > 1 || rules.reservedElsewhere(authority)) return failed('pool/authority-reserved')
  }
  return undefined
}

/** True when neither the pending list nor the queue in front of it reaches up to the nonce, given the next pending nonce. */
export function isGapped(tx: TxRecord, account: Account, next: bigint): boolean {
  return tx.nonce > next && !account.queue.holdsAll(next, tx.nonce)
}

/** The replacement rule: both fees strictly higher, and by at least `bump` percent, rounded down. */
export function checkReplacement(old: Entry, tx: TxRecord, bump: number): Failure | undefined {
  const feeCap = raised(old.tx.feeCap, bump)
  const tip = raised(old.tx.tip, bump)
  if (tx.feeCap >= feeCap && tx.tip >= tip) return undefined
  return failed('pool/replacement-underpriced', undefined, {
    requiredMaxFeePerGas: feeCap,
    requiredMaxPriorityFeePerGas: tip,
  })
}

/** The least fee that is `bump` percent, and strictly, more. Wei. */
export function raised(fee: bigint, bump: number): bigint {
  const threshold = (fee * BigInt(100 + bump)) / 100n
  return threshold > fee ? threshold : fee + 1n
}
