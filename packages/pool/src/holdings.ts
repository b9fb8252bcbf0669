import { type Address, type Code, type Dropped, type Hash, zeroHash } from '@rockpool/protocol'
import { NotedAccount } from './account-noted.ts'
import { Account, Entry, type PoolAccountView } from './entry.ts'
import type { DropReason, Standing } from './op.ts'
import { PriceIndex, type Prices } from './priced.ts'
import { LazyPriceIndex } from './priced-lazy.ts'
import { notesNonces, type Quirks } from './quirks.ts'
import type { HoldingsImage } from './snapshot.ts'

/** What happened since the operation began. */
export interface Trail {
  added: Entry[]
  promoted: Entry[]
  demoted: Entry[]
  dropped: Dropped[]
}

/** Where and when a transaction comes from. */
interface Coming {
  readonly origin: Entry['origin']
  readonly now: number
  readonly standing?: Standing
}

/**
 * Everything the pool holds, and the few ways it may change. Each keeps the two halves, the index by hash, the price index, authorities
 * and counters in step, so that nothing is ever counted again; every departure needs a reason.
 */
export class Holdings {
  readonly all = new Map<Hash, Entry>()
  /** By first entry into the pool. */
  readonly accounts = new Map<Address, Account>()
  /** Accounts with queued transactions, by beat. */
  readonly waiting = new Set<Account>()
  /** Accounts with more pending transactions than they are guaranteed. */
  readonly large = new Set<Account>()
  readonly priced: Prices
  pendingCount = 0
  queuedCount = 0
  slots = 0
  trail: Trail = emptyTrail()
  private readonly authorities = new Map<Address, number>()
  /** Accounts emptied during this operation, which may bring them back. */
  private readonly departed = new Map<Address, Account>()
  private readonly accountSlots: number
  private readonly notesNonces: boolean
  private entrySeq = 0
  private accountSeq = 0

  constructor(accountSlots: number, baseFee: bigint, quirks: Quirks) {
    this.accountSlots = accountSlots
    this.notesNonces = notesNonces(quirks)
    this.priced = quirks.pricesLazily ? new LazyPriceIndex(this.all) : new PriceIndex(baseFee)
  }

  get nextSeq(): number {
    return this.entrySeq
  }

  /** How many pooled transactions carry an authorization of `address`. */
  authorizationsOf(address: Address): number {
    return this.authorities.get(address) ?? 0
  }

  /** The sender's account, or a fresh one that joins the pool with its first transaction. */
  accountOf(address: Address, view: PoolAccountView | undefined): Account {
    const account = this.accounts.get(address) ?? this.departed.get(address)
    if (account !== undefined) return account
    if (view === undefined) throw new Error(`pool operation lacks the account ${address}`)
    return this.newAccount(address, this.accountSeq++, view)
  }

  newEntry(tx: Entry['tx'], account: Account, { origin, now, standing }: Coming): Entry {
    const seq = standing?.seq ?? this.entrySeq++
    return new Entry(tx, account, seq, origin, standing?.firstSeenMs ?? now)
  }

  /** Ranks below `floor` are given to nobody new. */
  reserve(floor: number): void {
    if (floor > this.entrySeq) this.entrySeq = floor
  }

  /** Signs of life from before a restart; an account that waits since then has given none since it was loaded. */
  restoreBeats(beats: ReadonlyMap<Address, number>): void {
    for (const account of this.waiting) {
      const beat = beats.get(account.address)
      if (beat !== undefined && beat < account.beat) account.beat = beat
    }
    const byBeat = [...this.waiting].sort(
      (left, right) => left.beat - right.beat || left.order - right.order,
    )
    this.waiting.clear()
    for (const account of byBeat) this.waiting.add(account)
  }

  /** Takes a new entry's transaction into the account's queue, where it may displace one of the same nonce. */
  enqueue(entry: Entry, now: number): void {
    const { account } = entry
    if (account.queue.get(entry.tx.nonce) === undefined) this.queuedCount++
    if (account.queue.length === 0) this.beat(account, now)
    account.queue.put(entry)
    this.enter(entry)
  }

