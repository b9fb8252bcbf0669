import {
  type Added,
  type Address,
  type Answer,
  type Forks,
  failed,
  type Hash,
  type Head,
  nextBaseFee,
  ok,
  type PoolContent,
  type PooledTx,
  type PoolStats,
  rulesAt,
  type TxRecord,
} from '@rockpool/protocol'
import { Admission } from './admission.ts'
import type { PoolConfig } from './config.ts'
import type { Account, Entry } from './entry.ts'
import { Holdings } from './holdings.ts'
import type { Op, Outcome, ResetPath } from './op.ts'
import { adoptViews, dropOverGasCap, reinject } from './reorg.ts'
import {
  demote,
  expire,
  forward,
  promote,
  type RunContext,
  truncatePending,
  truncateQueue,
} from './run.ts'
import { type PendingFilter, pendingOf, type SelectLimits, select } from './select.ts'

export interface PoolParts {
  readonly config: PoolConfig
  readonly forks: Forks
  readonly head: Head
  /** True when another pool of this node holds transactions of the address. Absent: there is no other pool. */
  readonly reservedElsewhere?: (address: Address) => boolean
}

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>
/** What an operation must be asked with before its accounts are known. */
export type Wish =
  | { readonly op: 'add'; readonly txs: readonly TxRecord[] }
  | { readonly op: 'reset'; readonly path: ResetPath }

/**
 * Valid transactions that are not in a block yet, with geth's rules of 2026: pending ones are executable now, queued ones wait for a
 * nonce. A pure state machine: operations in, outcomes out, no clock, no I/O; the same operations give the same pool on any machine.
 * An operation brings the accounts it needs (`needs`), all at one head, so a recorded log replays without a chain. Nothing in a
 * transaction can make it throw.
 */
export class Pool {
  private readonly config: PoolConfig
  private readonly forks: Forks
  private readonly holdings: Holdings
  private readonly admission: Admission
  private current: Head
  private gasLimit: bigint
  private announced: Hash
  private clock = Number.NEGATIVE_INFINITY
  private lagging = false

  constructor({ config, forks, head, reservedElsewhere = () => false }: PoolParts) {
    this.config = config
    this.forks = forks
    this.current = head
    this.gasLimit = BigInt(head.gasLimit)
    this.announced = head.hash
    this.holdings = new Holdings(config.accountSlots, nextBaseFee(head))
    this.admission = new Admission({ config, holdings: this.holdings, reservedElsewhere })
  }

  /** The head whose accounts the pool holds. */
  get head(): Head {
    return this.current
  }

  /** True while the state of a later head could not be had. */
  get drifted(): boolean {
    return this.lagging
  }

  /** Least tip cap taken. Wei. */
  get gasTip(): bigint {
    return this.admission.gasTip
  }

  get stats(): PoolStats {
    const { pendingCount, queuedCount, slots } = this.holdings
    return { pending: pendingCount, queued: queuedCount, slots }
  }

  /** Every account the operation will read and the pool does not hold at that head, once each. */
  needs(wish: Wish): Address[] {
    if (wish.op === 'add') {
      const wanted = new Set<Address>()
      for (const { sender } of wish.txs) {
        if (!this.holdings.accounts.has(sender)) wanted.add(sender)
      }
      return [...wanted]
    }
    if (wish.path.kind === 'missing') return []
    const wanted = new Set(this.holdings.accounts.keys())
    for (const { sender } of wish.path.discarded) wanted.add(sender)
    return [...wanted]
  }

  apply(op: Op): Outcome {
    const refused = this.refusal(op)
    if (refused !== undefined) return { ...nothing, refused }
    this.clock = op.now
    switch (op.op) {
      case 'add':
        return this.add(op)
      case 'reset':
        return this.reset(op)
      case 'setGasTip':
        return this.setGasTip(op)
      case 'expire':
        expire(this.context(op.now))
        return this.outcome([])
      case 'clear':
        this.holdings.clear()
        this.admission.replacements = []
        return this.outcome([])
      case 'drop': {
        const entry = this.holdings.all.get(op.hash)
        if (entry !== undefined) {
          this.holdings.remove(entry, op.reason ?? 'removed-by-operator', op.now)
        }
        return this.outcome([])
      }
      default: {
        const never: never = op
        return never
      }
    }
  }

  has(hash: Hash): boolean {
    return this.holdings.all.has(hash)
  }

