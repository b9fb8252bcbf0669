import type { Context } from '@rockpool/actor'
import type { Ban, BannedBy, MonitorBan, PeerId, Subject } from '@rockpool/protocol'
import type { BanBook } from './ban-book.ts'
import type { Budget } from './budget.ts'
import type { Act } from './enforcement.ts'
import type { Connected } from './explain.ts'
import type { Groups } from './groups.ts'
import { groupOfIp } from './ip-groups.ts'
import { judge } from './judge.ts'
import { blameOf } from './monitor-views.ts'
import type { MonitorPolicy } from './policy.ts'
import type { Reputation } from './reputation.ts'
import type { Standing } from './standing.ts'

export interface JudgementParts {
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly groups: Groups
  readonly standing: Standing
  readonly budget: Budget
  readonly policy: MonitorPolicy
  readonly connected: ReadonlyMap<PeerId, Connected>
  readonly isSuspect: () => boolean
  readonly isMinority: () => boolean
  readonly isSpared: (ip: string) => boolean
  readonly groupOf: (id: PeerId) => string | undefined
  readonly commit: (acts: readonly Act[]) => void
  readonly close: (id: PeerId, ban: Ban) => void
  /** What was done about a peer, for the log of all charges. */
  readonly note: (id: PeerId) => void
  readonly count: (word: string) => void
}

/** Judges one peer and does what follows from it: a ban, and perhaps one of its addresses; quarantine, where it must not be banned. */
export function createJudgement(
  ctx: Pick<Context<never>, 'now' | 'wall' | 'log'>,
  parts: JudgementParts,
) {
  const { reputation, bans, groups, standing, budget, policy, connected, commit } = parts
  const { groupOf, isSpared } = parts
  const rules = {
    minScore: policy.threshold,
    total: (id: PeerId) => standing.score(id).total,
    proven: (id: PeerId) => {
      const { proven, credit, gossip } = standing.score(id)
      return proven + credit + gossip
    },
    isExempt: standing.isExempt,
    activeBan: standing.banOf,
    isSuspect: parts.isSuspect,
    withheld,
    endMs: (id: PeerId) => ctx.wall() + bans.durationMs(id, policy.banMs, ctx.wall(), before(id)),
  }

  /** Earlier bans on its addresses: a new id there goes on where the one before ended. */
  function before(id: PeerId): number {
    const group = groupOf(id)
    return group === undefined ? 0 : groups.earlier(group, ctx.wall())
  }

  /** Connected peers that are listened to, but for those left out. */
  function others(isOut: (view: Connected['view']) => boolean): number {
    let count = 0
    for (const { view } of connected.values()) {
      if (!standing.isQuarantined(view.id) && !isOut(view)) count += 1
    }
    return count
  }

  function withheld(id: PeerId): 'budget' | 'floor' | 'minority-view' | undefined {
    const rest = others(view => view.id === id)
    if (rest < policy.minPeers) return parts.isMinority() ? 'minority-view' : 'floor'
    return budget.left(
      others(() => false),
      ctx.now(),
    ) > 0
      ? undefined
      : 'budget'
  }

  function condemn(id: PeerId, untilMs: number, by: BannedBy): void {
    const ruling = judge(id, untilMs, rules)
    switch (ruling.kind) {
      case 'stale':
        return parts.close(id, ruling.ban)
      case 'error':
        return ctx.log.warn('p2p/check-failed', { text: ruling.cause })
      case 'withheld':
        return parts.count(`withheld ${ruling.why}`)
      case 'quarantine':
        return quarantine(id, ruling.why)
      case 'ban':
        return convict(id, ruling.untilMs, by)
      default:
    }
  }

  function quarantine(id: PeerId, why: 'budget' | 'floor'): void {
    if (standing.isQuarantined(id)) return
    parts.count(`withheld ${why}`)
    standing.urgent.delete(id)
    reputation.quarantine(id, why, ctx.wall())
    parts.note(id)
    commit([{ kind: 'quarantined', subject: { kind: 'peer', value: id }, why }])
  }

  function convict(id: PeerId, untilMs: number, by: BannedBy): void {
    const subject: Subject = { kind: 'peer', value: id }
    const blame = blameOf(reputation.get(id)?.history.entries ?? [])
    const made = bans.ban({ subject, untilMs, by, ...blame }, ctx.wall(), before(id))
    if (!made.ok) throw new Error(made.message)
    budget.spend(ctx.now())
    ban(made.value)
    banGroup(id, blame)
  }

  /** So many ids of one address were banned that the next one is no better. */
  function banGroup(id: PeerId, blame: { reason: string; evidence: readonly string[] }): void {
    const group = groupOf(id)
    if (group === undefined || isSpared(group)) return
    const nowMs = ctx.wall()
    const earlier = groups.earlier(group, nowMs)
    const distinct = groups.banned(group, id, nowMs)
    if (policy.ipThreshold === 0 || distinct < policy.ipThreshold) return
    const isOn = ({ id: other, ip }: Connected['view']) =>
      !standing.isExempt(other) && groupOfIp(ip) === group
    if (others(isOn) < policy.minPeers) return parts.count('withheld floor')
    const subject: Subject = { kind: 'ip', value: group }
    const untilMs = nowMs + bans.durationMs(id, policy.banMs, nowMs, earlier)
    const made = bans.ban({ subject, untilMs, by: 'monitor', ...blame }, nowMs, earlier)
    if (made.ok) ban(made.value)
  }

  function ban(made: Ban, reply?: MonitorBan['reply']): void {
    const { subject, untilMs, reason } = made
    if (subject.kind === 'peer') {
      standing.urgent.delete(subject.value)
      const end = untilMs ?? Number.MAX_SAFE_INTEGER
      reputation.freeze(subject.value, end, reason, ctx.wall())
      parts.note(subject.value)
    }
    commit([{ kind: 'banned', ban: made, ...(reply && { reply }) }])
  }

  /** Those whose quarantine is over: they start again, on probation. */
  function release(): void {
    for (const id of reputation.release(ctx.wall())) {
      parts.note(id)
      commit([{ kind: 'released', subject: { kind: 'peer', value: id } }])
    }
  }

  return {
    condemn,
    ban,
    release,
    total: rules.total,
    budgetLeft: () =>
      budget.left(
        others(() => false),
        ctx.now(),
      ),
  }
}
