import type { ActorRef, Context } from '@rockpool/actor'
import {
  type Address,
  type ChainHead,
  type ChainMessage,
  effectiveTip,
  type Hash,
  limits,
  type PoolContent,
  type PoolExplain,
  type PoolFindHashes,
  type PoolGetContent,
  type PoolGetDiff,
  type PoolGetInfo,
  type PoolGetSenders,
  type PoolGetTransaction,
  type PoolInfo,
  type TxRecord,
} from '@rockpool/protocol'
import type { Announcer } from './announcer.ts'
import { askViews, type Views } from './chain-views.ts'
import type { PoolConfig } from './config.ts'
import { diffSince } from './diff.ts'
import { accountNeeded, explain } from './explain.ts'
import { isHidden, type Sources } from './explain-sources.ts'
import type { Pool } from './pool.ts'
import type { Stories } from './stories.ts'
import type { Tracker } from './tracker.ts'

/** An explanation that waited for an account. */
export type AnswersMessage = { type: 'pool.explainViews'; question: PoolExplain; views: Views }

export interface AnswersParts {
  readonly ctx: Pick<Context<AnswersMessage>, 'ask'>
  readonly config: PoolConfig
  readonly pool: Pool
  readonly stories: Stories
  readonly tracker: Tracker | undefined
  readonly chain: ActorRef<ChainMessage>
  readonly announcer: Pick<Announcer, 'telling'>
  readonly recovering: Sources['recovering']
  readonly loading: () => PoolInfo['loading']
}

/** What the pool tells whoever asks. What is private it tells the operator alone. */
export function createAnswers(parts: AnswersParts) {
  const { ctx, config, pool, stories, tracker, chain, recovering } = parts
  /** Questions why, by the state that was answered. */
  const asked = new Map<string, number>()
  let cheapest: Sources['cheapest']

  function sources(): Sources {
    return { config, pool, stories, tracker, recovering, cheapest }
  }

  /** What the cheapest of a new block paid: whoever pays less and is left knows why. */
  function hear({ added }: ChainHead): void {
    const last = added.at(-1)
    if (last === undefined || last.txs.length === 0) return
    const { baseFee } = last.header
    let tip: bigint | undefined
    for (const tx of last.txs) {
      const paid = effectiveTip(tx, baseFee)
      if (tip === undefined || paid < tip) tip = paid
    }
    if (tip !== undefined) cheapest = { tip, at: parts.announcer.telling().now }
  }

  function tellWhy(question: PoolExplain, views?: Views): void {
    const { subject, all, reply } = question
    const address = accountNeeded(subject, sources())
    const view =
      views?.ok === true && address !== undefined ? views.accounts.get(address) : undefined
    const explanation = explain({ subject, ...(view && { view }), ...(all && { all }) }, sources())
    asked.set(explanation.state, (asked.get(explanation.state) ?? 0) + 1)
    reply.tell(explanation)
  }

  function onExplain(question: PoolExplain): void {
    const address = accountNeeded(question.subject, sources())
    if (address === undefined) return tellWhy(question)
    askViews<AnswersMessage>(ctx, chain, { addresses: [address], at: pool.head.hash }, views => ({
      type: 'pool.explainViews',
      question,
      views,
    }))
  }

  function findHashes({ prefix, most, reply }: PoolFindHashes): void {
    const found = new Set(stories.beginning(prefix, Math.min(most, limits.shortHashMatchesMax)))
    for (const hash of pool.hashes()) {
      if (found.size >= most) break
      if (hash.startsWith(prefix)) found.add(hash)
    }
    reply.tell([...found])
  }

  function diff({ since, all, reply }: PoolGetDiff): void {
    const isHiddenOne = (hash: Hash) =>
      isHidden(hash, { subject: hash, ...(all && { all }) }, sources())
    const { cause } = parts.announcer.telling()
    reply.tell(diffSince(since, cause, { pool, stories, isHidden: isHiddenOne }))
  }

  function senders({ hashes, reply }: PoolGetSenders): void {
    reply.tell(hashes.map(senderOf))
  }

  function senderOf(hash: Hash): Address | null {
    const held = pool.get(hash)
    if (held !== undefined) return held.origin === 'private' ? null : held.tx.sender
    const story = stories.find(hash)
    if (story === undefined || story.origin === 'private') return null
    return 'sender' in story.tx ? (story.tx.sender ?? null) : null
  }

  function content({ from, all, reply }: PoolGetContent): void {
    const whole = from === undefined ? pool.content() : pool.contentFrom(from)
    reply.tell(all === true ? whole : publicPart(whole))
  }

  function publicPart(whole: PoolContent): PoolContent {
    if (tracker?.hasEverPrivate !== true && !config.noLocals) return whole
    return { pending: publicHalf(whole.pending), queued: publicHalf(whole.queued) }
  }

  function publicHalf(half: PoolContent['pending']): PoolContent['pending'] {
    const shown = new Map<Address, readonly TxRecord[]>()
    for (const [sender, txs] of half) {
      const open = txs.filter(({ hash }) => pool.entry(hash)?.origin !== 'private')
      if (open.length > 0) shown.set(sender, open)
    }
    return shown
  }

  function transaction({ hash, all, reply }: PoolGetTransaction): void {
    const found = pool.get(hash)
    reply.tell(found === undefined || (found.origin === 'private' && all !== true) ? null : found)
  }

  function info({ reply }: PoolGetInfo): void {
    const { number, hash } = pool.head
    const loading = parts.loading()
    const { oldestMs } = stories
    reply.tell({
      config: { ...config },
      head: { number, hash },
      drifted: pool.drifted,
      gasTip: pool.gasTip,
      stats: pool.stats,
      ...(loading && { loading }),
      tracked: tracker?.size ?? 0,
      stories: {
        ...{ kept: stories.kept, bound: config.stories },
        ...(oldestMs !== undefined && { oldestMs }),
      },
    })
  }

  return {
    /** For the exporter. */
    get stats() {
      const rejected = new Map(stories.rejections)
      return { stories: stories.kept, rejected, explained: new Map(asked) }
    },
    hear,
    explain: onExplain,
    onViews: ({ question, views }: AnswersMessage) => tellWhy(question, views),
    findHashes,
    senders,
    diff,
    content,
    transaction,
    info,
  }
}
