import type { ActorRef, Context, Outcome } from '@rockpool/actor'
import {
  type Answer,
  type Ban,
  type Fact,
  failed,
  firstOf,
  type Goodbye,
  type LiftCause,
  limits,
  type NetworkPort,
  type NodeClear,
  type NodeRaise,
  ok,
  type PeerId,
  parseIp,
  parseIpRange,
  type Reply,
  type Store,
  type Subject,
  type Write,
} from '@rockpool/protocol'
import { type BanBook, keyOf } from './ban-book.ts'
import type { Connected } from './explain.ts'
import { banWrite, peerWrite } from './peer-store.ts'
import type { Reputation } from './reputation.ts'

/** What is done once a change of the ban book is on disk. */
export type Act =
  | { readonly kind: 'banned'; readonly ban: Ban; readonly reply?: Reply<Answer<Ban>> }
  | {
      readonly kind: 'lifted'
      readonly subject: Subject
      readonly cause: LiftCause
      readonly reply?: Reply<Answer<void>>
    }

/** Outcomes of what was piped, and timers. */
export type FromEnforcement =
  | {
      type: 'monitor.stored'
      acts: readonly Act[]
      subjects: readonly Subject[]
      outcome: Outcome<void, unknown>
    }
  | { type: 'monitor.flushed'; ids: readonly PeerId[]; outcome: Outcome<void, unknown> }
  | { type: 'monitor.parted'; peer: PeerId; outcome: Outcome<void, unknown> }
  | { type: 'monitor.retry' }
  | { type: 'monitor.flush' }
  | { type: 'monitor.lift' }

export interface EnforcementParts {
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly network: Pick<NetworkPort, 'disconnect' | 'forgive'>
  /** Absent: nothing survives a restart. */
  readonly store?: Store
  readonly node: Pick<ActorRef<NodeRaise | NodeClear>, 'tell'>
  readonly connected: ReadonlyMap<PeerId, Connected>
  readonly isExempt: (id: PeerId) => boolean
  readonly count: (word: string) => void
}

/** A receiver of a goodbye believes no longer wait. */
const retryAfterMaxSeconds = 86_400

/**
 * Carries out what the ban book says: first the disk, then the connection, the fact and the answer. A disk that fails must not keep a bad peer,
 * so then the same is done, and says of itself that it may not survive a restart.
 */