  /** Puts a new entry in the place of a pending one of the same nonce. */
  replacePending(entry: Entry, now: number): void {
    entry.half = 'pending'
    entry.account.pending.replace(entry)
    this.enter(entry)
    this.refreshBeat(entry.account, now)
  }

  /** Takes a contiguous run, already out of the queue, into the account's pending list, of which it must be a neighbour. */
  join(account: Account, run: readonly Entry[]): void {
    account.pending.join(run)
    for (const entry of run) {
      entry.half = 'pending'
      this.trail.promoted.push(entry)
    }
    const last = run[run.length - 1]
    if (last !== undefined) account.note(last.tx.nonce + 1n)
    this.pendingCount += run.length
    this.sized(account)
  }

  /** Takes out the transactions at the front of the queue that may be pending. */
  takeReady(account: Account, start: bigint): Entry[] {
    return this.leftQueue(account, account.queue.ready(start))
  }

  /** Moves pending transactions, already out of their list, back to the queue. */
  park(account: Account, run: readonly Entry[], now: number): void {
    if (run.length === 0) return
    if (account.queue.length === 0) this.beat(account, now)
    account.queue.putRun(run)
    account.unsettled = true
    for (const entry of run) {
      entry.half = 'queued'
      this.trail.demoted.push(entry)
    }
    this.queuedCount += run.length
  }

  leftPending(account: Account, gone: Entry[]): Entry[] {
    if (gone.length > 0) {
      this.pendingCount -= gone.length
      this.sized(account)
    }
    return gone
  }

  leftQueue(account: Account, gone: Entry[]): Entry[] {
    if (gone.length > 0) {
      this.queuedCount -= gone.length
      if (account.queue.length === 0) this.waiting.delete(account)
    }
    return gone
  }

  /** Takes one transaction out, its pending followers to the queue. Returns how many left pending. */
  remove(entry: Entry, reason: DropReason, now: number, by?: Hash): number {
    const { account } = entry
    let left = 0
    if (entry.half === 'pending') {
      const [, ...followers] = this.leftPending(account, account.pending.cutFrom(entry.tx.nonce))
      this.park(account, followers, now)
      account.lower(entry.tx.nonce)
      left = 1 + followers.length
    } else {
      account.queue.remove(entry)
      this.leftQueue(account, [entry])
    }
    this.forget(entry, reason, by === undefined ? undefined : { by })
    this.release(account)
    return left
  }

  /** An entry already out of its list leaves the pool. */
  forget(entry: Entry, reason: DropReason, why?: { by?: Hash; code?: Code }): void {
    const { tx } = entry
    entry.gone = true
    this.all.delete(tx.hash)
    this.priced.remove(entry)
    this.slots -= tx.slots
    for (const authority of tx.authorities) {
      const left = this.authorizationsOf(authority) - 1
      if (left === 0) this.authorities.delete(authority)
      else this.authorities.set(authority, left)
    }
    this.trail.dropped.push({ hash: tx.hash, reason, ...why })
  }

  /** An account without transactions leaves. */
  release(account: Account): void {
    if (!account.isEmpty()) return
    this.accounts.delete(account.address)
    this.departed.set(account.address, account)
  }

  /** A sign of life, for accounts with something queued. */
  refreshBeat(account: Account, now: number): void {
    if (account.queue.length > 0) this.beat(account, now)
  }

  clear(): void {
    for (const entry of this.all.values()) {
      entry.gone = true
      this.trail.dropped.push({ hash: entry.tx.hash, reason: 'cleared' satisfies DropReason })
    }
    this.all.clear()
    this.accounts.clear()
    this.waiting.clear()
    this.large.clear()
    this.authorities.clear()
    this.priced.clear()
    this.pendingCount = 0
    this.queuedCount = 0
    this.slots = 0
  }

  /** What happened so far, and a clean slate. */
  takeTrail(): Trail {
    const { trail } = this
    this.departed.clear()
    this.trail = emptyTrail()
    return trail
  }

