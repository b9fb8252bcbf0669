import type { ActorRef, Behavior, Outcome } from '@rockpool/actor'
import { unreachable } from '@rockpool/actor'
import type {
  Address,
  Answer,
  Block,
  BuiltBlock,
  ChainMessage,
  ChainStatus,
  GossipBlock,
  Hash,
  Head,
  PoolSelect,
  ProducerMessage,
  ProducerMine,
  ProducerReorg,
  Signature,
  TxRecord,
} from '@rockpool/protocol'
import { failed, limits, nextBaseFee, ok, zeroAddress } from '@rockpool/protocol'
import { ChainClock } from './chain-clock.ts'
import { forceReorg } from './director.ts'
import type { Genesis } from './genesis.ts'
import type { Job } from './job.ts'
import { asked, begun, doorOf, pause } from './job.ts'
import type { Keccak } from './keccak.ts'
import type { BlockSigner } from './own-block.ts'
import { publish } from './own-block.ts'
import { turnOf } from './rank.ts'

/** `interval`: a block each block time, empty ones too. `on-demand`: when a transaction waits. `manual`: when told to. */
export type ProducerMode = 'interval' | 'on-demand' | 'manual'

export interface ProducerParts {
  readonly genesis: Genesis
  readonly keccak256: Keccak
  readonly chain: ActorRef<ChainMessage>
  readonly pool: ActorRef<PoolSelect>
  readonly gossip: Pick<ActorRef<GossipBlock>, 'tell'>
  /** Whose blocks this node makes; null where it holds no producer's key and only previews. */
  readonly address: Address | null
  /** Signs a digest with the key of `address`; low s. */
  readonly seal: (digest: Uint8Array) => Promise<Signature>
  /** The key of the network's director, on the one node that holds it. Blocks made on demand are signed with it. */
  readonly director?: BlockSigner | null
  /** Absent: `on-demand` when the block time is 0, else `interval`. */
  readonly mode?: ProducerMode
}

/** What only the producer tells itself. */
type ToSelf =
  | { type: 'producer.open' }
  | { type: 'producer.opened'; status: Outcome<ChainStatus> }
  | { type: 'producer.propose'; parent: Hash; due: number }
  | { type: 'producer.resume'; outcome: Outcome<unknown, unknown> }
  | { type: 'producer.selected'; reply: Reply; selected: Outcome<readonly TxRecord[]> }
  | { type: 'producer.previewed'; reply: Reply; built: Outcome<Answer<BuiltBlock>> }

type Reply = Extract<ProducerMessage, { type: 'producer.preview' }>['reply']

/** Longest wait of block 1 for somebody to hear it. */
const firstBlockWaitMs = 3_000
/** Time to gather transactions when blocks come on demand, and what each rank adds. */
const gatherMs = 50
const gatherStepMs = 500
/** Own blocks keep this far inside the bound that others hold against their clock. */
const aheadMsMax = limits.blockFutureMs - 400
/** Share of the block time by which a proposal is put off at random, so that equal clocks do not collide. */
const jitterShare = 0.05
const askMs = 30_000
/** With a fast chain clock a proposal may be this late whatever the block time, or one at 1000 times the speed would never be made. */
const lateMsMin = 250
/** A chain that could not tell where it stands is asked again after this. */
const reopenMs = 1_000

/**
 * Makes this node's blocks. Its turn comes by rank: a dead producer costs its turn and not the chain, since the next in line may propose
 * one step later. A block is sealed once per parent (the chain refuses a second), written by the chain, and only then given to gossip.
 */