export function createEnforcement(
  ctx: Pick<
    Context<FromEnforcement, Fact>,
    'pipe' | 'after' | 'at' | 'emit' | 'wall' | 'log' | 'cancel'
  >,
  parts: EnforcementParts,
) {
  const { reputation, bans, network, store, node, connected, isExempt, count } = parts
  /** Subjects whose state the disk may not have. */
  const unsaved = new Map<string, Subject>()
  /** Subjects whose ban is on its way to the disk, by how many writes: nobody hears of it yet. */
  const pending = new Map<string, number>()
  /** Told goodbye, and not closed yet. */
  const parting = new Set<PeerId>()
  let writing = 0
  let waiting: Reply<void>[] = []

  function commit(acts: readonly Act[]): void {
    const dropped = bans.takeDropped().map(({ subject }) => subject)
    const subjects = [...acts.map(subjectOf), ...dropped]
    rearm()
    if (!store) return carryOut(acts, false)
    for (const key of bannedBy(acts)) pending.set(key, (pending.get(key) ?? 0) + 1)
    save(store, acts, subjects)
  }

  function save(to: Store, acts: readonly Act[], subjects: readonly Subject[]): void {
    writing += 1
    ctx.pipe(
      () => to.batch(subjects.flatMap(writesOf), { sync: true }),
      outcome => ({ type: 'monitor.stored', acts, subjects, outcome }),
    )
  }

  function writesOf(subject: Subject): readonly Write[] {
    const ban = banWrite(subject, bans.find(subject))
    return subject.kind === 'peer' ? [ban, recordWrite(subject.value)] : [ban]
  }

  const recordWrite = (id: PeerId): Write => peerWrite(id, reputation.get(id))

  function stored({ acts, subjects, outcome }: FromEnforcement & { type: 'monitor.stored' }): void {
    written()
    for (const key of bannedBy(acts)) settle(key)
    if (!outcome.ok) notSaved(subjects, outcome.error)
    else if (unsaved.size > 0) saved(subjects)
    carryOut(acts, outcome.ok)
  }

  function settle(key: string): void {
    const others = (pending.get(key) ?? 0) - 1
    if (others > 0) pending.set(key, others)
    else pending.delete(key)
  }

  function notSaved(subjects: readonly Subject[], error: unknown): void {
    for (const subject of subjects) unsaved.set(keyOf(subject), subject)
    ctx.log.error('p2p/ban-not-durable', { subjects: subjects.length, error })
    const text = 'bans could not be written: a restart would forget them'
    node.tell({ type: 'node.raise', reason: { code: 'bans-failed', services: ['p2p'], text } })
    ctx.after('retry', limits.banRetryMs, { type: 'monitor.retry' })
  }

  function saved(subjects: readonly Subject[]): void {
    for (const subject of subjects) unsaved.delete(keyOf(subject))
    if (unsaved.size === 0) node.tell({ type: 'node.clear', code: 'bans-failed' })
  }

  function retry(): void {
    if (store && unsaved.size > 0) save(store, [], [...unsaved.values()])
  }

  function carryOut(acts: readonly Act[], durable: boolean): void {
    for (const act of acts) {
      if (act.kind === 'banned') banned(act, durable)
      else lifted(act, durable)
    }
  }

  function banned({ ban, reply }: Act & { kind: 'banned' }, durable: boolean): void {
    const { subject, untilMs, reason, by, count: times } = ban
    for (const id of affected(subject)) part(id, ban)
    count(`ban ${by} ${subject.kind}`)
    ctx.log.info('p2p/banned', { ...subject, untilMs, reason, by, count: times, durable })
    ctx.emit({ type: 'peer.banned', subject, untilMs, reason, by, count: times, durable })
    reply?.tell(durable || !store ? ok(ban) : failed('p2p/ban-not-durable'))
  }

  function lifted({ subject, cause, reply }: Act & { kind: 'lifted' }, durable: boolean): void {
    count(`lift ${cause}`)
    ctx.log.info('p2p/lifted', { ...subject, cause })
    ctx.emit({ type: 'peer.lifted', subject, cause })
    reply?.tell(durable || !store ? ok(undefined) : failed('p2p/ban-not-durable'))
  }

  /** Connected peers a ban is about. */
  function affected(subject: Subject): readonly PeerId[] {
    return [...connected.values()]
      .filter(({ view }) => !isExempt(view.id) && isAbout(subject, view))
      .map(({ view }) => view.id)
  }

  /** Closes a connection that a ban should have ended. One that is still being written ends it when it is stored. */
  function close(id: PeerId, ban: Ban): void {
    if (!pending.has(keyOf(ban.subject))) part(id, ban)
  }

  /** A new visit: what a goodbye under way closes is the one before. */
  function opened(id: PeerId, ban: Ban): void {
    parting.delete(id)
    close(id, ban)
  }

  /** Tells the peer once why and until when, and closes everything of it. */
  function part(id: PeerId, ban: Ban): void {
    if (parting.has(id)) return
    parting.add(id)
    const leftMs = (ban.untilMs ?? Number.POSITIVE_INFINITY) - ctx.wall()
    const retryAfterSeconds = Math.min(retryAfterMaxSeconds, Math.max(0, Math.ceil(leftMs / 1_000)))
    const bye: Goodbye = { code: 251, retryAfterSeconds, text: ban.reason }
    ctx.pipe(
      () => network.disconnect(id, bye),
      outcome => ({ type: 'monitor.parted', peer: id, outcome }),
    )
  }

  function parted(id: PeerId): void {
    parting.delete(id)
  }

  /** Bans whose time is up: the peer starts again, on probation. */
  function lift(): void {
    const nowMs = ctx.wall()
    const over = bans.expire(nowMs)
    for (const { subject } of over) {
      if (subject.kind !== 'peer') continue
      reputation.lift(subject.value, nowMs)
      network.forgive(subject.value)
    }
    if (over.length === 0) return rearm()
    commit(over.map(({ subject }) => ({ kind: 'lifted', subject, cause: 'expired' })))
  }

  function rearm(): void {
    const { nextMs } = bans
    if (nextMs === undefined) ctx.cancel('lift')
    else ctx.at('lift', nextMs, { type: 'monitor.lift' })
  }

  /** Writes changed records, some seconds after the first change. */
  function flushSoon(): void {
    if (store && reputation.dirty > 0) {
      ctx.after('flush', limits.reputationFlushMs, { type: 'monitor.flush' })
    }
  }

  function flush(): void {
    const ids = reputation.takeDirty()
    if (!store || ids.length === 0) return
    writing += 1
    ctx.pipe(
      () => store.batch(ids.map(recordWrite)),
      outcome => ({ type: 'monitor.flushed', ids, outcome }),
    )
  }

  function flushed({ ids, outcome }: FromEnforcement & { type: 'monitor.flushed' }): void {
    written()
    if (outcome.ok) return
    reputation.mark(ids)
    ctx.log.warn('p2p/reputation-not-written', { records: ids.length, error: outcome.error })
  }

  /** What is over for long is dropped, from the disk too. */
  function prune(): void {
    const nowMs = ctx.wall()
    reputation.prune(nowMs)
    const old = bans.prune(nowMs).map(({ subject }) => subject)
    if (store && old.length > 0) save(store, [], old)
  }

  function written(): void {
    writing -= 1
    if (writing > 0) return
    for (const reply of waiting) reply.tell()
    waiting = []
  }

  /** Answered when nothing is on its way to the disk any more. */
  function drain(reply: Reply<void>): void {
    flush()
    if (writing === 0) reply.tell()
    else waiting.push(reply)
  }

  return {
    ...{ commit, stored, retry, close, opened, parted, lift },
    ...{ flushSoon, flush, flushed, prune, drain },
  }
}

const bannedBy = (acts: readonly Act[]): readonly string[] =>
  acts.flatMap(act => (act.kind === 'banned' ? [keyOf(act.ban.subject)] : []))

const subjectOf = (act: Act): Subject => (act.kind === 'banned' ? act.ban.subject : act.subject)

function isAbout({ kind, value }: Subject, { id, ip }: { id: PeerId; ip: string }): boolean {
  if (kind === 'peer') return id === value
  if (kind === 'ip') return keyOf({ kind, value: ip }) === keyOf({ kind, value })
  const range = parseIpRange(value)
  const address = parseIp(ip)
  if (!range || address?.bits !== range.ip.bits) return false
  return firstOf(address, range.length).value === firstOf(range.ip, range.length).value
}
