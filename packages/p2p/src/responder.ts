import type { Context } from '@rockpool/actor'
import {
  decodePoolSyncRequest,
  encodePoolSyncAnswer,
  limits,
  type PeerId,
  type PoolSyncAnswer,
  type PoolSyncRequest,
  type ReconcilerServe,
} from '@rockpool/protocol'
import type { Catalogue } from './catalogue.ts'
import { createLately } from './lately.ts'
import type { ChargeReason } from './reasons.ts'
import type { FromReconciler } from './reconciler-messages.ts'
import { createServing } from './serving.ts'
import { bodiesFor, idsFor } from './sync.ts'

/** Seconds a node that stops asks others to stay away. */
const drainingSeconds = 60

interface Waiting {
  readonly serve: ReconcilerServe
  readonly request: PoolSyncRequest
}

export interface ResponderParts {
  readonly catalogue: Catalogue
  /** The IP group of a peer. */
  readonly groupOf: (peer: PeerId) => string
  readonly fault: (peer: PeerId, reason: ChargeReason, detail: string) => void
  readonly count: (word: 'ids' | 'txs' | 'busy' | 'none') => void
  /** This peer showed something else than this node has. */
  readonly differs: (peer: PeerId, digest: Uint8Array) => void
}

/** Answers what others ask; keeps nothing of them but how much they asked. */
export function createResponder(
  ctx: Pick<Context<FromReconciler>, 'now' | 'int' | 'after'>,
  parts: ResponderParts,
) {
  const { catalogue, groupOf, fault, count, differs } = parts
  const serving = createServing<Waiting>()
  const charged = createLately(limits.poolSyncWindowMs, limits.poolSyncPeersMax)
  let draining = false

  function serve(message: ReconcilerServe): void {
    const { from, request, reply } = message
    const decoded = decodePoolSyncRequest(request)
    if (!decoded.ok) {
      fault(from, 'sync/bad-reply', `request: ${decoded.code}`)
      count('none')
      return reply.tell([])
    }
    if (draining) return busy(message, drainingSeconds)
    const { value } = decoded
    const item = { serve: message, request: value }
    const refusal = serving.enter({ kind: value.kind, peer: from, item }, groupOf(from), ctx.now())
    if (!refusal) return next()
    if (refusal.charged && charged.take(from, 1, ctx.now())) fault(from, 'rate/request', value.kind)
    busy(message, refusal.retryAfterSeconds)
  }

  /** Whoever's turn it is, as long as this second has room. */
  function next(): void {
    for (let item = serving.next(ctx.now()); item; item = serving.next(ctx.now())) answer(item)
    const waitMs = serving.waitMs(ctx.now())
    if (waitMs !== undefined) ctx.after('serve', waitMs, { type: 'reconciler.serveNext' })
  }

  function answer({ serve: message, request }: Waiting): void {
    if (draining) return busy(message, drainingSeconds)
    if (request.kind === 'get') {
      return tell(message, bodiesFor(request.prefixes, catalogue.find))
    }
    const { answer: ids, differs: isOther } = idsFor(request.digest, catalogue, n => ctx.int(n))
    tell(message, ids)
    if (isOther) differs(message.from, request.digest)
  }

  function busy(message: ReconcilerServe, retryAfterSeconds: number): void {
    tell(message, { kind: 'busy', retryAfterSeconds })
  }

  function tell({ from, reply }: ReconcilerServe, frame: PoolSyncAnswer): void {
    const bytes = encodePoolSyncAnswer(frame)
    if (frame.kind !== 'busy') serving.sent(from, bytes.length, ctx.now())
    count(frame.kind)
    reply.tell([bytes])
  }

  return {
    serve,
    next,
    busy,
    /** From now on everybody is sent away. */
    drain(): void {
      draining = true
    },
  }
}
