import type { Ban, MonitorStats, PeerRow } from '@rockpool/protocol'
import type { HistoryEntry } from './history.ts'
import type { Reputation } from './reputation.ts'

/** The charge that cost most since the last ban, and what proves it. */
export function blameOf(history: readonly HistoryEntry[]): {
  readonly reason: string
  readonly evidence: readonly string[]
} {
  const from = history.findLastIndex(({ reason }) => reason === 'banned' || reason === 'lifted') + 1
  const points = new Map<string, number>()
  for (const { reason, delta } of history.slice(from)) {
    points.set(reason, (points.get(reason) ?? 0) + delta)
  }
  // Without a fresh charge it is the rest of the ones before.
  const [worst] = [...points].sort((left, right) => left[1] - right[1])
  const reason = worst?.[0] ?? history.findLast(({ delta }) => delta < 0)?.reason ?? 'none'
  const evidence = history
    .slice(from)
    .filter(entry => entry.reason === reason && entry.evidence !== '')
    .map(entry => entry.evidence)
  return { reason, evidence }
}

interface Counts {
  readonly counts: ReadonlyMap<string, number>
}

/** Numbers for whoever scrapes. */
export function statsOf(parts: {
  readonly rows: readonly PeerRow[]
  readonly bans: readonly Ban[]
  readonly charged: Counts
  readonly counts: Counts
  readonly reputation: Reputation
  readonly evicted: number
  readonly groups: number
  readonly budgetLeft: number
  readonly suspect?: string
  readonly latency: { readonly total: MonitorStats['banLatency'] }
}): MonitorStats {
  const { rows, bans, charged, counts, reputation, evicted, suspect } = parts
  const words = [...counts.counts]
  const under = (prefix: string): ReadonlyMap<string, number> =>
    new Map(
      words
        .filter(([word]) => word.startsWith(prefix))
        .map(([word, value]) => [word.slice(prefix.length), value]),
    )
  return {
    charges: charged.counts,
    bans: under('ban '),
    lifts: under('lift '),
    withheld: under('withheld '),
    ...(suspect !== undefined && { suspect }),
    totals: rows.map(({ score }) => score.total),
    banLatency: parts.latency.total,
    active: tally(bans.map(({ subject }) => subject.kind)),
    states: tally(rows.map(({ state }) => state)),
    counts: new Map([
      ['bansEvicted', evicted],
      ['recordsEvicted', reputation.evicted],
      ['errors', counts.counts.get('errors') ?? 0],
      ['budgetLeft', parts.budgetLeft],
      ['suspect', suspect === undefined ? 0 : 1],
      ['groups', parts.groups],
    ]),
    records: reputation.size,
  }
}

function tally(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
