import type { Ban, PeerId } from '@rockpool/protocol'

/** What becomes of a peer whose turn it is. */
export type Ruling =
  | { readonly kind: 'error'; readonly cause: string }
  | { readonly kind: 'healthy'; readonly total: number }
  /** Bad, but static or protected. */
  | { readonly kind: 'kept'; readonly total: number }
  /** Banned already: it should not be connected. */
  | { readonly kind: 'stale'; readonly ban: Ban }
  | { readonly kind: 'ban'; readonly total: number; readonly untilMs: number }

export interface JudgeParts {
  readonly minScore: number
  readonly total: (id: PeerId) => number
  readonly isExempt: (id: PeerId) => boolean
  readonly activeBan: (id: PeerId) => Ban | undefined
  /** When a ban that the monitor makes now ends, by how often there was one. */
  readonly endMs: (id: PeerId) => number
}

/** The order of one judgement. A total equal to the minimum is kept; one that is no number bans nobody. */
export function judge(id: PeerId, atLeastUntilMs: number, parts: JudgeParts): Ruling {
  const { minScore, total: totalOf, isExempt, activeBan, endMs } = parts
  const total = totalOf(id)
  if (!Number.isFinite(total)) return { kind: 'error', cause: `score is ${total}` }
  if (total >= minScore) return { kind: 'healthy', total }
  if (isExempt(id)) return { kind: 'kept', total }
  const ban = activeBan(id)
  if (ban) return { kind: 'stale', ban }
  return { kind: 'ban', total, untilMs: Math.max(atLeastUntilMs, endMs(id)) }
}
