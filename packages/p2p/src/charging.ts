import type { Context } from '@rockpool/actor'
import {
  limits,
  type MonitorReport,
  type NodeClear,
  type NodeRaise,
  type NodeSuspect,
  type NodeTrusted,
  type PeerId,
} from '@rockpool/protocol'
import type { ChargeLog } from './charge-log.ts'
import type { Connected } from './explain.ts'
import type { Groups } from './groups.ts'
import type { Guard } from './guard.ts'
import type { HistoryEntry } from './history.ts'
import { groupOfIp } from './ip-groups.ts'
import { type ChargeRow, chargeOf } from './reasons.ts'
import type { Reputation } from './reputation.ts'
import type { Standing } from './standing.ts'

export interface ChargingParts {
  readonly reputation: Reputation
  readonly standing: Standing
  readonly groups: Groups
  readonly guard: Guard
  readonly log: ChargeLog
  readonly node: { tell(message: NodeRaise | NodeClear): void }
  readonly connected: ReadonlyMap<PeerId, Connected>
  /** Addresses of many machines count by id. */
  readonly isSpared: (ip: string) => boolean
  readonly count: (reason: string) => void
  /** Something is held against this peer that was not before. */
  readonly charged: (peer: PeerId, row: ChargeRow) => void
}

interface Refundable {
  readonly peer: PeerId
  readonly entry: HistoryEntry
  readonly isLiveness: boolean
}

const minorityMs = 60_000
const minorityShare = 0.5
const minorityLeast = 3
/** Less is drift and rounding. */
const leastJumpMs = 100
const causeTexts: Readonly<Record<string, string>> = {
  lag: 'the event loop of this node lags',
  clock: 'the wall clock of this node has jumped',
  'late-tick': 'this node stood still',
  store: 'the disk of this node does not answer',
  'peers-lost': 'most peers were lost at once',
  'liveness-wave': 'many peers at once seem not to answer',
}

