import type { Address, Explanation, Hash } from '@rockpool/protocol'
import type { PoolConfig } from './config.ts'
import type { Entry, PoolAccountView } from './entry.ts'
import type { Pool } from './pool.ts'
import type { Stories } from './stories.ts'
import type { Tracker } from './tracker.ts'

/** What an explanation is made of. */
export interface Sources {
  readonly config: PoolConfig
  readonly pool: Pool
  readonly stories: Stories
  readonly tracker: Pick<Tracker, 'has' | 'waitingFor' | 'isPrivate'> | undefined
  /** How many signatures are checked before this one's; undefined: it is not among them. */
  readonly recovering: (hash: Hash) => number | undefined
  /** What the cheapest of the last block that held any paid, and when that came. Wei, epoch ms. */
  readonly cheapest: { readonly tip: bigint; readonly at: number } | undefined
}

export interface Question {
  readonly subject: Hash | Address
  /** The account at the pool's head, where the pool does not hold it. */
  readonly view?: PoolAccountView
  /** Private ones too. */
  readonly all?: true
}

export type Finding = Pick<Explanation, 'reason' | 'why' | 'unblock'>

/** Private and not mined: once in a block it is everybody's. */
export function isHidden(
  hash: Hash,
  { all }: Question,
  { pool, stories, tracker }: Sources,
): boolean {
  if (all === true) return false
  const story = stories.find(hash)
  const origin = pool.entry(hash)?.origin ?? story?.origin
  const isPrivate = origin === 'private' || tracker?.isPrivate(hash) === true
  return isPrivate && story?.mined === undefined
}

/** Whether whoever asks may know of it at all: also in sums, and in what is missing. */
export function isShown({ origin }: Entry, { all }: Question): boolean {
  return all === true || origin !== 'private'
}
