import type { Context } from '@rockpool/actor'
import {
  type Answer,
  type Ban,
  failed,
  limits,
  type MonitorBan,
  type MonitorImport,
  type MonitorPin,
  type MonitorProtect,
  type MonitorUnban,
  type NetworkPort,
  ok,
  type PeerId,
} from '@rockpool/protocol'
import type { BanBook } from './ban-book.ts'
import type { ChargeLog } from './charge-log.ts'
import type { Act } from './enforcement.ts'
import type { Groups } from './groups.ts'
import { groupOfIp } from './ip-groups.ts'
import type { Reputation } from './reputation.ts'
import type { Standing } from './standing.ts'

export interface OrdersParts {
  readonly self: PeerId
  readonly reputation: Reputation
  readonly bans: BanBook
  readonly standing: Standing
  readonly groups: Groups
  readonly log: Pick<ChargeLog, 'forget'>
  readonly network: Pick<NetworkPort, 'forgive' | 'keep' | 'unkeep'>
  /** Carries out a ban that the book has taken. */
  readonly ban: (made: Ban, reply: MonitorBan['reply']) => void
  readonly commit: (acts: readonly Act[]) => void
  /** What was done about a peer, for the log of all charges. */
  readonly note: (id: PeerId) => void
}

/** What an operator may order, and what is refused. */
export function createOrders(ctx: Pick<Context<never>, 'wall'>, parts: OrdersParts) {
  const { self, reputation, bans, groups, standing, network, commit } = parts
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
    const wasShut = subject.kind === 'peer' && standing.isQuarantined(subject.value)
    const ended = bans.unban(subject, forget, ctx.wall())
    if (!ended.ok && !wasShut) return reply.tell(ended)
    if (subject.kind === 'peer') {
      reputation.forgive(subject.value, forget, ctx.wall())
      network.forgive(subject.value)
      if (forget) parts.log.forget(subject.value)
      else parts.note(subject.value)
    }
    const group = subject.kind === 'ip' ? groupOfIp(subject.value) : undefined
    if (group !== undefined) groups.forgive(group)
    commit([{ kind: 'lifted', subject, cause: 'operator', reply }])
  }

  /** Takes in bans of another node's book, or of this one's past. */
  function adopt({ bans: wanted, reply }: MonitorImport): void {
    const skipped: { subject: string; why: string }[] = []
    const made: Ban[] = []
    for (const ban of wanted) {
      const { kind, value } = ban.subject
      const refusal = kind === 'peer' ? refusalOf(value) : undefined
      const taken = refusal ?? bans.adopt(ban, ctx.wall())
      if (!taken.ok) skipped.push({ subject: value, why: taken.code })
      else if (!taken.value) skipped.push({ subject: value, why: 'p2p/ban-not-longer' })
      else made.push(ban)
    }
    const answer = ok({ added: made.length, skipped })
    if (made.length === 0) return reply.tell(answer)
    for (const { subject, untilMs, reason } of made) {
      if (subject.kind !== 'peer') continue
      const end = untilMs ?? Number.MAX_SAFE_INTEGER
      reputation.freeze(subject.value, end, reason, ctx.wall())
    }
    const last = made.length - 1
    commit(
      made.map((ban, index) => ({
        ...{ kind: 'imported', ban },
        ...(index === last && { done: () => reply.tell(answer) }),
      })),
    )
  }

  /** A peer of the configuration from now on, or no longer. */
  function pin({ peer, addr, reply }: MonitorPin): void {
    if (peer === self) return reply.tell(failed('p2p/peer-is-self'))
    if (addr === null) {
      standing.statics.delete(peer)
      network.unkeep?.(peer)
      return reply.tell(ok(undefined))
    }
    const isFull = standing.statics.size >= limits.staticPeersMax
    if (isFull && !standing.isStatic(peer)) return reply.tell(failed('p2p/too-many-protected'))
    try {
      network.keep?.(addr)
    } catch {
      return reply.tell(failed('p2p/bad-multiaddr', `p2p/bad-multiaddr: ${addr}`))
    }
    standing.statics.add(peer)
    standing.urgent.delete(peer)
    reply.tell(ok(undefined))
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

  return { ban, unban, protect, pin, import: adopt }
}
