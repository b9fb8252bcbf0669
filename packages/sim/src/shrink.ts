import type { SimOptions } from './api.ts'
import type { Plan } from './plan.ts'

/** Runs that one shrinking may take, both stages together. */
export const SHRINK_RUNS_MAX = 200

/** Runs a smaller history; whether it still breaks the same invariant. */
export type Fails<T> = (smaller: T) => Promise<boolean>

/** Runs left to spend. */
export interface Budget {
  left: number
}

/**
 * The least options that still fail: candidates in the order in which they save most, and from the first again after each success. What
 * comes back fails by `fails`; the caller has seen that `options` do.
 */
export async function shrinkOptions(
  options: SimOptions,
  fails: Fails<SimOptions>,
  budget: Budget,
): Promise<SimOptions> {
  let least = options
  for (let shrunk = true; shrunk && budget.left > 0; ) {
    shrunk = false
    for (const candidate of smallerOptions(least)) {
      if (budget.left <= 0) break
      budget.left -= 1
      if (!(await fails(candidate))) continue
      least = candidate
      shrunk = true
      break
    }
  }
  return least
}

/** Simpler options, the largest savings first. None is equal to `options`. */
export function* smallerOptions(options: SimOptions): Generator<SimOptions> {
  const { seconds, nodes, evil } = options
  const shorter = (part: number) => Math.max(10, Math.round(seconds * part))
  for (const part of [1 / 4, 1 / 2]) {
    if (shorter(part) < seconds) yield { ...options, seconds: shorter(part) }
  }
  if (seconds > 30) yield { ...options, seconds: shorter(0.8) }
  const honest = nodes - evil
  for (const fewer of new Set([3, Math.floor(honest / 2), honest - 1])) {
    if (fewer < 1 || fewer >= honest || evil > Math.max(0, fewer + evil - 2)) continue
    yield { ...options, nodes: fewer + evil }
  }
  for (const fewer of new Set([0, evil - 1])) {
    if (fewer >= 0 && fewer < evil) yield { ...options, evil: fewer, nodes: honest + fewer }
  }
  yield* withoutFaults(options)
  const { latency, disk, reorg } = options
  if (reorg.depth > 1) yield { ...options, reorg: { ...reorg, depth: 1 } }
  if (latency.minMs > 0 || latency.meanMs > 1) {
    yield { ...options, latency: { minMs: 0, meanMs: 1 } }
  }
  if (disk.meanMs > 5) yield { ...options, disk: { meanMs: 5 } }
  yield* slower(options)
}

function* withoutFaults(options: SimOptions): Generator<SimOptions> {
  const { clog, partition, crash, reorg, clock, tear, maybe } = options
  if (clog.perSecond > 0) yield { ...options, clog: { ...clog, perSecond: 0 } }
  if (partition.perSecond > 0) yield { ...options, partition: { ...partition, perSecond: 0 } }
  if (crash.perNodeSecond > 0) yield { ...options, crash: { ...crash, perNodeSecond: 0 } }
  if (reorg.perBlock > 0) yield { ...options, reorg: { ...reorg, perBlock: 0 } }
  if (clock.driftPpm > 0 || clock.wall !== 'none') {
    yield { ...options, clock: { driftPpm: 0, wall: 'none' } }
  }
  if (tear) yield { ...options, tear: false }
  for (const fault of ['reset', 'duplicate', 'slow', 'dialFailure', 'diskFull'] as const) {
    const wish = options[fault]
    if (wish.perSecond > 0) yield { ...options, [fault]: { ...wish, perSecond: 0 } }
  }
  if (maybe.length > 0) yield { ...options, maybe: [] }
  const { appointments, ...without } = options
  if (appointments !== undefined) yield without
}

/** Rates of what remains: almost none, or half. */
function* slower(options: SimOptions): Generator<SimOptions> {
  const { txPerSecond, clog, partition, crash, reorg } = options
  yield* lower(txPerSecond, rate => ({ ...options, txPerSecond: rate }))
  yield* lower(clog.perSecond, rate => ({ ...options, clog: { ...clog, perSecond: rate } }))
  yield* lower(partition.perSecond, rate => ({
    ...options,
    partition: { ...partition, perSecond: rate },
  }))
  yield* lower(crash.perNodeSecond, rate => ({
    ...options,
    crash: { ...crash, perNodeSecond: rate },
  }))
  yield* lower(reorg.perBlock, rate => ({ ...options, reorg: { ...reorg, perBlock: rate } }))
}

function* lower(rate: number, put: (rate: number) => SimOptions): Generator<SimOptions> {
  if (rate > 0.001) yield put(0.001)
  if (rate > 0.02) yield put(rate / 2)
}

/**
 * Delta debugging over the events of a plan: leaves out ever smaller runs of them as long as the history still fails. What comes back is
 * 1-minimal when the budget lasts: no single event of it can be left out.
 */
export async function shrinkPlan(plan: Plan, fails: Fails<Plan>, budget: Budget): Promise<Plan> {
  let least = plan
  let parts = 2
  while (least.length > 0 && budget.left > 0) {
    const size = Math.ceil(least.length / parts)
    const without = await firstThatFails(least, size, fails, budget)
    if (without !== undefined) {
      least = without
      parts = Math.max(2, parts - 1)
    } else if (size <= 1) break
    else parts = Math.min(least.length, parts * 2)
  }
  return least
}

/** The plan without the first run of `size` events that it does not need. */
async function firstThatFails(
  plan: Plan,
  size: number,
  fails: Fails<Plan>,
  budget: Budget,
): Promise<Plan | undefined> {
  for (let start = 0; start < plan.length; start += size) {
    if (budget.left <= 0) return undefined
    budget.left -= 1
    const rest = [...plan.slice(0, start), ...plan.slice(start + size)]
    if (await fails(rest)) return rest
  }
  return undefined
}