export function producerActor(parts: ProducerParts): Behavior<ProducerMessage | ToSelf> {
  const { genesis, keccak256, chain, pool, gossip, seal } = parts
  // A director's key of another network signs nothing here.
  const director = parts.director?.address === genesis.director ? (parts.director ?? null) : null
  const { blockTimeMs, producers } = genesis
  const mode = parts.mode ?? (blockTimeMs === 0 ? 'on-demand' : 'interval')
  const isOurs = parts.address !== null && turnOf(genesis, parts.address, 0) !== null
  const address = parts.address ?? zeroAddress
  const own: BlockSigner = { address, seal }

  return ctx => {
    const startedAt = ctx.now()
    const clock = new ChainClock(() => ctx.wall())
    const door = doorOf<ProducerMessage | ToSelf, never>(ctx, 'pause', outcome => ({
      type: 'producer.resume',
      outcome,
    }))
    /** The block to build on, and when it came. */
    let parent: { readonly head: Head; readonly arrivedAt: number } | null = null
    /** Transactions the pool could put into a block, and since when one waits for the next. */
    let pending = 0
    let waitingSince: number | null = null
    let heardSomebody = false
    let running: Job<void> | null = null
    const reorgs: ProducerReorg[] = []
    const mining: { left: number; hashes: Hash[]; reply: ProducerMine['reply'] }[] = []

    open()

    function open(): void {
      ctx.ask<ChainMessage, ChainStatus>(
        chain,
        reply => ({ type: 'chain.getStatus', reply }),
        Number.MAX_SAFE_INTEGER,
        status => ({ type: 'producer.opened', status }),
      )
    }

    /** Earliest block time on `head` by rank, not before the clock. */
    function timeOn(head: Head, signer = address): number {
      const gap = turnOf(genesis, signer, head.number + 1)?.gapMs ?? 0
      return Math.max(clock.now(), head.timeMs + Math.max(gap, 1))
    }

    /** Sets the timer for the next proposal; nothing while there is no reason for one. */
    function arm(fromNow = false): void {
      ctx.cancel('propose')
      if (!isOurs || mode === 'manual' || parent === null || running !== null) return
      const { head } = parent
      const turn = turnOf(genesis, address, head.number + 1)
      if (turn === null) return
      if (mode === 'on-demand' && waitingSince === null) return
      const since = fromNow ? ctx.now() : parent.arrivedAt
      let due =
        mode === 'on-demand'
          ? Math.max(since, waitingSince ?? since) + gatherMs + turn.rank * gatherStepMs
          : since + clock.realMs(turn.gapMs + ctx.random() * jitterShare * blockTimeMs)
      // Its time may not lie further ahead of the clock than others take.
      const ahead = head.timeMs + turn.gapMs - aheadMsMax - clock.now()
      due = Math.max(due, ctx.now() + clock.realMs(ahead))
      if (head.number === 0 && producers.length > 1 && !heardSomebody) {
        due = Math.max(due, startedAt + firstBlockWaitMs)
      }
      const delay = Math.max(0, due - ctx.now())
      ctx.after('propose', delay, { type: 'producer.propose', parent: head.hash, due })
    }

    function propose(on: Hash, due: number): void {
      if (parent?.head.hash !== on || running !== null) return
      // A timer this late means that the machine slept: others may have gone on.
      const late = ctx.now() - due
      const lateMax = Math.max(clock.realMs(blockTimeMs), Math.min(blockTimeMs, lateMsMin))
      if (mode === 'interval' && late > lateMax) return arm(true)
      begin(proposal())
    }

    function begin(job: Job<void>): void {
      running = job
      resume(begun)
    }

    function resume(outcome: Outcome<unknown, unknown>): void {
      if (running === null) return
      const step = running.next(outcome)
      if (step.done !== true) return step.value(door)
      running = null
      next()
      if (running === null) arm()
    }

    /** What operators wish comes before what is due. */
    function next(): void {
      if (running !== null || parent === null) return
      if (reorgs.length > 0) begin(reorg())
      else if (mining.length > 0) begin(mine())
    }

    function* reorg(): Job<void> {
      const wish = reorgs.shift()
      if (wish === undefined) return
      const signer = director ?? (isOurs && genesis.producers.length === 1 ? own : null)
      if (signer === null || (director === null && genesis.director !== null)) {
        return wish.reply.tell(noDirector())
      }
      const random = () => ctx.random()
      const outcome = yield* forceReorg({ ...parts, random, clock }, signer, wish)
      yield* lookAtHead()
      wish.reply.tell(outcome)
    }

    function noDirector(): Answer<never> {
      if (genesis.director !== null) return failed('devnet/not-the-director')
      return genesis.producers.length === 1
        ? failed('chain/unknown-producer', 'this node holds no producer key')
        : failed('devnet/no-director')
    }

    function* proposal(): Job<void> {
      const on = parent
      const made = yield* make(mode === 'on-demand')
      if (made === null && on === parent) waitingSince = null
      if (made !== null && !made.ok) {
        ctx.log.warn('chain/not-produced', { code: made.code, message: made.message })
        // The parent stays as it is: the next try comes a block time later.
        if (parent !== null) parent = { ...parent, arrivedAt: ctx.now() }
      }
    }

    function* mine(): Job<void> {
      const wish = mining[0]
      if (wish === undefined) return
      const made = yield* make(false, director ?? own)
      if (made !== null && !made.ok) {
        mining.shift()
        return wish.reply.tell(made)
      }
      if (made === null) return
      wish.hashes.push(made.value.header.hash)
      wish.left -= 1
      if (wish.left > 0) return
      mining.shift()
      wish.reply.tell(ok(wish.hashes))
    }

    /** One block from selection to gossip; null when there is nothing to put into it, or the head has moved on. */
    function* make(onlyFull: boolean, signer = own): Job<Answer<Block> | null> {
      if (parent === null) return failed('load/not-ready')
      const { head } = parent
      // Mined in a row, blocks would run away from the clock.
      const ahead = timeOn(head, signer.address) - aheadMsMax - clock.now()
      if (ahead > 0) yield* pause(clock.realMs(ahead))
      const selected = yield* asked<PoolSelect, readonly TxRecord[]>(pool, selection(head), askMs)
      const txs = selected.ok ? selected.value : []
      if (onlyFull && txs.length === 0) return null
      // Somebody was faster: the turn is over, and the next one is for the new head.
      if (parent.head.hash !== head.hash) return null
      const timeMs = timeOn(head, signer.address)
      const built = yield* asked<ChainMessage, Answer<BuiltBlock>>(
        chain,
        reply => ({
          type: 'chain.build',
          txs,
          timeMs,
          producer: signer.address,
          parent: head.hash,
          sign: signer === own,
          reply,
        }),
        askMs,
      )
      if (!built.ok) return failed('load/internal')
      if (!built.value.ok) return built.value
      const block = built.value.value
      if (onlyFull && block.block.txs.length === 0) return null
      if (parent.head.hash !== head.hash) return null
      const made = yield* publish({ chain, gossip, keccak256 }, signer, block)
      if (made.ok) yield* lookAtHead()
      return made
    }

    function* lookAtHead(): Job<void> {
      // The fact of the new head may still wait in the mailbox; what comes next must not build on the old one.
      const status = yield* asked<ChainMessage, ChainStatus>(
        chain,
        reply => ({ type: 'chain.getStatus', reply }),
        askMs,
      )
      if (status.ok) headIs(status.value.head)
    }

    function selection(head: Head): (reply: PoolSelect['reply']) => PoolSelect {
      return reply => ({
        type: 'pool.select',
        gas: genesis.gasLimit,
        bytes: limits.blockTxBytesMax,
        baseFee: nextBaseFee(head),
        reply,
      })
    }

    function headIs(head: Head): void {
      if (parent?.head.hash === head.hash) return
      parent = { head, arrivedAt: ctx.now() }
      waitingSince = pending > 0 ? ctx.now() : null
      arm()
    }

    return message => {
      switch (message.type) {
        case 'producer.open':
          return open()
        case 'producer.opened': {
          if (!message.status.ok) return ctx.after('open', reopenMs, { type: 'producer.open' })
          if (parent === null) headIs(message.status.value.head)
          return next()
        }
        case 'chain.head':
          return headIs(message.new)
        case 'chain.clockSet':
          clock.follow(message)
          return arm()
        case 'pool.changed': {
          pending = message.stats.pending
          if (pending === 0) waitingSince = null
          else if (waitingSince === null) {
            waitingSince = ctx.now()
            if (mode === 'on-demand') arm()
          }
          return
        }
        case 'peer.opened': {
          heardSomebody = true
          if (parent?.head.number === 0) arm()
          return
        }
        case 'peer.closed':
          return
        case 'producer.propose':
          return propose(message.parent, message.due)
        case 'producer.resume':
          return resume(message.outcome)
        case 'producer.mine': {
          const { count, reply } = message
          if (!isOurs && director === null) {
            return reply.tell(failed('chain/unknown-producer', 'this node holds no producer key'))
          }
          if (count <= 0) return reply.tell(ok([]))
          mining.push({ left: Math.min(count, limits.mineBlocksMax), hashes: [], reply })
          return next()
        }
        case 'producer.reorg': {
          reorgs.push(message)
          return next()
        }
        case 'producer.preview': {
          const { reply } = message
          if (parent === null) return reply.tell(failed('load/not-ready'))
          return ctx.ask(pool, selection(parent.head), askMs, selected => ({
            type: 'producer.selected',
            reply,
            selected,
          }))
        }
        case 'producer.selected': {
          const { reply, selected } = message
          if (parent === null) return reply.tell(failed('load/not-ready'))
          const timeMs = timeOn(parent.head)
          const txs = selected.ok ? selected.value : []
          return ctx.ask<ChainMessage, Answer<BuiltBlock>>(
            chain,
            answer => ({ type: 'chain.build', txs, timeMs, producer: address, reply: answer }),
            askMs,
            built => ({ type: 'producer.previewed', reply, built }),
          )
        }
        case 'producer.previewed': {
          const { reply, built } = message
          return reply.tell(built.ok ? built.value : failed('load/internal'))
        }
        default:
          return unreachable(message)
      }
    }
  }
}
