import type { ActorRef, Outcome, Reply } from '@rockpool/actor'
import { askError, busy } from './rpc-error.ts'

/** The promise edge of the bus. */
export interface Asker {
  /** `origin` labels the question in traces. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (reply: Reply<R>) => Q,
    ms: number,
    origin?: string,
  ): Promise<Outcome<R>>
}

export interface LineOptions {
  /** Questions under way at once. */
  readonly underWayMax: number
  /** Questions that wait for a place. */
  readonly waitingMax: number
  /** Until the answer, waiting included. Milliseconds. */
  readonly deadlineMs: number
}

export interface Line<M> {
  /** The answer; throws the `RpcError` of a question that got none. */
  ask<R>(make: (reply: Reply<R>) => M): Promise<R>
  readonly underWay: number
  readonly waiting: number
}

/**
 * All questions of RPC callers to one actor. A mailbox holds what gossip, heads and callers send together, so callers get a fixed share of
 * it and stand in line for the rest: a burst of batches waits its turn instead of being refused, and cannot keep a new head out.
 */
export function createLine<M>(bus: Asker, to: ActorRef<M>, options: LineOptions): Line<M> {
  const { underWayMax, waitingMax, deadlineMs } = options
  const waiting: (() => void)[] = []
  let underWay = 0

  /** Asks from a place it already holds, and hands the place on. */
  async function send<R>(make: (reply: Reply<R>) => M, ms: number): Promise<R> {
    const outcome = await bus.ask<M, R>(to, make, ms, 'rpc')
    handOn()
    if (outcome.ok) return outcome.value
    throw askError(outcome.error)
  }

  async function wait<R>(make: (reply: Reply<R>) => M): Promise<R> {
    if (waiting.length >= waitingMax) throw busy()
    const since = performance.now()
    await new Promise<void>(resolve => waiting.push(resolve))
    const left = deadlineMs - (performance.now() - since)
    if (left > 0) return send(make, Math.ceil(left))
    handOn()
    throw askError('timeout')
  }

  /** To who waits longest; only when nobody does is the place free. */
  function handOn(): void {
    const next = waiting.shift()
    if (next === undefined) underWay--
    else next()
  }

  return {
    ask(make) {
      if (underWay >= underWayMax) return wait(make)
      underWay++
      return send(make, deadlineMs)
    },
    get underWay() {
      return underWay
    },
    get waiting() {
      return waiting.length
    },
  }
}
