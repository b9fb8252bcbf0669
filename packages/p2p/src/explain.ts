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
import { type HistoryEntry, isMark } from './history.ts'
import { instantText } from './instant.ts'
import { decayed, type Reputation } from './reputation.ts'
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
  const isQuarantined = standing.isQuarantined(id)
  return {
    id,
    state: stateOf({
      ...{ ban, isQuarantined, isConnected: view !== undefined, isKnown, total: score.total },
    }),
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
  readonly isQuarantined?: boolean
  readonly isConnected: boolean
  readonly isKnown: boolean
  readonly total: number
}): PeerState {
  if (facts.ban) return 'banned'
  if (facts.isQuarantined) return 'quarantined'
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
  const record = reputation.get(id)
  const history = record?.history.entries ?? []
  const charged = history.filter(({ delta }) => delta < 0)
  const sinceMs = row.ban?.fromMs ?? connected.get(id)?.sinceMs ?? record?.firstSeenMs
  const held = row.state === 'quarantined' ? record?.frozenUntilMs : undefined
  const untilMs = row.ban?.untilMs ?? held
  // A ban's end may be far: what is frozen decays from then on.
  const frozenUntilMs = record?.frozenUntilMs ?? 0
  const left = ({ delta, atMs }: HistoryEntry): number => {
    const heldMs = Math.max(0, nowMs - Math.max(atMs, record?.debitAtMs ?? 0))
    return decayed(delta, atMs, frozenUntilMs > nowMs ? nowMs - heldMs : nowMs)
  }
  return {
    ...row,
    reason: row.ban?.reason ?? charged.at(-1)?.reason ?? 'none',
    why: sentence(row, charged, { nowMs, threshold, quarantine: quarantineText(history) }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    unblock: unblockOf(row),
    story: storyOf(
      history.filter(({ atMs }) => atMs >= fromMs),
      left,
    ),
    lines: linesOf(row, history, left),
    charges: record?.history.charges ?? new Map(),
    groups: record?.groups ?? [],
    threshold,
  }
}

function sentence(
  row: PeerRow,
  charged: readonly HistoryEntry[],
  {
    nowMs,
    threshold,
    quarantine,
  }: { readonly nowMs: number; readonly threshold: number; readonly quarantine: string },
): string {
  const { ban, state, score } = row
  if (ban) return `Banned ${endText(ban, nowMs)}: ${causeText(ban, charged)}.`
  const spared = row.isStatic ? ', static' : row.isProtected ? ', protected' : ''
  const points = `score ${score.total.toFixed(1)}${spared}`
  if (state === 'quarantined') return `Not listened to, ${points}: ${quarantine}.`
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

/** Why a ban was withheld, as the last quarantine has it. */
function quarantineText(history: readonly HistoryEntry[]): string {
  const why = history.findLast(({ reason }) => reason === 'quarantined')?.detail
  return `quarantined, ban withheld (${why === 'floor' ? 'too few other peers' : 'bans of this minute are spent'})`
}

function unblockOf({ id, ban, state }: PeerRow): PeerWhy['unblock'] {
  if (!ban && state === 'quarantined') return [{ do: `rockpool peers unban ${id}` }]
  if (!ban) return []
  const wait = ban.untilMs === null ? [] : [{ do: 'wait', untilMs: ban.untilMs }]
  return [...wait, { do: `rockpool peers unban ${id}` }]
}

/** Summands of the score: what is left of each charge, what no longer has a line, credit and the router's part. */
function linesOf(
  { score }: PeerRow,
  history: readonly HistoryEntry[],
  left: (entry: HistoryEntry) => number,
): PeerWhy['lines'] {
  const { storyFirst, storyLast } = limits
  const charged = history.filter(({ delta }) => delta !== 0).slice(-(storyFirst + storyLast))
  const lines = charged.map(entry => ({ what: entry.reason, points: left(entry) }))
  const rest = lines.reduce((sum, { points }) => sum - points, score.debit)
  return [
    ...lines,
    { what: 'earlier charges, bounds and bans', points: rest },
    { what: 'credit', points: score.credit },
    { what: 'gossip', points: score.gossip },
  ]
}

/** The first ones and the last ones: how it began, and how it ended. */
function storyOf(
  history: readonly HistoryEntry[],
  left: (entry: HistoryEntry) => number,
): readonly PeerStory[] {
  const { storyFirst, storyLast } = limits
  const shown =
    history.length <= storyFirst + storyLast
      ? history
      : [...history.slice(0, storyFirst), ...history.slice(-storyLast)]
  return shown.map(entry => {
    const { atMs, reason, delta, detail, evidence, suspended } = entry
    const isPlain = !isMark(reason) && reason !== 'refunded'
    return {
      ...{ atMs, delta, left: left(entry) },
      event: isPlain ? 'charged' : (reason as PeerStory['event']),
      reason: isPlain ? reason : detail,
      ...(detail !== '' && isPlain && { detail }),
      ...(evidence !== '' && { evidence }),
      ...(suspended && { suspended }),
    }
  })
}
