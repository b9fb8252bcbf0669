/** How often each of a bounded set of words came; what comes after the set is full is counted as `other`. */
export function createCounts(max: number) {
  const counts = new Map<string, number>()
  return {
    counts: counts as ReadonlyMap<string, number>,
    add(word: string, by = 1): void {
      const key = counts.has(word) || counts.size < max ? word : 'other'
      counts.set(key, (counts.get(key) ?? 0) + by)
    },
  }
}
