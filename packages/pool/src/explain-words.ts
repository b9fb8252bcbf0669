import type { Hash } from '@rockpool/protocol'

/** What a sentence may name. */
export interface DropFacts {
  readonly nonce?: bigint
  /** The one that took its place or pushed it out. */
  readonly by?: Hash
  /** What it was refused with. */
  readonly message?: string
}

type Sentence = (facts: DropFacts) => string

const other = ({ by }: DropFacts): string => by ?? 'another transaction'

/** Why a transaction is not in the pool any more, a sentence for each reason. */
const sentences: Readonly<Record<string, Sentence>> = {
  mined: () => 'Mined.',
  'nonce-used': ({ nonce = 0n }) => `Dropped: another transaction used its nonce ${nonce}.`,
  unpayable: () => 'Dropped: the account could no longer pay for it.',
  'gas-over-block': () => 'Dropped: it burns more gas than a block now has.',
  'gas-cap': () => 'Dropped: it burns more gas than the fork that came allows one transaction.',
  replaced: facts => `Replaced by ${other(facts)}, which pays more for the same nonce.`,
  'evicted-price': facts => `Dropped: the pool was full and ${other(facts)} pays more.`,
  'truncated-pending': () =>
    'Dropped: too many executable transactions, and its sender had the most of them.',
  'truncated-queue': () =>
    'Dropped: too many waiting transactions, and its sender was the longest without a sign of life.',
  'account-queue-cap': () => 'Dropped: its sender has too many waiting transactions.',
  expired: () => 'Dropped: it waited too long for a missing nonce.',
  'expired-pending': () => 'Dropped: it was executable too long without being mined.',
  'tip-below-minimum': () => 'Dropped: the minimum tip was raised above its own.',
  'reorg-lost': ({ message }) =>
    `Dropped: its block left the chain and the pool could not take it back${message === undefined ? '' : ` (${message})`}.`,
  'reorg-too-deep': () =>
    'Dropped: its block left the chain by a reorg too deep to bring transactions back.',
  'local-expired': () => 'Given up: it was followed as long as the configuration says.',
  'journal-failed': () => 'Taken back: it could not be written to the journal.',
  'removed-by-operator': () => 'Removed by the operator.',
  cleared: () => 'Dropped: the pool was emptied.',
}

export function dropSentence(reason: string, facts: DropFacts): string {
  return sentences[reason]?.(facts) ?? `Not in the pool: ${facts.message ?? reason}.`
}
