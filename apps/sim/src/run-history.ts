import { addressOfKey, createCrypto, signDigest, towerKeyOf } from '@rockpool/adapters/crypto'
import {
  createBooks,
  drawPlan,
  type EventRow,
  type Plan,
  planDriver,
  plantedBugs,
  type RunResult,
  runWorld,
  type SimOptions,
  type WorldParts,
  workDeeds,
  worldChain,
} from '@rockpool/sim'
import { UsageError } from './usage.ts'

/** What is run: options, and whatever is not to follow from them. */
export interface History {
  readonly options: SimOptions
  /** Absent: the plan that the options stand for. */
  readonly plan?: Plan
  /** Name of the mistake put into every node. */
  readonly planted?: string
}

/** How somebody watches. */
export interface Watching {
  readonly untilMs?: number
  legend?(line: string): void
  event?(row: EventRow): void
  /** Who acts besides the plan. */
  readonly drivers?: WorldParts['drivers']
}

/** What a world needs of this process. */
export async function worldCrypto() {
  crypto ??= createCrypto({ workers: 0 })
  const all = await crypto
  return {
    crypto: all,
    tower: { crypto: all, keyOf: towerKeyOf },
    sign: signDigest,
    addressOf: addressOfKey,
    hop,
    cpuMs,
    tripwire: true,
  }
}

let crypto: ReturnType<typeof createCrypto> | undefined

/** After so many hops the event loop has its turn, so that signals and messages to this process are heard. */
const hopsPerTurn = 256
// Taken once: they are Node's own, whoever guards the globals while a world runs.
const { nextTick } = process
const { setImmediate: nextTurn } = globalThis
let hops = 0

/** Node runs what waits for `nextTick` once no microtask is left, and needs no round of the event loop for it. */
function hop(): Promise<void> {
  hops += 1
  return hops % hopsPerTurn === 0 ? new Promise(nextTurnOf) : new Promise(nextTickOf)
}

function nextTickOf(resolve: () => void): void {
  nextTick(resolve)
}

function nextTurnOf(resolve: () => void): void {
  nextTurn(resolve)
}

/** One world from its start to its end, its first violation or `untilMs`. */
export async function runHistory(history: History, watching: Watching = {}): Promise<RunResult> {
  const { options, planted } = history
  const bug = planted === undefined ? undefined : plantedBugs.get(planted)
  if (planted !== undefined && bug === undefined) {
    throw new UsageError(
      `no planted bug "${planted}"; one of: ${[...plantedBugs.keys()].join(', ')}`,
    )
  }
  const { drivers = [], ...watcher } = watching
  return runWorld(options, {
    ...(await worldCrypto()),
    books: createBooks(),
    chain: worldChain,
    drivers: [planDriver(history.plan ?? drawPlan(options), workDeeds), ...drivers],
    ...(bug && { decorate: (build, node, world) => bug.decorate(build, node, world) }),
    ...watcher,
  })
}

/** CPU time of this process so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
