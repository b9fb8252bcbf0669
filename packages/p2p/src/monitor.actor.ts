import { type Behavior, type Outcome, unreachable } from '@rockpool/actor'
import {
  type Answer,
  failed,
  limits,
  type MonitorConnect,
  type MonitorMessage,
  type NodeSuspect,
  type NodeTrusted,
  ok,
  type PeerBanned,
  type PeerId,
  type PeerLifted,
  type PeerQuarantined,
  type PeerReleased,
  type Reply,
} from '@rockpool/protocol'
import type { createBudget } from './budget.ts'
import { createCharging } from './charging.ts'
import { createCounts } from './counts.ts'
import { createEnforcement, type EnforcementParts, type FromEnforcement } from './enforcement.ts'
import { type Connected, rowOf, whyOf } from './explain.ts'
import type { createGuard } from './guard.ts'
import { createSpared, groupOfIp } from './ip-groups.ts'
import { createJudgement } from './judgement.ts'
import { createLatency } from './latency.ts'
import { statsOf } from './monitor-views.ts'
import { createOrders } from './orders.ts'
import { dryRun, type MonitorPolicy } from './policy.ts'
import type { ChargeRow } from './reasons.ts'
import type { createRotation } from './rotation.ts'
import type { Standing } from './standing.ts'

export interface MonitorParts extends Omit<EnforcementParts, 'connected' | 'isExempt' | 'count'> {
  readonly self: PeerId
  readonly standing: Standing
  readonly policy: MonitorPolicy
  readonly createRotation: typeof createRotation
  readonly createGuard: typeof createGuard
  readonly createBudget: typeof createBudget
}

/** What only the monitor tells itself. */
export type ToMonitor =
  | FromEnforcement
  | { type: 'monitor.tick' }
  | { type: 'monitor.prune' }
  | { type: 'monitor.dialled'; outcome: Outcome<PeerId, unknown>; reply: Reply<Answer<PeerId>> }

/** What the monitor tells everybody. */
export type MonitorFact =
  | PeerBanned
  | PeerLifted
  | PeerQuarantined
  | PeerReleased
  | NodeSuspect
  | NodeTrusted

const pruneMs = 60_000
const wordsMax = 128

