import type { Fact, PeerId } from '@rockpool/protocol'
import type { Book, Edge, SimNode, WorldView } from '../api.ts'

/** The facts of the peer monitor, as far as this book reads them. */
type Banned = {
  readonly type: 'peer.banned'
  readonly subject: { readonly kind: string; readonly value: string }
  readonly untilMs: number | null
  readonly reason: string
  readonly by: string
  readonly durable: boolean
}
type Lifted = {
  readonly type: 'peer.lifted'
  readonly subject: { readonly kind: string; readonly value: string }
  readonly cause: string
}

/** So many messages that are wrong for everyone, within so long, and their sender is out this long after the last. */
const strikes = 3
const strikesWithinMs = 90_000
const outWithinMs = 2_000
/** Bans of the monitor in a minute: a tenth of the peers, and one at least. */
const budgetMs = 60_000
const budgetShare = 0.1
/** A node that stood still between a ban and its disk's answer tells of it late. */
const standstillMs = 45_000
/** A calendar timer comes within a minute. */
const liftSlackMs = 65_000

/** A peer that may not be banned now is not listened to. */
type Quarantined = { readonly type: 'peer.quarantined'; readonly peer: PeerId }

interface Held {
  readonly untilMs: number | null
  readonly boot: number
  readonly durable: boolean
}

interface Due {
  readonly peer: PeerId
  readonly atMs: number
}

