import { type Bus, mixText } from '@rockpool/actor'
import type { Fact, PoolChanged } from '@rockpool/protocol'

/** Running totals that follow from facts alone, for metrics and status lines. */
export function createCounts() {
  const dropped = new Map<string, number>()
  const counts = {
    blocks: 0,
    reorgs: 0,
    height: 0,
    added: 0,
    promoted: 0,
    demoted: 0,
    pending: 0,
    queued: 0,
    slots: 0,
    /** Of every hash that any fact named, in order: equal histories of pool and chain have equal ones. */
    digest: 0,
    dropped,
  }

  function hear(fact: Fact): void {
    if (fact.type === 'chain.head') {
      counts.digest = mixText(counts.digest, fact.new.hash)
      counts.blocks += fact.added.length
      counts.height = fact.new.number
      if (fact.removed.length > 0) counts.reorgs += 1
    }
    if (fact.type === 'pool.changed') {
      counts.digest = digestOf(counts.digest, fact)
      counts.added += fact.added.length
      counts.promoted += fact.promoted.length
      counts.demoted += fact.demoted.length
      Object.assign(counts, fact.stats)
      for (const { reason } of fact.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    }
  }

  return { counts: counts as Readonly<typeof counts>, hear }
}

function digestOf(digest: number, { added, promoted, demoted, dropped }: PoolChanged): number {
  let mixed = digest
  for (const hash of added) mixed = mixText(mixed, hash)
  for (const hash of promoted) mixed = mixText(mixed + 1, hash)
  for (const hash of demoted) mixed = mixText(mixed + 2, hash)
  for (const { hash, reason } of dropped) mixed = mixText(mixText(mixed + 3, hash), reason)
  return mixed
}

/** What a replay must come to, besides the trace. */
export function recordedCounters(bus: Bus, counts: ReturnType<typeof createCounts>['counts']) {
  const { height, pending, queued, added, blocks, reorgs, digest } = counts
  const { sent, handled, dead, merged, refused } = bus
  return {
    sent,
    handled,
    dead,
    merged,
    refused,
    height,
    blocks,
    reorgs,
    added,
    pending,
    queued,
    digest,
  }
}
