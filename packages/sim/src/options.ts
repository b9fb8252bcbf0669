import { Rng } from '@rockpool/actor'
import type { PartitionShape, SimOptions, Strategy, WallModel } from './api.ts'

/** Chance that a `maybe` label that is on comes true at one visit. */
export const MAYBE_CHANCE = 0.05
/** Labels of `ctx.maybe` in the nodes: answers not waited for, I/O heard of late, a queue that is full, a batch cut short. */
export const maybeLabels: readonly string[] = [
  'actor/ask-early',
  'actor/pipe-late',
  'gossip/queue-full',
  'gossip/batch-short',
]
/** Honest nodes that make blocks in a dev world: the first ones. */
export const PRODUCERS = 4
/** The node that is a watchtower, where there are appointments. */
export const TOWER = 0
/** Of a drawn world. */
const drawnSeconds = 600
/** Faults stop this long before the end of a long run, so that what must come right has the time to; in a short one at half time. */
const healingMs = 90_000

/** When chaos is over, after the start. */
export function healMsOf({ seconds }: Pick<SimOptions, 'seconds'>): number {
  const endMs = seconds * 1000
  return endMs >= 2 * healingMs ? endMs - healingMs : endMs / 2
}

/** What the one who asks for a seed wants otherwise than drawn. */
export type Wishes = Partial<
  Pick<SimOptions, 'seconds' | 'nodes' | 'chain' | 'txPerSecond' | 'appointments'>
> & {
  /** A kind of worlds that is about one thing. */
  readonly family?: 'sick'
}

/**
 * The mix of one seed: many faults are absent, so that rare combinations come together. The order of the draws is part of the format: a new
 * option is drawn after all others. A stored failure is its options and not its seed, so that a changed generator does not lose it.
 */
export function drawOptions(seed: string, { family, ...wishes }: Wishes = {}): SimOptions {
  const rng = new Rng(`seed:${seed}`).fork('options')
  const rate = (p: number, most: number) => (rng.chance(p) ? rng.f() * most : 0)
  const latency = { minMs: rng.range(0, 30), meanMs: rng.range(1, 200) }
  const clog = { perSecond: rate(0.5, 0.5), meanMs: rng.range(100, 10_000) }
  const partition = {
    perSecond: rate(0.5, 0.05),
    meanMs: rng.range(500, 60_000),
    shape: oneOf(rng, shapes),
    symmetric: rng.chance(0.5),
  }
  const crash = { perNodeSecond: rate(0.6, 0.02), restartMeanMs: rng.range(100, 30_000) }
  const reorg = { perBlock: rate(0.6, 0.5), depth: rng.range(1, 8) }
  const disk = { meanMs: rng.chance(0.3) ? rng.range(50, 2000) : rng.range(0, 10) }
  const tear = rng.chance(0.5)
  const clock = {
    driftPpm: rng.chance(0.5) ? rng.range(0, 500) : 0,
    wall: oneOf(rng, wallModels),
  }
  const honest = rng.range(3, 20)
  const evil = Math.min(rng.range(0, 2), honest - 2)
  const txPerSecond = rng.f() * 8
  const blockMs = oneOf(rng, blockTimes)
  const luck = rng.f()
  const strategy = luck < 0.2 ? 'fifo' : luck < 0.8 ? 'random' : 'pct'
  const chain = rng.chance(0.5) ? 'dev' : 'source'
  const reset = { perSecond: rate(0.5, 0.1) }
  const duplicate = { perSecond: rate(0.3, 0.2) }
  const slow = { perSecond: rate(0.3, 0.02), meanMs: rng.range(500, 20_000) }
  const dialFailure = { perSecond: rate(0.3, 0.02), meanMs: rng.range(500, 20_000) }
  const diskFull = { perSecond: rate(0.2, 0.01), meanMs: rng.range(100, 10_000) }
  const maybe = maybeLabels.filter(() => rng.chance(0.25))
  const appointments = { perSecond: rate(0.5, 0.2) }
  const drawn: SimOptions = {
    ...{ seed, seconds: drawnSeconds, nodes: honest + evil, evil, chain, blockMs },
    ...{ latency, clog, partition, crash, reorg, disk, tear, clock, txPerSecond },
    ...{ reset, duplicate, slow, dialFailure, diskFull, strategy, maybe },
    ...(appointments.perSecond > 0 && { appointments }),
    ...wishes,
  }
  if (family === 'sick') return sickened(drawn, rng.fork('sick'), wishes)
  return { ...drawn, evil: Math.max(0, Math.min(drawn.evil, drawn.nodes - 2)) }
}

const sickSeconds = 100
/** Blocks of a dev chain must not come from a far future; a chain of the world has no such node. */
const sickJumpMs = { dev: 8_000, source: 3_600_000 } as const

/** A small world of honest nodes that are often not well, and one that is evil. */
function sickened(drawn: SimOptions, rng: Rng, wishes: Omit<Wishes, 'family'>): SimOptions {
  const nodes = wishes.nodes ?? rng.range(4, 7)
  return {
    ...drawn,
    ...{ seconds: wishes.seconds ?? sickSeconds, nodes, evil: 1 },
    clock: { driftPpm: rng.range(0, 500), wall: oneOf(rng, wallModels) },
    sick: {
      pause: { perNodeSecond: rng.f() * 0.03, meanMs: rng.range(500, 20_000) },
      jump: { perNodeSecond: rng.f() * 0.02, mostMs: sickJumpMs[drawn.chain] },
    },
  }
}

