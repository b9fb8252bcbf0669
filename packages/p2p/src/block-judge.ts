import type { ActorRef, Context } from '@rockpool/actor'
import {
  type ChainHead,
  type ChainOffer,
  decodeBlockTopicFrame,
  type Hash,
  hashOf,
  type ImportOutcome,
  limits,
  type SyncBody,
} from '@rockpool/protocol'
import { unanswered } from './admission.ts'
import type { Case } from './docket.ts'
import type { Heard, ToSelf } from './own-messages.ts'
import type { JudgedCode } from './verdict.ts'

export interface BlockJudgeParts {
  readonly chain: ActorRef<ChainOffer>
  readonly sync: ActorRef<SyncBody>
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  /** Tells the verdict of this code and ends the case. */
  readonly conclude: (entered: Case, code: JudgedCode) => void
  /** The case goes on, but no longer takes a place among those under way. */
  readonly release: () => void
}

/** A delivered block is judged by the chain. An announced one is fetched, and relayed only when it has become part of our chain. */
export function createBlockJudge(ctx: Context<Heard>, parts: BlockJudgeParts) {
  const { chain, sync, keccak256, conclude, release } = parts
  const announced = new Map<Hash, Case>()

  function begin(entered: Case): void {
    const decoded = decodeBlockTopicFrame(entered.bytes)
    if (!decoded.ok) return conclude(entered, `gossip/${decoded.code}`)
    const { from } = entered
    if (decoded.value.kind === 'announce') {
      return fetchBody(entered, hashOf(keccak256(decoded.value.announce.header)))
    }
    const { frame } = decoded.value
    ctx.ask<ChainOffer, ImportOutcome>(
      chain,
      reply => ({ type: 'chain.offer', frame, from, via: 'gossip', reply }),
      limits.verdictDeadlineMs,
      outcome => ({ type: 'gossip.imported', entered, outcome }),
    )
  }

  function imported({ entered, outcome }: ToSelf & { type: 'gossip.imported' }): void {
    conclude(entered, outcome.ok ? outcome.value.code : unanswered[outcome.error])
  }

  /** Answered by `joined`, or by its deadline: what a peer announces and does not serve is relayed to nobody. */
  function fetchBody(entered: Case, hash: Hash): void {
    for (const [earlier, { verdict }] of announced) if (verdict) announced.delete(earlier)
    if (announced.size >= limits.announcedBlocksMax || announced.has(hash)) {
      return conclude(entered, 'load/queue-full')
    }
    announced.set(hash, entered)
    release()
    sync.tell({ type: 'sync.body', hash, from: entered.from })
  }

  /** Announced blocks that are on our chain now. */
  function joined({ added }: ChainHead): readonly Case[] {
    return added.flatMap(({ header: { hash } }) => {
      const entered = announced.get(hash)
      announced.delete(hash)
      return entered ? [entered] : []
    })
  }

  return { begin, imported, joined }
}
