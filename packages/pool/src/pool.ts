import {
  type Address,
  type Failure,
  type Forks,
  failed,
  type Hash,
  type Head,
  nextBaseFee,
  type PoolContent,
  type PooledTx,
  type PoolStats,
  rulesAt,
  type TxRecord,
} from '@rockpool/protocol'
import { Admission } from './admission.ts'
import type { PoolConfig } from './config.ts'
import { contentOf } from './content.ts'
import type { Account, Entry, PoolAccountView } from './entry.ts'
import { Holdings } from './holdings.ts'
import type { AddPart, DropReason, Op, Outcome, ResetPart, ResetPath } from './op.ts'
import { nothing, outcomeOf, type Verdicts } from './outcome.ts'
import { type Compat, notesNonces, type Quirks, quirksOf } from './quirks.ts'
import { refusalOf } from './refusal.ts'
import { adoptViews, dropOverGasCap, type Reinjection, reinject } from './reorg.ts'
import {
  demoteAll,
  expire,
  forwardAll,
  promoteAll,
  type RunContext,
  truncatePending,
  truncateQueue,
} from './run.ts'
import { type PendingFilter, pendingOf, type SelectLimits, select } from './select.ts'
import type { PoolSnapshot } from './snapshot.ts'
import type { Gist } from './story-pack.ts'

