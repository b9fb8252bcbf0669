import { errors, type Failure, type Hash, type Resend, type Unblock } from '@rockpool/protocol'
import type { PoolAccountView } from './entry.ts'
import { replacement } from './explain-pooled.ts'
import { isHidden, type Question, type Sources } from './explain-sources.ts'
import { dropSentence } from './explain-words.ts'
import type { Story } from './story.ts'
import type { Gist, Told } from './story-pack.ts'

/** What became of a transaction that is not here, and whether it would be taken now. */
export function explainAbsent(story: Story, question: Question, sources: Sources) {
  const { view } = question
  const { mined } = story
  const by = story.by !== undefined && isHidden(story.by, question, sources) ? undefined : story.by
  const { stories, tracker } = sources
  if (mined !== undefined) {
    return {
      state: 'mined' as const,
      reason: 'mined',
      why: `Mined in block ${mined.number} at index ${mined.index}.`,
      unblock: [],
      block: { number: BigInt(mined.number), index: BigInt(mined.index), hash: mined.hash },
    }
  }
  const last = stories.eventsOf(story).findLast(({ event }) => leaves.has(event))
  const reason = last?.reason ?? 'unknown'
  const isRefusal = last?.event === 'rejected' || last?.event === 'waits'
  const verdict = judge(story.tx, view, sources)
  const resend = verdict === 'unclear' ? undefined : verdict
  const isFollowed = tracker?.waitingFor(story.tx.hash) !== undefined
  const sentence = isRefusal
    ? refusalSentence(story, reason)
    : dropSentence(reason, dropFacts(story, by))
  return {
    state: isRefusal ? ('rejected' as const) : ('dropped' as const),
    reason,
    why: isFollowed ? `${sentence} It is followed and will be submitted again.` : sentence,
    unblock: unblockOf(reason, resend, story.tx, sources),
    ...(by !== undefined && { by }),
    ...(resend !== undefined && { resend: plain(resend) }),
  }
}

const leaves: ReadonlySet<string> = new Set(['dropped', 'rejected', 'waits', 'mined'])

const dropFacts = ({ tx, message }: Story, by: Hash | undefined) => ({
  nonce: tx.nonce,
  ...(by !== undefined && { by }),
  ...(message !== undefined && { message }),
})

function refusalSentence({ message }: Story, reason: string): string {
  return `Refused: ${message ?? reason}.`
}

type Verdict = { readonly accepted: true } | { readonly accepted: false; readonly failure: Failure }

function judge(
  tx: Told,
  view: PoolAccountView | undefined,
  { pool }: Sources,
): Verdict | 'unclear' {
  const sender = 'sender' in tx ? tx.sender : undefined
  if (sender === undefined || (view === undefined && pool.account(sender) === undefined)) {
    return 'unclear'
  }
  const gist: Gist = 'raw' in tx ? { ...tx, sender, size: tx.raw.length } : tx
  const failure = pool.judge(gist, view)
  return failure === undefined ? { accepted: true } : { accepted: false, failure }
}

function plain(verdict: Verdict): Resend {
  if (verdict.accepted) return verdict
  const { code, message } = verdict.failure
  return { accepted: false, code, message }
}

/** After these nothing would help: the transaction is spent. */
const spent: ReadonlySet<string> = new Set(['mined', 'nonce-used', 'replaced'])

function unblockOf(
  reason: string,
  verdict: Verdict | undefined,
  tx: Told,
  { config, pool }: Sources,
): Unblock[] {
  if (verdict === undefined) return []
  if (verdict.accepted) return spent.has(reason) ? [] : [{ do: 'resend', hash: tx.hash }]
  const { code, details = {} } = verdict.failure
  const number = (key: string) => {
    const value = details[key]
    return typeof value === 'bigint' ? value : 0n
  }
  switch (code) {
    case 'pool/nonce-too-low':
      return [{ do: 'send', nonce: number('next') }]
    case 'pool/insufficient-funds':
      return [
        { do: 'fund', wei: number('overshot') },
        { do: 'resend', hash: tx.hash },
      ]
    case 'pool/replacement-underpriced':
      return [
        {
          do: 'raise',
          maxFeePerGas: number('requiredMaxFeePerGas'),
          maxPriorityFeePerGas: number('requiredMaxPriorityFeePerGas'),
        },
      ]
    case 'pool/tip-below-minimum':
      return [{ do: 'raise', maxPriorityFeePerGas: pool.gasTip }]
    case 'pool/underpriced': {
      const feeCap = number('worstFeeCap')
      const tip = number('worstEffectiveTip')
      return [
        {
          ...replacement(tx, { feeCap: feeCap + 1n, tip: tip + 1n }, config.priceBump),
          do: 'raise',
        },
      ]
    }
    default:
      return [{ do: errors[code].remedy }]
  }
}
