import {
  type Added,
  type Address,
  type Answer,
  type Code,
  type Hash,
  limits,
  ok,
  type TrackedTx,
  type TrackerStats,
  type TxOrigin,
  type TxRecord,
  type Write,
} from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import { Followed } from './followed.ts'
import { deleteRow, type JournalRow, journalKey, putRow } from './journal.ts'
import type { Op, Outcome } from './op.ts'
import type { Pool } from './pool.ts'
import {
  bySenderAndNonce,
  type Change,
  type Decision,
  type Entered,
  type Entry,
  final,
  isDue,
  isSame,
  keyOf,
  mayPass,
  type Since,
  temporary,
  textOf,
  triedAt,
} from './tracked.ts'
import { UsedNonces } from './used-nonces.ts'

export interface TrackerParts {
  readonly config: Pick<PoolConfig, 'locals' | 'localLifetimeMs' | 'republishMs'>
  /** False: nothing is written, and nothing survives the process. */
  readonly isJournaling: boolean
  /** Records say the rank in the pool, so that the whole pool can be restored in its order. */
  readonly keepsRanks?: boolean
  readonly pool: Pick<Pool, 'has' | 'status' | 'entry' | 'account'>
  /** A delay between minus and plus the jitter of republishing. Milliseconds. */
  readonly jitterMs: () => number
}

const nothing: Decision = { answers: [], writes: [], entered: [] }

/**
 * Follows own transactions until they are mined: those submitted here, and those of senders the operator calls local. One for each sender
 * and nonce, the newest. It decides in the turn of the pool that it decides about, so that its record and the pool's outcome are one.
 *
 * An own transaction is in the pool, or waits to be submitted again with a reason, or is finished with one. It has no privilege inside
 * the pool; that it cannot get lost is all. Pure: told the time, it returns what to write and what to do.
 */
export class Tracker {
  private readonly followed: Followed
  private readonly byHash: ReadonlyMap<Hash, Entry>
  /** Read from disk and not yet decided about by the pool. */
  private readonly expected = new Map<string, JournalRow>()
  private readonly used = new UsedNonces()
  /** What could not be written, and what it had replaced. */
  private readonly undone = new WeakMap<Entry, Entry | undefined>()
  private readonly finished = new Map<string, number>()
  private readonly locals: ReadonlySet<Address>
  private readonly parts: TrackerParts
  private nextSeq = 1
  private resubmitted = 0
  /** A private one was ever followed here: only then is it asked who is. */
  private hasPrivates = false

  constructor(parts: TrackerParts) {
    this.parts = parts
    this.followed = new Followed(parts.config)
    this.byHash = this.followed.byHash
    this.locals = new Set(parts.config.locals)
  }

  get size(): number {
    return this.byHash.size
  }

  has(hash: Hash): boolean {
    return this.byHash.has(hash)
  }

  /** False: nothing here was ever private. */
  get hasEverPrivate(): boolean {
    return this.hasPrivates
  }

  /** Why an own transaction is not in the pool; undefined: it is, or nobody follows it. */
  waitingFor(hash: Hash): string | undefined {
    return this.byHash.get(hash)?.waitsFor
  }

  /** True for what was submitted as private, also after it was mined. */
  isPrivate(hash: Hash): boolean {
    return this.byHash.get(hash)?.origin === 'private' || this.used.isPrivate(hash)
  }

  /** Those of the transactions that were submitted as private; undefined: none. */
  privatesOf(txs: readonly TxRecord[]): ReadonlySet<Hash> | undefined {
    if (!this.hasPrivates) return undefined
    const found = txs.filter(tx => this.isPrivate(tx.hash) || this.expectsPrivate(tx))
    return found.length === 0 ? undefined : new Set(found.map(({ hash }) => hash))
  }

  private expectsPrivate(tx: TxRecord): boolean {
    const row = this.expected.get(keyOf(tx.sender, tx.nonce))
    return row?.origin === 'private' && isSame(row.raw, tx.raw)
  }

  /** The operator wants it followed no longer. Undefined: nobody follows it. */
  untrack(hash: Hash): readonly Write[] | undefined {
    const entry = this.byHash.get(hash)
    if (entry === undefined) return undefined
    const writes: Write[] = []
    this.finish(entry, 'untracked', writes)
    return writes
  }

  /** Whether a look may find something to do within the longest time between two. */
  wantsLook(now: number): boolean {
    return this.followed.wantsLook(now)
  }

