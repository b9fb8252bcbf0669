import {
  type DiffPlace,
  type Hash,
  limits,
  type PoolDiff,
  type PoolDifference,
  type StoryEvent,
} from '@rockpool/protocol'
import type { Pool } from './pool.ts'
import { type Stories } from './stories.ts'
import { firstEvents } from './story.ts'

export interface DiffSources {
  readonly pool: Pick<Pool, 'entry'>
  readonly stories: Stories
  /** Not to be told to whoever asks. */
  readonly isHidden: (hash: Hash) => boolean
}

/**
 * What is elsewhere now than after the turn of message `since`, made of the stories: whatever came and went again in between is not in it.
 * `until` is the message in whose turn the question is answered.
 */
export function diffSince(since: number, until: number, sources: DiffSources): PoolDiff {
  const { pool, stories, isHidden } = sources
  const changes: PoolDifference[] = []
  let isComplete = stories.max > 0 && stories.forgottenCause <= since
  for (const story of stories.all()) {
    if (story.lastCause <= since || isHidden(story.hash)) continue
    const events = stories.eventsOf(story)
    const before = placeAfter(since, events)
    if (before === undefined) isComplete = false
    const now = pool.entry(story.hash)?.half ?? 'absent'
    if (before === undefined || before === now) continue
    const { tx } = story
    const reason = now === 'absent' ? events.at(-1)?.reason : undefined
    changes.push({
      ...{ hash: story.hash, nonce: tx.nonce, before, now },
      ...('sender' in tx && tx.sender !== undefined && { from: tx.sender }),
      ...(reason !== undefined && { reason }),
    })
  }
  return { since, until, complete: isComplete, changes }
}

/** Where it was when that turn was over; undefined: what it was then is forgotten. */
function placeAfter(since: number, events: readonly StoryEvent[]): DiffPlace | undefined {
  const after = events.findIndex(({ cause = 0 }) => cause > since)
  const isForgotten = after === firstEvents && events.length === limits.storyEventsMax
  if (isForgotten) return undefined
  let place: DiffPlace = 'absent'
  for (const { event } of events.slice(0, after)) {
    // What came back from a block is told without its half: what happened to it next says it.
    if (event === 'reinjected') place = events[after]?.event === 'promoted' ? 'queued' : 'pending'
    else place = placeBy[event] ?? place
  }
  return place
}

const placeBy: Partial<Record<StoryEvent['event'], DiffPlace>> = {
  pending: 'pending',
  promoted: 'pending',
  queued: 'queued',
  demoted: 'queued',
  dropped: 'absent',
  mined: 'absent',
  rejected: 'absent',
  waits: 'absent',
}
