import { limits } from '@rockpool/protocol'
import type { ChargeClass } from './reasons.ts'

/** Why this node does not trust its own eyes. */
export type SuspectCause = 'lag' | 'clock' | 'late-tick' | 'store' | 'peers-lost' | 'liveness-wave'

export interface GuardOptions {
  /** Charges count whatever happens. */
  readonly disabled: boolean
  /** Lag of the event loop, p99 of a minute. Above it this node is not well. */
  readonly lagMs: number
  /** Part of the groups we dialled of which one liveness reason at once says more about us than about them. */
  readonly share: number
  /** The wall clock against the monotonic one between two ticks. */
  readonly jumpMs: number
}

export const defaultGuard: GuardOptions = { disabled: false, lagMs: 500, share: 0.3, jumpMs: 2_000 }

export type Guard = ReturnType<typeof createGuard>

/** After the last sign. */
const afterMs = 60_000
const windowMs = 60_000
const lateMs = 5_000
const storeMs = 5_000
const lostWindowMs = 10_000
const leastWave = 3
const lostShare = 0.5

/**
 * Whether it is us and not them. The worst ban waves of this field were self-made: a node that stood still for seconds found that nobody had
 * answered it. While a sign of that holds, and for a minute after, what is no proof is written down and not counted. Times are on the
 * monotonic clock.
 */
export function createGuard(options: GuardOptions) {
  const { disabled, lagMs, share, jumpMs } = options
  let untilMs = Number.NEGATIVE_INFINITY
  let livenessUntilMs = Number.NEGATIVE_INFINITY
  let cause: SuspectCause | undefined
  let told = false
  let last: { readonly nowMs: number; readonly wallMs: number } | undefined
  /** By reason: when each group was charged last. */
  const waves = new Map<string, Map<string, number>>()
  let lost: number[] = []

  function suspect(why: SuspectCause, nowMs: number): void {
    if (disabled) return
    if (!isSuspect(nowMs)) cause = why
    if (why === 'liveness-wave') livenessUntilMs = nowMs + afterMs
    else untilMs = nowMs + afterMs
  }

  const isSuspect = (nowMs: number): boolean => nowMs < Math.max(untilMs, livenessUntilMs)

  /** Once in a tick, and before a charge is counted: what is late is noticed when it comes. */
  function look(nowMs: number, wallMs: number): void {
    if (!last) return
    const passedMs = nowMs - last.nowMs
    if (passedMs > limits.monitorTickMs + lateMs) suspect('late-tick', nowMs)
    if (Math.abs(wallMs - last.wallMs - passedMs) > jumpMs) suspect('clock', nowMs)
  }

  function tick(nowMs: number, wallMs: number, writingMs: number): void {
    look(nowMs, wallMs)
    last = { nowMs, wallMs }
    if (writingMs > storeMs) suspect('store', nowMs)
  }

  function health(lagP99Ms: number, nowMs: number): void {
    if (lagP99Ms > lagMs) suspect('lag', nowMs)
  }

  /** A peer we dialled was charged for liveness, one of `dialled` groups. A third of many ids that come to us must not switch charges off. */
  function charged(reason: string, group: string, dialled: number, nowMs: number): void {
    const groups = waves.get(reason) ?? new Map<string, number>()
    waves.set(reason, groups)
    groups.delete(group)
    groups.set(group, nowMs)
    for (const [old, atMs] of groups) {
      if (nowMs - atMs < windowMs && groups.size <= limits.guardEventsMax) break
      groups.delete(old)
    }
    if (groups.size >= Math.max(leastWave, share * dialled)) suspect('liveness-wave', nowMs)
  }

  /** A connection ended that this node did not end; `left` peers are still there. */
  function closed(left: number, nowMs: number): void {
    lost = [...lost.filter(atMs => nowMs - atMs < lostWindowMs), nowMs].slice(
      -limits.guardEventsMax,
    )
    if (lost.length >= Math.max(leastWave, lostShare * (left + lost.length))) {
      suspect('peers-lost', nowMs)
    }
  }

  return {
    look,
    tick,
    health,
    charged,
    closed,
    /** Charges of this class are written down and not counted. */
    suspends: (of: ChargeClass, nowMs: number): boolean =>
      (of !== 'provable' && nowMs < untilMs) || (of === 'liveness' && nowMs < livenessUntilMs),
    /** What is no proof may have been counted wrongly: all of it, or liveness alone. */
    doubts: (nowMs: number): 'all' | 'liveness' | undefined =>
      nowMs < untilMs ? 'all' : nowMs < livenessUntilMs ? 'liveness' : undefined,
    cause: (nowMs: number): SuspectCause | undefined => (isSuspect(nowMs) ? cause : undefined),
    /** Whether that has changed since the last call. */
    takeTurn(nowMs: number): 'suspect' | 'trusted' | undefined {
      if (isSuspect(nowMs) === told) return undefined
      told = !told
      return told ? 'suspect' : 'trusted'
    },
  }
}
