import type { ActorRef, Behavior, Outcome } from '@rockpool/actor'
import { unreachable } from '@rockpool/actor'
import type {
  Answer,
  ChainFrames,
  ChainMessage,
  ChainStatus,
  Hash,
  MonitorReport,
  NetworkPort,
  PeerId,
  RangeRequest,
  SyncFetch,
  SyncMessage,
  SyncServe,
} from '@rockpool/protocol'
import { decodeRangeRequest, limits } from '@rockpool/protocol'
import { createCatchUp } from './catch-up.ts'
import { createHeadWatch, type WatchMessage } from './head-watch.ts'
import type { Job } from './job.ts'
import { begun, doorOf } from './job.ts'
import type { Keccak } from './keccak.ts'
import type { PeerHead } from './peer-heads.ts'
import { PeerHeads } from './peer-heads.ts'
import { createFetch } from './range-fetch.ts'
import { busyAnswer, framesAnswer, Servings, statusAnswer } from './range-serve.ts'

export interface SyncParts {
  readonly chain: ActorRef<ChainMessage>
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the range protocol of this network: `protocolName(chainId, forkDigest, 'blocks')`. */
  readonly protocol: string
  readonly keccak256: Keccak
  readonly monitor: Pick<ActorRef<MonitorReport>, 'tell'>
}

/** What only sync tells itself. */
type ToSelf =
  | WatchMessage
  | { type: 'sync.looked'; status: Outcome<ChainStatus> }
  | { type: 'sync.placed'; wish: SyncFetch; status: Outcome<ChainStatus> }
  | { type: 'sync.resume'; job: number; outcome: Outcome<unknown, unknown> }
  | { type: 'sync.framesFound'; serve: Serving; found: Outcome<Answer<ChainFrames>> }

interface Serving {
  readonly from: PeerId
  readonly reply: SyncServe['reply']
  readonly kind: Exclude<RangeRequest['kind'], 'status'>
}

interface Running {
  readonly peer: PeerId
  /** The block whose ancestors are fetched, or the body wanted. */
  readonly wanted: Hash
  readonly kind: 'branch' | 'body' | 'catch-up'
  readonly job: Job<void>
}

const askMs = 30_000
/** Not a peer: whoever catches up goes from one to the next. */
const anybody: PeerId = ''
/** Of our head, what it takes to compare it. */
type Stand = Pick<PeerHead, 'totalWeight' | 'hash' | 'number'>

/**
 * Keeps the chain in step with the heaviest peer, fetches what it lacks below a block that gossip brought, and serves the same to others.
 * A small gap is closed by the peer that told of the block, one fetch a peer; a large one, or a branch nobody has spoken of here, by
 * catching up. A peer at fault is reported and left. Keeps nothing that a restart would miss.
 */
