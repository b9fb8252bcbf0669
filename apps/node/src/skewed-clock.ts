import type { Clock } from '@rockpool/actor'

export interface Skew {
  /** Added to the wall. Milliseconds, either way. */
  readonly offsetMs: number
  /** How much faster than the machine this node's time runs; below 0 slower. Parts per million. */
  readonly driftPpm: number
}

/**
 * A clock that is wrong in the ways real ones are: set wrong, and running at the wrong rate. For development networks; the same clock when
 * nothing is wrong with it.
 */
export function skewed(clock: Clock, { offsetMs, driftPpm }: Skew): Clock {
  if (offsetMs === 0 && driftPpm === 0) return clock
  const rate = 1 + driftPpm / 1_000_000
  // Whole microseconds, as every clock promises.
  const now = (): number => Math.round(clock.now() * rate * 1_000) / 1_000
  return {
    now,
    // What drift has gained so far stands on the wall too.
    wall: () => Math.floor(clock.wall() + offsetMs + now() - clock.now()),
    at: (due, fn) => clock.at(Math.ceil((due / rate) * 1_000) / 1_000, fn),
    clear: timer => clock.clear(timer),
    ...(clock.soon && { soon: clock.soon.bind(clock) }),
  }
}
