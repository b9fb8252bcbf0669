import { type Behavior, unreachable } from '@rockpool/actor'
import {
  type Ban,
  type BannedBy,
  limits,
  type MonitorBan,
  type MonitorMessage,
  type MonitorReport,
  type PeerBanned,
  type PeerId,
  type PeerLifted,
  type Subject,
} from '@rockpool/protocol'
import { createCounts } from './counts.ts'
import { createEnforcement, type EnforcementParts, type FromEnforcement } from './enforcement.ts'
import { type Connected, rowOf, whyOf } from './explain.ts'
import { judge } from './judge.ts'
import { blameOf, statsOf } from './monitor-views.ts'
import { createOrders } from './orders.ts'
import { chargeOf } from './reasons.ts'
import type { createRotation } from './rotation.ts'
import type { Standing } from './standing.ts'

/** How peers are judged. */
export interface MonitorPolicy {
  /** False: charges are counted and nobody is banned but by an operator. */
  readonly bans: boolean
  /** Below it a peer is banned; the score itself is kept. */
  readonly threshold: number
  /** A first ban. Later ones within thirty days are longer. */
  readonly banMs: number
  /** Peers looked at in one tick; `auto` bounds a round to thirty ticks. */
  readonly perTick: number | 'auto'
}

export interface MonitorParts extends Omit<EnforcementParts, 'connected' | 'isExempt' | 'count'> {
  readonly self: PeerId
  readonly standing: Standing
  readonly policy: MonitorPolicy
  readonly createRotation: typeof createRotation
}

/** What only the monitor tells itself. */
export type ToMonitor = FromEnforcement | { type: 'monitor.tick' } | { type: 'monitor.prune' }

const pruneMs = 60_000
const wordsMax = 64