  /** True when the address has transactions here: no other pool may take any of it. */
  holds(address: Address): boolean {
    return this.holdings.accounts.has(address)
  }

  status(hash: Hash): 'pending' | 'queued' | 'unknown' {
    return this.holdings.all.get(hash)?.half ?? 'unknown'
  }

  get(hash: Hash): PooledTx | undefined {
    const entry = this.holdings.all.get(hash)
    if (entry === undefined) return undefined
    const { tx, half, origin, firstSeenMs } = entry
    return { tx, half, origin, firstSeenMs }
  }

  /** Next nonce after the pending transactions; undefined for an address without transactions here, whose account the chain knows. */
  nonce(address: Address): bigint | undefined {
    return this.holdings.accounts.get(address)?.next()
  }

  /** True when a pooled transaction carries an authorization of the address. */
  hasAuthorization(address: Address): boolean {
    return this.holdings.authorizationsOf(address) > 0
  }

  content(): PoolContent {
    return contentOf(this.holdings.accounts.values())
  }

  contentFrom(address: Address): PoolContent {
    const account = this.holdings.accounts.get(address)
    return contentOf(account === undefined ? [] : [account])
  }

  pending(filter: PendingFilter = {}): Map<Address, readonly TxRecord[]> {
    return pendingOf(this.holdings, filter)
  }

  select(bounds: SelectLimits): TxRecord[] {
    return select(this.holdings, bounds)
  }

  /** What `checkInvariants` looks at. */
  inspect(): { readonly holdings: Holdings; readonly config: PoolConfig; readonly head: Head } {
    return { holdings: this.holdings, config: this.config, head: this.current }
  }

  private refusal(op: Op): string | undefined {
    if (op.now < this.clock) return `op out of order: at ${op.now} after ${this.clock}`
    if (op.op === 'reset' && op.old !== null && op.old.hash !== this.announced) {
      return `op out of order: reset from ${op.old.hash}, announced was ${this.announced}`
    }
    const missing = this.lacking(op)
    return missing === undefined ? undefined : `op lacks an account: ${missing}`
  }

  /** The first account the operation should have brought and did not. */
  private lacking(op: Op): Address | undefined {
    const { accounts } = this.holdings
    if (op.op === 'add') {
      return op.txs.find(({ sender }) => !accounts.has(sender) && !op.accounts.has(sender))?.sender
    }
    if (op.op !== 'reset' || op.path.kind === 'missing') return undefined
    for (const address of accounts.keys()) if (!op.accounts.has(address)) return address
    return op.path.discarded.find(({ sender }) => !op.accounts.has(sender))?.sender
  }

  private add({ txs, origin, accounts, now }: OpOf<'add'>): Outcome {
    const firstSeq = this.holdings.nextSeq
    const verdicts = txs.map(tx => {
      if (tx.tip < this.gasTip) return tipBelow(tx, this.gasTip)
      return this.admission.add({ tx, origin, now, view: accounts.get(tx.sender) })
    })
    const replacements = this.takeReplacements()
    const context = this.context(now)
    for (const account of this.takeDirty()) promote(account, context)
    this.truncate(context)
    return this.outcome(replacements, { verdicts, relayedFrom: firstSeq })
  }

  private reset({ old, new: head, path, accounts, now }: OpOf<'reset'>): Outcome {
    this.announced = head.hash
    if (path.kind === 'missing') {
      this.lagging = true
      return nothing
    }
    const replacements = this.takeReplacements()
    const lowered = head.gasLimit < this.current.gasLimit
    const rules = this.rulesOf(head)
    if (old !== null && rules.osaka && !this.rulesOf(old).osaka) dropOverGasCap(this.holdings, now)
    this.lagging = false
    this.current = head
    this.gasLimit = BigInt(head.gasLimit)

    const changed = adoptViews(this.holdings, accounts)
    this.admission.resetting = true
    reinject(this.holdings, this.admission, { path, accounts, rules, now })
    this.admission.resetting = false
    const dirty = new Set(this.takeDirty())
    const affected = [...this.holdings.accounts.values()].filter(
      account => lowered || account.unsettled || changed.has(account) || dirty.has(account),
    )
    const context = this.context(now, path.included)
    for (const account of affected) forward(account, context)
    for (const account of affected) promote(account, context)
    for (const account of affected) demote(account, context)
    this.holdings.priced.setBaseFee(nextBaseFee(head))
    this.truncate(context)
    return this.outcome(replacements)
  }

