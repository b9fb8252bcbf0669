import type {
  Answer,
  Block,
  BlockAnswer,
  BlockId,
  BuiltBlock,
  ChainMessage,
  ChainStatus,
  ForcedReorg,
  Hash,
  Header,
  TxRecord,
} from '@rockpool/protocol'
import { failed, limits, ok } from '@rockpool/protocol'
import type { ChainClock } from './chain-clock.ts'
import type { Genesis } from './genesis.ts'
import type { Job } from './job.ts'
import { asked, pause } from './job.ts'
import type { BlockSigner, OwnBlockParts } from './own-block.ts'
import { publish } from './own-block.ts'
import { turnOf } from './rank.ts'

export interface DirectorParts extends OwnBlockParts {
  readonly genesis: Genesis
  /** A number in [0, 1), from the seed of the node. */
  readonly random: () => number
  readonly clock: Pick<ChainClock, 'now' | 'realMs'>
}

export interface ReorgWish {
  readonly depth: number
  /** Share of the removed transactions that the new branch takes back in, 0 to 1. */
  readonly keepTxs: number
}

/** The branch that is to leave. */
interface Leaving {
  readonly ancestor: BlockAnswer
  /** Newest first. */
  readonly removed: readonly Block[]
  readonly totalWeight: number
}

const askMs = 30_000
/** The forced branch leads by so many blocks of full weight, so that nobody overtakes it by accident. */
const leadBlocks = 2
/** Milliseconds by which a block may be put off to differ from one that is there. */
const laterMsMax = 64
/** Shortest wait for others before the branch is built again. Milliseconds. */
const settleMsMin = 500
/** Own blocks keep this far inside the bound that others hold against their clock. */
const aheadMsMax = limits.blockFutureMs - 400

/**
 * Replaces the last blocks of the chain with a heavier branch of this signer's own: a reorg on demand, so that wallets and pools can be
 * tested against one. The new branch begins `depth` blocks below the head. If the network outran it, it is begun again on the same block.
 */
export function* forceReorg(
  parts: DirectorParts,
  signer: BlockSigner,
  wish: ReorgWish,
): Job<Answer<ForcedReorg>> {
  const { chain, genesis, clock } = parts
  let from: Hash | null = null
  for (let tries = 0; tries < limits.reorgTriesMax; tries++) {
    const status = yield* asked<ChainMessage, ChainStatus>(
      chain,
      reply => ({ type: 'chain.getStatus', reply }),
      askMs,
    )
    if (!status.ok) return failed('load/internal')
    const { head } = status.value
    if (wish.depth > head.number) {
      return failed('devnet/too-shallow', `the chain is only ${head.number} blocks high`)
    }
    const leaving: Leaving | null = yield* leavingBranch(parts, status.value, from ?? wish.depth)
    if (leaving === null) continue
    from = leaving.ancestor.block.header.hash
    const kept = chooseKept(leaving.removed, wish.keepTxs, parts.random)
    const made = yield* branch(parts, signer, leaving, kept)
    // The head moved meanwhile, and the states of the unfinished branch are kept for one head only: it is begun again.
    if (!made.ok && made.code === 'chain/state-missing') continue
    if (!made.ok) return made
    if (yield* isHead(parts, made.value)) return ok(answerOf(leaving, made.value, kept))
    yield* pause(Math.max(clock.realMs(genesis.blockTimeMs), settleMsMin))
    if (yield* isHead(parts, made.value)) return ok(answerOf(leaving, made.value, kept))
  }
  return failed('devnet/outrun')
}

/** From the head down to a depth, or to a block; null when the head moved meanwhile. */
function* leavingBranch(
  { chain }: DirectorParts,
  { head, totalWeight }: ChainStatus,
  to: number | Hash,
): Job<Leaving | null> {
  const removed: Block[] = []
  let hash = head.hash
  for (;;) {
    const found: BlockAnswer | null = yield* blockOf(chain, { hash })
    if (found === null || !found.canonical) return null
    const isThere = typeof to === 'number' ? removed.length === to : found.block.header.hash === to
    if (isThere) return { ancestor: found, removed, totalWeight }
    if (removed.length === limits.reorgDepthMax) return null
    removed.push(found.block)
    hash = found.block.header.parentHash
  }
}

