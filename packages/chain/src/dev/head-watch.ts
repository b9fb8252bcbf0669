import type { Context, Outcome } from '@rockpool/actor'
import type { NetworkPort, PeerId } from '@rockpool/protocol'
import { decodeRangeAnswer, encodeRangeRequest, limits } from '@rockpool/protocol'
import type { PeerHeads } from './peer-heads.ts'

/** What the watch tells its actor. */
export type WatchMessage =
  | { type: 'sync.beat' }
  | { type: 'sync.told'; peer: PeerId; outcome: Outcome<readonly Uint8Array[], unknown> }

export interface WatchParts {
  readonly network: Pick<NetworkPort, 'request'>
  readonly protocol: string
  readonly heads: PeerHeads
  readonly fault: (peer: PeerId, reason: string, detail: string) => void
  /** A peer told of its head. */
  readonly told: () => void
}

type WatchContext = Pick<Context<WatchMessage, never>, 'now' | 'random' | 'after' | 'pipe'>

const bounds = { bytesMax: limits.rangeAnswerBytesMax, deadlineMs: limits.rangeRequestMs }

/**
 * Asks peers where their heads are: each once when it is identified and whenever somebody has a reason, and one at random each second, or
 * each five while the own head moves at its usual pace.
 * So many questions are under way at most; the others wait in line.
 */
export function createHeadWatch(ctx: WatchContext, parts: WatchParts) {
  const { network, protocol, heads, fault, told } = parts
  const asking = new Set<PeerId>()
  const waiting = new Set<PeerId>()
  let beating = false
  let movedMs = Number.NEGATIVE_INFINITY
  let gapMs = 0
  let surveyed = false

  function ask(peer: PeerId): void {
    if (asking.has(peer) || heads.isAside(peer, ctx.now())) return
    if (asking.size >= limits.statusAsksMax) {
      if (waiting.size < limits.statusPeersMax) waiting.add(peer)
      return
    }
    waiting.delete(peer)
    asking.add(peer)
    ctx.pipe(
      () => network.request(peer, protocol, encodeRangeRequest({ kind: 'status' }), bounds),
      outcome => ({ type: 'sync.told', peer, outcome }),
      limits.rangeRequestMs,
    )
  }

  function opened(peer: PeerId): void {
    heads.open(peer)
    ask(peer)
    arm()
  }

  function closed(peer: PeerId): void {
    heads.close(peer)
    waiting.delete(peer)
  }

  function arm(): void {
    if (beating) return
    beating = true
    const isCalm = ctx.now() - movedMs <= 2 * gapMs
    const ms = isCalm ? limits.statusCalmEveryMs : limits.statusEveryMs
    ctx.after('beat', ms, { type: 'sync.beat' })
  }

  /** The own head moved. */
  function moved(): void {
    const now = ctx.now()
    if (movedMs >= 0) gapMs = now - movedMs
    movedMs = now
  }

  function beat(): void {
    beating = false
    if (heads.size === 0) return
    const peer = heads.pick(ctx.random(), ctx.now())
    if (peer !== undefined) ask(peer)
    told()
    arm()
  }

  function answered({ peer, outcome }: Extract<WatchMessage, { type: 'sync.told' }>): void {
    asking.delete(peer)
    const [next] = waiting
    if (next !== undefined) ask(next)
    if (!outcome.ok) return
    const [frame] = outcome.value
    // A node that is stopping, or is overrun, says nothing.
    if (frame === undefined) return
    const answer = decodeRangeAnswer(frame, 'status')
    if (!answer.ok) return fault(peer, 'sync/bad-reply', 'status')
    if (answer.value.kind !== 'status') return
    const { number, hash, totalWeight } = answer.value
    heads.record({ peer, number, hash, totalWeight })
    if (asking.size === 0) surveyed = true
    told()
  }

  return {
    ask,
    opened,
    closed,
    moved,
    beat,
    answered,
    /** Whether everybody who was asked at the start has answered or let the time pass, and somebody did answer. */
    get surveyed(): boolean {
      return surveyed
    },
  }
}
