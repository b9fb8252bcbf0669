import { limits, type PeerId } from '@rockpool/protocol'
import { type ChargeRow, chargeOf, creditOf, voidsCredit } from './reasons.ts'

/** One line of a peer's history. Times are epoch ms. */
export interface HistoryEntry {
  readonly atMs: number
  /** A charge, `banned` or `lifted`. */
  readonly reason: string
  /** Points as they counted. */
  readonly delta: number
  /** Debit and credit after it. */
  readonly total: number
  readonly detail: string
  readonly evidence: string
}

/** What is kept of one peer. Written through `Reputation` only. */
export interface PeerRecord {
  debit: number
  debitAtMs: number
  credit: number
  creditAtMs: number
  /** The debit decays no sooner. */
  frozenUntilMs: number
  /** No credit is booked before. */
  creditFromMs: number
  readonly firstSeenMs: number
  lastSeenMs: number
  /** The last ones, oldest first. */
  history: readonly HistoryEntry[]
}

export interface Charge {
  readonly reason: string
  readonly detail?: string | undefined
  readonly evidence?: string | undefined
}

export type Reputation = ReturnType<typeof createReputation>

const halfLifeMs = 600_000
const debitMin = -200
const creditMax = 20
/** Debit after a ban: two further severe offences ban again. */
const probation = -50
/** Charges for liveness alone never ban. */
const livenessMin = -90
const repeatMs = 30_000
const creditPauseMs = 600_000

/** A value that halves every ten minutes. A wall clock that stepped back counts as standing still. */
export function decayed(value: number, sinceMs: number, nowMs: number): number {
  return value * 2 ** (-Math.max(0, nowMs - sinceMs) / halfLifeMs)
}

/** Less than a point is nothing. */
const whole = (value: number): number => (Math.abs(value) < 1 ? 0 : value)

/**
 * What this node holds for and against each peer, in points. Ours, because the router forgets a bad score as soon as a peer connects again.
 * Two sums that decay: debit in -200 … 0 and credit in 0 … 20. Pure; the caller gives wall time, since records survive a restart.
 */
