import type { Behavior, Outcome } from '@rockpool/actor'
import { unreachable } from '@rockpool/actor'
import type {
  AccountsAnswer,
  Address,
  Answer,
  Block,
  BlockAnswer,
  BlockId,
  ChainHead,
  ChainMessage,
  ChainSource,
  ChainStatus,
  ChainSyncing,
  Hash,
  Head,
  HeadEvent,
} from '@rockpool/protocol'
import { failed, limits, ok } from '@rockpool/protocol'
import { oracle } from './dev/fees.ts'
import { headOf } from './dev/header.ts'
import { createHeadWindow, type HeadWindow } from './head-window.ts'
import { createReorgLog } from './reorg-log.ts'

export interface SourceChainParts {
  readonly source: ChainSource
  readonly chainId: number
  readonly genesisHash: Hash
}

/** What only this actor tells itself. */
type ToSelf =
  | { type: 'chain.opened'; outcome: Outcome<Head, unknown> }
  | { type: 'chain.moved'; event: HeadEvent }
  | { type: 'chain.answered'; deliver: () => void }

interface Following {
  head: Head
  readonly window: HeadWindow
}

/**
 * The chain of a node that follows somebody else's: heads, blocks and accounts come from a source, facts and answers are those of the dev
 * chain's actor, so pool and gossip need not know which it is. What a source cannot tell (receipts, places of transactions, fees paid) and
 * what is done to a chain of one's own (offers, building, ranges) is answered `chain/not-here`.
 */
export function sourceChainActor(
  parts: SourceChainParts,
): Behavior<ChainMessage | ToSelf, ChainHead | ChainSyncing> {
  const { source, chainId, genesisHash } = parts
  return ctx => {
    let following: Following | null = null
    /** Events that came before the head they begin at was known. */
    let early: HeadEvent[] = []
    const reorgs = createReorgLog()

    ctx.onStop(source.onHead(event => ctx.self.tell({ type: 'chain.moved', event })))
    ctx.pipe(
      () => source.head(),
      outcome => ({ type: 'chain.opened', outcome }),
      Number.POSITIVE_INFINITY,
    )

    function open(head: Head): Following {
      ctx.log.info('chain/opened', { number: head.number, hash: head.hash })
      return { head, window: createHeadWindow([head]) }
    }

    function keep(event: HeadEvent): void {
      if (early.length >= limits.importQueueMax) throw new Error('the source does not say its head')
      early.push(event)
    }

    function follow(chain: Following, { old, new: head, ancestor, removed, added }: HeadEvent) {
      if (old.hash !== chain.head.hash) {
        throw new Error(`the source goes on from ${old.hash}, the head is ${chain.head.hash}`)
      }
      chain.head = head
      chain.window.advance({
        removed: removed.map(({ header }) => header),
        added: added.map(({ header }) => headOf(header)),
      })
      const fact = { type: 'chain.head' as const, old, new: head, ancestor, removed, added }
      ctx.log.info('chain/head', {
        number: head.number,
        hash: head.hash,
        removed: removed.length,
        added: added.length,
      })
      reorgs.hear(fact, ctx.wall())
      ctx.emit(fact)
    }

    function status({ head, window }: Following): ChainStatus {
      return {
        chainId,
        genesisHash,
        head,
        // Others choose the branch; what it weighs there is not told.
        totalWeight: head.number,
        safe: window.label('safe')?.number ?? head.number,
        finalized: window.label('finalized')?.number ?? head.number,
        state: source.status().state === 'syncing' ? 'syncing' : 'following',
      }
    }

    /** Asks the source and answers; a source that fails is a failure of ours, not of the question. */
    function answer<T>(read: () => Promise<Answer<T>>, tell: (answer: Answer<T>) => void): void {
      ctx.pipe(read, outcome => ({
        type: 'chain.answered',
        deliver: () => {
          if (outcome.ok) return tell(outcome.value)
          ctx.log.error('chain/read-failed', { error: String(outcome.error) })
          tell(failed('load/internal'))
        },
      }))
    }

    return message => {
      switch (message.type) {
        case 'chain.opened': {
          if (!message.outcome.ok) throw message.outcome.error
          const heads = [message.outcome.value]
          // It may have moved before and after it said where it is. Nobody has heard anything yet, so this is where it all begins.
          for (const event of early) {
            if (event.old.hash === heads.at(-1)?.hash) heads.push(event.new)
          }
          early = []
          following = open(heads.at(-1) ?? message.outcome.value)
          return ctx.unstash()
        }
        case 'chain.moved':
          return following === null ? keep(message.event) : follow(following, message.event)
        case 'chain.answered':
          return message.deliver()
      }
      if (following === null) return ctx.stash(message)
      const chain = following
      switch (message.type) {
        case 'chain.getStatus':
          return message.reply.tell(status(chain))
        case 'chain.getAccounts': {
          const { addresses, at = { tag: 'latest' }, reply } = message
          return answer(
            () => accountsOf(source, chain, addresses, at),
            found => reply.tell(found),
          )
        }
        case 'chain.getBlock': {
          const { id, reply } = message
          return answer(
            () => blockOf(source, chain, id),
            found => reply.tell(found),
          )
        }
        case 'chain.getReorgs':
          return message.reply.tell({ reorgs: reorgs.list(), producers: [] })
        case 'chain.suggestTip':
          return message.reply.tell(oracle.tipDefault)
        case 'chain.offer':
          return message.reply.tell({ code: 'chain/not-here' })
        case 'chain.build':
        case 'chain.connect':
        case 'chain.getTransaction':
        case 'chain.getFeeHistory':
        case 'chain.getFrames':
        case 'chain.setSpeed':
        case 'chain.jump':
          return message.reply.tell(failed('chain/not-here'))
        case 'chain.heard':
          return
        default:
          return unreachable(message)
      }
    }
  }
}

async function hashOf(source: ChainSource, chain: Following, id: BlockId): Promise<Hash | null> {
  if ('hash' in id) return id.hash
  const number = 'number' in id ? id.number : heightOf(chain, id.tag)
  return chain.window.at(number)?.hash ?? (await source.hashAt(number))
}

function heightOf({ head, window }: Following, tag: Extract<BlockId, { tag: string }>['tag']) {
  if (tag === 'earliest') return 0
  if (tag === 'safe' || tag === 'finalized') return window.label(tag)?.number ?? head.number
  return head.number
}

async function accountsOf(
  source: ChainSource,
  chain: Following,
  addresses: readonly Address[],
  id: BlockId,
): Promise<Answer<AccountsAnswer>> {
  const hash = await hashOf(source, chain, id)
  if (hash === null) return failed('chain/unknown-block')
  const at = chain.window.find(hash) ?? headOfBlock(await source.block(hash))
  if (at === null) return failed('chain/unknown-block')
  const accounts = await source.accounts(addresses, hash)
  return accounts.ok ? ok({ at, accounts: accounts.value }) : accounts
}

const headOfBlock = (block: Block | null): Head | null =>
  block === null ? null : headOf(block.header)

async function blockOf(
  source: ChainSource,
  chain: Following,
  id: BlockId,
): Promise<Answer<BlockAnswer | null>> {
  const hash = await hashOf(source, chain, id)
  const block = hash === null ? null : await source.block(hash)
  if (block === null) return ok(null)
  const canonical = (await source.hashAt(block.header.number)) === hash
  return ok({ block, receipts: [], canonical, totalWeight: block.header.number })
}
