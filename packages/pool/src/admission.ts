import { type Failure, failed, type TxOrigin, type TxRecord } from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import { Account, Entry, type PoolAccountView } from './entry.ts'
import type { Holdings } from './holdings.ts'
import type { Standing } from './op.ts'
import type { Quirks } from './quirks.ts'
import { checkReplacement, checkState, isGapped, type StateRules } from './state-checks.ts'
import type { Gist } from './story-pack.ts'

export interface Arrival {
  readonly tx: TxRecord
  readonly origin: TxOrigin
  readonly now: number
  /** The sender's account, where the pool does not hold it already. */
  readonly view: PoolAccountView | undefined
  readonly standing?: Standing
}

type Circumstances = Pick<Arrival, 'origin' | 'now' | 'standing'>

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
  private readonly quirks: Quirks
  private readonly holdings: Holdings
  private readonly rules: StateRules

  constructor(rules: StateRules) {
    this.config = rules.config
    this.quirks = rules.quirks
    this.holdings = rules.holdings
    this.rules = rules
    this.gasTip = rules.config.priceLimit
  }

  /** What `add` would say of it now, and nothing is done. */
  judge(gist: Gist, view: PoolAccountView | undefined): Failure | undefined {
    const { holdings } = this
    const { sender } = gist
    if (sender === undefined) return undefined
    const account = holdings.accounts.get(sender) ?? (view && new Account(sender, -1, view))
    if (account === undefined) return undefined
    const tx: TxRecord = { ...unsigned, ...gist, sender, raw: new Uint8Array(0) }
    const old = account.find(tx.nonce)
    const refusal = checkState(tx, account, this.rules) ?? this.checkPlace(tx, account, old)
    if (refusal !== undefined || this.quirks.pricesLazily) return refusal
    const excess = holdings.slots + tx.slots - (old?.tx.slots ?? 0) - this.capacity
    if (excess <= 0) return undefined
    const entry = new Entry(tx, account, holdings.nextSeq, 'local', 0)
    // Measured against the others, as `makeRoom` does.
    const place = old?.place
    if (old !== undefined) holdings.priced.remove(old)
    const refused = holdings.priced.underpriced(entry) ? this.underpriced() : undefined
    if (old !== undefined && place !== undefined) holdings.priced.restore(old, place)
    return refused
  }

  private get capacity(): number {
    return this.config.globalSlots + this.config.globalQueue
  }

  add({ tx, view, ...circumstances }: Arrival): Entry | Failure {
    const { holdings } = this
    if (holdings.all.has(tx.hash)) return failed('pool/known')
    const account = holdings.accountOf(tx.sender, view)
    const refusal = checkState(tx, account, this.rules)
    if (refusal !== undefined) return refusal

    return this.quirks.evictsBeforeReplacing
      ? this.takeAfterRoom(tx, account, circumstances)
      : this.take(tx, account, circumstances)
  }

  private take(tx: TxRecord, account: Account, circumstances: Circumstances): Entry | Failure {
    const { holdings } = this
    const { now } = circumstances
    const old = account.find(tx.nonce)
    const refusal = this.checkPlace(tx, account, old)
    if (refusal !== undefined) return refusal
    const entry = holdings.newEntry(tx, account, circumstances)
    const full = this.makeRoom(entry, old, now)
    if (full !== undefined) return full
    this.settle(entry, old, now)
    return entry
  }

  /** Q1, Q2: what is pushed out stays out even if the newcomer is then refused, and may be what it was to replace. */
  private takeAfterRoom(
    tx: TxRecord,
    account: Account,
    circumstances: Circumstances,
  ): Entry | Failure {
    const { holdings } = this
    const { now } = circumstances
    const entry = holdings.newEntry(tx, account, circumstances)
    const excess = holdings.slots + tx.slots - this.capacity
    const full = excess > 0 ? this.evict(entry, excess, now) : undefined
    if (full !== undefined) return full
    const old = account.find(tx.nonce)
    const refusal = this.checkPlace(tx, account, old)
    if (refusal !== undefined) return refusal
    this.settle(entry, old, now)
    return entry
  }

  /** Whether the nonce's place is to be had: fees high enough for it, and sums that fit. */
  private checkPlace(tx: TxRecord, account: Account, old: Entry | undefined): Failure | undefined {
    const tooCheap =
      old === undefined ? undefined : checkReplacement(old, tx, this.config.priceBump)
    if (tooCheap !== undefined) return tooCheap
    const list = old?.half === 'pending' ? account.pending : account.queue
    return list.canHold(tx.cost) ? undefined : failed('pool/replacement-underpriced')
  }

  private settle(entry: Entry, old: Entry | undefined, now: number): void {
    const { holdings } = this
    if (old === undefined) this.dirty.add(entry.account)
    else {
      holdings.forget(old, 'replaced', { by: entry.tx.hash })
      holdings.priced.removed(1)
    }
    if (old?.half === 'pending') {
      holdings.replacePending(entry, now)
      this.replacements.push(entry)
    } else {
      holdings.enqueue(entry, now)
    }
  }

  /**
   * Pushes the cheapest out where the newcomer would not fit. What it replaces is no victim and its slots count as free: a replacement
   * must neither cost a bystander its place nor get around the price bump.
   */
  private makeRoom(entry: Entry, old: Entry | undefined, now: number): Failure | undefined {
    const { holdings } = this
    const excess = holdings.slots + entry.tx.slots - (old?.tx.slots ?? 0) - this.capacity
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
    if (this.changes > Math.floor(this.config.globalSlots / 4)) {
      return failed('pool/full', undefined, { why: 'throttle' })
    }
    const victims = priced.discard(excess)
    if (victims === undefined) return failed('pool/full', undefined, { why: 'room' })
    if (this.isFuture(entry) && victims.some(victim => this.isPending(victim))) {
      for (const victim of victims) priced.put(victim)
      return failed('pool/future-replaces-pending')
    }
    for (const { tx } of victims) {
      const victim = holdings.all.get(tx.hash)
      if (victim === undefined) continue
      this.changes += holdings.remove(victim, 'evicted-price', now, entry.tx.hash)
    }
    return undefined
  }

  /** Asked of the hash: a price index that removes late may name an entry whose transaction left and came back. */
  private isPending({ tx }: Entry): boolean {
    return this.holdings.all.get(tx.hash)?.half === 'pending'
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

/** What a judgement does not look at. */
const unsigned = {
  ...{ chainId: undefined, to: null, value: 0n, data: new Uint8Array(0), accessList: [] },
  ...{ authorizations: [], authorities: [], authoritySlots: [], v: 0n, r: 0n, s: 0n },
  ...{ signingPayload: new Uint8Array(0), zeroBytes: 0, nonZeroBytes: 0 },
  ...{ accessAddressCount: 0, accessKeyCount: 0 },
}