/** Blocks on the ancestor until they outweigh what leaves, the kept transactions in the first of them. */
function* branch(
  parts: DirectorParts,
  signer: BlockSigner,
  { ancestor, totalWeight }: Leaving,
  kept: readonly TxRecord[],
): Job<Answer<readonly Block[]>> {
  const { chain, genesis, clock } = parts
  const goal = totalWeight + leadBlocks * genesis.producers.length
  const made: Block[] = []
  let parent: Header = ancestor.block.header
  let weight = ancestor.totalWeight
  let left = kept
  // An empty block at the time of one that is there already would be that block.
  let later = 0
  while (weight < goal) {
    const turn = turnOf(genesis, signer.address, parent.number + 1)
    if (turn === null) return failed('chain/unknown-producer')
    const least = parent.timeMs + Math.max(turn.gapMs, 1)
    const timeMs =
      Math.max(least, Math.min(parent.timeMs + genesis.blockTimeMs, clock.now())) + later
    const ahead = timeMs - aheadMsMax - clock.now()
    if (ahead > 0) yield* pause(clock.realMs(ahead))
    const on = parent.hash
    const txs = left
    const built = yield* asked<ChainMessage, Answer<BuiltBlock>>(
      chain,
      reply => ({
        type: 'chain.build',
        txs,
        timeMs,
        producer: signer.address,
        parent: on,
        sign: false,
        reply,
      }),
      askMs,
    )
    if (!built.ok) return failed('load/internal')
    if (!built.value.ok) return built.value
    const block: Answer<Block> = yield* publish(parts, signer, built.value.value, true)
    if (!block.ok && block.code === 'chain/known' && later < laterMsMax) {
      later += 1
      continue
    }
    if (!block.ok) return block
    const included = new Set(block.value.txs.map(({ hash }) => hash))
    left = left.filter(({ hash }) => !included.has(hash))
    made.push(block.value)
    parent = block.value.header
    weight += turn.weight
  }
  return ok(made)
}

function* isHead({ chain }: DirectorParts, made: readonly Block[]): Job<boolean> {
  const top = made.at(-1)
  if (top === undefined) return false
  const found = yield* blockOf(chain, { hash: top.header.hash })
  return found?.canonical === true
}

function* blockOf(chain: DirectorParts['chain'], id: BlockId): Job<BlockAnswer | null> {
  const outcome = yield* asked<ChainMessage, Answer<BlockAnswer | null>>(
    chain,
    reply => ({ type: 'chain.getBlock', id, reply }),
    askMs,
  )
  return outcome.ok && outcome.value.ok ? outcome.value.value : null
}

/**
 * The share of the transactions that stays, in the order they were mined. Senders are drawn at random, and of each sender the next nonce:
 * a later one could not be mined without those before it.
 */
export function chooseKept(
  removed: readonly Block[],
  share: number,
  random: () => number,
): readonly TxRecord[] {
  const txs = [...removed].reverse().flatMap(block => block.txs)
  const bySender = new Map<string, TxRecord[]>()
  for (const tx of txs) bySender.set(tx.sender, [...(bySender.get(tx.sender) ?? []), tx])
  const queues = [...bySender.values()]
  const chosen = new Set<TxRecord>()
  const count = Math.round(txs.length * Math.min(1, Math.max(0, share)))
  while (chosen.size < count) {
    const index = Math.floor(random() * queues.length)
    const next = queues[index]?.shift()
    if (next === undefined) queues.splice(index, 1)
    else chosen.add(next)
  }
  return txs.filter(tx => chosen.has(tx))
}

function answerOf(
  { ancestor, removed }: Leaving,
  made: readonly Block[],
  kept: readonly TxRecord[],
): ForcedReorg {
  const { hash, number } = ancestor.block.header
  const mined = new Set(made.flatMap(({ txs }) => txs.map(tx => tx.hash)))
  return {
    ancestor: { hash, number },
    removed: removed.map(({ header }) => header.hash),
    added: made.map(({ header }) => header.hash),
    reinjected: kept.flatMap(tx => (mined.has(tx.hash) ? [tx.hash] : [])),
  }
}
