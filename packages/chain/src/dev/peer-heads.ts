import type { Hash, PeerId } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { isHeavier } from './fork-choice.ts'

/** What a peer said of its head. */
export interface PeerHead {
  readonly peer: PeerId
  readonly number: number
  readonly hash: Hash
  readonly totalWeight: number
}

/** How fetching what a peer told of ended. `rest`: it could not; `left`: it lied; `deep`: its branch parts too far below. */
type Aside = { readonly untilMs: number; readonly why: 'rest' | 'left' | 'deep' }

/**
 * What peers say their heads are, and which of them are not believed for a while. A head is only a claim until its blocks are here: whoever
 * keeps telling of one and never brings it rests longer each time and is left in the end, so that it cannot hold this node in `syncing`.
 * Times are monotonic.
 */
export class PeerHeads {
  readonly #heads = new Map<PeerId, PeerHead | null>()
  readonly #aside = new Map<PeerId, Aside>()
  /** Failures in a row without a single new block. */
  readonly #failures = new Map<PeerId, { rests: number; shorts: number }>()

  get size(): number {
    return this.#heads.size
  }

  open(peer: PeerId): void {
    if (this.#heads.has(peer)) return
    this.#heads.set(peer, null)
    trim(this.#heads)
  }

  /** What it did is remembered: closing and opening a connection makes nobody honest. */
  close(peer: PeerId): void {
    this.#heads.delete(peer)
  }

  record(head: PeerHead): void {
    this.#heads.delete(head.peer)
    this.#heads.set(head.peer, head)
    trim(this.#heads)
  }

  /** The head a peer told of is not waited for until it tells again. */
  forget(peer: PeerId): void {
    if (this.#heads.has(peer)) this.#heads.set(peer, null)
  }

  /** Not asked and not believed at the moment. */
  isAside(peer: PeerId, nowMs: number): boolean {
    const aside = this.#aside.get(peer)
    return aside !== undefined && nowMs < aside.untilMs
  }

  /** New blocks came from it. */
  delivered(peer: PeerId): void {
    this.#failures.delete(peer)
  }

  /** It could not deliver. True when it has fallen short so often in a row that this is a lie. */
  fellShort(peer: PeerId, nowMs: number, isShort: boolean): boolean {
    const { rests, shorts } = this.#failures.get(peer) ?? { rests: 0, shorts: 0 }
    const next = { rests: rests + 1, shorts: shorts + (isShort ? 1 : 0) }
    this.#failures.delete(peer)
    this.#failures.set(peer, next)
    trim(this.#failures)
    this.forget(peer)
    // Heads move while they are asked for: one that fell short once may tell again.
    if (isShort && rests === 0) return false
    const restMs = Math.min(limits.syncLeaveMs, limits.syncRestMs * 2 ** rests)
    this.#put(peer, { untilMs: nowMs + restMs, why: 'rest' })
    return next.shorts >= limits.syncShortsMax
  }

  leave(peer: PeerId, nowMs: number): void {
    this.#put(peer, { untilMs: nowMs + limits.syncLeaveMs, why: 'left' })
    this.forget(peer)
  }

  /** Its branch parts deeper than this node follows; looked at again later, since an operator may reset the chain. */
  tooDeep(peer: PeerId, nowMs: number): void {
    this.#put(peer, { untilMs: nowMs + limits.syncLeaveMs, why: 'deep' })
  }

  /** Whether one who is heavier than ours was found to part too deep. */
  anyTooDeep(ours: Pick<PeerHead, 'totalWeight' | 'hash'>, nowMs: number): boolean {
    for (const [peer, { why, untilMs }] of this.#aside) {
      const head = this.#heads.get(peer)
      if (why === 'deep' && nowMs < untilMs && head && isHeavier(head, ours)) return true
    }
    return false
  }

  /** Heads to be preferred to ours, heaviest first. */
  heavier(ours: Pick<PeerHead, 'totalWeight' | 'hash'>, nowMs: number): readonly PeerHead[] {
    const found: PeerHead[] = []
    for (const head of this.#heads.values()) {
      if (head !== null && isHeavier(head, ours) && !this.isAside(head.peer, nowMs))
        found.push(head)
    }
    return found.sort((left, right) => (isHeavier(left, right) ? -1 : 1))
  }

  /** One to ask, chosen by a random number in [0, 1). */
  pick(random: number, nowMs: number): PeerId | undefined {
    const free = [...this.#heads.keys()].filter(peer => !this.isAside(peer, nowMs))
    return free[Math.floor(random * free.length)]
  }

  #put(peer: PeerId, aside: Aside): void {
    this.#aside.delete(peer)
    this.#aside.set(peer, aside)
    trim(this.#aside)
  }
}

/** The oldest entries go. */
function trim(map: Map<PeerId, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= limits.statusPeersMax) return
    map.delete(oldest)
  }
}
