import { limits, type PeerId } from '@rockpool/protocol'
import { History, type HistoryEntry } from './history.ts'
import { type ChargeRow, chargeOf, creditOf, voidsCredit } from './reasons.ts'

/** What is kept of one peer. Written through `Reputation` only. */
export interface PeerRecord {
  debit: number
  debitAtMs: number
  /** The part of the debit that is proved; it decays with it. */
  proven: number
  credit: number
  creditAtMs: number
  /** The debit decays no sooner. */
  frozenUntilMs: number
  /** No credit is booked before. */
  creditFromMs: number
  /** Since when nothing of it is listened to although it is not banned; 0: it is listened to. */
  quarantinedMs: number
  readonly firstSeenMs: number
  lastSeenMs: number
  /** IP groups it was seen on, the latest last. */
  groups: readonly string[]
  readonly history: History
}

/** A record as it is on disk and as a recording has it: the history packed. */
export type StoredRecord = Omit<PeerRecord, 'history'> & { readonly history: Uint8Array }

export interface Charge {
  readonly reason: string
  readonly detail?: string | undefined
  readonly evidence?: string | undefined
  /** Written down, but not counted. */
  readonly suspended?: boolean
}

/** What charges cost where that is not what the registry says. */
export interface Rates {
  /** By reason. */
  readonly points?: ReadonlyMap<string, number>
  /** Charges for liveness alone go no lower. */
  readonly livenessLeast?: number
}

export interface OwnScore {
  readonly debit: number
  /** The part of the debit that is proved. */
  readonly proven: number
  readonly credit: number
}

export type Reputation = ReturnType<typeof createReputation>

const nothing: OwnScore = { debit: 0, proven: 0, credit: 0 }

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
  return nowMs <= sinceMs ? value : value * 2 ** ((sinceMs - nowMs) / halfLifeMs)
}

/** Less than a point is nothing. */
const whole = (value: number): number => (Math.abs(value) < 1 ? 0 : value)

/**
 * What this node holds for and against each peer, in points. Ours, because the router forgets a bad score as soon as a peer connects again.
 * Two sums that decay: debit in -200 … 0 and credit in 0 … 20. Pure; the caller gives wall time, since records survive a restart, and `shift`s them when the wall clock is set. `rates`: other ones
 * than those of the registry.
 */