  /** No promotion follows, as in geth: what waits behind a removed transaction waits for its sender. */
  private setGasTip({ tip, now }: OpOf<'setGasTip'>): Outcome {
    const rises = tip > this.gasTip
    this.admission.gasTip = tip
    if (rises) {
      const below = [...this.holdings.all.values()].filter(entry => entry.tx.tip < tip)
      for (const entry of below) this.holdings.remove(entry, 'tip-below-minimum', now)
    }
    return this.outcome([])
  }

  private truncate(context: RunContext): void {
    truncatePending(context)
    truncateQueue(context)
    this.admission.changes = 0
  }

  private outcome(
    replacements: readonly Entry[],
    add?: { verdicts: readonly (Entry | ReturnType<typeof failed>)[]; relayedFrom: number },
  ): Outcome {
    const { added, promoted, demoted, dropped } = this.holdings.takeTrail()
    const stillPending = new Set<Entry>()
    for (const entry of promoted) if (isPending(entry)) stillPending.add(entry)
    const announced = new Set(stillPending)
    for (const entry of replacements) if (isPending(entry)) announced.add(entry)
    const replacedBy = new Map<Hash, Hash>()
    for (const { hash, reason, by } of dropped) {
      if (reason === 'replaced' && by !== undefined) replacedBy.set(by, hash)
    }
    return {
      results: add?.verdicts.map(verdict => resultOf(verdict, replacedBy)) ?? [],
      added: added.map(hashOfEntry),
      promoted: [...stillPending].map(hashOfEntry),
      demoted: [...new Set(demoted)].filter(isQueued).map(hashOfEntry),
      dropped,
      events: [...announced].sort(byAccountAndNonce).map(({ tx, origin, seq }) => ({
        tx,
        origin,
        // The router forwards what its own verdict accepted, and only that.
        relayed: origin === 'gossip' && add !== undefined && seq >= add.relayedFrom,
      })),
    }
  }

  private takeReplacements(): Entry[] {
    const { replacements } = this.admission
    this.admission.replacements = []
    return replacements
  }

  private takeDirty(): Account[] {
    const dirty = [...this.admission.dirty].sort((left, right) => left.order - right.order)
    this.admission.dirty.clear()
    return dirty
  }

  private context(now: number, included?: ReadonlySet<Hash>): RunContext {
    const { holdings, config, gasLimit } = this
    return included === undefined
      ? { holdings, config, now, gasLimit }
      : { holdings, config, now, gasLimit, included }
  }

  private rulesOf(head: Head) {
    const timeSeconds = Math.floor(head.timeMs / 1000)
    return rulesAt(this.forks, { number: head.number, timeSeconds, merged: true })
  }
}

const nothing: Outcome = {
  results: [],
  added: [],
  promoted: [],
  demoted: [],
  dropped: [],
  events: [],
}

function tipBelow(tx: TxRecord, minTip: bigint) {
  return failed(
    'pool/tip-below-minimum',
    `transaction gas price below minimum: gas tip cap ${tx.tip}, minimum needed ${minTip}`,
    { minTip },
  )
}

function resultOf(
  verdict: Entry | ReturnType<typeof failed>,
  replacedBy: ReadonlyMap<Hash, Hash>,
): Answer<Added> {
  if ('ok' in verdict) return verdict
  const { half, tx } = verdict
  const replaced = replacedBy.get(tx.hash)
  return ok(replaced === undefined ? { hash: tx.hash, half } : { hash: tx.hash, half, replaced })
}

function contentOf(accounts: Iterable<Account>): PoolContent {
  const pending = new Map<Address, readonly TxRecord[]>()
  const queued = new Map<Address, readonly TxRecord[]>()
  for (const account of accounts) {
    const { address } = account
    if (account.pending.length > 0) pending.set(address, account.pending.entries.map(txOf))
    if (account.queue.length > 0) queued.set(address, account.queue.entries.map(txOf))
  }
  return { pending, queued }
}

function byAccountAndNonce(left: Entry, right: Entry): number {
  if (left.account !== right.account) return left.account.order - right.account.order
  return left.tx.nonce < right.tx.nonce ? -1 : 1
}

const txOf = (entry: Entry): TxRecord => entry.tx
const hashOfEntry = (entry: Entry): Hash => entry.tx.hash
const isPending = (entry: Entry): boolean => !entry.gone && entry.half === 'pending'
const isQueued = (entry: Entry): boolean => !entry.gone && entry.half === 'queued'
