import {
  type Ban,
  type Code,
  errors,
  limits,
  type PeerId,
  type PeerRow,
  type PeerState,
  type PeerStory,
  type PeerView,
  type PeerWhy,
} from '@rockpool/protocol'
import { instantText } from './instant.ts'
import type { HistoryEntry, Reputation } from './reputation.ts'
import type { Standing } from './standing.ts'

/** A connected peer, and since when by the wall clock. */
export interface Connected {
  readonly view: PeerView
  readonly sinceMs: number
}

interface Parts {
  readonly standing: Standing
  readonly reputation: Reputation
  readonly connected: ReadonlyMap<PeerId, Connected>
}

/** Below it a connected peer is suspect. */
const suspectBelow = -50

/** One line about a peer. */
export function rowOf(id: PeerId, { standing, reputation, connected }: Parts): PeerRow {
  const view = connected.get(id)?.view
  const score = standing.score(id)
  const ban = standing.banOf(id)
  const isKnown = reputation.get(id) !== undefined
  return {
    id,
    state: stateOf({ ban, isConnected: view !== undefined, isKnown, total: score.total }),
    connected: view !== undefined,
    ...(view && { direction: view.direction, ip: view.ip }),
    ...(view?.agent !== undefined && { agent: view.agent }),
    ...(view?.rttMs !== undefined && { rttMs: view.rttMs }),
    isStatic: standing.isStatic(id),
    isProtected: standing.protectedPeers.has(id),
    score,
    ...(ban && { ban }),
  }
}

export function stateOf(facts: {
  readonly ban: Ban | undefined
  readonly isConnected: boolean
  readonly isKnown: boolean
  readonly total: number
}): PeerState {
  if (facts.ban) return 'banned'
  if (facts.isConnected) return facts.total < suspectBelow ? 'suspect' : 'good'
  return facts.isKnown ? 'known' : 'unknown'
}

/** Everything held for and against a peer, with the sentence an operator reads first. */
export function whyOf(
  id: PeerId,
  options: Parts & { readonly nowMs: number; readonly fromMs: number; readonly threshold: number },
): PeerWhy {
  const { reputation, connected, nowMs, fromMs, threshold } = options
  const row = rowOf(id, options)
  const history = reputation.get(id)?.history ?? []
  const charged = history.filter(({ delta }) => delta < 0)
  const sinceMs = row.ban?.fromMs ?? connected.get(id)?.sinceMs ?? reputation.get(id)?.firstSeenMs
  const untilMs = row.ban?.untilMs ?? undefined
  return {
    ...row,
    reason: row.ban?.reason ?? charged.at(-1)?.reason ?? 'none',
    why: sentence(row, charged, { nowMs, threshold }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    unblock: unblockOf(row),
    story: storyOf(history.filter(({ atMs }) => atMs >= fromMs)),
    threshold,
  }
}

function sentence(
  row: PeerRow,
  charged: readonly HistoryEntry[],
  { nowMs, threshold }: { readonly nowMs: number; readonly threshold: number },
): string {
  const { ban, state, score } = row
  if (ban) return `Banned ${endText(ban, nowMs)}: ${causeText(ban, charged)}.`
  const spared = row.isStatic ? ', static' : row.isProtected ? ', protected' : ''
  const points = `score ${score.total.toFixed(1)}${spared}`
  if (state === 'unknown') return 'Never seen: nothing is held for or against it.'
  const last = charged.at(-1)
  const where = state === 'known' ? 'Not connected' : `Connected as ${state}`
  if (!last) return `${where}, ${points}, never charged.`
  const kept = score.total < threshold && spared !== '' ? ', kept although below the minimum' : ''
  return `${where}, ${points}${kept}, last charged with ${last.reason} (${textOf(last.reason)}).`
}

function endText({ untilMs }: Ban, nowMs: number): string {
  if (untilMs === null) return 'until an operator lets it in'
  return `until ${instantText(untilMs)} (${spanText(untilMs - nowMs)} left)`
}

function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}

function causeText(ban: Ban, charged: readonly HistoryEntry[]): string {
  if (ban.by === 'operator') return `by an operator${ban.note === undefined ? '' : `, ${ban.note}`}`
  const same = charged.filter(
    ({ reason, evidence }) => reason === ban.reason && isOf(ban, evidence),
  )
  const times = Math.max(1, same.length)
  const before = ban.count === 0 ? '' : `, ban ${ban.count + 1} within 30 days`
  return `${times} x ${ban.reason} (${textOf(ban.reason)})${before}`
}

const isOf = ({ evidence }: Ban, id: string): boolean => id === '' || evidence.includes(id)

const textOf = (reason: string): string => errors[reason as Code]?.text ?? reason

function unblockOf({ id, ban }: PeerRow): PeerWhy['unblock'] {
  if (!ban) return []
  const wait = ban.untilMs === null ? [] : [{ do: 'wait', untilMs: ban.untilMs }]
  return [...wait, { do: `rockpool peers unban ${id}` }]
}

/** The first ones and the last ones: how it began, and how it ended. */
function storyOf(history: readonly HistoryEntry[]): readonly PeerStory[] {
  const { storyFirst, storyLast } = limits
  const shown =
    history.length <= storyFirst + storyLast
      ? history
      : [...history.slice(0, storyFirst), ...history.slice(-storyLast)]
  return shown.map(({ atMs, reason, delta, detail, evidence }) => {
    const isMark = reason === 'banned' || reason === 'lifted'
    return {
      ...{ atMs, delta },
      event: isMark ? reason : 'charged',
      reason: isMark ? detail : reason,
      ...(detail !== '' && !isMark && { detail }),
      ...(evidence !== '' && { evidence }),
    }
  })
}