/** Books what peers are charged with, as long as this node trusts itself. */
export function createCharging(
  ctx: Pick<Context<never, NodeSuspect | NodeTrusted>, 'now' | 'wall' | 'log' | 'emit'>,
  parts: ChargingParts,
) {
  const { reputation, standing, groups, guard, log, node, connected, isSpared } = parts
  /** Charges that were no proof, oldest first. */
  let refundable: Refundable[] = []
  /** By provable reason: connected peers charged with it, and when last. */
  const minority = new Map<string, Map<PeerId, number>>()
  let minorityUntilMs = Number.NEGATIVE_INFINITY
  let seen = { nowMs: ctx.now(), wallMs: ctx.wall() }

  /** Before anything else in a turn: records keep wall times, but what decays must not when the wall clock is set. */
  function followClock(): void {
    const [nowMs, wallMs] = [ctx.now(), ctx.wall()]
    const jumpedMs = wallMs - seen.wallMs - (nowMs - seen.nowMs)
    seen = { nowMs, wallMs }
    if (Math.abs(jumpedMs) > leastJumpMs) reputation.shift(jumpedMs)
  }

  function report({ peer, reason, detail, evidence, also = [] }: MonitorReport): void {
    const row = chargeOf(reason)
    const proofs = evidence === undefined ? [undefined, ...also] : [evidence, ...also]
    for (const proof of proofs) charge(peer, row, { reason, detail, evidence: proof })
  }

  function charge(
    peer: PeerId,
    row: ChargeRow,
    wish: { reason: string; detail: string | undefined; evidence: string | undefined },
  ): void {
    const { reason, detail } = wish
    guard.look(ctx.now(), ctx.wall())
    const suspended = guard.suspends(row.class, ctx.now())
    const entry = reputation.charge(peer, { ...wish, suspended }, ctx.wall())
    if (!entry) return
    parts.count(suspended ? `${reason} suspended` : reason)
    ctx.log.debug('p2p/charged', { peer, reason, detail, delta: entry.delta })
    note(peer, entry)
    if (row.class === 'provable') proved(peer, reason)
    else if (!suspended) doubtful(peer, entry, row.class === 'liveness')
    parts.charged(peer, row)
  }

  /** For the log of all charges. */
  function note(peer: PeerId, entry: HistoryEntry): void {
    const { atMs, reason, detail, evidence, delta, total: own, suspended } = entry
    const { gossip } = standing.score(peer)
    log.add({
      ...{ atMs, peer, reason, detail, evidence, delta, own, gossip },
      ...(suspended && { suspended }),
    })
  }

  function proved(peer: PeerId, reason: string): void {
    const group = groupOf(peer)
    if (group !== undefined && !isSpared(group)) groups.offended(group, ctx.wall())
    if (!connected.has(peer)) return
    const peers = minority.get(reason) ?? new Map<PeerId, number>()
    minority.set(reason, peers)
    const now = ctx.now()
    for (const [id, atMs] of peers) if (now - atMs >= minorityMs) peers.delete(id)
    peers.set(peer, now)
    const charged = [...peers.keys()].filter(id => connected.has(id)).length
    if (charged < Math.max(minorityLeast, minorityShare * connected.size)) return
    if (now >= minorityUntilMs) beMinority(reason, charged)
    minorityUntilMs = now + minorityMs
  }

  function beMinority(reason: string, peers: number): void {
    const text =
      'most of your peers send what this node calls invalid; check chain id, fork digest and version'
    ctx.log.error('p2p/minority-view', { reason, peers, text })
    node.tell({
      type: 'node.raise',
      reason: { code: 'minority-view', services: [], text: `p2p/minority-view: ${text}` },
    })
  }

  function doubtful(peer: PeerId, entry: HistoryEntry, isLiveness: boolean): void {
    if (refundable.length >= limits.refundableMax) refundable.shift()
    refundable.push({ peer, entry, isLiveness })
    const view = connected.get(peer)?.view
    if (!isLiveness || view?.direction !== 'out') return
    const dialled = new Set<string>()
    for (const { view: other } of connected.values()) {
      if (other.direction === 'out') dialled.add(placeOf(other.id, other.ip))
    }
    guard.charged(entry.reason, placeOf(peer, view.ip), dialled.size, ctx.now())
    turn()
  }

  const placeOf = (id: PeerId, ip: string): string => (isSpared(ip) ? id : (groupOfIp(ip) ?? id))

  /** The group a peer is on, or was on last. */
  function groupOf(peer: PeerId): string | undefined {
    const view = connected.get(peer)?.view
    return view ? groupOfIp(view.ip) : reputation.get(peer)?.groups.at(-1)
  }

  function tick(writingMs: number): void {
    guard.tick(ctx.now(), ctx.wall(), writingMs)
    turn()
    const fromMs = ctx.wall() - limits.refundMs
    const fresh = refundable.findIndex(({ entry }) => entry.atMs >= fromMs)
    refundable = fresh === -1 ? [] : refundable.slice(fresh)
    if (minorityUntilMs > 0 && ctx.now() >= minorityUntilMs) {
      minorityUntilMs = Number.NEGATIVE_INFINITY
      node.tell({ type: 'node.clear', code: 'minority-view' })
    }
  }

  /** Says when trust in itself begins or ends; a wave began before it was seen, so what it has cost is given back. */
  function turn(): void {
    const turned = guard.takeTurn(ctx.now())
    if (turned === 'trusted') {
      ctx.emit({ type: 'node.trusted' })
      node.tell({ type: 'node.clear', code: 'self-suspect' })
    }
    if (turned !== 'suspect') return
    const cause = guard.cause(ctx.now()) ?? 'lag'
    refund(guard.doubts(ctx.now()) === 'liveness')
    ctx.log.warn('p2p/suspect', { cause })
    ctx.emit({ type: 'node.suspect', cause })
    const text = `${causeTexts[cause]} (${cause}): what is no proof is not held against peers`
    node.tell({ type: 'node.raise', reason: { code: 'self-suspect', services: [], text } })
  }

  function refund(onlyLiveness: boolean): void {
    const nowMs = ctx.wall()
    const kept: Refundable[] = []
    for (const item of refundable) {
      const { peer, entry, isLiveness } = item
      if (onlyLiveness && !isLiveness) kept.push(item)
      else if (Math.abs(nowMs - entry.atMs) <= limits.refundMs) {
        reputation.refund(peer, entry, nowMs)
        const last = reputation.get(peer)?.history.entries.at(-1)
        if (last?.reason === 'refunded') note(peer, last)
      }
    }
    refundable = kept
  }

  return {
    followClock,
    report,
    tick,
    groupOf,
    note,
    /** Most peers send what this node calls invalid. */
    isMinority: (): boolean => ctx.now() < minorityUntilMs,
  }
}