export function createReputation(loaded: Iterable<readonly [PeerId, PeerRecord]> = []) {
  const records = new Map<PeerId, PeerRecord>(loaded)
  const connected = new Set<PeerId>()
  /** Changed since they were written; those no longer in `records` are to be deleted. */
  const dirty = new Set<PeerId>()
  let evicted = 0

  function debitAt(record: PeerRecord, nowMs: number): number {
    const { debit, debitAtMs, frozenUntilMs } = record
    // The end of a ban counts at its instant, also before anybody has carried it out.
    const left = isThawed(record, nowMs) ? Math.max(debit, probation) : debit
    return decayed(left, Math.max(debitAtMs, frozenUntilMs), nowMs)
  }

  function creditAt(record: PeerRecord, nowMs: number): number {
    return isThawed(record, nowMs) ? 0 : decayed(record.credit, record.creditAtMs, nowMs)
  }

  /** What the end of a ban changes is written down before anything else is. */
  function settle(record: PeerRecord, nowMs: number): void {
    if (!isThawed(record, nowMs)) return
    setDebit(record, debitAt(record, nowMs), nowMs)
    record.credit = 0
    record.frozenUntilMs = 0
  }

  function setDebit(record: PeerRecord, debit: number, nowMs: number): void {
    record.debit = debit
    record.debitAtMs = nowMs
  }

  function score(id: PeerId, nowMs: number): { readonly debit: number; readonly credit: number } {
    const record = records.get(id)
    if (!record) return { debit: 0, credit: 0 }
    return {
      debit: whole(debitAt(record, nowMs)),
      credit: whole(creditAt(record, nowMs)),
    }
  }

  function own(id: PeerId, nowMs: number): number {
    const { debit, credit } = score(id, nowMs)
    return debit + credit
  }

  function recordOf(id: PeerId, nowMs: number): PeerRecord {
    const known = records.get(id)
    if (known) return known
    if (records.size >= limits.reputationPeersMax) evict(nowMs)
    const made: PeerRecord = {
      debit: 0,
      debitAtMs: nowMs,
      credit: 0,
      creditAtMs: nowMs,
      frozenUntilMs: 0,
      creditFromMs: 0,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      history: [],
    }
    records.set(id, made)
    return made
  }

  /** Charges a peer; undefined when that is charged already. */
  function charge(id: PeerId, wish: Charge, nowMs: number): HistoryEntry | undefined {
    const row = chargeOf(wish.reason)
    const record = recordOf(id, nowMs)
    if (isRepeated(record, wish, row, nowMs)) return undefined
    settle(record, nowMs)
    const before = debitAt(record, nowMs)
    const least = row.class === 'liveness' ? Math.min(before, livenessMin) : debitMin
    const debit = Math.max(before + row.points, least)
    setDebit(record, debit, nowMs)
    if (voidsCredit(row)) {
      record.credit = 0
      record.creditFromMs = nowMs + creditPauseMs
    }
    return note(id, record, { ...wish, delta: debit - before }, nowMs)
  }

  function credit(id: PeerId, reason: string, times: number, nowMs: number): void {
    const points = creditOf(reason) * times
    const record = recordOf(id, nowMs)
    if (nowMs < record.creditFromMs) return
    settle(record, nowMs)
    record.credit = Math.min(creditMax, creditAt(record, nowMs) + points)
    record.creditAtMs = nowMs
    dirty.add(id)
  }

  function note(
    id: PeerId,
    record: PeerRecord,
    { reason, delta, detail = '', evidence = '' }: Charge & { readonly delta: number },
    nowMs: number,
  ): HistoryEntry {
    const entry: HistoryEntry = {
      ...{ atMs: nowMs, reason, delta, total: own(id, nowMs) },
      detail: clipped(detail),
      evidence: clipped(evidence),
    }
    record.history = [...record.history, entry].slice(-limits.reputationHistoryMax)
    record.lastSeenMs = nowMs
    dirty.add(id)
    return entry
  }

  /** While a peer is banned its debit does not decay. */
  function freeze(id: PeerId, untilMs: number, reason: string, nowMs: number): void {
    const record = recordOf(id, nowMs)
    settle(record, nowMs)
    setDebit(record, debitAt(record, nowMs), nowMs)
    record.frozenUntilMs = untilMs
    note(id, record, { reason: 'banned', detail: reason, delta: 0 }, nowMs)
  }

  /** The end of a ban: no credit left, and a debit that two more severe offences bring below the minimum. */
  function lift(id: PeerId, nowMs: number): void {
    const record = records.get(id)
    if (!record) return
    settle(record, nowMs)
    note(id, record, { reason: 'lifted', detail: 'expired', delta: 0 }, nowMs)
  }

  /** An operator has forgiven; with `forget` the history goes too. */
  function forgive(id: PeerId, forget: boolean, nowMs: number): void {
    const record = records.get(id)
    if (!record) return
    if (forget) {
      records.delete(id)
      dirty.add(id)
      return
    }
    setDebit(record, 0, nowMs)
    record.credit = 0
    record.frozenUntilMs = 0
    note(id, record, { reason: 'lifted', detail: 'operator', delta: 0 }, nowMs)
  }

  /** Drops the records nearest to zero, then the oldest: never those of connected or banned peers, nor the worst third. */
  function evict(nowMs: number): void {
    const ranked = [...records]
      .map(([id, record]) => ({ id, own: own(id, nowMs), record }))
      .sort((left, right) => left.own - right.own)
    const spared = new Set(ranked.slice(0, Math.floor(ranked.length / 3)).map(({ id }) => id))
    const loose = ranked.filter(
      ({ id, record }) => !connected.has(id) && record.frozenUntilMs <= nowMs,
    )
    const candidates = loose.filter(({ id }) => !spared.has(id))
    const order = (candidates.length > 0 ? candidates : loose).sort(
      (left, right) =>
        Math.abs(left.own) - Math.abs(right.own) ||
        left.record.lastSeenMs - right.record.lastSeenMs,
    )
    for (const { id } of order.slice(0, limits.reputationPrunedMax)) {
      drop(id)
      evicted += 1
    }
  }

  /** Forgets peers that are worth nothing any more and whose history is old; a few at a time. */
  function prune(nowMs: number): void {
    let pruned = 0
    for (const [id, { history, frozenUntilMs }] of records) {
      if (pruned >= limits.reputationPrunedMax) return
      const last = history.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
      const isOld = nowMs - last >= limits.reputationHistoryMs
      if (connected.has(id) || frozenUntilMs > nowMs || !isOld) continue
      const { debit, credit: earned } = score(id, nowMs)
      if (debit !== 0 || earned !== 0) continue
      drop(id)
      pruned += 1
    }
  }

  function drop(id: PeerId): void {
    records.delete(id)
    dirty.add(id)
  }

  function opened(id: PeerId): void {
    connected.add(id)
  }

  function closed(id: PeerId, nowMs: number): void {
    connected.delete(id)
    const record = records.get(id)
    if (!record) return
    record.lastSeenMs = nowMs
    dirty.add(id)
  }

  return {
    charge,
    credit,
    score,
    own,
    freeze,
    lift,
    forgive,
    prune,
    opened,
    closed,
    get: (id: PeerId): Readonly<PeerRecord> | undefined => records.get(id),
    ids: (): IterableIterator<PeerId> => records.keys(),
    /** Peers whose record has changed, or is gone, since the last call. */
    takeDirty(): readonly PeerId[] {
      const ids = [...dirty]
      dirty.clear()
      return ids
    },
    /** The write of these failed. */
    mark(ids: readonly PeerId[]): void {
      for (const id of ids) dirty.add(id)
    },
    get dirty() {
      return dirty.size
    },
    get size() {
      return records.size
    },
    get evicted() {
      return evicted
    },
  }
}

/** A ban was, and its time is up. */
function isThawed({ frozenUntilMs }: PeerRecord, nowMs: number): boolean {
  return frozenUntilMs > 0 && nowMs >= frozenUntilMs
}

/** One incident is charged once; what is no proof but a manner, once in half a minute. */
function isRepeated(
  { history }: PeerRecord,
  { reason, evidence = '' }: Charge,
  { class: of }: ChargeRow,
  nowMs: number,
): boolean {
  if (of !== 'provable') {
    return history.some(
      entry => entry.reason === reason && nowMs >= entry.atMs && nowMs - entry.atMs < repeatMs,
    )
  }
  if (evidence === '') return false
  const kept = clipped(evidence)
  return history.some(entry => entry.evidence === kept)
}

function clipped(text: string): string {
  if (Buffer.byteLength(text) <= limits.chargeTextBytesMax) return text
  return Buffer.from(text)
    .subarray(0, limits.chargeTextBytesMax)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?')
}
