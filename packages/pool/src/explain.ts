import type { Address, ExplainedTx, Explanation, Hash, StoryEvent } from '@rockpool/protocol'
import { explainAbsent } from './explain-absent.ts'
import { explainAccount } from './explain-account.ts'
import { explainPooled } from './explain-pooled.ts'
import { isHidden, type Question, type Sources } from './explain-sources.ts'
import { dropSentence } from './explain-words.ts'
import type { Story } from './story.ts'
import type { Told } from './story-pack.ts'

/** Whose account an answer needs and the pool does not hold. */
export function accountNeeded(subject: Hash | Address, sources: Sources): Address | undefined {
  const { pool, stories } = sources
  if (isAddress(subject)) return pool.account(subject) === undefined ? subject : undefined
  if (pool.has(subject)) return undefined
  const tx = stories.find(subject)?.tx
  const sender = tx !== undefined && 'sender' in tx ? tx.sender : undefined
  return sender === undefined || pool.account(sender) !== undefined ? undefined : sender
}

/** Why a transaction is where it is, or how it stands with an account. Reads, and changes nothing. */
export function explain(question: Question, sources: Sources): Explanation {
  const { subject } = question
  if (isAddress(subject)) return explainAccount(subject, question, sources)
  const hash = subject
  const { pool, stories, tracker } = sources
  if (isHidden(hash, question, sources)) return unknown(hash, sources)
  const entry = pool.entry(hash)
  const story = stories.find(hash)
  const common = { subject: `tx ${hash}`, hash, ...toldOf(story, question, sources) }
  if (entry !== undefined) return { ...common, ...explainPooled(entry, question, sources) }
  const position = sources.recovering(hash)
  if (position !== undefined) return { ...common, ...recovering(position) }
  if (story !== undefined) return { ...common, ...explainAbsent(story, question, sources) }
  const waitsFor = tracker?.waitingFor(hash)
  if (waitsFor === undefined) return unknown(hash, sources)
  const why = `${dropSentence(waitsFor, {})} It is followed and will be submitted again.`
  return { ...common, state: 'dropped', reason: waitsFor, why, unblock: [] }
}

function toldOf(story: Story | undefined, question: Question, sources: Sources) {
  const { pool, tracker } = sources
  const hash = question.subject as Hash
  const entry = pool.entry(hash)
  const origin = entry?.origin ?? story?.origin
  const tx = entry?.tx ?? story?.tx
  return {
    story: story === undefined ? [] : shownEvents(story, question, sources),
    since: story?.lastAt ?? entry?.firstSeenMs ?? 0,
    ...(story !== undefined && { sinceBlock: BigInt(story.block) }),
    ...(origin !== undefined && { origin }),
    tracked: tracker?.has(hash) === true,
    ...(tx !== undefined && { tx: explainedTx(tx) }),
  }
}

/** The story without the names of others that are private. */
function shownEvents(story: Story, question: Question, sources: Sources): StoryEvent[] {
  return sources.stories.eventsOf(story).map(event => {
    const { other, ...rest } = event
    return other !== undefined && isHidden(other, question, sources) ? rest : event
  })
}

function explainedTx(tx: Told): ExplainedTx {
  const { nonce, type, feeCap, tip, gas, slots } = tx
  const sender = 'sender' in tx ? tx.sender : undefined
  return {
    ...(sender !== undefined && { from: sender }),
    ...{ nonce, type, maxFeePerGas: feeCap, maxPriorityFeePerGas: tip, gas, slots },
    size: 'raw' in tx ? tx.raw.length : tx.size,
  }
}

function recovering(position: number) {
  return {
    state: 'recovering' as const,
    reason: 'recovering',
    why: `Its signature is being checked, ${position} before it.`,
    unblock: [{ do: 'wait' }],
  }
}

function unknown(hash: Hash, { stories }: Sources): Explanation {
  const { max, kept } = stories
  const why =
    max === 0
      ? 'Not in the pool; the pool is told to remember nothing (txpool.stories is 0).'
      : `Never seen here, or forgotten: the pool remembers ${max} transactions that are not in it, now ${kept}.`
  const unblock = [{ do: 'resend', hash }]
  return {
    subject: `tx ${hash}`,
    hash,
    state: 'unknown',
    reason: 'unknown',
    why,
    unblock,
    story: [],
  }
}

function isAddress(subject: Hash | Address): subject is Address {
  return subject.length === 42
}
