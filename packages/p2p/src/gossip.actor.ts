import { type Behavior, unreachable } from '@rockpool/actor'
import { type ChainHead, type GossipDeliver, limits, type PeerId } from '@rockpool/protocol'
import { createBlockJudge } from './block-judge.ts'
import { createCounts } from './counts.ts'
import { createCredits } from './credits.ts'
import { type Case, createDocket } from './docket.ts'
import { createKnown } from './known.ts'
import { createLane, type Lane } from './lane.ts'
import type { Heard } from './own-messages.ts'
import type { GossipParts } from './parts.ts'
import { createPublisher } from './publisher.ts'
import type { ChargeReason } from './reasons.ts'
import { createSeen } from './seen.ts'
import { contextAt, situationOf } from './situation.ts'
import { createToll } from './toll.ts'
import { createTxJudge } from './tx-judge.ts'
import { batchVerdict, type JudgedCode, table, verdictOf } from './verdict.ts'

const bytesMax = { tx: limits.gossipTxBytesMax, block: limits.gossipBlockBytesMax }

/** Every (topic, verdict, code) there can be. */
const verdictWordsMax = 3 * 2 * Object.keys(table).length

/** Judges what the network delivers, for the router and for this node's pool and chain, and publishes what this node has to say. */
export function gossip(parts: GossipParts): Behavior<Heard> {
  return ctx => {
    const { topics, forks, blockTimeMs, monitor, isShut } = parts
    const verdicts = createCounts(verdictWordsMax)
    const counts = createCounts(16)
    const stats = { verdicts: verdicts.counts, counts: counts.counts }
    parts.show?.(stats)
    const credits = createCredits(monitor)
    const toll = createToll(blockTimeMs, (peer, detail) => {
      monitor.tell({ type: 'monitor.report', peer, reason: 'gossip/soft-flood', detail })
    })
    const known = createKnown(hash => hash)
    const bad = createSeen<JudgedCode>(limits.badTxsMax)
    let head = parts.head
    let context = contextAt(head, parts)
    let draining = false
    const armed = new Map<'expire' | 'flush', number>()

    const docket = createDocket(({ topic, from, id }, { verdict, code, charge }) => {
      verdicts.add(`${topic} ${verdict} ${code}`)
      if (charge) report(from, charge, code, id)
    })
    const publisher = createPublisher(ctx, { ...parts, count: counts.add })
    const txs = createTxJudge(ctx, {
      ...parts,
      known,
      bad,
      context: () => context,
      release: () => lanes.tx.done(),
      report,
      admits: (peer, txs) => toll.admitsTxs(peer, txs, ctx.now()),
      credited(peer, hashes) {
        if (hashes.length > 0) toll.brought(peer)
        credits.delivered(peer, hashes)
      },
      conclude(entered, codes) {
        const now = situation()
        const soft = codes.filter(code => verdictOf(code, now).soft).length
        if (soft > 0) counts.add('soft', soft)
        toll.judged(entered.from, codes.length, soft, ctx.now())
        return docket.answer(entered, batchVerdict(codes, now)) === 'accept'
      },
      passOn: tx => publisher.add(tx, true),
    })
    const blocks = createBlockJudge(ctx, {
      ...parts,
      conclude(entered, code) {
        lanes.block.done()
        tell(entered, code)
      },
      release: () => lanes.block.done(),
    })
    const lanes: { readonly tx: Lane<Case>; readonly block: Lane<Case> } = {
      tx: createLane<Case>({
        total: limits.ingressTxQueue,
        perPeer: limits.ingressTxQueuePerPeer,
        atOnce: limits.judgingTxMax,
        isOver,
        begin: txs.begin,
      }),
      block: createLane<Case>({
        total: limits.ingressBlockQueue,
        perPeer: limits.ingressBlockQueuePerPeer,
        atOnce: limits.judgingBlocksMax,
        isOver,
        begin: blocks.begin,
      }),
    }

    function report(peer: PeerId, reason: ChargeReason, detail: string, evidence: string): void {
      monitor.tell({ type: 'monitor.report', peer, reason, detail, evidence })
    }

    function situation() {
      return situationOf({ head, forks, blockTimeMs, wallMs: ctx.wall() })
    }

    function tell(entered: Case, code: JudgedCode): void {
      docket.answer(entered, verdictOf(code, situation()))
    }

    function deliver(message: GossipDeliver): void {
      const topic =
        message.topic === topics.tx ? 'tx' : message.topic === topics.block ? 'block' : undefined
      if (!topic) return message.reply.tell('ignore')
      const entered = docket.enter(message, topic, ctx.now())
      if (draining) return tell(entered, 'load/draining')
      if (isShut(message.from)) return tell(entered, parts.shutBy?.(message.from) ?? 'peer/banned')
      if (!toll.admits(topic, message.from, message.bytes.length, ctx.now())) {
        return tell(entered, 'load/rate')
      }
      if (message.bytes.length > bytesMax[topic]) return tell(entered, 'gossip/too-big')
      const isFull = ctx.maybe('gossip/queue-full')
      if (isFull || !lanes[topic].offer(message.from, entered)) tell(entered, 'load/queue-full')
    }

    function follow(fact: ChainHead): void {
      head = fact.new
      context = contextAt(head, parts)
      const mined = known.follow(fact)
      credits.mined(mined)
      publisher.drop(mined)
      for (const entered of blocks.joined(fact)) tell(entered, 'chain/imported')
    }

    function drain(reply: { tell(): void }): void {
      draining = true
      for (const entered of [...lanes.tx.clear(), ...lanes.block.clear()]) {
        tell(entered, 'load/draining')
      }
      publisher.drain(reply)
    }

    /** After every message: begin what may begin, and wake when something falls due. */
    function goOn(): void {
      const most = ctx.maybe('gossip/batch-short') ? 1 : limits.judgedPerTurn
      const more = lanes.block.advance(most)
      if (lanes.tx.advance(most) || more) {
        ctx.after('judge', 0, { type: 'gossip.judge' })
      }
      publisher.send()
      wake('expire', docket.dueMs)
      wake('flush', publisher.dueMs)
    }

    function wake(what: 'expire' | 'flush', dueMs: number | undefined): void {
      const armedMs = armed.get(what)
      // Deadlines only grow: a timer that fires early costs less than one moved for every message.
      if (dueMs === undefined || (armedMs !== undefined && armedMs <= dueMs)) return
      armed.set(what, dueMs)
      ctx.after(what, Math.max(0, dueMs - ctx.now()), { type: `gossip.${what}` })
    }

    function hear(message: Heard): void {
      switch (message.type) {
        case 'gossip.deliver':
          return deliver(message)
        case 'gossip.fetched':
          return txs.fetched(message.fetch, message.outcome)
        case 'gossip.recovered':
          return txs.recovered(message.batch, message.outcome)
        case 'gossip.pooled':
          return txs.pooled(message.batch, message.outcome)
        case 'gossip.imported':
          return blocks.imported(message)
        case 'gossip.published':
          return publisher.published(message)
        case 'gossip.block':
          return publisher.publishBlock(message)
        case 'gossip.republish':
          return publisher.republish(message)
        case 'chain.head':
          return follow(message)
        case 'pool.changed':
          known.remember(message)
          return publisher.publish(message)
        case 'gossip.expire':
          armed.delete('expire')
          return docket.expire(ctx.now())
        case 'gossip.flush':
          armed.delete('flush')
          return publisher.flush()
        case 'gossip.retry':
          return publisher.retry()
        case 'gossip.judge':
          return
        case 'gossip.drain':
          return drain(message.reply)
        case 'gossip.getStats':
          return message.reply.tell(stats)
        case 'chain.clockSet':
          return toll.pace(message.speed)
        case 'peer.opened':
          return toll.opened(message.peer.id, ctx.now())
        case 'peer.closed':
          return toll.closed(message.peer)
        default:
          return unreachable(message)
      }
    }

    return message => {
      hear(message)
      goOn()
    }
  }
}

/** Told while it waited, out of time: not begun any more, fresh messages are worth more. */
const isOver = ({ verdict }: Case) => verdict !== undefined
