import { type Failure, failed, type TxOrigin, type TxRecord } from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import type { Account, Entry, PoolAccountView } from './entry.ts'
import type { Holdings } from './holdings.ts'
import { checkReplacement, checkState, isGapped, type StateRules } from './state-checks.ts'

export interface Arrival {
  readonly tx: TxRecord
  readonly origin: TxOrigin
  readonly now: number
  /** The sender's account, where the pool does not hold it already. */
  readonly view: PoolAccountView | undefined
}

/** Lets transactions in: checks, room, the place of an older one or a place in the queue. Promotion is the run's. */
export class Admission {
  /** Least tip cap. Wei. */
  gasTip: bigint
  /** Pending transactions pushed out since the last run: above a quarter of the pool, nothing more may be pushed out. */
  changes = 0
  /** Accounts whose queue got longer, to be looked at by the next run. */
  readonly dirty = new Set<Account>()
  /** Replacements in pending, to be announced by the next run. */
  replacements: Entry[] = []
  /** During a reset the pending lists are those of the old head, so the next nonce is the account's own. */
  resetting = false
  private readonly config: PoolConfig
  private readonly holdings: Holdings
  private readonly rules: StateRules

  constructor(rules: StateRules) {
    this.config = rules.config
    this.holdings = rules.holdings
    this.rules = rules
    this.gasTip = rules.config.priceLimit
  }

  add({ tx, origin, now, view }: Arrival): Entry | Failure {
    const { holdings, config } = this
    if (holdings.all.has(tx.hash)) return failed('pool/known')
    const account = holdings.accountOf(tx.sender, view)
    const refusal = checkState(tx, account, this.rules)
    if (refusal !== undefined) return refusal

    const old = account.find(tx.nonce)
    if (old !== undefined) {
      const tooCheap = checkReplacement(old, tx, config.priceBump)
      if (tooCheap !== undefined) return tooCheap
    }
    const list = old?.half === 'pending' ? account.pending : account.queue
    if (!list.canHold(tx.cost)) return failed('pool/replacement-underpriced')

    const entry = holdings.newEntry(tx, account, origin, now)
    const full = this.makeRoom(entry, old, now)
    if (full !== undefined) return full
    this.settle(entry, old, now)
    return entry
  }

  private settle(entry: Entry, old: Entry | undefined, now: number): void {
    const { holdings } = this
    if (old?.half === 'pending') {
      holdings.replacePending(entry, now)
      this.replacements.push(entry)
    } else {
      holdings.enqueue(entry, now)
    }
    if (old === undefined) this.dirty.add(entry.account)
    else holdings.forget(old, 'replaced', { by: entry.tx.hash })
  }

  /**
   * Pushes the cheapest out where the newcomer would not fit. What it replaces is no victim and its slots count as free: a replacement
   * must neither cost a bystander its place nor get around the price bump.
   */
  private makeRoom(entry: Entry, old: Entry | undefined, now: number): Failure | undefined {
    const { holdings, config } = this
    const freed = old?.tx.slots ?? 0
    const excess = holdings.slots + entry.tx.slots - freed - config.globalSlots - config.globalQueue
    if (excess <= 0) return undefined
    if (old === undefined) return this.evict(entry, excess, now)
    const { place } = old
    holdings.priced.remove(old)
    const full = this.evict(entry, excess, now)
    // Back where it was, also on success: it leaves like every other entry.
    holdings.priced.restore(old, place)
    return full
  }

  private evict(entry: Entry, excess: number, now: number): Failure | undefined {
    const { holdings } = this
    const { priced } = holdings
    if (priced.underpriced(entry)) return this.underpriced()
    if (this.changes > Math.floor(this.config.globalSlots / 4)) return failed('pool/full')
    const victims = priced.discard(excess)
    if (victims === undefined) return failed('pool/full')
    if (this.isFuture(entry) && victims.some(victim => victim.half === 'pending')) {
      for (const victim of victims) priced.put(victim)
      return failed('pool/future-replaces-pending')
    }
    for (const victim of victims) {
      this.changes += holdings.remove(victim, 'evicted-price', now, entry.tx.hash)
    }
    return undefined
  }

  private isFuture({ tx, account }: Entry): boolean {
    return isGapped(tx, account, this.resetting ? account.view.nonce : account.next())
  }

  private underpriced(): Failure {
    const { priced } = this.holdings
    const { urgent, floating } = priced.worst()
    const worst = floating ?? urgent
    if (worst === undefined) return failed('pool/underpriced')
    return failed('pool/underpriced', undefined, {
      worstEffectiveTip: priced.effectiveTip(urgent ?? worst),
      worstFeeCap: worst.tx.feeCap,
    })
  }
}