export function syncActor(parts: SyncParts): Behavior<SyncMessage | ToSelf> {
  const { chain, monitor } = parts
  return ctx => {
    const servings = new Servings()
    const running = new Map<number, Running>()
    /** The newest target of a peer that is being fetched from. */
    const next = new Map<PeerId, SyncFetch>()
    const heads = new PeerHeads()
    let jobs = 0
    let looking = false
    let catching: { gained: number } | null = null
    let heard = { highest: 0, tooDeep: false }
    /** What the chain said last; it may have moved on since, and only to a heavier head. */
    let ours: Stand | undefined
    let settled = false
    let caughtUpOnce = false
    const fault = (peer: PeerId, reason: string, detail: string) => {
      ctx.log.warn('sync/fault', { peer, reason, detail })
      monitor.tell({ type: 'monitor.report', peer, reason, detail })
      heads.leave(peer, ctx.now())
    }
    const fetch = createFetch({ ...parts, fault })
    const watch = createHeadWatch(ctx, { ...parts, heads, fault, told: look })
    const { follow } = createCatchUp({
      ...parts,
      fetch,
      fault,
      gained: peer => {
        heads.delivered(peer)
        if (catching !== null) catching.gained += 1
      },
    })

    /** Compares what peers told with our own head. */
    function look(): void {
      if (looking || catching !== null) return
      if (settled && ours !== undefined && isInStep(ours)) return
      looking = true
      ctx.ask<ChainMessage, ChainStatus>(
        chain,
        reply => ({ type: 'chain.getStatus', reply }),
        askMs,
        status => ({ type: 'sync.looked', status }),
      )
    }

    /** Nobody tells of a better head, and the chain has been told so. */
    function isInStep(ours: Stand): boolean {
      if (heard.highest !== 0 || heard.tooDeep) return false
      const now = ctx.now()
      return heads.heavier(ours, now).length === 0 && !heads.anyTooDeep(ours, now)
    }

    function compare(status: ChainStatus): void {
      const ours = { totalWeight: status.totalWeight, hash: status.head.hash }
      const heavier = heads.heavier(ours, ctx.now())
      const tooDeep = heads.anyTooDeep(ours, ctx.now())
      const highest = heavier[0]?.number ?? 0
      hear({ highest, tooDeep }, isSettled(heavier.length, highest - status.head.number))
      const branched = new Set([...running.values()].map(({ peer }) => peer))
      const candidates = heavier.filter(({ peer }) => !branched.has(peer))
      if (catching !== null || candidates.length === 0) return
      catching = { gained: 0 }
      const task = { peer: anybody, wanted: status.head.hash, kind: 'catch-up' as const }
      begin(task, catchUp(candidates.slice(0, limits.catchUpPeersMax), status))
    }

    /** Whether the first look at the peers is over. A network goes on meanwhile: after catching up, a block on its way here is no gap. */
    function isSettled(heavier: number, gap: number): boolean {
      return watch.surveyed && (heavier === 0 || (caughtUpOnce && gap <= 1))
    }

    function hear(next: typeof heard, settles: boolean): void {
      const same = next.highest === heard.highest && next.tooDeep === heard.tooDeep
      if (same && (settled || !settles)) return
      heard = next
      chain.tell({ type: 'chain.heard', ...next, ...(settles && !settled && { settled: true }) })
      settled ||= settles
    }

    /** The heaviest peers in turn, until one of them has brought all it told of. */
    function* catchUp(candidates: readonly PeerHead[], { head }: ChainStatus): Job<void> {
      const began = ctx.now()
      for (const candidate of candidates) {
        const { peer } = candidate
        if (heads.isAside(peer, ctx.now())) continue
        const before = catching?.gained ?? 0
        const end = yield* follow(candidate, head.number)
        const blocks = (catching?.gained ?? 0) - before
        ctx.log.info('sync/caught-up', { peer, end, blocks, ms: Math.round(ctx.now() - began) })
        if (end === 'done') {
          caughtUpOnce = true
          heads.forget(peer)
          watch.ask(peer)
          return
        }
        if (end === 'stale') {
          // Not asked at once: one that claims a weight its head does not have would be asked for ever.
          heads.forget(peer)
          caughtUpOnce = true
          continue
        }
        if (end === 'stopped') {
          heads.fellShort(peer, ctx.now(), false)
          return
        }
        if (end === 'deep') heads.tooDeep(peer, ctx.now())
        else if (end !== 'wrong' && heads.fellShort(peer, ctx.now(), end === 'short')) {
          fault(peer, 'sync/bad-reply', 'tells of a head it does not have')
        }
      }
    }

    function begin(task: Omit<Running, 'job'>, job: Job<void>): void {
      const id = ++jobs
      running.set(id, { ...task, job })
      resume(id, begun)
    }

    function resume(id: number, outcome: Outcome<unknown, unknown>): void {
      const task = running.get(id)
      if (task === undefined) return
      const step = task.job.next(outcome)
      if (step.done !== true) {
        return step.value(
          doorOf<SyncMessage | ToSelf, never>(ctx, `job ${id}`, result => ({
            type: 'sync.resume',
            job: id,
            outcome: result,
          })),
        )
      }
      running.delete(id)
      if (task.kind === 'catch-up') {
        catching = null
        return look()
      }
      const wish = next.get(task.peer)
      if (task.kind !== 'branch' || wish === undefined) return
      next.delete(task.peer)
      fetchBranch(wish)
    }

    /** A block without its parent: its sender has a head we do not know, and perhaps only a few blocks below it are missing. */
    function place(wish: SyncFetch): void {
      if (heads.isAside(wish.from, ctx.now())) return
      watch.ask(wish.from)
      ctx.ask<ChainMessage, ChainStatus>(
        chain,
        reply => ({ type: 'chain.getStatus', reply }),
        askMs,
        status => ({ type: 'sync.placed', wish, status }),
      )
    }

    function fetchBranch(wish: SyncFetch): void {
      const { from, hash, parent, number } = wish
      const branches = [...running.values()].filter(({ kind }) => kind === 'branch')
      if (branches.some(({ wanted }) => wanted === parent)) return
      if (branches.some(({ peer }) => peer === from)) {
        if ((next.get(from)?.number ?? 0) <= number) next.set(from, wish)
        return
      }
      if (branches.length >= limits.fetchesMax) {
        return ctx.log.debug('sync/too-many-fetches', { from, number })
      }
      begin({ peer: from, wanted: parent, kind: 'branch' }, course())

      function* course(): Job<void> {
        const blocks = yield* fetch.branch(from, { hash, parent, number })
        ctx.log.info('sync/fetched', { from, number, blocks })
      }
    }

    function fetchBody(hash: Hash, from: PeerId): void {
      const bodies = [...running.values()].filter(({ kind }) => kind === 'body')
      if (bodies.some(({ wanted }) => wanted === hash)) return
      if (bodies.length >= limits.bodyFetchesMax) {
        return ctx.log.debug('sync/too-many-bodies', { from, hash })
      }
      begin({ peer: from, wanted: hash, kind: 'body' }, course())

      function* course(): Job<void> {
        yield* fetch.body(from, hash)
      }
    }

    function serve({ from, request, reply }: SyncServe): void {
      const decoded = decodeRangeRequest(request)
      if (!decoded.ok) {
        const detail = `request: ${decoded.code}`
        monitor.tell({ type: 'monitor.report', peer: from, reason: 'sync/bad-reply', detail })
        return reply.tell([])
      }
      const wish = decoded.value
      const busy = servings.open(from, ctx.now())
      if (busy !== null) return reply.tell(busyAnswer(busy.retryAfterSeconds))
      if (wish.kind === 'status') return tellStand(from, reply)
      const serving = { from, reply, kind: wish.kind }
      ctx.ask<ChainMessage, Answer<ChainFrames>>(
        chain,
        answer => ({ type: 'chain.getFrames', want: wish, reply: answer }),
        limits.rangeRequestMs,
        found => ({ type: 'sync.framesFound', serve: serving, found }),
      )
    }

    function tellStand(from: PeerId, reply: SyncServe['reply']): void {
      served({ from, reply }, ours === undefined ? busyAnswer(1) : statusAnswer(ours))
    }

    function served(
      { from, reply }: Pick<Serving, 'from' | 'reply'>,
      frames: readonly Uint8Array[],
    ): void {
      servings.close(
        from,
        frames.reduce((sum, frame) => sum + frame.length, 0),
      )
      reply.tell(frames)
    }

    // After a restart nobody says it again by himself.
    look()
    return message => {
      switch (message.type) {
        case 'sync.fetch':
          return place(message)
        case 'sync.placed': {
          const { wish, status } = message
          if (!status.ok || wish.number - status.value.head.number > limits.rangeBlocksMax) return
          return fetchBranch(wish)
        }
        case 'sync.stands': {
          const { head, totalWeight } = message
          ours = { number: head.number, hash: head.hash, totalWeight }
          return watch.moved()
        }
        case 'sync.looked': {
          looking = false
          if (!message.status.ok) return
          const { head, totalWeight } = message.status.value
          if (ours === undefined || totalWeight >= ours.totalWeight)
            ours = { number: head.number, hash: head.hash, totalWeight }
          return compare(message.status.value)
        }
        case 'sync.beat':
          return watch.beat()
        case 'sync.told':
          return watch.answered(message)
        case 'sync.body':
          return fetchBody(message.hash, message.from)
        case 'sync.serve':
          return serve(message)
        case 'sync.framesFound': {
          const { serve: serving, found } = message
          if (!found.ok) return served(serving, busyAnswer(1))
          const { value } = found
          return served(serving, framesAnswer(serving.kind, value.ok ? value.value : null))
        }
        case 'sync.resume':
          return resume(message.job, message.outcome)
        case 'peer.opened':
          return watch.opened(message.peer.id)
        case 'peer.closed': {
          next.delete(message.peer)
          watch.closed(message.peer)
          for (const [id, { peer }] of running) {
            if (peer !== message.peer) continue
            running.delete(id)
            ctx.cancel(`job ${id}`)
          }
          return
        }
        default:
          return unreachable(message)
      }
    }
  }
}