/** A small world without faults: what tests start from. */
export function calmOptions(given: Partial<SimOptions> = {}): SimOptions {
  return {
    seed: 'calm',
    seconds: 120,
    nodes: 3,
    evil: 0,
    chain: 'dev',
    blockMs: 2000,
    latency: { minMs: 5, meanMs: 20 },
    clog: { perSecond: 0, meanMs: 1000 },
    partition: { perSecond: 0, meanMs: 5000, shape: 'half', symmetric: true },
    crash: { perNodeSecond: 0, restartMeanMs: 2000 },
    reorg: { perBlock: 0, depth: 1 },
    disk: { meanMs: 2 },
    tear: false,
    clock: { driftPpm: 0, wall: 'none' },
    txPerSecond: 0.5,
    reset: { perSecond: 0 },
    duplicate: { perSecond: 0 },
    slow: { perSecond: 0, meanMs: 1000 },
    dialFailure: { perSecond: 0, meanMs: 1000 },
    diskFull: { perSecond: 0, meanMs: 1000 },
    strategy: 'random',
    maybe: [],
    ...given,
  }
}

const shapes: readonly PartitionShape[] = ['half', 'size', 'one']
const wallModels: readonly WallModel[] = ['none', 'linear', 'periodic', 'step', 'jitter']
const strategies: readonly Strategy[] = ['fifo', 'random', 'pct']
const blockTimes: readonly number[] = [1000, 2000, 12_000]

function oneOf<T>(rng: Rng, items: readonly T[]): T {
  const item = rng.pick(items)
  if (item === undefined) throw new TypeError('nothing to draw from')
  return item
}

/** A value read from a file, or what is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string }

/** The options in a parsed JSON value, or what is wrong with it in words that follow "not an options file". */
export function parseOptions(value: unknown): Parsed<SimOptions> {
  if (!isRecord(value)) return { ok: false, why: 'no object' }
  const { appointments, ...others } = value
  const why =
    firstFault(others, shapeOfOptions, '') ??
    (appointments === undefined ? undefined : firstFault({ appointments }, shapeOfTower, ''))
  if (why !== undefined) return { ok: false, why }
  const options = value as unknown as SimOptions
  if (options.evil > Math.max(0, options.nodes - 2)) {
    return { ok: false, why: '"evil" is above "nodes" − 2' }
  }
  return { ok: true, value: options }
}

type Check = (value: unknown) => string | undefined
interface Shape {
  readonly [key: string]: Check | Shape
}

const count =
  (least: number, most: number): Check =>
  value =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
      ? undefined
      : `is not a whole number from ${least} to ${most}`
const amount =
  (most: number): Check =>
  value =>
    typeof value === 'number' && value >= 0 && value <= most
      ? undefined
      : `is not a number from 0 to ${most}`
const among =
  (words: readonly string[]): Check =>
  value =>
    typeof value === 'string' && words.includes(value)
      ? undefined
      : `is not one of ${words.join(', ')}`
const truth: Check = value => (typeof value === 'boolean' ? undefined : 'is not true or false')
const text: Check = value => (typeof value === 'string' ? undefined : 'is no text')
const texts: Check = value =>
  Array.isArray(value) && value.every(item => typeof item === 'string')
    ? undefined
    : 'is not a list of labels'
const ms = amount(86_400_000)
const rate = amount(1000)

/** Absent from what was stored before there was a watchtower. */
const shapeOfTower: Shape = { appointments: { perSecond: rate } }

const shapeOfOptions: Record<Exclude<keyof SimOptions, 'appointments'>, Check | Shape> = {
  seed: text,
  seconds: count(1, 31_536_000),
  nodes: count(1, 100),
  evil: count(0, 98),
  chain: among(['dev', 'source']),
  blockMs: count(100, 600_000),
  latency: { minMs: ms, meanMs: ms },
  clog: { perSecond: rate, meanMs: ms },
  partition: { perSecond: rate, meanMs: ms, shape: among(shapes), symmetric: truth },
  crash: { perNodeSecond: rate, restartMeanMs: ms },
  reorg: { perBlock: amount(1), depth: count(1, 1024) },
  disk: { meanMs: ms },
  tear: truth,
  clock: { driftPpm: amount(100_000), wall: among(wallModels) },
  txPerSecond: rate,
  reset: { perSecond: rate },
  duplicate: { perSecond: rate },
  slow: { perSecond: rate, meanMs: ms },
  dialFailure: { perSecond: rate, meanMs: ms },
  diskFull: { perSecond: rate, meanMs: ms },
  strategy: among(strategies),
  maybe: texts,
  sick: {
    pause: { perNodeSecond: rate, meanMs: ms },
    jump: { perNodeSecond: rate, mostMs: ms },
  },
}

/** What options may lack: those of a family of worlds. */
const mayLack: ReadonlySet<string> = new Set(['sick'])

function firstFault(
  value: Record<string, unknown>,
  shape: Shape,
  above: string,
): string | undefined {
  for (const [key, check] of Object.entries(shape)) {
    const path = `${above}${key}`
    if (!(key in value) && mayLack.has(path)) continue
    if (!(key in value)) return `missing "${path}"`
    const field = value[key]
    if (typeof check === 'function') {
      const fault = check(field)
      if (fault !== undefined) return `"${path}" ${fault}`
      continue
    }
    if (!isRecord(field)) return `"${path}" is no object`
    const fault = firstFault(field, check, `${path}.`)
    if (fault !== undefined) return fault
  }
  const unknown = Object.keys(value).find(key => !(key in shape))
  return unknown === undefined ? undefined : `unknown "${above}${unknown}"`
}

/** A JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
