import type { Context } from '@rockpool/actor'
import {
  type Answer,
  type Ban,
  failed,
  limits,
  type MonitorBan,
  type MonitorProtect,
  type MonitorUnban,
  type NetworkPort,
  ok,
  type PeerId,
} from '@rockpool/protocol'
import type { BanBook } from './ban-book.ts'
import type { Act } from './enforcement.ts'
import type { Reputation } from './reputation.ts'
import type { Standing } from './standing.ts'

export interface OrdersParts {
  readonly self: PeerId
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly standing: Standing
  readonly network: Pick<NetworkPort, 'forgive'>
  /** Carries out a ban that the book has taken. */
  readonly ban: (made: Ban, reply: MonitorBan['reply']) => void
  readonly commit: (acts: readonly Act[]) => void
}

/** What an operator may order, and what is refused. */
export function createOrders(ctx: Pick<Context<never>, 'wall'>, parts: OrdersParts) {
  const { self, reputation, bans, standing, network, commit } = parts
  const { protectedPeers, urgent } = standing

  function ban({ subject, untilMs, note, reply }: MonitorBan): void {
    const refusal = subject.kind === 'peer' ? refusalOf(subject.value) : undefined
    if (refusal) return reply.tell(refusal)
    const wish = { subject, untilMs, reason: 'operator', evidence: [], by: 'operator' } as const
    const made = bans.ban({ ...wish, ...(note !== undefined && { note }) }, ctx.wall())
    if (!made.ok) return reply.tell(made)
    parts.ban(made.value, reply)
  }

  function refusalOf(id: PeerId): Answer<never> | undefined {
    if (id === self) return failed('p2p/peer-is-self')
    if (standing.isStatic(id)) return failed('p2p/peer-is-static')
    return protectedPeers.has(id) ? failed('p2p/peer-is-protected') : undefined
  }

  function unban({ subject, forget, reply }: MonitorUnban): void {
    const ended = bans.unban(subject, forget, ctx.wall())
    if (!ended.ok) return reply.tell(ended)
    if (subject.kind === 'peer') {
      reputation.forgive(subject.value, forget, ctx.wall())
      network.forgive(subject.value)
    }
    commit([{ kind: 'lifted', subject, cause: 'operator', reply }])
  }

  function protect({ peer, on, reply }: MonitorProtect): void {
    if (on && peer === self) return reply.tell(failed('p2p/peer-is-self'))
    if (on && protectedPeers.size >= limits.protectedPeersMax) {
      return reply.tell(failed('p2p/too-many-protected'))
    }
    if (on) protectedPeers.add(peer)
    else protectedPeers.delete(peer)
    if (on) urgent.delete(peer)
    reply.tell(ok(undefined))
  }

  return { ban, unban, protect }
}
