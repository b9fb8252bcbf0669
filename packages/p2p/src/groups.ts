import { limits, type PeerId } from '@rockpool/protocol'

/** What is held against the addresses of one group. Instants are epoch ms. */
export interface GroupRecord {
  lastSeenMs: number
  /** Proved ones, by anybody who came from there. */
  offences: number
  /** Ids that were banned while on it, and when each was last. */
  ids: readonly (readonly [id: PeerId, atMs: number])[]
  /** Instants of the monitor's bans of ids on it, as far as they count. */
  bans: readonly number[]
}

export type Groups = ReturnType<typeof createGroups>

const dayMs = 86_400_000

/**
 * What happened on each IP group, so that a new id is not a new life. Fed by addresses that were seen, never by those that somebody claims:
 * else anybody could have an honest address banned.
 */
export function createGroups(loaded: Iterable<readonly [string, GroupRecord]> = []) {
  const records = new Map<string, GroupRecord>()
  for (const [group, record] of loaded) records.set(group, { ...record })
  const dirty = new Set<string>()

  function touch(group: string, nowMs: number): GroupRecord {
    const known = records.get(group)
    // Put last, since room is made from the front.
    if (known) records.delete(group)
    else makeRoom(nowMs)
    const record = known ?? { lastSeenMs: nowMs, offences: 0, ids: [], bans: [] }
    record.lastSeenMs = nowMs
    records.set(group, record)
    dirty.add(group)
    return record
  }

  /** The one used longest ago goes, if possible one without bans. */
  function makeRoom(nowMs: number): void {
    if (records.size < limits.reputationGroupsMax) return
    let loser: string | undefined
    let looked = 0
    for (const [group, record] of records) {
      loser ??= group
      if (recentBans(record, nowMs).length === 0) {
        loser = group
        break
      }
      looked += 1
      if (looked >= limits.reputationEvictedMax) break
    }
    if (loser === undefined) return
    records.delete(loser)
    dirty.add(loser)
  }

  function offended(group: string, nowMs: number): void {
    touch(group, nowMs).offences += 1
  }

  /** An id on it was banned; how many distinct ones that makes within a day. */
  function banned(group: string, id: PeerId, nowMs: number): number {
    const record = touch(group, nowMs)
    const others = record.ids.filter(([other, atMs]) => other !== id && nowMs - atMs < dayMs)
    record.ids = [...others, [id, nowMs] as const].slice(-limits.groupIdsMax)
    record.bans = [...recentBans(record, nowMs), nowMs].slice(-limits.groupBansMax)
    return record.ids.length
  }

  /** Bans of ids on it that still make a ban longer. */
  function earlier(group: string, nowMs: number): number {
    const record = records.get(group)
    return record ? recentBans(record, nowMs).length : 0
  }

  /** An operator has let it in: what was counted is forgotten. */
  function forgive(group: string): void {
    if (records.delete(group)) dirty.add(group)
  }

  /** Forgets what counts for nothing any more, a few at a time. */
  function prune(nowMs: number): void {
    let pruned = 0
    for (const [group, record] of records) {
      if (pruned >= limits.reputationPrunedMax) return
      if (nowMs - record.lastSeenMs < limits.banHistoryMs) continue
      records.delete(group)
      dirty.add(group)
      pruned += 1
    }
  }

  return {
    offended,
    banned,
    earlier,
    forgive,
    prune,
    get: (group: string): Readonly<GroupRecord> | undefined => records.get(group),
    get size() {
      return records.size
    },
    get dirty() {
      return dirty.size
    },
    /** Groups whose record has changed, or is gone, since the last call. */
    takeDirty(): readonly string[] {
      const groups = [...dirty]
      dirty.clear()
      return groups
    },
    /** The write of these failed. */
    mark(groups: readonly string[]): void {
      for (const group of groups) dirty.add(group)
    },
  }
}

function recentBans({ bans }: Readonly<GroupRecord>, nowMs: number): readonly number[] {
  return bans.filter(atMs => nowMs - atMs < limits.banHistoryMs)
}
