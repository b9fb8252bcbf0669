import type { ActorRef, Behavior, Outcome } from '@rockpool/actor'
import { unreachable } from '@rockpool/actor'
import type {
  Answer,
  ChainFrames,
  ChainMessage,
  ChainStatus,
  GossipFault,
  Hash,
  NetworkPort,
  PeerId,
  RangeRequest,
  SyncFetch,
  SyncMessage,
  SyncServe,
} from '@rockpool/protocol'
import { decodeRangeRequest, limits } from '@rockpool/protocol'
import type { Job } from './job.ts'
import { begun, doorOf } from './job.ts'
import type { Keccak } from './keccak.ts'
import { createFetch } from './range-fetch.ts'
import { busyAnswer, framesAnswer, Servings, statusAnswer } from './range-serve.ts'

export interface SyncParts {
  readonly chain: ActorRef<ChainMessage>
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the range protocol of this network: `protocolName(chainId, forkDigest, 'blocks')`. */
  readonly protocol: string
  readonly keccak256: Keccak
  /** Counts what peers do wrong. */
  readonly gossip: Pick<ActorRef<GossipFault>, 'tell'>
}

/** What only sync tells itself. */
type ToSelf =
  | { type: 'sync.resume'; job: number; outcome: Outcome<unknown, unknown> }
  | { type: 'sync.framesFound'; serve: Serving; found: Outcome<Answer<ChainFrames>> }
  | { type: 'sync.statusFound'; serve: Serving; found: Outcome<ChainStatus> }

interface Serving {
  readonly from: PeerId
  readonly reply: SyncServe['reply']
  readonly kind: Exclude<RangeRequest['kind'], 'status'> | 'status'
}

interface Running {
  readonly peer: PeerId
  /** The block whose ancestors are fetched, or the body wanted. */
  readonly wanted: Hash
  readonly kind: 'branch' | 'body'
  readonly job: Job<void>
}

/**
 * Fetches what the chain lacks from the peer that told of it, and serves the same to others. One fetch a peer: what it tells meanwhile
 * comes next. Keeps nothing that a restart would miss.
 */
export function syncActor(parts: SyncParts): Behavior<SyncMessage | ToSelf> {
  const { chain, gossip } = parts
  return ctx => {
    const servings = new Servings()
    const running = new Map<number, Running>()
    /** The newest target of a peer that is being fetched from. */
    const next = new Map<PeerId, SyncFetch>()
    let jobs = 0
    const fetch = createFetch({
      ...parts,
      fault: (peer, reason, evidence) => {
        gossip.tell({ type: 'gossip.fault', peer, reason, evidence })
      },
    })

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
      const wish = next.get(task.peer)
      if (task.kind !== 'branch' || wish === undefined) return
      next.delete(task.peer)
      fetchBranch(wish)
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
        gossip.tell({ type: 'gossip.fault', peer: from, reason: `sync/${decoded.code}` })
        return reply.tell([])
      }
      const wish = decoded.value
      const busy = servings.open(from, ctx.now())
      if (busy !== null) return reply.tell(busyAnswer(busy.retryAfterSeconds))
      const serving = { from, reply, kind: wish.kind }
      if (wish.kind === 'status') {
        return ctx.ask<ChainMessage, ChainStatus>(
          chain,
          answer => ({ type: 'chain.getStatus', reply: answer }),
          limits.rangeRequestMs,
          found => ({ type: 'sync.statusFound', serve: serving, found }),
        )
      }
      ctx.ask<ChainMessage, Answer<ChainFrames>>(
        chain,
        answer => ({ type: 'chain.getFrames', want: wish, reply: answer }),
        limits.rangeRequestMs,
        found => ({ type: 'sync.framesFound', serve: serving, found }),
      )
    }

    function served({ from, reply }: Serving, frames: readonly Uint8Array[]): void {
      servings.close(
        from,
        frames.reduce((sum, frame) => sum + frame.length, 0),
      )
      reply.tell(frames)
    }

    return message => {
      switch (message.type) {
        case 'sync.fetch':
          return fetchBranch(message)
        case 'sync.body':
          return fetchBody(message.hash, message.from)
        case 'sync.serve':
          return serve(message)
        case 'sync.statusFound': {
          const { serve: serving, found } = message
          return served(serving, found.ok ? statusAnswer(found.value) : busyAnswer(1))
        }
        case 'sync.framesFound': {
          const { serve: serving, found } = message
          if (!found.ok || serving.kind === 'status') return served(serving, busyAnswer(1))
          const { value } = found
          return served(serving, framesAnswer(serving.kind, value.ok ? value.value : null))
        }
        case 'sync.resume':
          return resume(message.job, message.outcome)
        case 'peer.opened':
          return
        case 'peer.closed': {
          next.delete(message.peer)
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
