import { randomBytes } from 'node:crypto'
import {
  type Address,
  type ChainHead,
  type ChainSyncing,
  type Fact,
  type Hash,
  limits,
  type PoolChanged,
  zeroAddress,
} from '@rockpool/protocol'
import { headerJson, pendingTxJson, quantity } from './rpc/encode.ts'
import { plain, RpcError, rpcCode, tooMany } from './rpc-error.ts'

/** What can be listened to. `logs` is taken and stays silent: this chain writes none. */
export type Topic =
  | 'newHeads'
  | 'newPendingTransactions'
  | 'newPendingTransactionsFull'
  | 'logs'
  | 'syncing'
  | 'poolEvents'

/** Takes one notification as JSON text. */
export type Sink = (result: string) => void

/** The subscriptions of one connection. */
export interface Subscriber {
  /** Returns the id under which notifications come. `wish` is about `poolEvents`. */
  subscribe(topic: Topic, wish?: PoolEventsWish): string
  unsubscribe(id: string): void
}

/** What somebody wants to hear of the pool; what is absent narrows nothing. */
export interface PoolEventsWish {
  /** Only drops, and of these only those for one of these reasons. */
  readonly reasons?: readonly string[]
  /** Only what these senders sent. */
  readonly from?: SendersWish
}

export interface SendersWish {
  readonly senders: ReadonlySet<Address>
  /** Facts name hashes alone; the pool knows who sent them. Null: not to be told. */
  readonly sendersOf: (hashes: readonly Hash[]) => Promise<readonly (Address | null)[]>
}

export type Subscriptions = ReturnType<typeof createSubscriptions>

/**
 * Facts of the node as notifications: every added header, oldest first, and every transaction that enters pending, once. The text of a
 * notification is made once for all who listen, and not at all when nobody does.
 */
export function createSubscriptions(observe: (listener: (fact: Fact) => void) => () => void) {
  const sinks = new Map<Topic, Set<Sink>>()
  const poolSinks = new Set<(fact: PoolChanged) => void>()
  const stop = observe(fact => {
    if (fact.type === 'chain.head') tellHeads(fact)
    else if (fact.type === 'pool.changed') {
      tellPending(fact)
      for (const tellOne of poolSinks) tellOne(fact)
    } else if (fact.type === 'chain.syncing') tellSyncing(fact)
  })

  function tellHeads({ added }: ChainHead): void {
    const listeners = sinks.get('newHeads')
    if (listeners === undefined) return
    for (const { header } of added) tell(listeners, JSON.stringify(headerJson(header)))
  }

  /** As geth says it: an object when a sync begins, false when it is over. */
  function tellSyncing({ on, start, current, highest }: ChainSyncing): void {
    const listeners = sinks.get('syncing')
    if (listeners === undefined) return
    if (!on) return tell(listeners, 'false')
    const status = {
      startingBlock: quantity(start),
      currentBlock: quantity(current),
      highestBlock: quantity(highest),
    }
    tell(listeners, JSON.stringify({ syncing: true, status }))
  }

  function tellPending({ events }: PoolChanged): void {
    const hashes = sinks.get('newPendingTransactions')
    const full = sinks.get('newPendingTransactionsFull')
    for (const { tx, origin } of events) {
      if (origin === 'private') continue
      if (hashes !== undefined) tell(hashes, `"${tx.hash}"`)
      if (full !== undefined) tell(full, JSON.stringify(pendingTxJson(tx)))
    }
  }

  function listen(topic: Topic, sink: Sink, wish: PoolEventsWish = {}): () => void {
    if (topic === 'poolEvents') return listenPool(sink, wish)
    const listeners = sinks.get(topic) ?? new Set()
    sinks.set(topic, listeners.add(sink))
    return () => {
      listeners.delete(sink)
      if (listeners.size === 0 && sinks.get(topic) === listeners) sinks.delete(topic)
    }
  }

  function listenPool(sink: Sink, { reasons, from }: PoolEventsWish): () => void {
    const wanted = reasons === undefined ? undefined : new Set(reasons)
    const tellOne = (batch: Batch) => {
      const text = poolEventsText(batch, wanted)
      if (text !== undefined) sink(text)
    }
    const hear = from === undefined ? tellOne : narrowed(from, tellOne)
    poolSinks.add(hear)
    return () => poolSinks.delete(hear)
  }

  return { listen, stop }
}

