import type { Fact } from '@rockpool/protocol'

/** Running totals that follow from facts alone, for metrics and status lines. */
export function createCounts() {
  const dropped = new Map<string, number>()
  const counts = {
    blocks: 0,
    reorgs: 0,
    height: 0,
    added: 0,
    promoted: 0,
    pending: 0,
    queued: 0,
    slots: 0,
    dropped,
  }

  function hear(fact: Fact): void {
    if (fact.type === 'chain.head') {
      counts.blocks += fact.added.length
      counts.height = fact.new.number
      if (fact.removed.length > 0) counts.reorgs += 1
    }
    if (fact.type === 'pool.changed') {
      counts.added += fact.added.length
      counts.promoted += fact.promoted.length
      Object.assign(counts, fact.stats)
      for (const { reason } of fact.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    }
  }

  return { counts: counts as Readonly<typeof counts>, hear }
}
