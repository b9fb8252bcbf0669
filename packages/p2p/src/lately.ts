export type Lately = ReturnType<typeof createLately>

/** How often something happened under each key within a sliding window. Of more than `keysMax` keys the one used longest ago is forgotten. */
export function createLately(windowMs: number, keysMax: number) {
  const times = new Map<string, readonly number[]>()

  const recent = (key: string, nowMs: number): readonly number[] =>
    (times.get(key) ?? []).filter(at => nowMs - at < windowMs)

  /** How long until it may happen once more without passing `max` in any window; 0: now. */
  function waitMs(key: string, max: number, nowMs: number): number {
    const kept = recent(key, nowMs)
    const first = kept[kept.length - max]
    return first === undefined ? 0 : first + windowMs - nowMs
  }

  function add(key: string, nowMs: number): void {
    const kept = recent(key, nowMs)
    times.delete(key)
    times.set(key, [...kept, nowMs])
    if (times.size <= keysMax) return
    for (const oldest of times.keys()) {
      times.delete(oldest)
      return
    }
  }

  /** Adds it if that does not pass `max`; true when it did. */
  function take(key: string, max: number, nowMs: number): boolean {
    if (waitMs(key, max, nowMs) > 0) return false
    add(key, nowMs)
    return true
  }

  return { waitMs, add, take }
}
