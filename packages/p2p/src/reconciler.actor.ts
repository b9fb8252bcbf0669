import { type ActorRef, type Behavior, unreachable } from '@rockpool/actor'
import {
  type ChainHead,
  errors,
  type Forks,
  type HashPrefix,
  type Head,
  limits,
  type MonitorCredit,
  type MonitorReport,
  type NetworkPort,
  type PeerId,
  type PeerView,
  type PoolAdd,
  prefixOf,
  type Recovery,
} from '@rockpool/protocol'
import { type Admitting, createAdmission, isTaken } from './admission.ts'
import { createCatalogue } from './catalogue.ts'
import { createCounts } from './counts.ts'
import { createExchanges, type Exchange, type ExchangeOutcome } from './exchange.ts'
import { createIntake } from './intake.ts'
import { ipGroup } from './ip-group.ts'
import { createKnown } from './known.ts'
import { createLately } from './lately.ts'
import type { ChargeReason } from './reasons.ts'
import type { FromReconciler } from './reconciler-messages.ts'
import { createResponder } from './responder.ts'
import { createSeen } from './seen.ts'
import { contextAt, situationOf } from './situation.ts'
import { type JudgedCode, verdictOf } from './verdict.ts'
import { createVisits } from './visits.ts'

export interface ReconcilerParts {
  readonly network: Pick<NetworkPort, 'request'>
  /** Name of the pool sync protocol of this network: `protocolName(chainId, forkDigest, 'pool-sync')`. */
  readonly protocol: string
  readonly pool: ActorRef<PoolAdd>
  readonly monitor: Pick<ActorRef<MonitorReport | MonitorCredit>, 'tell'>
  /** Nothing is asked of this peer, and nothing given to it. */
  readonly isShut?: (peer: PeerId) => boolean
  readonly recovery: Recovery
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly forks: Forks
  readonly chainId: bigint
  /** Smallest tip taken from strangers. Wei. */
  readonly minTip: bigint
  /** Where the chain stands when this actor starts. */
  readonly head: Head
  /** Time between blocks; 0: blocks come when there is something to put in. */
  readonly blockTimeMs: number
  /** False: this node asks nobody; it still answers. */
  readonly asks: boolean
  /** Between two exchanges with a peer drawn at random. Milliseconds. */
  readonly intervalMs: number
}

const keysMax = 16

/**
 * Makes pools equal that gossip could not: after a partition, or for a node that came later. Asks a peer for what it has and this node lacks,
 * and answers the same. What comes this way is not published: it spreads by being asked for.
 */
