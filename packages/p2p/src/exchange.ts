import type { Context, Outcome } from '@rockpool/actor'
import {
  CodedError,
  decodePoolSyncAnswer,
  encodePoolSyncRequest,
  type HashPrefix,
  limits,
  type NetworkPort,
  type PeerId,
  type PoolSyncAnswer,
  type PoolSyncRequest,
} from '@rockpool/protocol'
import type { Lately } from './lately.ts'
import type { ChargeReason } from './reasons.ts'
import type { FromReconciler } from './reconciler-messages.ts'
import { leftOf, wantedOf } from './sync.ts'

export type ExchangeOutcome = 'useful' | 'nothing' | 'busy' | 'timeout' | 'bad' | 'failed'

/** One visit to a peer: what it has, then what this node lacks of it, one request after the other. */
export interface Exchange {
  readonly peer: PeerId
  readonly dueMs: number
  /** Lacking, in the order in which it is asked for. */
  wanted: HashPrefix[]
  /** What the request under way asks for; nothing during the hello. */
  asked: ReadonlySet<HashPrefix>
  gets: number
  /** Transactions the pool took. */
  txs: number
  /** The peer has more than this exchange fetches. */
  more: boolean
}

export interface ExchangesParts {
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the pool sync protocol. */
  readonly protocol: string
  /** Gets of each peer lately. */
  readonly gets: Lately
  readonly hello: () => PoolSyncRequest
  readonly isKnown: (prefix: HashPrefix) => boolean
  /** Judges bodies; ends in `goOn` or `fail`. */
  readonly admit: (exchange: Exchange, raws: readonly Uint8Array[]) => void
  readonly fault: (peer: PeerId, reason: ChargeReason, detail: string) => void
  readonly ended: (exchange: Exchange, outcome: ExchangeOutcome, retryAfterMs: number) => void
}

/** The exchanges under way, at most one with each peer. */
export function createExchanges(
  ctx: Pick<Context<FromReconciler>, 'now' | 'pipe'>,
  parts: ExchangesParts,
) {
  const { network, protocol, gets, hello, isKnown, admit, fault, ended } = parts
  const running = new Map<PeerId, Exchange>()

  function begin(peer: PeerId): void {
    const dueMs = ctx.now() + limits.poolSyncExchangeMs
    const exchange: Exchange = {
      peer,
      dueMs,
      wanted: [],
      asked: new Set(),
      gets: 0,
      txs: 0,
      more: false,
    }
    running.set(peer, exchange)
    request(exchange, hello())
  }

  function request(exchange: Exchange, wish: PoolSyncRequest): void {
    const { peer, dueMs } = exchange
    const bytes = encodePoolSyncRequest(wish)
    const deadlineMs = Math.min(limits.poolSyncRequestMs, dueMs - ctx.now())
    const bounds = { bytesMax: limits.poolSyncAnswerBytesMax, deadlineMs }
    ctx.pipe(
      () => network.request(peer, protocol, bytes, bounds),
      outcome => ({ type: 'reconciler.answered', exchange, asked: wish.kind, outcome }),
    )
  }

  function answered(
    exchange: Exchange,
    asked: PoolSyncRequest['kind'],
    outcome: Outcome<readonly Uint8Array[], unknown>,
  ): void {
    if (!isRunning(exchange)) return
    if (!outcome.ok) return unanswered(exchange, outcome.error)
    const [frame, ...others] = outcome.value
    if (!frame || others.length > 0) return fail(exchange, 'sync/bad-reply', 'not one frame')
    const decoded = decodePoolSyncAnswer(frame, asked)
    if (!decoded.ok) return fail(exchange, 'sync/bad-reply', decoded.code)
    take(exchange, decoded.value)
  }

  function take(exchange: Exchange, answer: PoolSyncAnswer): void {
    switch (answer.kind) {
      case 'busy':
        return end(exchange, 'busy', answer.retryAfterSeconds * 1_000)
      case 'ids': {
        const { prefixes, more } = wantedOf(answer, isKnown)
        exchange.wanted = [...prefixes]
        exchange.more = more
        return goOn(exchange)
      }
      case 'txs': {
        const { asked } = exchange
        if (!answer.missing.every(prefix => asked.has(prefix))) {
          return fail(exchange, 'sync/bad-reply', 'missing what was not asked for')
        }
        exchange.wanted.push(...leftOf(answer))
        return answer.txs.length === 0 ? goOn(exchange) : admit(exchange, answer.txs)
      }
    }
  }

  /** The next get, or the end. */
  function goOn(exchange: Exchange): void {
    if (!isRunning(exchange)) return
    const { peer, wanted } = exchange
    const now = ctx.now()
    const isDone = wanted.length === 0
    const mayAsk = exchange.gets < limits.poolSyncGetsMax && now < exchange.dueMs
    if (isDone || !mayAsk || !gets.take(peer, limits.poolSyncGetsPerPeer, now)) {
      exchange.more ||= !isDone
      return end(exchange, exchange.txs > 0 ? 'useful' : 'nothing')
    }
    exchange.gets += 1
    const prefixes = wanted.splice(0, limits.poolSyncGetMax)
    exchange.asked = new Set(prefixes)
    request(exchange, { kind: 'get', prefixes })
  }

  function unanswered(exchange: Exchange, error: unknown): void {
    const code = error instanceof CodedError ? error.code : undefined
    if (code === 'p2p/answer-too-big') return fail(exchange, 'sync/bad-reply', 'too-big')
    if (code !== 'p2p/request-timeout') return end(exchange, 'failed')
    fault(exchange.peer, 'liveness/sync-timeout', exchange.gets === 0 ? 'hello' : 'get')
    end(exchange, 'timeout')
  }

  /** The peer did something no honest one does. */
  function fail(exchange: Exchange, reason: ChargeReason, detail: string): void {
    fault(exchange.peer, reason, detail)
    if (isRunning(exchange)) end(exchange, 'bad')
  }

  function end(exchange: Exchange, outcome: ExchangeOutcome, retryAfterMs = 0): void {
    running.delete(exchange.peer)
    ended(exchange, outcome, retryAfterMs)
  }

  function isRunning(exchange: Exchange): boolean {
    return running.get(exchange.peer) === exchange
  }

  return {
    begin,
    answered,
    goOn,
    fail,
    has: (peer: PeerId): boolean => running.has(peer),
    /** What is still on its way from a peer that has left is judged, and nothing more is asked. */
    leave(peer: PeerId): void {
      const exchange = running.get(peer)
      if (exchange) end(exchange, 'failed')
    },
    get size() {
      return running.size
    },
  }
}