  /** Everything held, as plain data. `named`: entries that may have left but are still spoken of. */
  image(named: readonly Entry[]): HoldingsImage {
    const { baseFee, urgent, floating, stales } = this.priced.layout()
    const gone = new Map<number, Entry>()
    for (const entry of [...urgent, ...floating, ...named]) {
      if (this.all.get(entry.tx.hash) !== entry) gone.set(entry.seq, entry)
    }
    return {
      nextSeq: this.entrySeq,
      nextOrder: this.accountSeq,
      entries: [...this.all.values()].map(imageOf),
      gone: [...gone.values()].map(imageOf),
      accounts: [...this.accounts.values()].map(account => ({
        address: account.address,
        order: account.order,
        view: account.view,
        beat: account.beat,
        unsettled: account.unsettled,
        noted: account.noted,
        pending: account.pending.entries.map(seqOf),
        queue: account.queue.entries.map(seqOf),
      })),
      waiting: [...this.waiting].map(({ address }) => address),
      prices: {
        baseFee,
        urgent: urgent.map(seqOf),
        floating: floating.map(seqOf),
        stales,
      },
    }
  }

  /** Becomes what an image shows; to be asked of fresh holdings. Returns every entry by its rank of arrival. */
  adopt(image: HoldingsImage): ReadonlyMap<number, Entry> {
    const bySeq = new Map<number, Entry>()
    const accounts = new Map<Address, Account>()
    const pick = (seqs: readonly number[]) => seqs.map(seq => bySeq.get(seq) as Entry)
    for (const { address, order, view, beat, unsettled, noted } of image.accounts) {
      const account = this.newAccount(address, order, view)
      account.beat = beat
      account.unsettled = unsettled
      if (noted !== undefined) account.note(noted)
      accounts.set(address, account)
    }
    for (const { seq, tx, sender, origin, firstSeenMs, half } of [
      ...image.gone,
      ...image.entries,
    ]) {
      const account = accounts.get(sender) ?? this.newAccount(sender, -1, nobody)
      const entry = new Entry(tx, account, seq, origin, firstSeenMs)
      entry.half = half
      entry.gone = true
      bySeq.set(seq, entry)
    }
    for (const { seq } of image.entries) {
      const entry = bySeq.get(seq) as Entry
      entry.gone = false
      this.enter(entry)
    }
    this.trail = emptyTrail()
    this.accounts.clear()
    for (const { address, noted, pending, queue } of image.accounts) {
      const account = accounts.get(address) as Account
      this.accounts.set(address, account)
      account.pending.join(pick(pending))
      for (const entry of pick(queue)) account.queue.put(entry)
      if (noted !== undefined) account.note(noted)
      this.pendingCount += pending.length
      this.queuedCount += queue.length
      this.sized(account)
    }
    for (const address of image.waiting) this.waiting.add(accounts.get(address) as Account)
    const { baseFee, urgent, floating, stales } = image.prices
    this.priced.adopt({ baseFee, urgent: pick(urgent), floating: pick(floating), stales })
    this.entrySeq = image.nextSeq
    this.accountSeq = image.nextOrder
    return bySeq
  }

  private newAccount(address: Address, order: number, view: PoolAccountView): Account {
    return this.notesNonces
      ? new NotedAccount(address, order, view)
      : new Account(address, order, view)
  }

  private enter(entry: Entry): void {
    const { tx, account } = entry
    if (!this.accounts.has(account.address)) this.accounts.set(account.address, account)
    this.all.set(tx.hash, entry)
    this.priced.put(entry)
    this.slots += tx.slots
    for (const authority of tx.authorities) {
      this.authorities.set(authority, this.authorizationsOf(authority) + 1)
    }
    this.trail.added.push(entry)
  }

  /** `waiting` is ordered by beat because beats only ever move to its end. */
  private beat(account: Account, now: number): void {
    this.waiting.delete(account)
    this.waiting.add(account)
    account.beat = now
  }

  private sized(account: Account): void {
    if (account.pending.length > this.accountSlots) this.large.add(account)
    else this.large.delete(account)
  }
}

const nobody: PoolAccountView = { nonce: 0n, balance: 0n, codeHash: zeroHash }

const seqOf = (entry: Entry): number => entry.seq

function imageOf({ seq, tx, origin, firstSeenMs, half }: Entry): HoldingsImage['entries'][number] {
  return { seq, tx, sender: tx.sender, origin, firstSeenMs, half }
}

function emptyTrail(): Trail {
  return { added: [], promoted: [], demoted: [], dropped: [] }
}
