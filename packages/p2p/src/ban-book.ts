import {
  type Answer,
  type Ban,
  failed,
  type Ip,
  limits,
  ok,
  type PeerId,
  parseIp,
  parseIpRange,
  type Subject,
} from '@rockpool/protocol'

/** What somebody wants; the book adds what follows from earlier bans. */
export type BanWish = Pick<Ban, 'subject' | 'untilMs' | 'reason' | 'evidence' | 'by' | 'note'>

export type BanBook = ReturnType<typeof createBanBook>

/** The longer the oftener: by the number of earlier bans within thirty days. */
const escalation = [1, 6, 24, 168] as const

/**
 * Who is kept out, until when, and why. Pure: the caller says what time it is, and stores what changed.
 *
 * A ban is not a bad score. Scores decay, and a ban that lived in one decayed with it: the attacker was back within minutes (Aztec
 * GHSA-h4vv-85x5-6hmh). Here a ban has one end, which the monitor can only move away and only an operator can bring nearer.
 */
export function createBanBook(bans: Iterable<Ban> = []) {
  const byKey = new Map<string, Ban>()
  /** Ranges by family and length, so that an address is looked up once for each length in use. */
  const ranges: Readonly<Record<Ip['bits'], Map<number, Map<bigint, Subject>>>> = {
    32: new Map(),
    128: new Map(),
  }
  /** Over, and not handed out yet. */
  const lapsed: Ban[] = []
  /** Had to give way. */
  const dropped: Ban[] = []
  let evicted = 0
  for (const ban of bans) put(ban)

  function put(ban: Ban): void {
    byKey.set(keyOf(ban.subject), ban)
    if (ban.subject.kind === 'subnet') enterRange(ban.subject)
  }

  function drop(subject: Subject): void {
    byKey.delete(keyOf(subject))
    const range = subject.kind === 'subnet' ? parseIpRange(subject.value) : undefined
    if (!range) return
    const { ip, length } = range
    const starts = ranges[ip.bits].get(length)
    starts?.delete(startOf(ip, length))
    if (starts?.size === 0) ranges[ip.bits].delete(length)
  }

  function enterRange(subject: Subject): void {
    const range = parseIpRange(subject.value)
    if (!range) throw new TypeError(`not a range: ${subject.value}`)
    const { ip, length } = range
    const starts = ranges[ip.bits].get(length) ?? new Map<bigint, Subject>()
    starts.set(startOf(ip, length), subject)
    ranges[ip.bits].set(length, starts)
  }

  /** The ban in force at `nowMs`; the instant of its end is free. One that is found to be over is noted as lifted. */
  function active(subject: Subject, nowMs: number): Ban | undefined {
    return inForce(keyOf(subject), nowMs)
  }

  function inForce(key: string, nowMs: number): Ban | undefined {
    const ban = byKey.get(key)
    if (!ban || ban.ended) return undefined
    if (isActive(ban, nowMs)) return ban
    lapse(ban)
    return undefined
  }

  /** Like `active` for an address and the ranges it is in. */
  function covering(text: string, nowMs: number): Ban | undefined {
    const ip = parseIp(text)
    return ip && (inForce(groupKey(ip), nowMs) ?? inRange(ip, nowMs))
  }

  function inRange(ip: Ip, nowMs: number): Ban | undefined {
    for (const [length, starts] of ranges[ip.bits]) {
      const subject = starts.get(startOf(ip, length))
      const ban = subject && active(subject, nowMs)
      if (ban) return ban
    }
    return undefined
  }

  function lapse(ban: Ban): void {
    if (ban.untilMs === null) return
    const ended: Ban = { ...ban, ended: { atMs: ban.untilMs, cause: 'expired' } }
    put(ended)
    lapsed.push(ended)
  }

  /** How long the monitor bans this peer now; `least` is how often it counts as banned before in any case. */
  function durationMs(peer: PeerId, baseMs: number, nowMs: number, least = 0): number {
    const before = byKey.get(keyOf({ kind: 'peer', value: peer }))
    const count = Math.max(least, endsBefore(before, nowMs).length)
    return baseMs * (escalation[Math.min(count, escalation.length - 1)] ?? 1)
  }

  /** Bans. One in force is only made longer by the monitor; an operator sets it as asked. */
  function ban(wish: BanWish, nowMs: number, leastCount = 0): Answer<Ban> {
    const { subject, untilMs } = wish
    if (untilMs !== null && untilMs <= nowMs) return failed('p2p/until-in-past')
    const before = byKey.get(keyOf(subject))
    const standing = active(subject, nowMs)
    const isNew = !standing || classOf(standing) !== classOf(wish)
    if (isNew && !makeRoom(wish)) return failed('p2p/ban-book-full')
    const earlier = standing ? standing.earlier : endsBefore(before, nowMs)
    const made: Ban = {
      ...wish,
      fromMs: standing?.fromMs ?? nowMs,
      untilMs: wish.by === 'operator' ? untilMs : longer(untilMs, standing),
      evidence: wish.evidence.slice(0, limits.banEvidenceMax),
      count: Math.min(limits.banEarlierMax, Math.max(leastCount, earlier.length)),
      earlier,
    }
    put(made)
    return ok(made)
  }

  /** Takes in a ban of another book as it is, unless the one here ends later. False: it did not change this book. */
  function adopt(ban: Ban, nowMs: number): Answer<boolean> {
    if (ban.ended || !isActive(ban, nowMs)) return ok(false)
    const standing = active(ban.subject, nowMs)
    if (standing && endOf(standing) >= endOf(ban)) return ok(false)
    const isNew = !standing || classOf(standing) !== classOf(ban)
    if (isNew && !makeRoom(ban)) return failed('p2p/ban-book-full')
    put({ ...ban, fromMs: Math.min(ban.fromMs, nowMs) })
    return ok(true)
  }

  /** Ends a ban before its time. With `forget` it no longer counts towards the next. */
  function unban(subject: Subject, forget: boolean, nowMs: number): Answer<Ban> {
    const known = byKey.get(keyOf(subject))
    const standing = active(subject, nowMs)
    if (forget && known) {
      drop(known.subject)
      if (!standing) return ok(known)
    }
    if (!standing) return failed('p2p/not-banned')
    const ended: Ban = { ...standing, ended: { atMs: nowMs, cause: 'operator' } }
    if (!forget) put(ended)
    return ok(ended)
  }

  /** Bans that have come to their end and were not handed out yet. */
  function expire(nowMs: number): readonly Ban[] {
    for (const each of byKey.values()) if (!each.ended && !isActive(each, nowMs)) lapse(each)
    return lapsed.splice(0)
  }

  /** Bans that have been over for thirty days, taken out of the book; a few at a time. */
  function prune(nowMs: number): readonly Ban[] {
    const old: Ban[] = []
    for (const each of byKey.values()) {
      if (old.length >= limits.bansPrunedPerMinute) break
      if (each.ended && nowMs - each.ended.atMs >= limits.banHistoryMs) old.push(each)
    }
    for (const each of old) drop(each.subject)
    return old
  }

  /** False when nothing may give way. Of temporary bans the one that is over, or ends soonest, does. */
  function makeRoom(wish: BanWish): boolean {
    if (!isFull(wish)) return true
    if (classOf(wish) !== 'temporary') return false
    let soonest: Ban | undefined
    for (const each of byKey.values()) {
      if (classOf(each) === 'temporary' && endOf(each) < (soonest ? endOf(soonest) : Infinity)) {
        soonest = each
      }
    }
    if (!soonest) return false
    drop(soonest.subject)
    dropped.push(soonest)
    evicted += 1
    return true
  }

  function isFull(wish: BanWish): boolean {
    const of = classOf(wish)
    const max = boundOf[of]
    if (byKey.size < max) return false
    let count = 0
    for (const each of byKey.values()) if (classOf(each) === of) count += 1
    return count >= max
  }

  return {
    active,
    covering,
    durationMs,
    ban,
    adopt,
    unban,
    expire,
    prune,
    find: (subject: Subject): Ban | undefined => byKey.get(keyOf(subject)),
    /** Everything, also what is over. */
    all: (): IterableIterator<Ban> => byKey.values(),
    /** In force at this instant. */
    list: (nowMs: number): readonly Ban[] =>
      [...byKey.values()].filter(each => !each.ended && isActive(each, nowMs)),
    /** When the next ban ends. */
    get nextMs(): number | undefined {
      // What a check found to be over waits to be carried out.
      let next = lapsed[0]?.ended?.atMs
      for (const { untilMs, ended } of byKey.values()) {
        if (ended || untilMs === null) continue
        if (next === undefined || untilMs < next) next = untilMs
      }
      return next
    },
    /** Bans that had to give way since the last call. */
    takeDropped: (): readonly Ban[] => dropped.splice(0),
    get evicted() {
      return evicted
    },
  }
}

