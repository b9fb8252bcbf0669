/** The window in which bans are counted. */
const windowMs = 60_000

export type Budget = ReturnType<typeof createBudget>

/**
 * How many bans the monitor may make in a minute: a share of the peers that are left, and one at least. Provable offences count too, since what is
 * provable is what our own code says. Times are on the monotonic clock.
 */
export function createBudget(share: number) {
  let spent: number[] = []

  /** Bans that may be made now, with so many peers connected and listened to. */
  function left(peers: number, nowMs: number): number {
    spent = spent.filter(atMs => nowMs - atMs < windowMs)
    return Math.max(0, Math.max(1, Math.floor(share * peers)) - spent.length)
  }

  return {
    left,
    spend(nowMs: number): void {
      spent.push(nowMs)
    },
  }
}