/** What a subscriber is told of one turn. */
type Batch = Pick<PoolChanged, 'head' | 'added' | 'promoted' | 'demoted' | 'dropped'>

/**
 * Hands on what some senders sent, in order. Batches wait for the pool's answer: a pool that is too busy to give it, or that has so many
 * waiting already, costs the subscriber that batch.
 */
function narrowed(
  { senders, sendersOf }: SendersWish,
  tellOne: (batch: Batch) => void,
): (batch: Batch) => void {
  let turn = Promise.resolve()
  let waitingCount = 0
  const tellTheirs = async (batch: Batch) => {
    const { head, added, promoted, demoted, dropped } = batch
    const hashes = [
      ...new Set([...added, ...promoted, ...demoted, ...dropped.map(({ hash }) => hash)]),
    ]
    if (hashes.length === 0) return
    const found = await sendersOf(hashes)
    const theirs = new Set(hashes.filter((_, at) => senders.has(found[at] ?? zeroAddress)))
    const isTheirs = (hash: Hash) => theirs.has(hash)
    tellOne({
      head,
      added: added.filter(isTheirs),
      promoted: promoted.filter(isTheirs),
      demoted: demoted.filter(isTheirs),
      dropped: dropped.filter(({ hash }) => theirs.has(hash)),
    })
  }
  return batch => {
    if (waitingCount >= limits.rpcAsksWaitingMax) return
    waitingCount += 1
    turn = turn
      .then(() => tellTheirs(batch))
      .catch(() => undefined)
      .finally(() => {
        waitingCount -= 1
      })
  }
}

/** One turn of the pool as a batch of hashes; undefined: nothing of it is wanted. Facts do not name what is private. */
function poolEventsText(
  { head, added, promoted, demoted, dropped }: Batch,
  reasons: ReadonlySet<string> | undefined,
): string | undefined {
  const left = reasons === undefined ? dropped : dropped.filter(({ reason }) => reasons.has(reason))
  if (reasons !== undefined && left.length === 0) return undefined
  if (reasons !== undefined) return JSON.stringify({ head, dropped: left })
  const count = added.length + promoted.length + demoted.length + left.length
  if (count === 0) return undefined
  const replaced = left.filter(({ reason }) => reason === 'replaced')
  return JSON.stringify({ head, added, promoted, demoted, dropped: left, replaced })
}

function tell(listeners: ReadonlySet<Sink>, result: string): void {
  for (const sink of listeners) sink(result)
}

export interface ConnectionSubscriptions extends Subscriber {
  /** Ends them all: the connection is gone. */
  close(): void
}

/** One connection's subscriptions, each with an id of its own. `send` gets whole JSON-RPC notifications. */
export function subscriptionsOf(
  hub: Subscriptions,
  send: (notification: string) => void,
): ConnectionSubscriptions {
  const stops = new Map<string, () => void>()
  return {
    subscribe(topic, wish) {
      if (stops.size >= limits.rpcSubscriptionsMax)
        throw tooMany(`too many subscriptions, at most ${limits.rpcSubscriptionsMax} a connection`)
      const id = newId()
      const space = topic === 'poolEvents' ? 'txpool' : 'eth'
      const head = `{"jsonrpc":"2.0","method":"${space}_subscription","params":{"subscription":"${id}","result":`
      stops.set(
        id,
        hub.listen(topic, result => send(`${head}${result}}}`), wish),
      )
      return id
    },
    unsubscribe(id) {
      const stop = stops.get(id)
      if (stop === undefined) throw plain('subscription not found')
      stops.delete(id)
      stop()
    },
    close() {
      for (const stop of stops.values()) stop()
      stops.clear()
    },
  }
}

/** An id nobody can guess, as geth writes it: 16 bytes without leading zeros. */
export function newId(): string {
  return `0x${BigInt(`0x${randomBytes(16).toString('hex')}`).toString(16)}`
}

/** Subscriptions need a connection that lasts. */
export function requireSubscriber(subscriber: Subscriber | undefined): Subscriber {
  if (subscriber !== undefined) return subscriber
  throw new RpcError(rpcCode.method, 'notifications not supported')
}