type Class = 'temporary' | 'permanent' | 'subnet'

const boundOf: Readonly<Record<Class, number>> = {
  temporary: limits.bansMax,
  permanent: limits.permanentBansMax,
  subnet: limits.subnetBansMax,
}

function classOf({ subject, untilMs }: Pick<Ban, 'subject' | 'untilMs'>): Class {
  if (subject.kind === 'subnet') return 'subnet'
  return untilMs === null ? 'permanent' : 'temporary'
}

const isActive = ({ untilMs }: Ban, nowMs: number): boolean => untilMs === null || nowMs < untilMs

const endOf = ({ untilMs, ended }: Ban): number => ended?.atMs ?? untilMs ?? Infinity

const longer = (untilMs: number | null, standing: Ban | undefined): number | null => {
  if (!standing) return untilMs
  if (untilMs === null || standing.untilMs === null) return null
  return Math.max(untilMs, standing.untilMs)
}

/** Ends of the monitor's bans that still count. */
function endsBefore(before: Ban | undefined, nowMs: number): readonly number[] {
  if (!before) return []
  const last = before.by !== 'operator' && before.ended ? [before.ended.atMs] : []
  return [...before.earlier, ...last]
    .filter(end => nowMs - end < limits.banHistoryMs)
    .slice(-limits.banEarlierMax)
}

/** One customer's addresses are one subject. */
export function keyOf({ kind, value }: Subject): string {
  if (kind !== 'ip') return `${kind} ${value}`
  const ip = parseIp(value)
  return ip ? groupKey(ip) : `${kind} ${value}`
}

/** An IPv4 address, or a /56 of IPv6. */
function groupKey(ip: Ip): string {
  return ip.bits === 32 ? `ip ${ip.value}` : `ip ${startOf(ip, 56).toString(16)}/56`
}

/** The first bits of an address as a number. */
const startOf = ({ bits, value }: Ip, length: number): bigint => value >> BigInt(bits - length)
