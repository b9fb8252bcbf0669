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
import type { ChargeLog, LogChange } from './charge-log.ts'
import type { Connected } from './explain.ts'
import type { Groups } from './groups.ts'
import { banWrite, groupWrite, logWrite, peerWrite } from './peer-store.ts'
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
  | { readonly kind: 'quarantined'; readonly subject: Subject; readonly why: 'budget' | 'floor' }
  | { readonly kind: 'released'; readonly subject: Subject }
  | { readonly kind: 'imported'; readonly ban: Ban; readonly done?: () => void }

/** What was written besides bans. */
interface Rest {
  readonly ids: readonly PeerId[]
  readonly groups: readonly string[]
  readonly change: LogChange
}

/** Outcomes of what was piped, and timers. */
export type FromEnforcement =
  | {
      type: 'monitor.stored'
      acts: readonly Act[]
      subjects: readonly Subject[]
      write: number
      rest: Rest
      outcome: Outcome<void, unknown>
    }
  | { type: 'monitor.flushed'; write: number; rest: Rest; outcome: Outcome<void, unknown> }
  | {
      type: 'monitor.parted'
      peer: PeerId
      outcome: Outcome<void, unknown>
      reply?: Reply<Answer<void>>
    }
  | { type: 'monitor.retry' }
  | { type: 'monitor.flush' }
  | { type: 'monitor.lift' }