/** Keeps bad peers out and says why. Asks nobody; everybody may report to it. */
export function monitor(parts: MonitorParts): Behavior<MonitorMessage | ToMonitor, MonitorFact> {
  return ctx => {
    const { reputation, bans, groups, standing, policy, network, log } = parts
    const { urgent, isExempt } = standing
    const connected = new Map<PeerId, Connected>()
    const charged = createCounts(wordsMax)
    const counts = createCounts(wordsMax)
    const latency = createLatency()
    const views = { standing, reputation, connected }
    const guard = parts.createGuard(policy.guard)
    const budget = parts.createBudget(policy.budget)
    const isSpared = createSpared(policy.sparesPrivate)
    const enforcement = createEnforcement(ctx, { ...parts, connected, isExempt, count: counts.add })
    const charging = createCharging(ctx, {
      ...{ reputation, standing, groups, guard, log, node: parts.node, connected, isSpared },
      count: charged.add,
      charged: afterCharge,
    })
    const judgement = createJudgement(ctx, {
      ...{ reputation, bans, groups, standing, budget, policy, connected, isSpared },
      isSuspect: () => guard.cause(ctx.now()) !== undefined,
      isMinority: charging.isMinority,
      groupOf: charging.groupOf,
      commit: enforcement.commit,
      close: enforcement.close,
      note: lastOf,
      count: counts.add,
    })
    const orders = createOrders(ctx, {
      ...{ ...parts, commit: enforcement.commit, ban: judgement.ban, note: lastOf },
    })
    const rotation = parts.createRotation({
      manager: {
        peers: () => [...connected.keys()],
        score: judgement.total,
        isStatic: isExempt,
        ban: (id, untilMs) => judgement.condemn(id, untilMs, 'monitor'),
      },
      wallNow: () => ctx.wall(),
      minScore: policy.threshold,
      banMs: policy.banMs,
      perTick: policy.perTick,
    })
    // What ended while the node was down is over now.
    ctx.self.tell({ type: 'monitor.lift' })
    ctx.every('prune', pruneMs, { type: 'monitor.prune' })
    ctx.every('tick', limits.monitorTickMs, { type: 'monitor.tick' })

    function tick(): void {
      charging.tick(enforcement.writingMs())
      judgement.release()
      if (!policy.bans) return
      const untilMs = ctx.wall() + policy.banMs
      for (const id of [...urgent].slice(0, limits.urgentPerTick)) {
        urgent.delete(id)
        judgement.condemn(id, untilMs, 'urgent')
      }
      for (const step of rotation.tick()) {
        if (step.kind !== 'error') continue
        counts.add('errors')
        ctx.log.warn('p2p/check-failed', { text: step.text })
      }
    }

    function afterCharge(peer: PeerId, row: ChargeRow): void {
      enforcement.flushSoon()
      const isBelow = judgement.total(peer) < policy.threshold
      if (isBelow) latency.condemned(peer, ctx.now())
      const isProof = policy.bans && row.class === 'provable' && !isExempt(peer)
      if (!isProof || !isBelow || standing.shutBy(peer)) return
      if (urgent.size < limits.reputationPeersMax) urgent.add(peer)
    }

    /** The last line of a peer's history goes into the log of all. */
    function lastOf(id: PeerId): void {
      const entry = reputation.get(id)?.history.entries.at(-1)
      if (entry) charging.note(id, entry)
    }

    function opened(view: Connected['view']): void {
      connected.set(view.id, { view, sinceMs: ctx.wall() })
      reputation.opened(view.id, groupOfIp(view.ip))
      const standingBan = standing.banOf(view.id) ?? bans.covering(view.ip, ctx.wall())
      if (standingBan && !isExempt(view.id)) enforcement.opened(view.id, standingBan)
    }

    function closed(peer: PeerId): void {
      latency.closed(peer, ctx.now(), standing.banOf(peer) !== undefined)
      if (connected.delete(peer) && !enforcement.isParting(peer)) {
        guard.closed(connected.size, ctx.now())
      }
      reputation.closed(peer, ctx.wall())
    }

    function connect({ addr, reply }: MonitorConnect): void {
      ctx.pipe(
        () => network.dial(addr, limits.operatorDialMs),
        outcome => ({ type: 'monitor.dialled', outcome, reply }),
        limits.operatorDialMs + limits.monitorTickMs,
      )
    }

    function stats() {
      const rows = [...connected.keys()].map(id => rowOf(id, views))
      const cause = guard.cause(ctx.now())
      return statsOf({
        ...{ rows, charged, counts, reputation, latency },
        bans: bans.list(ctx.wall()),
        evicted: bans.evicted,
        groups: groups.size,
        budgetLeft: judgement.budgetLeft(),
        ...(cause && { suspect: cause }),
      })
    }

    return message => {
      charging.followClock()
      switch (message.type) {
        case 'monitor.tick':
          return tick()
        case 'monitor.report':
          return charging.report(message)
        case 'monitor.credit':
          reputation.credit(message.peer, message.reason, message.times, ctx.wall())
          return enforcement.flushSoon()
        case 'monitor.health':
          return guard.health(message.lagP99Ms, ctx.now())
        case 'peer.opened':
          return opened(message.peer)
        case 'peer.closed':
          return closed(message.peer)
        case 'monitor.ban':
          return orders.ban(message)
        case 'monitor.unban':
          return orders.unban(message)
        case 'monitor.protect':
          return orders.protect(message)
        case 'monitor.pin':
          return orders.pin(message)
        case 'monitor.export':
          return message.reply.tell(bans.list(ctx.wall()))
        case 'monitor.import':
          return orders.import(message)
        case 'monitor.connect':
          return connect(message)
        case 'monitor.dialled':
          return message.reply.tell(dialled(message.outcome))
        case 'monitor.disconnect':
          return enforcement.dismiss(message.peer, message.code, message.reply)
        case 'monitor.dryRun':
          return message.reply.tell(dryRun(log.lines, message.rules, message.sinceMs))
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
        case 'monitor.getStats':
          return message.reply.tell(stats())
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
          return enforcement.parted(message)
        case 'monitor.drain':
          ctx.cancel('tick')
          return enforcement.drain(message.reply)
        default:
          return unreachable(message)
      }
    }
  }
}

/** A refusal of our own gate says so; whatever else went wrong, it could not be reached. */
function dialled(outcome: Outcome<PeerId, unknown>): Answer<PeerId> {
  if (outcome.ok) return ok(outcome.value)
  const { code } = (outcome.error ?? {}) as { code?: unknown }
  return failed(code === 'p2p/banned' ? 'p2p/banned' : 'p2p/dial-failed')
}
