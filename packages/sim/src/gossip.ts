import type { Rng } from '@rockpool/actor'
import type { NetworkSink, PeerId, Topic, Verdict } from '@rockpool/protocol'

export const HEARTBEAT_MS = 1_000
const MESH = 6
const MESH_LOW = 4
const MESH_HIGH = 8
/** A publisher with so few peers tells all of them. */
const FLOOD_PEERS = 8
const SEEN_MS = 120_000
const PRUNED_MS = 60_000
const LEFT_MS = 10_000
const REJECT_SCORE = -10
const FIRST_SCORE = 0.1
const FIRST_SCORE_MAX = 10
const DECAY = 0.99
const DECAY_TO_ZERO = 0.01
const PUBLISH_SCORE = -60
const GRAYLIST_SCORE = -150
/** Scores kept of peers that have left. */
const SCORES_MAX = 4_096
const HEADER_BYTES = 40

export type Message = { readonly topic: Topic; readonly bytes: Uint8Array; readonly id: string }

/** What travels between two routers. */
export type GossipFrame =
  | { readonly kind: 'subscribed' | 'left' | 'graft' | 'prune'; readonly topic: Topic }
  | { readonly kind: 'message'; readonly message: Message }

export interface RouterParts {
  readonly rng: Rng
  now(): number
  /** False when nobody is connected under that id any more. */
  send(to: PeerId, frame: GossipFrame, bytes: number): boolean
  /** Whether this peer is known to have the message already: its arrival would change nothing. */
  has(to: PeerId, id: string): boolean
  deliver(message: Parameters<NetworkSink['deliver']>[0]): Promise<Verdict>
  /** A promise settled. */
  settled(): void
  judged(from: PeerId, message: Message, verdict: Verdict): void
  duplicate(): void
}

/**
 * A model of gossipsub: a mesh per topic that each heartbeat mends, messages that are relayed once accepted, scores that fall with each
 * rejection. Depth, not fidelity: there is no lazy gossip, and a score is one number.
 */
export class Router {
  readonly topics = new Set<Topic>()
  /** What the node above thinks of a peer; part of the score it is treated by. */
  reputation: (peer: PeerId) => number = () => 0
  private readonly parts: RouterParts
  private readonly peers = new Map<PeerId, Set<Topic>>()
  private readonly meshes = new Map<Topic, Set<PeerId>>()
  private readonly scores = new Map<PeerId, { invalid: number; first: number }>()
  private readonly backoff = new Map<string, number>()
  /** When each message may be forgotten, in the order they came. */
  private readonly seen = new Map<string, number>()

  constructor(parts: RouterParts) {
    this.parts = parts
  }

  subscribe(topic: Topic): void {
    if (this.topics.has(topic)) return
    this.topics.add(topic)
    this.meshes.set(topic, new Set())
    for (const peer of this.peers.keys()) this.tell(peer, { kind: 'subscribed', topic })
    this.mend(topic)
  }

  unsubscribe(topic: Topic): void {
    if (!this.topics.delete(topic)) return
    for (const peer of this.peers.keys()) this.tell(peer, { kind: 'left', topic })
    for (const peer of this.meshes.get(topic) ?? []) this.prune(peer, topic, LEFT_MS)
    this.meshes.delete(topic)
  }

  opened(peer: PeerId): void {
    this.peers.set(peer, new Set())
    for (const topic of this.topics) this.tell(peer, { kind: 'subscribed', topic })
  }

  closed(peer: PeerId): void {
    this.peers.delete(peer)
    for (const mesh of this.meshes.values()) mesh.delete(peer)
  }

  meshSize(topic: Topic): number {
    return this.meshes.get(topic)?.size ?? 0
  }

  /** Without the part that the node itself gave. */
  score(peer: PeerId): number | undefined {
    return this.peers.has(peer) ? this.ownScoreOf(peer) : undefined
  }

  forgive(peer: PeerId): void {
    this.scores.delete(peer)
  }

  hasSeen(id: string): boolean {
    return this.seen.has(id)
  }

  /** Tells the mesh, or everybody where few are; number of those told. Undefined: it was published or heard before. */
  publish(message: Message, again = false): number | undefined {
    if (!again && this.seen.has(message.id)) return undefined
    const listeners = this.listenersOf(message.topic)
    if (listeners.length > 0) this.seen.set(message.id, this.parts.now() + SEEN_MS)
    for (const peer of listeners) this.give(peer, message, again)
    return listeners.length
  }

  receive(from: PeerId, frame: GossipFrame): void {
    switch (frame.kind) {
      case 'message':
        return this.hear(from, frame.message)
      case 'subscribed':
        this.peers.get(from)?.add(frame.topic)
        if (this.meshSize(frame.topic) < MESH_LOW) this.mend(frame.topic)
        return
      case 'left':
        this.peers.get(from)?.delete(frame.topic)
        this.meshes.get(frame.topic)?.delete(from)
        return
      case 'graft':
        return this.grafted(from, frame.topic)
      case 'prune':
        this.meshes.get(frame.topic)?.delete(from)
        this.backoff.set(`${from} ${frame.topic}`, this.parts.now() + PRUNED_MS)
    }
  }

