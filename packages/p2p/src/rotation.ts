import type { PeerId } from '@rockpool/protocol'

/** What the rotation asks about peers and does to them. Each may throw. */
export interface PeerManager {
  peers(): readonly PeerId[]
  score(id: PeerId): number
  isStatic(id: PeerId): boolean
  ban(id: PeerId, untilMs: number): void
}

export interface RotationParts {
  readonly manager: PeerManager
  /** Epoch ms. */
  readonly wallNow: () => number
  readonly minScore: number
  readonly banMs: number
  /** Peers of one tick; `auto` is as many as bound a sweep to thirty ticks. Default 1. */
  readonly perTick?: number | 'auto'
}

export type Step =
  | { readonly kind: 'idle' }
  | { readonly kind: 'healthy' | 'kept' | 'banned'; readonly peer: PeerId }
  | { readonly kind: 'error'; readonly text: string; readonly cause: unknown }

const sweepTicks = 30

/**
 * Looks at one connected peer after the other and bans whose score is below the minimum: op-node's peer monitor, step by step. The list is
 * taken when the one before is used up, so a peer that leaves meanwhile is judged all the same.
 */
export function createRotation(parts: RotationParts) {
  const { manager, wallNow, minScore, banMs, perTick = 1 } = parts
  let list: readonly PeerId[] = []
  let next = 0

  /** The peers of one tick. Never beyond the end of the list: the next tick begins a new one. */
  function tick(): readonly Step[] {
    const steps = [step()]
    const budget = perTick === 'auto' ? Math.ceil(list.length / sweepTicks) : perTick
    while (steps.length < budget && next < list.length) steps.push(step())
    return steps
  }

  function step(): Step {
    if (next >= list.length) {
      try {
        list = manager.peers()
      } catch (cause) {
        return failure('list peers', cause)
      }
      next = 0
    }
    const peer = list[next]
    if (peer === undefined) return { kind: 'idle' }
    // Before anything can fail: an error costs this peer its turn and nobody else.
    next += 1
    return look(peer)
  }

  function look(peer: PeerId): Step {
    let score: number
    try {
      score = manager.score(peer)
      if (!Number.isFinite(score)) throw new TypeError(`score is ${score}`)
    } catch (cause) {
      return failure(`retrieve score for peer ${peer}`, cause)
    }
    if (score >= minScore) return { kind: 'healthy', peer }
    try {
      if (manager.isStatic(peer)) return { kind: 'kept', peer }
      manager.ban(peer, wallNow() + banMs)
      return { kind: 'banned', peer }
    } catch (cause) {
      return failure(`banning peer ${peer}`, cause)
    }
  }

  return { tick }
}

function failure(what: string, cause: unknown): Step {
  const text = cause instanceof Error ? cause.message : String(cause)
  return { kind: 'error', text: `${what}: ${text}`, cause }
}