/** Keeps bad peers out and says why. Asks nobody; everybody may report to it. */
export function monitor(
  parts: MonitorParts,
): Behavior<MonitorMessage | ToMonitor, PeerBanned | PeerLifted> {
  return ctx => {
    const { reputation, bans, standing, policy } = parts
    const { urgent, isExempt } = standing
    const connected = new Map<PeerId, Connected>()
    const charged = createCounts(wordsMax)
    const counts = createCounts(wordsMax)
    const views = { standing, reputation, connected }
    const enforcement = createEnforcement(ctx, { ...parts, connected, isExempt, count: counts.add })
    const orders = createOrders(ctx, { ...parts, commit: enforcement.commit, ban })
    const rules = {
      minScore: policy.threshold,
      total: (id: PeerId) => standing.score(id).total,
      isExempt,
      activeBan: standing.banOf,
      endMs: (id: PeerId) => ctx.wall() + bans.durationMs(id, policy.banMs, ctx.wall()),
    }
    const rotation = parts.createRotation({
      manager: {
        peers: () => [...connected.keys()],
        score: rules.total,
        isStatic: isExempt,
        ban: (id, untilMs) => condemn(id, untilMs, 'monitor'),
      },
      wallNow: () => ctx.wall(),
      minScore: policy.threshold,
      banMs: policy.banMs,
      perTick: policy.perTick,
    })
    // What ended while the node was down is over now.
    ctx.self.tell({ type: 'monitor.lift' })
    ctx.every('prune', pruneMs, { type: 'monitor.prune' })
    if (policy.bans) ctx.every('tick', limits.monitorTickMs, { type: 'monitor.tick' })

    function tick(): void {
      const untilMs = ctx.wall() + policy.banMs
      for (const id of [...urgent].slice(0, limits.urgentPerTick)) {
        urgent.delete(id)
        condemn(id, untilMs, 'urgent')
      }
      for (const step of rotation.tick()) {
        if (step.kind !== 'error') continue
        counts.add('errors')
        ctx.log.warn('p2p/check-failed', { text: step.text })
      }
    }

    function condemn(id: PeerId, untilMs: number, by: BannedBy): void {
      const ruling = judge(id, untilMs, rules)
      if (ruling.kind === 'stale') return enforcement.close(id, ruling.ban)
      if (ruling.kind === 'error') return ctx.log.warn('p2p/check-failed', { text: ruling.cause })
      if (ruling.kind !== 'ban') return
      const subject: Subject = { kind: 'peer', value: id }
      const blame = blameOf(reputation.get(id)?.history ?? [])
      const made = bans.ban({ subject, untilMs: ruling.untilMs, by, ...blame }, ctx.wall())
      if (!made.ok) throw new Error(made.message)
      ban(made.value)
    }

    function ban(made: Ban, reply?: MonitorBan['reply']): void {
      const { subject, untilMs, reason } = made
      if (subject.kind === 'peer') {
        urgent.delete(subject.value)
        const end = untilMs ?? Number.MAX_SAFE_INTEGER
        reputation.freeze(subject.value, end, reason, ctx.wall())
      }
      enforcement.commit([{ kind: 'banned', ban: made, ...(reply && { reply }) }])
    }

    function report({ peer, reason, detail, evidence }: MonitorReport): void {
      const row = chargeOf(reason)
      const entry = reputation.charge(peer, { reason, detail, evidence }, ctx.wall())
      if (!entry) return
      charged.add(reason)
      ctx.log.debug('p2p/charged', { peer, reason, detail, delta: entry.delta })
      enforcement.flushSoon()
      const isProof = policy.bans && row.class === 'provable' && !isExempt(peer)
      if (!isProof || standing.banOf(peer) || rules.total(peer) >= policy.threshold) return
      if (urgent.size < limits.reputationPeersMax) urgent.add(peer)
    }

    function opened(view: Connected['view']): void {
      connected.set(view.id, { view, sinceMs: ctx.wall() })
      reputation.opened(view.id)
      const standingBan = standing.banOf(view.id) ?? bans.covering(view.ip, ctx.wall())
      if (standingBan && !isExempt(view.id)) enforcement.opened(view.id, standingBan)
    }

    return message => {
      switch (message.type) {
        case 'monitor.tick':
          return tick()
        case 'monitor.report':
          return report(message)
        case 'monitor.credit':
          reputation.credit(message.peer, message.reason, message.times, ctx.wall())
          return enforcement.flushSoon()
        case 'peer.opened':
          return opened(message.peer)
        case 'peer.closed':
          connected.delete(message.peer)
          return reputation.closed(message.peer, ctx.wall())
        case 'monitor.ban':
          return orders.ban(message)
        case 'monitor.unban':
          return orders.unban(message)
        case 'monitor.protect':
          return orders.protect(message)
        case 'monitor.why': {
          const { peer, sinceMs: fromMs, reply } = message
          const now = { nowMs: ctx.wall(), fromMs, threshold: policy.threshold }
          return reply.tell(whyOf(peer, { ...views, ...now }))
        }
        case 'monitor.list': {
          const list = bans.list(ctx.wall())
          const ids = new Set([...connected.keys(), ...reputation.ids()])
          return message.reply.tell({ peers: [...ids].map(id => rowOf(id, views)), bans: list })
        }
        case 'monitor.getStats': {
          const rows = [...connected.keys()].map(id => rowOf(id, views))
          const parts = { rows, bans: bans.list(ctx.wall()), charged, counts }
          return message.reply.tell(statsOf({ ...parts, reputation, evicted: bans.evicted }))
        }
        case 'monitor.stored':
          return enforcement.stored(message)
        case 'monitor.flushed':
          return enforcement.flushed(message)
        case 'monitor.retry':
          return enforcement.retry()
        case 'monitor.flush':
          return enforcement.flush()
        case 'monitor.lift':
          return enforcement.lift()
        case 'monitor.prune':
          return enforcement.prune()
        case 'monitor.parted':
          return enforcement.parted(message.peer)
        case 'monitor.drain':
          ctx.cancel('tick')
          return enforcement.drain(message.reply)
        default:
          return unreachable(message)
      }
    }
  }
}