export function reconciler(parts: ReconcilerParts): Behavior<FromReconciler> {
  return ctx => {
    const { isShut = () => false } = parts
    const { protocol, recovery, pool, monitor, keccak256, forks, blockTimeMs, asks } = parts
    const catalogue = createCatalogue()
    const known = createKnown(prefixOf)
    const bad = createSeen<JudgedCode, HashPrefix>(limits.badTxsMax)
    /** When the pool refused it for a reason that may pass. */
    let refused = createSeen<number, HashPrefix>(limits.poolSyncRefusedMax)
    const peers = new Map<PeerId, PeerView>()
    const outcomes = createCounts(keysMax)
    const served = createCounts(keysMax)
    let txs = 0
    let head = parts.head
    let context = contextAt(head, parts)

    const intake = createIntake({
      known,
      bad: {
        get: hash => bad.get(prefixOf(hash)),
        set: (hash, code) => bad.set(prefixOf(hash), code),
      },
      recovery,
      keccak256,
    })
    const admission = createAdmission<Exchange, FromReconciler>(ctx, {
      intake,
      recovery,
      pool,
      origin: 'sync',
      poolMs: limits.poolSyncExchangeMs,
      context: () => context,
      onRecovered: (batch, outcome) => ({ type: 'reconciler.recovered', batch, outcome }),
      onPooled: (batch, outcome) => ({ type: 'reconciler.pooled', batch, outcome }),
      done,
    })
    const exchanges = createExchanges(ctx, {
      ...parts,
      gets: createLately(limits.poolSyncWindowMs, limits.poolSyncPeersMax),
      hello: () => ({
        kind: 'hello',
        head: { number: head.number, hash: head.hash },
        total: catalogue.total,
        digest: catalogue.digest,
      }),
      isKnown,
      admit,
      fault,
      ended,
    })
    const visits = createVisits(ctx, {
      exchanges,
      intervalMs: parts.intervalMs,
      blockTimeMs,
      mayAsk: peer => peers.get(peer)?.protocols.includes(protocol) === true && !isShut(peer),
      peers: () => [...peers.keys()],
    })
    const responder = createResponder(ctx, {
      catalogue,
      groupOf: peer => ipGroup(peers.get(peer)?.ip ?? peer),
      fault,
      count: served.add,
      differs: (peer, digest) => asks && visits.returned(peer, digest),
    })
    if (asks) visits.start()

    function fault(peer: PeerId, reason: ChargeReason, detail: string): void {
      monitor.tell({ type: 'monitor.report', peer, reason, detail })
    }

    function isKnown(prefix: HashPrefix): boolean {
      if (known.has(prefix) || catalogue.find(prefix).length > 0) return true
      if (bad.get(prefix) !== undefined) return true
      const atMs = refused.get(prefix)
      return atMs !== undefined && ctx.now() - atMs < limits.poolSyncRefusedMs
    }

    function admit(exchange: Exchange, raws: readonly Uint8Array[]): void {
      const { peer, asked } = exchange
      const entries = intake.examine(raws, context)
      if (!entries) return exchanges.fail(exchange, 'sync/unrequested', 'one twice')
      if (!entries.every(({ hash }) => asked.has(prefixOf(hash)))) {
        return exchanges.fail(exchange, 'sync/unrequested', `${raws.length} bodies`)
      }
      admission.begin({ cause: exchange, from: peer, entries })
    }

    /** The peer should have refused what is wrong for everyone; what else the pool says of it is nobody's fault. */
    function done({ cause: exchange, entries }: Admitting<Exchange>): void {
      const situation = situationOf({ head, forks, blockTimeMs, wallMs: ctx.wall() })
      let wrong: JudgedCode | undefined
      for (const entry of entries) {
        if (isTaken(entry)) exchange.txs += 1
        const { hash, code = 'load/internal' } = entry
        if (verdictOf(code, situation).verdict === 'reject') wrong ??= code
        if (isRefusal(code)) refused.set(prefixOf(hash), ctx.now())
      }
      txs += entries.filter(isTaken).length
      if (wrong) return exchanges.fail(exchange, 'sync/bad-reply', wrong)
      exchanges.goOn(exchange)
    }

    function ended(exchange: Exchange, outcome: ExchangeOutcome, retryAfterMs: number): void {
      outcomes.add(outcome)
      const { peer } = exchange
      if (outcome === 'useful') {
        monitor.tell({ type: 'monitor.credit', peer, reason: 'credit/sync', times: 1 })
      }
      ctx.log.debug('sync/exchange', { peer, outcome, txs: exchange.txs })
      visits.ended(exchange, outcome, retryAfterMs)
    }

    function follow(fact: ChainHead): void {
      head = fact.new
      context = contextAt(head, parts)
      known.follow(fact)
      // What an older head refused may be taken now.
      refused = createSeen(limits.poolSyncRefusedMax)
      visits.joined(fact.added.length)
    }

    function leave(peer: PeerId): void {
      peers.delete(peer)
      exchanges.leave(peer)
      visits.leave(peer)
    }

    return message => {
      switch (message.type) {
        case 'reconciler.serve':
          if (isShut(message.from)) return responder.busy(message, limits.poolSyncShutSeconds)
          return responder.serve(message)
        case 'reconciler.serveNext':
          return responder.next()
        case 'reconciler.answered':
          return exchanges.answered(message.exchange, message.asked, message.outcome)
        case 'reconciler.recovered':
          return admission.recovered(message.batch, message.outcome)
        case 'reconciler.pooled':
          return admission.pooled(message.batch, message.outcome)
        case 'reconciler.visit':
          return visits.visit(message.peer)
        case 'reconciler.tick':
          return visits.tick()
        case 'chain.head':
          return follow(message)
        case 'chain.syncing':
          return visits.fetching(message.on)
        case 'pool.changed':
          known.remember(message)
          return catalogue.hear(message)
        case 'peer.opened':
          peers.set(message.peer.id, message.peer)
          return asks ? visits.opened(message.peer.id) : undefined
        case 'peer.closed':
          return leave(message.peer)
        case 'reconciler.drain':
          visits.stop()
          return responder.drain()
        case 'reconciler.getStats':
          return message.reply.tell({ exchanges: outcomes.counts, txs, served: served.counts })
        default:
          return unreachable(message)
      }
    }
  }
}

/** The pool does not want it for now: asking for it again at once would only fetch it again. */
function isRefusal(code: JudgedCode): boolean {
  return code.startsWith('pool/') && (errors[code].fault === 'user' || code === 'pool/full')
}
