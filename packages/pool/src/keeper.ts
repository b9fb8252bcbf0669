import type { Address, Hash, TxRecord, Write } from '@rockpool/protocol'
import type { Entry } from './entry.ts'
import { deleteRow, type JournalRow, journalKey, putRow } from './journal.ts'
import type { Op, Outcome, Standing } from './op.ts'
import type { Pool } from './pool.ts'
import { isSame } from './tracked.ts'
import type { Tracker } from './tracker.ts'

export interface KeeperParts {
  readonly pool: Pick<Pool, 'entry' | 'account'>
  readonly tracker: Pick<Tracker, 'follows' | 'rowOf'>
}

type Place = Pick<TxRecord, 'sender' | 'nonce'>

/**
 * Keeps what the pool holds for others over a restart: a row for each sender and nonce, beside those of own transactions, whose places it
 * leaves alone. Pure: it says what to write, and what a reloaded transaction had before.
 */
export class Keeper {
  /** What has a row. */
  private readonly kept = new Map<Hash, Place>()
  /** Read from disk, own ones too: how each stood. By sender and nonce. */
  private readonly standings = new Map<string, JournalRow>()
  /** Which row says when a sender's queue gave its last sign of life, and what it says. */
  private readonly beats = new Map<Address, { readonly nonce: bigint; readonly beat: number }>()
  private readonly before = new Map<Address, number>()
  private floor = 0
  private readonly parts: KeeperParts

  constructor(parts: KeeperParts) {
    this.parts = parts
  }

  /** The rows of the journal, on their way into the pool. */
  expect(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      this.floor = Math.max(this.floor, row.seq + 1)
      this.standings.set(keyOf(row), row)
      if (row.beatMs !== undefined) {
        const beat = Math.max(row.beatMs, this.before.get(row.sender) ?? 0)
        this.before.set(row.sender, beat)
        if (beat === row.beatMs) this.beats.set(row.sender, { nonce: row.nonce, beat })
      }
    }
  }

  /** All that was read has been decided about. */
  loaded(): ReadonlyMap<Address, number> {
    this.standings.clear()
    const beats = new Map(this.before)
    this.before.clear()
    return beats
  }

  /** Ranks of arrival below it are taken by what is being reloaded. */
  get seqFloor(): number {
    return this.floor
  }

  /** How those of the transactions stood that were here before the restart; undefined: none was. */
  standingsOf(txs: readonly TxRecord[]): ReadonlyMap<Hash, Standing> | undefined {
    if (this.standings.size === 0) return undefined
    const found = new Map<Hash, Standing>()
    for (const tx of txs) {
      const row = this.standings.get(keyOf(tx))
      if (row?.isRanked !== true || !isSame(row.raw, tx.raw)) continue
      found.set(tx.hash, { seq: row.seq, firstSeenMs: row.firstSeenMs })
    }
    return found.size === 0 ? undefined : found
  }

  /** A row that will not be of use again. */
  discard({ sender, nonce }: JournalRow): readonly Write[] {
    return this.parts.tracker.follows(sender, nonce) ? [] : [deleteRow(sender, nonce)]
  }

  /** An operation was applied to the pool. These go before what the tracker writes, whose rows take the place of others'. */
  after(op: Op, { added, promoted, demoted, dropped }: Outcome): readonly Write[] {
    const writes: Write[] = []
    const senders = new Set<Address>()
    for (const { hash } of dropped) {
      const place = this.kept.get(hash)
      if (place === undefined) continue
      this.kept.delete(hash)
      senders.add(place.sender)
      if (!this.parts.tracker.follows(place.sender, place.nonce)) {
        writes.push(deleteRow(place.sender, place.nonce))
      }
    }
    for (const hash of added) {
      const entry = this.parts.pool.entry(hash)
      if (entry === undefined) continue
      const { sender, nonce } = entry.tx
      senders.add(sender)
      if (this.parts.tracker.follows(sender, nonce)) continue
      this.kept.set(hash, { sender, nonce })
      const isOnDisk = op.op === 'add' && op.restored?.has(hash) === true
      if (isOnDisk) continue
      const { account } = entry
      const isLast = account.queue.last() === entry
      if (isLast) this.beats.set(sender, { nonce, beat: account.beat })
      writes.push(rowOf(entry, isLast ? account.beat : 0))
    }
    for (const hash of promoted) this.touch(hash, senders)
    for (const hash of demoted) this.touch(hash, senders)
    if (op.op === 'restoreBeats') for (const sender of op.beats.keys()) senders.add(sender)
    for (const sender of senders) {
      // While it is being loaded the disk knows better.
      if (!this.before.has(sender)) this.keepBeat(sender, added, writes)
    }
    return writes
  }

  /** The journal holds these keys: which of them are ours, and what is missing. */
  sweep(keys: readonly Uint8Array[]): {
    readonly ours: readonly Uint8Array[]
    readonly writes: readonly Write[]
  } {
    const held = new Set(keys.map(textOf))
    const ours: Uint8Array[] = [...this.standings.values()].map(row =>
      journalKey(row.sender, row.nonce),
    )
    const writes: Write[] = []
    for (const [hash, { sender, nonce }] of this.kept) {
      const key = journalKey(sender, nonce)
      ours.push(key)
      const entry = this.parts.pool.entry(hash)
      if (entry === undefined || held.has(textOf(key))) continue
      if (!this.parts.tracker.follows(sender, nonce)) writes.push(rowOf(entry, entry.account.beat))
    }
    return { ours, writes }
  }

  private touch(hash: Hash, senders: Set<Address>): void {
    const entry = this.parts.pool.entry(hash)
    if (entry !== undefined) senders.add(entry.tx.sender)
  }

  /** The row of a sender's last waiting transaction says when the queue gave its last sign of life. */
  private keepBeat(sender: Address, added: readonly Hash[], writes: Write[]): void {
    const account = this.parts.pool.account(sender)
    const last = account?.queue.last()
    if (account === undefined || last === undefined) {
      this.beats.delete(sender)
      return
    }
    const said = this.beats.get(sender)
    const { hash, nonce } = last.tx
    if (said?.nonce === nonce && said.beat === account.beat) return
    this.beats.set(sender, { nonce, beat: account.beat })
    if (this.kept.has(hash)) writes.push(rowOf(last, account.beat))
    // The row of an own transaction that is new is the tracker's to write, and says so too.
    else if (!added.includes(hash)) writes.push(...this.parts.tracker.rowOf(sender, nonce))
  }
}

function rowOf({ tx, origin, seq, firstSeenMs }: Entry, beatMs: number): Write {
  const flags = { isRemote: true, isRanked: true, beatMs }
  return putRow({ tx, origin, seq, firstSeenMs, trackedAtMs: 0, ...flags })
}

const keyOf = ({ sender, nonce }: Place): string => `${sender} ${nonce}`
const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