export interface EnforcementParts {
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly groups: Groups
  readonly log: ChargeLog
  readonly network: Pick<NetworkPort, 'dial' | 'disconnect' | 'forgive' | 'keep' | 'unkeep'>
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
    'pipe' | 'after' | 'at' | 'emit' | 'now' | 'wall' | 'log' | 'cancel'
  >,
  parts: EnforcementParts,
) {
  const { reputation, bans, groups, log, network, store, node } = parts
  const { connected, isExempt, count } = parts
  /** Subjects whose state the disk may not have. */
  const unsaved = new Map<string, Subject>()
  /** Subjects whose ban is on its way to the disk, by how many writes: nobody hears of it yet. */
  const pending = new Map<string, number>()
  /** Told goodbye, and not closed yet. */
  const parting = new Set<PeerId>()
  /** Writes that are under way, by number: when each began, on the monotonic clock. */
  const writing = new Map<number, number>()
  let writes = 0
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
    const write = begin()
    const rest = takeRest()
    ctx.pipe(
      () => to.batch([...subjects.flatMap(writesOf), ...writesOfRest(rest)], { sync: true }),
      outcome => ({ type: 'monitor.stored', acts, subjects, write, rest, outcome }),
    )
  }

  function begin(): number {
    writes += 1
    writing.set(writes, ctx.now())
    return writes
  }

  function takeRest(): Rest {
    const [ids, changed] = [reputation.takeDirty(), groups.takeDirty()]
    return { ids, groups: changed, change: log.takeChange() }
  }

  function putBack(rest: Rest): void {
    reputation.mark(rest.ids)
    groups.mark(rest.groups)
    log.putBack(rest.change)
  }

  function writesOfRest({ ids, groups: changed, change }: Rest): readonly Write[] {
    return [
      ...ids.map(recordWrite),
      ...changed.map(group => groupWrite(group, groups.get(group))),
      ...change.made.map(line => logWrite(line, line)),
      ...change.gone.map(line => logWrite(line, undefined)),
    ]
  }

  function writesOf(subject: Subject): readonly Write[] {
    const ban = banWrite(subject, bans.find(subject))
    return subject.kind === 'peer' ? [ban, recordWrite(subject.value)] : [ban]
  }

  const recordWrite = (id: PeerId): Write => peerWrite(id, reputation.get(id))

  function stored(message: FromEnforcement & { type: 'monitor.stored' }): void {
    const { acts, subjects, write, rest, outcome } = message
    written(write)
    if (!outcome.ok) putBack(rest)
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
      else if (act.kind === 'lifted') lifted(act, durable)
      else if (act.kind === 'imported') imported(act)
      else marked(act)
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

  function imported({ ban, done }: Act & { kind: 'imported' }): void {
    for (const id of affected(ban.subject)) part(id, ban)
    done?.()
  }

  function marked(act: Act & { kind: 'quarantined' | 'released' }): void {
    const peer = act.subject.value
    if (act.kind === 'quarantined') {
      ctx.log.warn('p2p/quarantined', { peer, why: act.why })
      return ctx.emit({ type: 'peer.quarantined', peer, why: act.why })
    }
    network.forgive(peer)
    ctx.log.info('p2p/released', { peer })
    ctx.emit({ type: 'peer.released', peer })
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

  function parted({ peer, reply }: FromEnforcement & { type: 'monitor.parted' }): void {
    parting.delete(peer)
    reply?.tell(ok(undefined))
  }

  /** An operator's goodbye. */
  function dismiss(id: PeerId, code: number, reply: Reply<Answer<void>>): void {
    if (!connected.has(id)) return reply.tell(failed('p2p/not-connected'))
    parting.add(id)
    ctx.pipe(
      () => network.disconnect(id, { code, retryAfterSeconds: 0, text: 'operator' }),
      outcome => ({ type: 'monitor.parted', peer: id, outcome, reply }),
    )
  }

  /** How long the oldest write has been under way. */
  function writingMs(): number {
    for (const begunMs of writing.values()) return ctx.now() - begunMs
    return 0
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
    if (store && reputation.dirty + groups.dirty + log.dirty > 0) {
      ctx.after('flush', limits.reputationFlushMs, { type: 'monitor.flush' })
    }
  }

  function flush(): void {
    const rest = takeRest()
    const { ids, change } = rest
    if (!store || ids.length + rest.groups.length + change.made.length + change.gone.length === 0) {
      return
    }
    const write = begin()
    ctx.pipe(
      () => store.batch(writesOfRest(rest)),
      outcome => ({ type: 'monitor.flushed', write, rest, outcome }),
    )
  }

  function flushed(message: FromEnforcement & { type: 'monitor.flushed' }): void {
    const { write, rest, outcome } = message
    written(write)
    if (outcome.ok) return
    putBack(rest)
    ctx.log.warn('p2p/reputation-not-written', { records: rest.ids.length, error: outcome.error })
  }

  /** What is over for long is dropped, from the disk too. */
  function prune(): void {
    const nowMs = ctx.wall()
    reputation.prune(nowMs)
    groups.prune(nowMs)
    log.prune(nowMs)
    // Without a disk nobody wants to know what has changed.
    if (!store) takeRest()
    const old = bans.prune(nowMs).map(({ subject }) => subject)
    if (store && old.length > 0) save(store, [], old)
    flushSoon()
  }

  function written(write: number): void {
    writing.delete(write)
    if (writing.size > 0) return
    for (const reply of waiting) reply.tell()
    waiting = []
  }

  /** Answered when nothing is on its way to the disk any more. */
  function drain(reply: Reply<void>): void {
    flush()
    if (writing.size === 0) reply.tell()
    else waiting.push(reply)
  }

  return {
    ...{ commit, stored, retry, close, opened, parted, lift, dismiss, writingMs },
    /** Its connections are being ended by this node. */
    isParting: (id: PeerId): boolean => parting.has(id),
    ...{ flushSoon, flush, flushed, prune, drain },
  }
}

const bannedBy = (acts: readonly Act[]): readonly string[] =>
  acts.flatMap(act => (act.kind === 'banned' ? [keyOf(act.ban.subject)] : []))

const subjectOf = (act: Act): Subject => ('ban' in act ? act.ban.subject : act.subject)

function isAbout({ kind, value }: Subject, { id, ip }: { id: PeerId; ip: string }): boolean {
  if (kind === 'peer') return id === value
  if (kind === 'ip') return keyOf({ kind, value: ip }) === keyOf({ kind, value })
  const range = parseIpRange(value)
  const address = parseIp(ip)
  if (!range || address?.bits !== range.ip.bits) return false
  return firstOf(address, range.length).value === firstOf(range.ip, range.length).value
}