  heartbeat(): void {
    const now = this.parts.now()
    for (const [id, until] of this.seen) {
      if (until > now) break
      this.seen.delete(id)
    }
    for (const [key, until] of this.backoff) if (until <= now) this.backoff.delete(key)
    this.decay()
    for (const topic of this.topics) this.mend(topic)
  }

  private hear(from: PeerId, message: Message): void {
    if (this.seen.has(message.id)) return this.parts.duplicate()
    if (!this.topics.has(message.topic) || this.scoreOf(from) < GRAYLIST_SCORE) return
    this.seen.set(message.id, this.parts.now() + SEEN_MS)
    const judged = (verdict: Verdict): void => {
      this.parts.judged(from, message, verdict)
      const score = this.scores.get(from) ?? this.remember(from)
      if (verdict === 'reject') score.invalid += REJECT_SCORE
      if (verdict !== 'accept') return
      score.first = Math.min(FIRST_SCORE_MAX, score.first + FIRST_SCORE)
      for (const peer of this.meshes.get(message.topic) ?? [])
        if (peer !== from) this.give(peer, message, false)
    }
    this.parts.deliver({ ...message, from }).then(judged, () => judged('ignore'))
    this.parts.settled()
  }

  private give(peer: PeerId, message: Message, always: boolean): void {
    if (!always && this.parts.has(peer, message.id)) return
    this.tell(peer, { kind: 'message', message }, message.bytes.length)
  }

  private tell(peer: PeerId, frame: GossipFrame, bytes = 0): void {
    this.parts.send(peer, frame, bytes + HEADER_BYTES)
  }

  private listenersOf(topic: Topic): PeerId[] {
    const fit = [...this.peers]
      .filter(([peer, topics]) => topics.has(topic) && this.scoreOf(peer) >= PUBLISH_SCORE)
      .map(([peer]) => peer)
    if (fit.length <= FLOOD_PEERS) return fit
    const mesh = this.meshes.get(topic)
    return mesh === undefined || mesh.size === 0 ? fit.slice(0, MESH) : [...mesh]
  }

  /** Peers of bad score leave the mesh; one that is too small or too large is brought back to size. */
  private mend(topic: Topic): void {
    const mesh = this.meshes.get(topic)
    if (mesh === undefined) return
    for (const peer of mesh) if (this.scoreOf(peer) < 0) this.prune(peer, topic, PRUNED_MS)
    if (mesh.size < MESH_LOW) {
      const { rng } = this.parts
      const fit = [...this.peers]
        .filter(([peer, topics]) => topics.has(topic) && this.mayGraft(peer, topic, mesh))
        .map(([peer]) => peer)
      for (const peer of rng.shuffle(fit).slice(0, MESH - mesh.size)) {
        mesh.add(peer)
        this.tell(peer, { kind: 'graft', topic })
      }
    } else if (mesh.size > MESH_HIGH) {
      const worst = this.parts.rng.shuffle([...mesh])
      worst.sort((a, b) => this.scoreOf(a) - this.scoreOf(b))
      for (const peer of worst.slice(0, mesh.size - MESH)) this.prune(peer, topic, PRUNED_MS)
    }
  }

  private mayGraft(peer: PeerId, topic: Topic, mesh: ReadonlySet<PeerId>): boolean {
    return (
      !mesh.has(peer) &&
      this.scoreOf(peer) >= 0 &&
      (this.backoff.get(`${peer} ${topic}`) ?? 0) === 0
    )
  }

  private grafted(from: PeerId, topic: Topic): void {
    const mesh = this.meshes.get(topic)
    if (mesh === undefined || mesh.has(from) || !this.peers.has(from)) return
    const refused =
      this.scoreOf(from) < 0 || this.backoff.has(`${from} ${topic}`) || mesh.size >= MESH_HIGH * 2
    if (refused) this.prune(from, topic, PRUNED_MS)
    else mesh.add(from)
  }

  private prune(peer: PeerId, topic: Topic, ms: number): void {
    this.meshes.get(topic)?.delete(peer)
    this.backoff.set(`${peer} ${topic}`, this.parts.now() + ms)
    this.tell(peer, { kind: 'prune', topic })
  }

  private scoreOf(peer: PeerId): number {
    return this.ownScoreOf(peer) + this.reputation(peer)
  }

  private ownScoreOf(peer: PeerId): number {
    const score = this.scores.get(peer)
    return score === undefined ? 0 : score.invalid + score.first
  }

  private remember(peer: PeerId): { invalid: number; first: number } {
    const score = { invalid: 0, first: 0 }
    this.scores.set(peer, score)
    return score
  }

  private decay(): void {
    for (const [peer, score] of this.scores) {
      score.invalid *= DECAY
      score.first *= DECAY
      const gone = !this.peers.has(peer) && -score.invalid < DECAY_TO_ZERO
      if (gone || this.scores.size > SCORES_MAX) this.scores.delete(peer)
    }
  }
}