  /** The rows of the journal, on their way into the pool. */
  expect(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      this.expected.set(keyOf(row.sender, row.nonce), row)
      if (row.origin === 'private') this.hasPrivates = true
      this.nextSeq = Math.max(this.nextSeq, row.seq + 1)
    }
  }

  /** A row that can never be of use again. Nothing happens to one that the pool has decided about. */
  discard({ sender, nonce }: JournalRow, code: Code): readonly Write[] {
    if (!this.expected.delete(keyOf(sender, nonce))) return []
    this.count(code)
    return this.parts.isJournaling ? [deleteRow(sender, nonce)] : []
  }

  /** An operation was applied to the pool. */
  after(op: Op, outcome: Outcome): Decision {
    const writes: Write[] = []
    const entered: Entered[] = []
    const change = { now: op.now, writes, entered }
    const answers = op.op === 'add' ? this.afterAdd(op, outcome, change) : outcome.results
    if (op.op === 'reset') this.afterReset(op, change)
    for (const { hash, reason } of outcome.dropped) this.left(hash, reason, writes)
    for (const { tx } of outcome.events) {
      const entry = this.byHash.get(tx.hash)
      if (entry !== undefined) this.published(entry, op.now)
    }
    return { answers, writes, entered }
  }

  /** Transactions that the pool could not be asked about, because it has no state now. Those of the journal wait. */
  afterRefusal(origin: TxOrigin, txs: readonly TxRecord[], code: Code, now: number): Decision {
    if (origin !== 'journal') return nothing
    const change = { now, writes: [], entered: [] }
    for (const tx of txs) this.enter({ tx, origin: 'local', waitsFor: code }, change)
    return { ...change, answers: [] }
  }

  /** What a turn entered could not be written: it is as if it had never come. Answers what the pool has to give back. */
  undo(entered: readonly Entered[]): readonly Hash[] {
    const hashes: Hash[] = []
    for (const { entry, instead } of entered) {
      hashes.push(entry.tx.hash)
      this.undone.set(entry, instead)
      // A newer one has taken its place, or its nonce was used meanwhile.
      if (this.byHash.get(entry.tx.hash) !== entry) continue
      this.followed.remove(entry)
      const back = this.lastKept(instead)
      if (back === undefined || this.byHash.size >= limits.trackedMax) continue
      this.followed.wait(back, this.parts.pool.has(back.tx.hash) ? undefined : 'replaced')
      this.followed.insert(back)
    }
    return hashes
  }

  /** The entry, or the one before it whose submitter was not told that it failed. */
  private lastKept(entry: Entry | undefined): Entry | undefined {
    let kept = entry
    while (kept !== undefined && this.undone.has(kept)) kept = this.undone.get(kept)
    return kept
  }

  /**
   * What is followed too long is given up, what the pool has lost comes back to be added again: those tried longest ago first, each
   * sender's in nonce order. `refusal`: why the static checks would refuse it now.
   */
  recheck(now: number, refusal: (tx: TxRecord) => Code | undefined): Recheck {
    const writes: Write[] = []
    const waits: { hash: Hash; code: Code }[] = []
    const { waiting, expired } = this.followed.look(now)
    for (const entry of expired) this.finish(entry, 'local-expired', writes)
    const turn = waiting
      .filter(entry => isDue(entry, now))
      .sort((left, right) => triedAt(left) - triedAt(right) || left.seq - right.seq)
      .slice(0, limits.resubmittedPerRecheck)
    const txs: TxRecord[] = []
    for (const entry of turn) {
      entry.tries += 1
      entry.lastTryMs = now
      const code = refusal(entry.tx)
      if (code === undefined) txs.push(entry.tx)
      else {
        if (entry.waitsFor !== code) waits.push({ hash: entry.tx.hash, code })
        entry.waitsFor = code
      }
    }
    this.resubmitted += txs.length
    const given = expired.map(({ tx }) => tx.hash)
    return { txs: txs.sort(bySenderAndNonce), writes, expired: given, waits }
  }

  /** Own transactions that have been pending for so long since they were published that routers may have lost them. */
  takeStale(now: number): readonly TxRecord[] {
    const { pool, config } = this.parts
    if (config.republishMs === 0) return []
    const stale: Entry[] = []
    for (const entry of this.byHash.values()) {
      if (entry.publishAtMs > now || entry.waitsFor !== undefined) continue
      if (entry.origin === 'private') continue
      if (pool.status(entry.tx.hash) !== 'pending') continue
      stale.push(entry)
      if (stale.length === limits.republishedPerLook) break
    }
    for (const entry of stale) this.published(entry, now)
    return stale.map(({ tx }) => tx).sort(bySenderAndNonce)
  }

  /** True when an own transaction has this place, or had it before the restart. */
  follows(sender: Address, nonce: bigint): boolean {
    return this.followed.at(sender, nonce) !== undefined || this.expected.has(keyOf(sender, nonce))
  }

  /** Its record as it should be now, if it has one. */
  rowOf(sender: Address, nonce: bigint): readonly Write[] {
    const entry = this.followed.at(sender, nonce)
    return entry?.isJournaled === true ? [this.put(entry)] : []
  }

  /** The journal holds these keys, some of them for others: what has to be removed, what is missing. */
  sweep(keys: readonly Uint8Array[], others: readonly Uint8Array[] = []): readonly Write[] {
    const held = new Map<string, Uint8Array>()
    for (const key of keys) held.set(textOf(key), key)
    const writes: Write[] = []
    for (const key of others) held.delete(textOf(key))
    for (const row of this.expected.values()) held.delete(textOf(journalKey(row.sender, row.nonce)))
    for (const entry of this.byHash.values()) {
      held.delete(textOf(journalKey(entry.tx.sender, entry.tx.nonce)))
      if (!entry.isJournaled) writes.push(this.put(entry))
    }
    for (const key of held.values()) writes.push({ type: 'del', key })
    return writes
  }

  /** A record that was on its way could not be written, and nobody was promised that it would. */
  unwritten(entered: readonly Entered[]): void {
    for (const { entry } of entered) entry.isJournaled = false
  }

  /** What is followed, each sender's in nonce order; without private ones, since whoever reads the file would not know. */
  own(): readonly TxRecord[] {
    const open = [...this.byHash.values()].filter(({ origin }) => origin !== 'private')
    return open.map(({ tx }) => tx).sort(bySenderAndNonce)
  }

  /** `all`: private ones too. */
  list(all = true): readonly TrackedTx[] {
    const shown = [...this.byHash.values()].filter(({ origin }) => all || origin !== 'private')
    return shown.map(({ tx, waitsFor, tries, lastTryMs }) => ({
      hash: tx.hash,
      from: tx.sender,
      nonce: tx.nonce,
      state: waitsFor === undefined ? 'pooled' : 'waiting',
      ...(waitsFor !== undefined && { reason: waitsFor }),
      tries,
      ...(lastTryMs !== undefined && { lastTryMs }),
    }))
  }

  get stats(): TrackerStats {
    let journaled = 0
    for (const { isJournaled } of this.byHash.values()) if (isJournaled) journaled += 1
    const { resubmitted, finished } = this
    return { tracked: this.size, journaled, resubmitted, finished: new Map(finished) }
  }

  private afterAdd(
    { origin, txs, privates }: Extract<Op, { op: 'add' }>,
    { results }: Outcome,
    change: Change,
  ): readonly Answer<Added>[] {
    return txs.map((tx, index) => {
      const result = results[index]
      if (result === undefined) throw new TypeError('one answer per transaction')
      if (origin === 'journal') this.reloaded(tx, result, change)
      else if (origin === 'local' || origin === 'private') {
        const from = origin === 'private' || privates?.has(tx.hash) === true ? 'private' : 'local'
        return this.submitted(tx, from, result, change)
      } else if (result.ok && this.locals.has(tx.sender)) this.enter({ tx, origin }, change)
      return result
    })
  }

  private submitted(
    tx: TxRecord,
    origin: 'local' | 'private',
    result: Answer<Added>,
    change: Change,
  ): Answer<Added> {
    const known = this.byHash.get(tx.hash)
    if (result.ok) {
      const isFollowed = this.enter({ tx, origin }, change)
      return isFollowed ? result : ok({ ...result.value, tracked: false })
    }
    const { code } = result
    if (known !== undefined) this.refused(known, code, change.writes)
    else if (temporary.has(code)) {
      const isFollowed = this.enter({ tx, origin, waitsFor: code }, change)
      return isFollowed ? ok({ hash: tx.hash, half: 'queued', deferred: code }) : result
    }
    return result
  }

  private reloaded(tx: TxRecord, result: Answer<Added>, change: Change): void {
    if (result.ok || result.code === 'pool/known') this.enter({ tx, origin: 'local' }, change)
    else if (mayPass.has(result.code)) {
      this.enter({ tx, origin: 'local', waitsFor: result.code }, change)
    } else {
      const row = this.takeExpected(tx)
      const reason = result.code === 'pool/nonce-too-low' ? 'nonce-used' : result.code
      this.count(reason)
      if (row !== undefined && this.parts.isJournaling) {
        change.writes.push(deleteRow(tx.sender, tx.nonce))
      }
    }
  }

  /** Submitted again and refused again. Only a used nonce is for ever; money may come back. */
  private refused(entry: Entry, code: Code, writes: Write[]): void {
    if (code === 'pool/known') entry.waitsFor = undefined
    else if (code === 'pool/nonce-too-low') this.finish(entry, 'nonce-used', writes)
    else this.followed.wait(entry, code)
  }

  private afterReset({ path }: Extract<Op, { op: 'reset' }>, change: Change): void {
    if (path.kind === 'missing') return
    for (const hash of path.included) {
      const entry = this.byHash.get(hash)
      if (entry !== undefined) this.finish(entry, 'mined', change.writes)
    }
    // Set back by an operator: what was mined since is meant to be as if it had never been sent.
    if (path.kind === 'sethead') return
    for (const tx of path.discarded) {
      const since = this.used.at(tx.sender, tx.nonce)
      if (since === undefined || path.included.has(tx.hash)) continue
      this.used.free(tx.sender, tx.nonce)
      const isPooled = this.parts.pool.has(tx.hash)
      const waits = isPooled ? {} : { waitsFor: 'reorg-lost' }
      this.enter({ tx, origin: since.origin, since, ...waits }, change)
    }
  }

  private left(hash: Hash, reason: string, writes: Write[]): void {
    const entry = this.byHash.get(hash)
    if (entry === undefined) return
    if (final.has(reason)) this.finish(entry, reason, writes)
    else this.followed.wait(entry, reason)
  }

  /** False when too many are followed already. */
  private enter(
    wish: {
      readonly tx: TxRecord
      readonly origin: TxOrigin
      readonly waitsFor?: string
      readonly since?: Since
    },
    { now, writes, entered }: Change,
  ): boolean {
    const { tx, waitsFor } = wish
    const instead = this.followed.at(tx.sender, tx.nonce)
    const rank = this.parts.keepsRanks === true ? this.parts.pool.entry(tx.hash)?.seq : undefined
    if (instead?.tx.hash === tx.hash) {
      this.followed.wait(instead, waitsFor)
      if (rank !== undefined && instead.seq !== rank) {
        instead.seq = rank
        instead.isRanked = true
        if (this.parts.isJournaling) writes.push(this.put(instead))
      }
      return true
    }
    const row = this.takeExpected(tx)
    if (instead === undefined && this.byHash.size >= limits.trackedMax) return false
    const fresh = { origin: wish.origin, seq: this.nextSeq, firstSeenMs: now, trackedAtMs: now }
    const since = wish.since ?? row ?? fresh
    if (since === fresh) this.nextSeq += 1
    const seq = rank ?? since.seq
    const isOnDisk = row !== undefined && isSame(row.raw, tx.raw) && isSeated(row, seq, rank)
    if (since.origin === 'private') this.hasPrivates = true
    const entry: Entry = {
      tx,
      origin: since.origin,
      seq,
      isRanked: rank !== undefined,
      firstSeenMs: since.firstSeenMs,
      trackedAtMs: since.trackedAtMs,
      waitsFor,
      isJournaled: isOnDisk,
      tries: 0,
      lastTryMs: undefined,
      publishAtMs: Number.POSITIVE_INFINITY,
    }
    if (instead !== undefined) this.followed.remove(instead)
    this.followed.insert(entry)
    if (isOnDisk) return true
    entered.push({ entry, instead })
    if (this.parts.isJournaling) writes.push(this.put(entry))
    return true
  }

  private takeExpected({ sender, nonce }: TxRecord): JournalRow | undefined {
    if (this.expected.size === 0) return undefined
    const key = keyOf(sender, nonce)
    const row = this.expected.get(key)
    this.expected.delete(key)
    return row
  }

  private put(entry: Entry): Write {
    entry.isJournaled = true
    if (this.parts.keepsRanks !== true) return putRow(entry)
    const account = this.parts.pool.account(entry.tx.sender)
    const isLast = account?.queue.last()?.tx.hash === entry.tx.hash
    return putRow(account !== undefined && isLast ? { ...entry, beatMs: account.beat } : entry)
  }

  private finish(entry: Entry, reason: string, writes: Write[]): void {
    this.followed.remove(entry)
    this.count(reason)
    if (entry.isJournaled) writes.push(deleteRow(entry.tx.sender, entry.tx.nonce))
    if (reason === 'mined' || reason === 'nonce-used') this.used.note(entry)
  }

  private published(entry: Entry, now: number): void {
    entry.publishAtMs = now + this.parts.config.republishMs + this.parts.jitterMs()
  }

  private count(reason: string): void {
    this.finished.set(reason, (this.finished.get(reason) ?? 0) + 1)
  }
}

/** What a look at own transactions came to. */
export interface Recheck {
  /** To be added again. */
  readonly txs: readonly TxRecord[]
  readonly writes: readonly Write[]
  /** Given up. */
  readonly expired: readonly Hash[]
  /** Refused for another reason than before. */
  readonly waits: readonly { readonly hash: Hash; readonly code: Code }[]
}

/** The row says what is so. */
function isSeated(row: JournalRow, seq: number, rank: number | undefined): boolean {
  return row.seq === seq && (row.isRanked === true) === (rank !== undefined)
}