export interface PoolParts {
  readonly config: PoolConfig
  readonly forks: Forks
  readonly head: Head
  /** Absent: those of the configuration's mode. */
  readonly quirks?: Quirks
  /** True when another pool of this node holds transactions of the address. Absent: there is no other pool. */
  readonly reservedElsewhere?: (address: Address) => boolean
}

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
  private readonly quirks: Quirks
  private readonly forks: Forks
  private readonly holdings: Holdings
  private readonly admission: Admission
  private readonly locals: ReadonlySet<Address>
  private current: Head
  private gasLimit: bigint
  /** Of the block after the head announced last; undefined before London. */
  private nextFee: bigint | undefined
  private announced: Hash
  private clock = Number.NEGATIVE_INFINITY
  private lagging = false

  constructor({
    config,
    forks,
    head,
    quirks = quirksOf(config.compat),
    reservedElsewhere = () => false,
  }: PoolParts) {
    this.config = config
    this.quirks = quirks
    this.forks = forks
    this.locals = new Set(config.locals)
    this.current = head
    this.gasLimit = BigInt(head.gasLimit)
    this.announced = head.hash
    this.nextFee = this.baseFeeAfter(head)
    this.holdings = new Holdings(config.accountSlots, this.nextFee ?? 0n, quirks)
    this.admission = new Admission({ config, quirks, holdings: this.holdings, reservedElsewhere })
  }

  /** The head whose accounts the pool holds. */
  get head(): Head {
    return this.current
  }

  /** True while the state of a later head could not be had. */
  get drifted(): boolean {
    return this.lagging
  }

  get compat(): Compat {
    return this.config.compat
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
    for (const { tx } of this.admission.replacements) wanted.add(tx.sender)
    return [...wanted]
  }

  apply(op: Op): Outcome {
    const refused = refusalOf(op, {
      clock: this.clock,
      announced: this.announced,
      accounts: this.holdings.accounts,
    })
    if (refused !== undefined) return { ...nothing, refused }
    this.clock = op.now
    switch (op.op) {
      case 'add':
        return this.runDirty(op.now, this.admit(op, op.now))
      case 'reset':
        return this.reset(op, op.now)
      case 'merge':
        return this.reset(op.reset, op.now, this.admit(op.add, op.now))
      case 'setGasTip':
        return this.setGasTip(op.tip, op.now)
      case 'expire':
        expire(this.context(op.now))
        return this.outcome([])
      case 'restoreBeats':
        this.holdings.restoreBeats(op.beats)
        return nothing
      case 'clear':
        this.holdings.clear()
        if (!this.quirks.announcesTheGone) this.admission.replacements = []
        return this.outcome([])
      case 'drop':
        return this.drop(op.hash, op.reason ?? 'removed-by-operator', op.now)
      case 'reheap':
        this.holdings.priced.reheap()
        return nothing
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

  /**
   * What would become of it if it came now, without its signature: undefined, it would be taken. Changes nothing. In mode `geth` a full
   * pool is not asked, since asking moves its heaps.
   */
  judge(tx: Gist, view: PoolAccountView | undefined): Failure | undefined {
    if (this.has(tx.hash)) return failed('pool/known')
    if (tx.tip < this.gasTip) return tipBelow(tx, this.gasTip)
    if (tx.gas > this.gasLimit) return failed('pool/gas-over-block')
    return this.admission.judge(tx, view)
  }

  hashes(): Iterable<Hash> {
    return this.holdings.all.keys()
  }

  /** What the pool holds of an address. */
  account(address: Address): Account | undefined {
    return this.holdings.accounts.get(address)
  }

  entry(hash: Hash): Entry | undefined {
    return this.holdings.all.get(hash)
  }

  /** What pays least goes first; how many would go before this one. */
  evictionRank({ effectiveTip, feeCap, seq }: Entry): number {
    let rank = 0
    for (const other of this.holdings.all.values()) {
      const worth = other.effectiveTip - effectiveTip || other.feeCap - feeCap
      if (worth < 0 || (worth === 0 && other.seq > seq)) rank++
    }
    return rank
  }

  /** Of the block after the head; undefined before London. Wei. */
  get nextBaseFee(): bigint | undefined {
    return this.nextFee
  }

  /** How many pooled transactions carry an authorization of the address. */
  authorizationsOf(address: Address): number {
    return this.holdings.authorizationsOf(address)
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
    return select(this.holdings, { ...bounds, first: this.locals })
  }

  /** Everything but the configuration, as plain data; whoever restores it goes on from here the same way. */
  snapshot(): PoolSnapshot {
    const { replacements, gasTip, changes } = this.admission
    return {
      head: this.current,
      announced: this.announced,
      clock: this.clock,
      lagging: this.lagging,
      nextFee: this.nextFee,
      gasTip,
      changes,
      replacements: replacements.map(({ seq }) => seq),
      holdings: this.holdings.image(replacements),
    }
  }

  /** A pool that stands where another stood; configuration, forks and quirks must be those of that one. */
  static restore(parts: Omit<PoolParts, 'head'>, image: PoolSnapshot): Pool {
    const pool = new Pool({ ...parts, head: image.head })
    const entries = pool.holdings.adopt(image.holdings)
    pool.announced = image.announced
    pool.clock = image.clock
    pool.lagging = image.lagging
    pool.nextFee = image.nextFee
    pool.admission.gasTip = image.gasTip
    pool.admission.changes = image.changes
    pool.admission.replacements = image.replacements.flatMap(seq => entries.get(seq) ?? [])
    return pool
  }

  /** What `checkInvariants` looks at. */
  inspect() {
    const { holdings, config, quirks, current } = this
    return { holdings, config, quirks, head: current, nextBaseFee: this.nextFee }
  }

  /** Takes transactions in; promotion is the run's. */
  private admit(add: AddPart, now: number): Verdicts {
    const { txs, origin, privates, restored, seqFloor = 0, accounts } = add
    this.holdings.reserve(seqFloor)
    const firstSeq = this.holdings.nextSeq
    const verdicts = txs.map(tx => {
      if (tx.tip < this.gasTip && !this.has(tx.hash)) return tipBelow(tx, this.gasTip)
      const from = privates?.has(tx.hash) === true ? 'private' : origin
      const standing = restored?.get(tx.hash)
      const view = accounts.get(tx.sender)
      return this.admission.add({ tx, origin: from, now, view, ...(standing && { standing }) })
    })
    return { verdicts, firstSeq }
  }

  /** The run after additions. */
  private runDirty(now: number, added: Verdicts): Outcome {
    const replacements = this.takeReplacements()
    const context = this.context(now)
    promoteAll(this.takeDirty(), context)
    this.truncate(context)
    return this.outcome(replacements, added)
  }

  private reset(reset: ResetPart, now: number, added?: Verdicts): Outcome {
    const { old, new: head, path, privates, accounts } = reset
    const { quirks, holdings } = this
    this.announced = head.hash
    this.lagging = path.kind === 'missing'
    if (path.kind === 'missing' && !quirks.actsWithoutState) {
      return added === undefined ? nothing : this.runDirty(now, added)
    }
    const announcedLate = this.takeReplacements()
    if (old !== null && this.rulesOf(head).osaka && !this.rulesOf(old).osaka) {
      dropOverGasCap(holdings, now)
    }
    const affected =
      path.kind === 'missing'
        ? this.everyAccount()
        : this.moveTo(head, { path, accounts, ...(privates && { privates }) }, now)
    const replacements = announcedLate.filter(({ tx, account }) => {
      const { nonce } = accounts.get(tx.sender) ?? account.view
      return tx.nonce >= (holdings.accounts.get(tx.sender)?.next() ?? nonce)
    })
    const included = path.kind === 'missing' ? undefined : path.included
    const context = this.context(now, included)
    forwardAll(affected, context)
    promoteAll(affected, context)
    demoteAll(affected, context)
    this.nextFee = this.baseFeeAfter(head)
    holdings.priced.setBaseFee(this.nextFee)
    this.truncate(context)
    return this.outcome(quirks.announcesTheGone ? replacements : announcedLate, added)
  }

  /** Takes on the new head with its accounts, and brings back what left the branch. Returns the accounts a run must look at. */
  private moveTo(
    head: Head,
    reset: Pick<Reinjection, 'path' | 'accounts' | 'privates'>,
    now: number,
  ): Account[] {
    const { holdings, admission, quirks } = this
    const { accounts } = reset
    const lowered = head.gasLimit < this.current.gasLimit
    this.current = head
    this.gasLimit = BigInt(head.gasLimit)
    const changed = adoptViews(holdings, accounts)
    // Noted nonces are those of the new state already; derived ones are not until the lists are brought forward.
    admission.resetting = !notesNonces(quirks)
    reinject(holdings, admission, { ...reset, rules: this.rulesOf(head), quirks, now })
    admission.resetting = false
    const dirty = new Set(this.takeDirty())
    if (notesNonces(quirks)) return this.everyAccount()
    return this.everyAccount().filter(
      account => lowered || account.unsettled || changed.has(account) || dirty.has(account),
    )
  }

  private everyAccount(): Account[] {
    this.admission.dirty.clear()
    return [...this.holdings.accounts.values()]
  }

  /** No promotion follows, as in geth: what waits behind a removed transaction waits for its sender. */
  private setGasTip(tip: bigint, now: number): Outcome {
    const rises = tip > this.gasTip
    this.admission.gasTip = tip
    if (rises) {
      const below = [...this.holdings.all.values()].filter(entry => entry.tx.tip < tip)
      for (const entry of below) this.holdings.remove(entry, 'tip-below-minimum', now)
      this.holdings.priced.removed(below.length)
    }
    return this.outcome([])
  }

  private drop(hash: Hash, reason: DropReason, now: number): Outcome {
    const entry = this.holdings.all.get(hash)
    if (entry !== undefined) {
      this.holdings.remove(entry, reason, now)
      this.holdings.priced.removed(1)
    }
    return this.outcome([])
  }

  private truncate(context: RunContext): void {
    truncatePending(context)
    truncateQueue(context)
    this.admission.changes = 0
  }

  private outcome(replacements: readonly Entry[], added?: Verdicts): Outcome {
    const theGone = this.quirks.announcesTheGone
    return outcomeOf(this.holdings.takeTrail(), { replacements, theGone }, added)
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
    const { holdings, config, quirks, gasLimit } = this
    const context = { holdings, config, quirks, now, gasLimit }
    return included === undefined ? context : { ...context, included }
  }

  /** Time forks are taken to hold whatever the difficulty of the header says, as geth does here. */
  private rulesOf(head: Pick<Head, 'number' | 'timeMs'>) {
    const timeSeconds = Math.floor(head.timeMs / 1000)
    return rulesAt(this.forks, { number: head.number, timeSeconds, merged: true })
  }

  private isLondon(head: Pick<Head, 'number' | 'timeMs'>): boolean {
    return this.rulesOf(head).london
  }

  /** Base fee of the block after `head`; undefined before the first block that has one. */
  private baseFeeAfter(head: Head): bigint | undefined {
    if (!this.isLondon({ number: head.number + 1, timeMs: head.timeMs })) return undefined
    return nextBaseFee(this.isLondon(head) ? head : { ...head, baseFee: null })
  }
}

function tipBelow(tx: Pick<TxRecord, 'tip'>, minTip: bigint) {
  return failed(
    'pool/tip-below-minimum',
    `transaction gas price below minimum: gas tip cap ${tx.tip}, minimum needed ${minTip}`,
    { minTip },
  )
}
