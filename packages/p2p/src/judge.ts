import type { Ban, PeerId, Withheld } from '@rockpool/protocol'

/** What becomes of a peer whose turn it is. */
export type Ruling =
  | { readonly kind: 'error'; readonly cause: string }
  | { readonly kind: 'healthy'; readonly total: number }
  /** Bad, but static or protected. */
  | { readonly kind: 'kept'; readonly total: number }
  /** Banned already: it should not be connected. */
  | { readonly kind: 'stale'; readonly ban: Ban }
  /** Bad, and nothing is done: it may be us. */
  | { readonly kind: 'withheld'; readonly total: number; readonly why: Withheld }
  /** Bad, and it must stay: it is only no longer listened to. */
  | { readonly kind: 'quarantine'; readonly total: number; readonly why: 'budget' | 'floor' }
  | { readonly kind: 'ban'; readonly total: number; readonly untilMs: number }

export interface JudgeParts {
  readonly minScore: number
  readonly total: (id: PeerId) => number
  /** Its total if only what is proved had been charged. */
  readonly proven: (id: PeerId) => number
  readonly isExempt: (id: PeerId) => boolean
  readonly activeBan: (id: PeerId) => Ban | undefined
  /** This node has a sign that it is not well itself. */
  readonly isSuspect: () => boolean
  /** What keeps the monitor from one more ban, of this peer. */
  readonly withheld: (id: PeerId) => 'budget' | 'floor' | 'minority-view' | undefined
  /** When a ban that the monitor makes now ends, by how often there was one. */
  readonly endMs: (id: PeerId) => number
}

/** The order of one judgement. A total equal to the minimum is kept; one that is no number bans nobody. */
export function judge(id: PeerId, atLeastUntilMs: number, parts: JudgeParts): Ruling {
  const { minScore, isExempt, activeBan, endMs } = parts
  const total = parts.total(id)
  if (!Number.isFinite(total)) return { kind: 'error', cause: `score is ${total}` }
  if (total >= minScore) return { kind: 'healthy', total }
  if (isExempt(id)) return { kind: 'kept', total }
  const ban = activeBan(id)
  if (ban) return { kind: 'stale', ban }
  if (parts.isSuspect() && parts.proven(id) >= minScore) {
    return { kind: 'withheld', total, why: 'self-suspect' }
  }
  const why = parts.withheld(id)
  if (why === 'minority-view') return { kind: 'withheld', total, why }
  if (why) return { kind: 'quarantine', total, why }
  return { kind: 'ban', total, untilMs: Math.max(atLeastUntilMs, endMs(id)) }
}
