import type { Directive, Supervision } from './api.ts'

/** Defaults of `Supervision.max` and `Supervision.within`. */
const RESTARTS_MAX = 10
const RESTARTS_WITHIN_MS = 10_000

/** What to do about `error`. A supervisor that throws itself has no opinion worth having. */
export function directiveFor(supervision: Supervision | undefined, error: unknown): Directive {
  if (supervision === undefined) return 'escalate'
  try {
    return supervision.on(error)
  } catch {
    return 'escalate'
  }
}

/**
 * The instants of restarts that still count, this one included, and how long to wait; undefined when this one is one
 * too many.
 */
export function planRestart(
  earlier: readonly number[],
  now: number,
  { max = RESTARTS_MAX, within = RESTARTS_WITHIN_MS, backoff }: Supervision,
  random: () => number,
): { restarts: number[]; delayMs: number } | undefined {
  const restarts = earlier.filter(at => now - at < within)
  restarts.push(now)
  if (restarts.length > max) return undefined
  return { restarts, delayMs: backoff ? backoffMs(restarts.length, backoff, random()) : 0 }
}

/** min × 2^(nth − 1), at most max, then ±10 % by `random` in [0, 1); whole microseconds. */
export function backoffMs(
  nth: number,
  [minMs, maxMs]: readonly [number, number],
  random: number,
): number {
  let delay = minMs
  for (let i = 1; i < nth && delay < maxMs; i++) delay *= 2
  return Math.round(Math.min(maxMs, delay) * (0.9 + 0.2 * random) * 1000) / 1000
}
