import type { Context } from '@rockpool/actor'
import { bytesEqual, limits, type PeerId } from '@rockpool/protocol'
import type { Exchange, ExchangeOutcome } from './exchange.ts'
import { createLately } from './lately.ts'
import type { FromReconciler } from './reconciler-messages.ts'

/** Blocks that join within a second, beyond what producers make: this node is fetching a chain, and its pool's state is not of today. */
const catchUpBlocks = 4
const secondMs = 1_000
/** A visit that has to wait for the chain asks again after this. */
const catchUpMs = 250

export interface VisitsParts {
  readonly exchanges: {
    begin(peer: PeerId): void
    has(peer: PeerId): boolean
    readonly size: number
  }
  readonly intervalMs: number
  /** Time between blocks; 0: no pace of blocks says anything. */
  readonly blockTimeMs: number
  /** Connected, and speaks the protocol. */
  readonly mayAsk: (peer: PeerId) => boolean
  readonly peers: () => readonly PeerId[]
}

/**
 * When this node asks whom: who has just come, everybody when a chain has been fetched, one at random every interval, sooner while that
 * brings something, and who has asked and differs.
 */
export function createVisits(
  ctx: Pick<Context<FromReconciler>, 'now' | 'int' | 'after' | 'cancel'>,
  parts: VisitsParts,
) {
  const { exchanges, intervalMs, blockTimeMs, mayAsk, peers } = parts
  const begun = createLately(limits.poolSyncWindowMs, limits.poolSyncPeersMax)
  const returns = createLately(limits.poolSyncReturnEveryMs, limits.poolSyncPeersMax)
  /** When a visit is planned, for connected peers only; likewise the next three. */
  const planned = new Map<PeerId, number>()
  const busyUntil = new Map<PeerId, number>()
  /** What a peer showed before we returned its visit, and what it showed when that brought nothing. */
  const shown = new Map<PeerId, Uint8Array>()
  const fruitless = new Map<PeerId, Uint8Array>()
  let blocks: number[] = []
  /** The chain says that it lacks much of what others have. */
  let isFetching = false
  let stopped = false

  function start(): void {
    ctx.after('tick', intervalMs, { type: 'reconciler.tick' })
  }

  function tick(): void {
    if (stopped) return
    start()
    const peer = anyone()
    if (peer !== undefined) visit(peer)
  }

  function anyone(): PeerId | undefined {
    const candidates = peers().filter(peer => mayAsk(peer) && !exchanges.has(peer))
    return candidates[ctx.int(Math.max(1, candidates.length))]
  }

  /** The sooner of two plans counts. */
  function plan(peer: PeerId, ms: number): void {
    const dueMs = ctx.now() + ms
    if (stopped || !mayAsk(peer) || (planned.get(peer) ?? Number.POSITIVE_INFINITY) <= dueMs) return
    planned.set(peer, dueMs)
    ctx.after(`visit ${peer}`, ms, { type: 'reconciler.visit', peer })
  }

  function visit(peer: PeerId): void {
    planned.delete(peer)
    if (stopped || exchanges.has(peer) || !mayAsk(peer)) return
    const now = ctx.now()
    const waitMs = Math.max(
      begun.waitMs(peer, limits.poolSyncExchangesPerPeer, now),
      (busyUntil.get(peer) ?? 0) - now,
      isFetching || exchanges.size >= limits.poolSyncExchangesMax ? secondMs : 0,
      isCatchingUp(now) ? catchUpMs : 0,
    )
    if (waitMs > 0) return plan(peer, waitMs)
    busyUntil.delete(peer)
    begun.add(peer, now)
    exchanges.begin(peer)
  }

  function opened(peer: PeerId): void {
    plan(peer, ctx.int(limits.poolSyncOpenedMs + 1))
  }

  /** A peer has shown something else than this node has: perhaps it has what we lack. */
  function returned(peer: PeerId, digest: Uint8Array): void {
    const before = fruitless.get(peer)
    if (stopped || !mayAsk(peer) || (before && bytesEqual(before, digest))) return
    if (!returns.take(peer, 1, ctx.now())) return
    shown.set(peer, digest)
    plan(peer, ctx.int(limits.poolSyncReturnMs + 1))
  }

  function ended(exchange: Exchange, outcome: ExchangeOutcome, retryAfterMs: number): void {
    const { peer, txs, more } = exchange
    const digest = shown.get(peer)
    shown.delete(peer)
    if (outcome === 'nothing' && digest) fruitless.set(peer, digest)
    if (outcome === 'busy') {
      busyUntil.set(peer, ctx.now() + Math.min(retryAfterMs, limits.poolSyncWindowMs))
    }
    if (txs === 0 || outcome === 'bad') return
    const next = more ? peer : anyone()
    if (next !== undefined) plan(next, limits.poolSyncAgainMs)
  }

  function joined(count: number): void {
    const now = ctx.now()
    blocks = blocks.filter(at => now - at < secondMs)
    for (let block = 0; block < Math.min(count, limits.headWindow); block++) blocks.push(now)
    blocks = blocks.slice(-limits.headWindow)
    fruitless.clear()
  }

  /** Over: the pool has missed what was announced meanwhile, so everybody is asked. */
  function fetching(on: boolean): void {
    const isOver = isFetching && !on
    isFetching = on
    if (isOver) for (const peer of peers()) opened(peer)
  }

  function isCatchingUp(now: number): boolean {
    if (blockTimeMs === 0) return false
    const recent = blocks.filter(at => now - at < secondMs).length
    return recent > Math.max(catchUpBlocks, (2 * secondMs) / blockTimeMs)
  }

  function leave(peer: PeerId): void {
    for (const map of [planned, busyUntil, shown, fruitless]) map.delete(peer)
    ctx.cancel(`visit ${peer}`)
  }

  function stop(): void {
    stopped = true
    ctx.cancel('tick')
  }

  return { start, tick, visit, opened, returned, ended, joined, fetching, leave, stop }
}
