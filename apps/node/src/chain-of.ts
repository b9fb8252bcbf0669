import type { Node } from '@rockpool/node'
import type {
  Answer,
  BlockAnswer,
  BlockId,
  ChainMessage,
  ChainStatus,
  Hash,
  ReorgsAnswer,
  Reply,
} from '@rockpool/protocol'

const askMs = 10_000

/** What `chain_head` answers. */
export interface HeadReport {
  readonly state: ChainStatus['state']
  readonly sync?: { readonly start: number; readonly highest: number }
  readonly head: { readonly number: number; readonly hash: Hash; readonly timeMs: number }
  readonly totalWeight: number
  readonly safe: number
  readonly finalized: number
}

/** What `chain_block` answers. Quantities that may be large are decimal text. */
export interface BlockReport {
  readonly number: number
  readonly hash: Hash
  readonly parentHash: Hash
  readonly producer: string
  readonly timeMs: number
  readonly stateRoot: Hash
  readonly gasUsed: number
  readonly gasLimit: number
  readonly baseFee: string
  readonly size: number
  readonly canonical: boolean
  readonly totalWeight: number
  readonly txs: readonly Hash[]
}

/** The chain's answers for an operator. */
export function chainOf(node: Node) {
  async function ask<R>(make: (reply: Reply<R>) => ChainMessage): Promise<R> {
    const outcome = await node.bus.ask<ChainMessage, R>(node.refs.chain, make, askMs)
    if (!outcome.ok) throw new Error('the chain did not answer')
    return outcome.value
  }

  async function head(): Promise<HeadReport> {
    const status = await ask<ChainStatus>(reply => ({ type: 'chain.getStatus', reply }))
    const { state, sync, totalWeight, safe, finalized } = status
    const { number, hash, timeMs } = status.head
    const where = { number, hash, timeMs }
    return { state, ...(sync && { sync }), head: where, totalWeight, safe, finalized }
  }

  async function block(text: unknown): Promise<BlockReport> {
    const id = blockId(text)
    if (id === null) throw new Error(`not a block number or hash: ${String(text)}`)
    const answer = await ask<Answer<BlockAnswer | null>>(reply => ({
      type: 'chain.getBlock',
      id,
      reply,
    }))
    if (!answer.ok) throw new Error(answer.message)
    if (answer.value === null) throw new Error(`nothing known about block ${String(text)}`)
    const { canonical, totalWeight } = answer.value
    const { header, txs, size } = answer.value.block
    const { number, hash, parentHash, producer, timeMs, stateRoot, gasUsed, gasLimit } = header
    return {
      ...{ number, hash, parentHash, producer, timeMs, stateRoot, gasUsed, gasLimit },
      baseFee: String(header.baseFee),
      ...{ size, canonical, totalWeight },
      txs: txs.map(tx => tx.hash),
    }
  }

  return {
    head,
    block,
    reorgs: () => ask<ReorgsAnswer>(reply => ({ type: 'chain.getReorgs', reply })),
  }
}

function blockId(text: unknown): BlockId | null {
  if (typeof text !== 'string') return null
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return { hash: text.toLowerCase() as Hash }
  const number = /^\d{1,15}$/.test(text) ? Number(text) : null
  return number === null ? null : { number }
}