export function createReputation(
  loaded: Iterable<readonly [PeerId, StoredRecord]> = [],
  { points: priced, livenessLeast = livenessMin }: Rates = {},
) {
  const records = new Map<PeerId, PeerRecord>()
  for (const [id, stored] of loaded) {
    records.set(id, { ...stored, history: new History(stored.history) })
  }
  /** And the IP group each came from. */
  const connected = new Map<PeerId, string | undefined>()
  const quarantined = new Set<PeerId>()
  for (const [id, { quarantinedMs }] of records) if (quarantinedMs > 0) quarantined.add(id)
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
    setDebit(record, debitAt(record, nowMs), provenAt(record, nowMs), nowMs)
    record.credit = 0
    record.frozenUntilMs = 0
  }

  /** What of the debit would be left if only what is proved had been charged. */
  function provenAt(record: PeerRecord, nowMs: number): number {
    return record.debit === 0 ? 0 : (debitAt(record, nowMs) * record.proven) / record.debit
  }

  function setDebit(record: PeerRecord, debit: number, proven: number, nowMs: number): void {
    record.debit = debit
    record.proven = proven
    record.debitAtMs = nowMs
  }

  function score(id: PeerId, nowMs: number): OwnScore {
    const record = records.get(id)
    if (!record) return nothing
    return {
      debit: whole(debitAt(record, nowMs)),
      proven: whole(provenAt(record, nowMs)),
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
      ...{ debit: 0, debitAtMs: nowMs, proven: 0, credit: 0, creditAtMs: nowMs },
      ...{ frozenUntilMs: 0, creditFromMs: 0, quarantinedMs: 0 },
      ...{ firstSeenMs: nowMs, lastSeenMs: nowMs },
      groups: [connected.get(id)].flatMap(group => group ?? []),
      history: new History(),
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
    if (wish.suspended) return note(id, record, { ...wish, delta: 0 }, nowMs)
    const before = debitAt(record, nowMs)
    const points = priced?.get(wish.reason) ?? row.points
    const least = row.class === 'liveness' ? Math.min(before, livenessLeast) : debitMin
    const debit = Math.max(before + points, least)
    const proof = provenAt(record, nowMs) + (row.class === 'provable' ? points : 0)
    setDebit(record, debit, Math.max(proof, debit), nowMs)
    if (voidsCredit(row)) {
      record.credit = 0
      record.creditFromMs = nowMs + creditPauseMs
    }
    return note(id, record, { ...wish, delta: debit - before }, nowMs)
  }

  /** Takes a charge back: what is left of it is no longer held against the peer. */
  function refund(id: PeerId, { reason, delta, atMs }: HistoryEntry, nowMs: number): void {
    const record = records.get(id)
    // A ban has weighed it already.
    if (!record || delta >= 0 || record.frozenUntilMs > 0) return
    const before = debitAt(record, nowMs)
    const debit = Math.min(0, before - decayed(delta, atMs, nowMs))
    setDebit(record, debit, Math.max(provenAt(record, nowMs), debit), nowMs)
    note(id, record, { reason: 'refunded', detail: reason, delta: debit - before }, nowMs)
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
    { reason, delta, detail = '', evidence = '', suspended }: Charge & { readonly delta: number },
    nowMs: number,
  ): HistoryEntry {
    const total = whole(debitAt(record, nowMs)) + whole(creditAt(record, nowMs))
    const line = {
      atMs: nowMs,
      reason,
      delta,
      total,
      detail: clipped(detail),
      evidence: clipped(evidence),
    }
    const entry: HistoryEntry = suspended ? { ...line, suspended } : line
    record.history.add(entry)
    record.lastSeenMs = nowMs
    dirty.add(id)
    return entry
  }

  /** While a peer is banned its debit does not decay. */
  function freeze(id: PeerId, untilMs: number, reason: string, nowMs: number): void {
    const record = recordOf(id, nowMs)
    hold(record, untilMs, nowMs)
    record.quarantinedMs = 0
    note(id, record, { reason: 'banned', detail: reason, delta: 0 }, nowMs)
  }

  function hold(record: PeerRecord, untilMs: number, nowMs: number): void {
    settle(record, nowMs)
    setDebit(record, debitAt(record, nowMs), provenAt(record, nowMs), nowMs)
    record.frozenUntilMs = untilMs
  }

  /** Nothing it says is listened to for an hour, and its debit does not decay: the mark is the id's, wherever it comes from. */
  function quarantine(id: PeerId, why: string, nowMs: number): void {
    const record = recordOf(id, nowMs)
    hold(record, nowMs + limits.quarantineMs, nowMs)
    record.quarantinedMs = nowMs
    quarantined.add(id)
    note(id, record, { reason: 'quarantined', detail: why, delta: 0 }, nowMs)
  }

  /** Peers whose quarantine has ended by its time, as at the end of a ban. */
  function release(nowMs: number): readonly PeerId[] {
    const ids: PeerId[] = []
    for (const id of quarantined) {
      const record = records.get(id)
      if (record?.quarantinedMs && record.frozenUntilMs > nowMs) continue
      quarantined.delete(id)
      if (!record?.quarantinedMs) continue
      settle(record, nowMs)
      record.quarantinedMs = 0
      note(id, record, { reason: 'released', detail: 'expired', delta: 0 }, nowMs)
      ids.push(id)
    }
    return ids
  }

  function isQuarantined(id: PeerId, nowMs: number): boolean {
    if (!quarantined.has(id)) return false
    const record = records.get(id)
    return record !== undefined && record.quarantinedMs > 0 && nowMs < record.frozenUntilMs
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
    setDebit(record, 0, 0, nowMs)
    record.credit = 0
    record.frozenUntilMs = 0
    record.quarantinedMs = 0
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
    for (const { id } of order.slice(0, limits.reputationEvictedMax)) {
      drop(id)
      evicted += 1
    }
  }

  /** Forgets peers that are worth nothing any more and whose history is old; a few at a time. */
  function prune(nowMs: number): void {
    let pruned = 0
    for (const [id, { history, frozenUntilMs }] of records) {
      if (pruned >= limits.reputationPrunedMax) return
      if (connected.has(id) || frozenUntilMs > nowMs) continue
      const last = history.entries.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
      if (nowMs - last < limits.reputationHistoryMs) continue
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

  /** The wall clock has jumped. What decays goes by the time that has passed: nobody is forgiven by a correction of the clock. */
  function shift(byMs: number): void {
    for (const record of records.values()) {
      record.debitAtMs += byMs
      record.creditAtMs += byMs
      record.creditFromMs += byMs
    }
  }

  /** It has connected from an address of this group. Only what was seen counts: anybody can name another's address as its own. */
  function opened(id: PeerId, group?: string): void {
    connected.set(id, group)
    const record = records.get(id)
    if (!record || group === undefined || record.groups.at(-1) === group) return
    const others = record.groups.filter(other => other !== group)
    record.groups = [...others, group].slice(-limits.reputationGroupsOfPeerMax)
    dirty.add(id)
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
    refund,
    credit,
    score,
    quarantine,
    release,
    isQuarantined,
    own,
    freeze,
    lift,
    forgive,
    prune,
    shift,
    opened,
    closed,
    get: (id: PeerId): Readonly<PeerRecord> | undefined => records.get(id),
    ids: (): IterableIterator<PeerId> => records.keys(),
    /** Marked; the time of some may be up. */
    quarantined: quarantined as ReadonlySet<PeerId>,
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
  if (of !== 'provable') return history.hasLately(reason, repeatMs, nowMs)
  return evidence !== '' && history.hasEvidence(clipped(evidence))
}

function clipped(text: string): string {
  // No character takes more than three bytes.
  if (text.length * 3 <= limits.chargeTextBytesMax) return text
  if (Buffer.byteLength(text) <= limits.chargeTextBytesMax) return text
  return Buffer.from(text)
    .subarray(0, limits.chargeTextBytesMax)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?')
}