/** Bans: who sends what is wrong for everyone is out in time, nobody else ever is, and a ban lasts to its end and no longer. */
export function banBook(): Book {
  /** Per node: distinct messages of each peer that were rejected, and when. */
  const rejected = new Map<number, Map<PeerId, Map<string, number>>>()
  const due = new Map<number, Due[]>()
  const bans = new Map<number, Map<PeerId, Held>>()
  /** Per node: instants of the monitor's bans of this boot on its own clock, and the most peers it had. */
  const spent = new Map<number, { readonly boot: number; readonly atMs: number[]; peers: number }>()
  let honest = new Set<PeerId>()

  const bansOf = (node: number): Map<PeerId, Held> => {
    const held = bans.get(node) ?? new Map<PeerId, Held>()
    bans.set(node, held)
    return held
  }

  function banned(node: SimNode, fact: Banned, world: WorldView): void {
    const { subject, untilMs, reason, by, durable } = fact
    const say = (id: string, text: string) =>
      world.violate({ id, kind: 'correctness', text, node: node.name })
    world.sometimes('p2p/banned')
    world.count('bans')
    if (world.nodes.some(other => !world.reaches(node.index, other.index) && other.up)) {
      world.sometimes('p2p/ban-while-partitioned')
    }
    if (reason === '') say('ban-broken', `${subject.value} is banned without a reason`)
    if (subject.kind !== 'peer') return
    bansOf(node.index).set(subject.value, { untilMs, boot: node.boots, durable })
    settled(node, subject.value)
    if (by === 'operator') return
    spend(node, world)
    if (isStatic(node, subject.value)) say('static-banned', `${subject.value} for ${reason}`)
    else if (honest.has(subject.value)) say('honest-banned', `${subject.value} for ${reason}`)
    if (reason.startsWith('load/')) say('overload-banned', `${subject.value} for ${reason}`)
  }

  /** What had to become of this peer has. */
  function settled({ index }: SimNode, value: PeerId): void {
    const rest = (due.get(index) ?? []).filter(({ peer }) => peer !== value)
    due.set(index, rest)
  }

  function spend(node: SimNode, world: WorldView): void {
    const purse = purseOf(node)
    const now = node.nowMs()
    // A ban is told when it is on the disk: two may come closer together than they were decided.
    const slackMs = slackOf(world) + (world.options.sick === undefined ? 0 : standstillMs)
    const fresh = purse.atMs.filter(atMs => now - atMs < budgetMs - slackMs)
    const most = Math.max(1, Math.floor(budgetShare * purse.peers))
    if (fresh.length >= most) {
      world.violate({
        id: 'ban-over-budget',
        kind: 'correctness',
        text: `${fresh.length + 1} bans within a minute, of at most ${purse.peers} peers`,
        node: node.name,
      })
    }
    purse.atMs.push(now)
  }

  function purseOf({ index, boots, peers = [] }: SimNode) {
    const known = spent.get(index)
    const purse = known?.boot === boots ? known : { boot: boots, atMs: [], peers: 0 }
    spent.set(index, purse)
    purse.peers = Math.max(purse.peers, peers.length + 1)
    return purse
  }

  function quarantined(node: SimNode, { peer }: Quarantined, world: WorldView): void {
    world.sometimes('p2p/quarantined')
    settled(node, peer)
    const say = (id: string) =>
      world.violate({ id, kind: 'correctness', text: `${peer} in quarantine`, node: node.name })
    if (isStatic(node, peer)) say('static-banned')
    else if (honest.has(peer)) say('honest-banned')
  }

  function lifted(node: SimNode, { subject, cause }: Lifted, world: WorldView): void {
    const held = bansOf(node.index).get(subject.value)
    bansOf(node.index).delete(subject.value)
    if (cause !== 'expired' || held === undefined) return
    world.sometimes('p2p/readmitted')
    const { untilMs } = held
    if (untilMs !== null && node.wallMs() >= untilMs) return
    world.violate({
      id: 'ban-broken',
      kind: 'correctness',
      text: `${subject.value} is let in at ${node.wallMs()}, banned until ${untilMs}`,
      node: node.name,
    })
  }

  /** A peer is connected although it is banned. */
  function opened({ node, peer }: Extract<Edge, { type: 'opened' }>, world: WorldView): void {
    const held = bansOf(node).get(peer)
    const here = world.nodes[node]
    if (held === undefined || here === undefined) return
    const isForgotten = !held.durable && held.boot !== here.boots
    const isOver = held.untilMs !== null && here.wallMs() >= held.untilMs
    if (isForgotten || isOver) return
    world.violate({
      id: 'ban-broken',
      kind: 'correctness',
      text: `${peer} is connected, banned until ${held.untilMs}`,
      node: here.name,
    })
  }

  function judged(edge: Extract<Edge, { type: 'verdict' }>, world: WorldView): void {
    const { node, from, id, verdict } = edge
    const here = world.nodes[node]
    if (verdict !== 'reject' || here === undefined || here.isEvil) return
    const peers = rejected.get(node) ?? new Map<PeerId, Map<string, number>>()
    rejected.set(node, peers)
    const messages = peers.get(from) ?? new Map<string, number>()
    peers.set(from, messages)
    messages.set(id, world.nowMs)
    for (const [old, atMs] of messages) {
      if (world.nowMs - atMs > strikesWithinMs) messages.delete(old)
    }
    if (messages.size < strikes || bansOf(node).has(from) || isStatic(here, from)) return
    purseOf(here)
    const open = due.get(node) ?? []
    if (open.some(({ peer }) => peer === from)) return
    due.set(node, [...open, { peer: from, atMs: world.nowMs + outWithinMs + slackOf(world) }])
  }

  function forget(node: number): void {
    rejected.delete(node)
    due.delete(node)
  }

  function late(node: SimNode, world: WorldView): void {
    for (const { peer, atMs } of due.get(node.index) ?? []) {
      // A process that stood still has not had its time yet.
      const leastMs = node.upSinceMs + outWithinMs + slackOf(world)
      if (world.nowMs <= Math.max(atMs, leastMs)) continue
      world.violate({
        id: 'evil-not-banned',
        kind: 'correctness',
        text: `${peer} sent ${strikes} invalid messages and is not banned at ${Math.round(atMs)} ms`,
        node: node.name,
      })
    }
    for (const [peer, { untilMs }] of bansOf(node.index)) {
      const upMs = world.nowMs - node.upSinceMs
      if (untilMs === null || upMs < liftSlackMs || node.wallMs() <= untilMs + liftSlackMs) continue
      world.violate({
        id: 'ban-broken',
        kind: 'liveness',
        text: `${peer} is still out, banned until ${untilMs}`,
        node: node.name,
      })
    }
  }

  return {
    ids: [
      ...['evil-not-banned', 'honest-banned', 'static-banned', 'ban-broken', 'overload-banned'],
      'ban-over-budget',
    ],
    begin(world) {
      honest = new Set(world.nodes.flatMap(({ isEvil, peer }) => (isEvil ? [] : [peer])))
    },
    fact(node, fact, world) {
      if (isBanned(fact)) banned(node, fact, world)
      if (isLifted(fact)) lifted(node, fact, world)
      if (isQuarantined(fact)) quarantined(node, fact, world)
      if (fact.type === 'node.suspect') world.sometimes('p2p/suspect')
    },
    edge(edge, world) {
      if (edge.type === 'opened') opened(edge, world)
      if (edge.type === 'verdict') judged(edge, world)
      if (edge.type === 'life' && edge.life !== 'open') forget(edge.node)
      if (edge.type !== 'gate' || edge.allow || edge.event.hook !== 'inboundEncrypted') return
      const held = bansOf(edge.node).get(edge.event.peer)
      if (held === undefined) return
      const isOtherLife = held.boot !== world.nodes[edge.node]?.boots
      world.sometimes(isOtherLife ? 'p2p/denied-after-restart' : 'p2p/denied')
    },
    checkpoint(world) {
      for (const node of world.nodes) if (node.up && !node.isEvil) late(node, world)
    },
  }
}

const isBanned = (fact: { readonly type: string }): fact is Fact & Banned =>
  fact.type === 'peer.banned'
const isQuarantined = (fact: { readonly type: string }): fact is Fact & Quarantined =>
  fact.type === 'peer.quarantined'
const isLifted = (fact: { readonly type: string }): fact is Fact & Lifted =>
  fact.type === 'peer.lifted'

function isStatic({ statics = [] }: SimNode, peer: PeerId): boolean {
  return statics.includes(peer)
}

/** The ban is told when it is on disk; a node's second may be longer than the world's. */
function slackOf({ options }: WorldView): number {
  const { disk, diskFull, clock } = options
  const drifted = (outWithinMs * clock.driftPpm) / 1_000_000
  const full = diskFull.perSecond > 0 ? 60_000 : 0
  return 1 + drifted + full + 50 * disk.meanMs
}
