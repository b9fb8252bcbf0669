import { Rng } from '@rockpool/actor'
import type { SimOptions } from './api.ts'
import { healMsOf, type Parsed, PRODUCERS } from './options.ts'

/** What an evil peer does while its attack lasts. */
export type Attack =
  | 'invalid-tx'
  | 'future-flood'
  | 'replay'
  | 'withhold'
  | 'eclipse'
  | 'score-farming'
  | 'equivocate'
  | 'reconnect'
  | 'new-id'

/** How a transaction of the workload relates to what its account sent before. */
export type TxKind = 'next' | 'gap' | 'replace'

/** Arguments of each kind of event. Nodes are indexes as in the world; an attack names one of the last, evil ones. */
export interface PlanArgs {
  /** The link from one node to another stands still. */
  readonly clog: readonly [from: number, to: number, ms: number]
  /** `side` and the rest do not hear each other; when not symmetric, the rest does not hear `side`. */
  readonly partition: readonly [side: readonly number[], ms: number, symmetric: boolean]
  readonly reset: readonly [a: number, b: number]
  /** What the node published last goes out again. */
  readonly duplicate: readonly [node: number]
  readonly slowReader: readonly [node: number, bytesPerSecond: number, ms: number]
  readonly narrow: readonly [from: number, to: number, bytesPerSecond: number, ms: number]
  readonly dialFailure: readonly [node: number, chance: number, ms: number]
  /** A kill without drain; the node is started again on its disk after `downMs`. */
  readonly crash: readonly [node: number, downMs: number]
  /** A stop with drain; the node is started again after `downMs`. */
  readonly stop: readonly [node: number, downMs: number]
  readonly diskFull: readonly [node: number, ms: number]
  /** The head jumps to a branch of `depth` + 1 blocks. */
  /** The process stands still, then goes on. */
  readonly pause: readonly [node: number, ms: number]
  /** The wall clock jumps by `ms`, and back after a while. */
  readonly jump: readonly [node: number, ms: number, whileMs: number]
  readonly reorg: readonly [depth: number]
  readonly tx: readonly [account: number, node: number, kind: TxKind, tipGwei: number]
  /** A client hands the tower an appointment, and breaks it so long after the receipt, at a node. */
  readonly appoint: readonly [via: number, waitMs: number]
  readonly attack: readonly [node: number, attack: Attack, ms: number]
}

export type PlanKind = keyof PlanArgs

/** One thing that is done to the world at an instant after its start. */
export type PlanEvent = {
  [K in PlanKind]: readonly [atMs: number, kind: K, args: PlanArgs[K]]
}[PlanKind]

/** Everything that happens to the nodes from outside, in the order of its instants. */
export type Plan = readonly PlanEvent[]

/** Accounts of the workload. */
export const ACCOUNTS = 12
export const attacks: readonly Attack[] = [
  'invalid-tx',
  'future-flood',
  'replay',
  'withhold',
  'eclipse',
  'score-farming',
  'equivocate',
  'reconnect',
  'new-id',
]
/** A jump of a clock lasts so long on average. */
const jumpMeanMs = 20_000
/** What is over before the next look of a node's monitor nobody sees. */
const jumpLeastMs = 5_000
/** After the faults an evil node of a sick world waits so long, and attacks as long. */
const surelyMs = 15_000
/** Between a receipt and the breach. */
const waitMeanMs = 15_000
/** Nodes have found each other by then. */
const settleMs = 5000

/**
 * The plan that options stand for. Each kind of event draws from a fork of its own, so that one more draw for one of them leaves the others
 * where they were.
 */
export function drawPlan(options: SimOptions): Plan {
  const rng = new Rng(`seed:${options.seed}`)
  const until = healMsOf(options)
  const draws = {
    ...{ clog, partition, crash, reorg, reset, duplicate, slow, dialFailure, diskFull },
    ...{ pause, jump },
  }
  const events: PlanEvent[] = [...transactions(options, rng.fork('work'))]
  events.push(...appointments(options, rng.fork('tower'), until))
  for (const [name, draw] of Object.entries(draws)) {
    events.push(...draw(options, rng.fork(name), until))
  }
  events.push(...evilDeeds(options, rng.fork('evil'), until))
  return events.sort((a, b) => a[0] - b[0])
}

type Draw = (options: SimOptions, rng: Rng, until: number) => Generator<PlanEvent>

/** Chaos acts once a second, somewhere inside it. */
function* everySecond(rng: Rng, until: number, perSecond: number): Generator<number> {
  for (let second = settleMs; second + 1000 <= until; second += 1000) {
    if (rng.chance(perSecond)) yield second + rng.int(1000)
  }
}

/** Two different nodes. */
function pair(rng: Rng, nodes: number): [number, number] {
  const a = rng.int(nodes)
  return [a, (a + 1 + rng.int(Math.max(1, nodes - 1))) % nodes]
}

/** A wait that ends with the faults at the latest. */
function lasting(rng: Rng, meanMs: number, atMs: number, until: number): number {
  return Math.max(1, Math.min(Math.round(rng.exp(meanMs)), until - atMs))
}

const clog: Draw = function* ({ clog: { perSecond, meanMs }, nodes }, rng, until) {
  for (const at of everySecond(rng, until, perSecond)) {
    yield [at, 'clog', [...pair(rng, nodes), lasting(rng, meanMs, at, until)]]
  }
}

const partition: Draw = function* ({ partition: wish, nodes }, rng, until) {
  if (nodes < 2) return
  for (const at of everySecond(rng, until, wish.perSecond)) {
    const sizes = { half: Math.floor(nodes / 2), size: rng.range(1, nodes - 1), one: 1 }
    const all = rng.shuffle(Array.from({ length: nodes }, (_, index) => index))
    const side = all.slice(0, sizes[wish.shape]).sort((a, b) => a - b)
    yield [at, 'partition', [side, lasting(rng, wish.meanMs, at, until), wish.symmetric]]
  }
}

/** One in five goes down in order, with a drain. */
const crash: Draw = function* ({ crash: wish, nodes, evil }, rng, until) {
  for (let node = 0; node < nodes - evil; node++) {
    let freeAt = 0
    for (const at of everySecond(rng, until, wish.perNodeSecond)) {
      const downMs = lasting(rng, wish.restartMeanMs, at, until)
      const kind = rng.chance(0.2) ? 'stop' : 'crash'
      if (at < freeAt) continue
      freeAt = at + downMs + 1000
      yield [at, kind, [node, downMs]]
    }
  }
}

const reorg: Draw = function* ({ reorg: { perBlock, depth }, blockMs }, rng, until) {
  for (let at = settleMs + blockMs; at + blockMs <= until; at += blockMs) {
    if (rng.chance(perBlock)) yield [at + rng.int(blockMs), 'reorg', [rng.range(1, depth)]]
  }
}

const reset: Draw = function* ({ reset: { perSecond }, nodes }, rng, until) {
  for (const at of everySecond(rng, until, perSecond)) yield [at, 'reset', pair(rng, nodes)]
}

const duplicate: Draw = function* ({ duplicate: { perSecond }, nodes }, rng, until) {
  for (const at of everySecond(rng, until, perSecond)) yield [at, 'duplicate', [rng.int(nodes)]]
}

/** Half of them a reader, half one direction of one link. */
const slow: Draw = function* ({ slow: { perSecond, meanMs }, nodes }, rng, until) {
  for (const at of everySecond(rng, until, perSecond)) {
    const [a, b] = pair(rng, nodes)
    const bytesPerSecond = rng.range(1000, 100_000)
    const ms = lasting(rng, meanMs, at, until)
    yield rng.chance(0.5)
      ? [at, 'slowReader', [a, bytesPerSecond, ms]]
      : [at, 'narrow', [a, b, bytesPerSecond, ms]]
  }
}

const dialFailure: Draw = function* ({ dialFailure: { perSecond, meanMs }, nodes }, rng, until) {
  for (const at of everySecond(rng, until, perSecond)) {
    const chance = Math.round(rng.f() * 100) / 100
    yield [at, 'dialFailure', [rng.int(nodes), chance, lasting(rng, meanMs, at, until)]]
  }
}

/** Half of them at one of the nodes that make blocks: elsewhere a full disk is hardly ever met by a block of the node's own. */
const diskFull: Draw = function* ({ diskFull: { perSecond, meanMs }, nodes, evil }, rng, until) {
  const honest = nodes - evil
  for (const at of everySecond(rng, until, perSecond)) {
    const ms = lasting(rng, meanMs, at, until)
    const among = rng.chance(0.5) ? Math.min(PRODUCERS, honest) : honest
    yield [at, 'diskFull', [rng.int(among), ms]]
  }
}

const pause: Draw = function* ({ sick, nodes, evil }, rng, until) {
  if (sick === undefined) return
  for (let node = 0; node < nodes - evil; node++) {
    for (const at of everySecond(rng, until, sick.pause.perNodeSecond)) {
      yield [at, 'pause', [node, lasting(rng, sick.pause.meanMs, at, until)]]
    }
  }
}

const jump: Draw = function* ({ sick, nodes, evil }, rng, until) {
  if (sick === undefined) return
  for (let node = 0; node < nodes - evil; node++) {
    for (const at of everySecond(rng, until, sick.jump.perNodeSecond)) {
      const ms = Math.round((rng.f() * 2 - 1) * sick.jump.mostMs)
      yield [at, 'jump', [node, ms, Math.max(jumpLeastMs, lasting(rng, jumpMeanMs, at, until))]]
    }
  }
}

/** 10 % replacements, 5 % gaps, until a minute before the end; now and then a storm in which everybody pays more. */
function* transactions(options: SimOptions, rng: Rng): Generator<PlanEvent> {
  const { txPerSecond, seconds, nodes, evil } = options
  if (txPerSecond <= 0) return
  const until = seconds > 120 ? (seconds - 60) * 1000 : seconds * 500
  let stormUntil = 0
  for (let at = settleMs; ; ) {
    at += rng.exp(1000 / txPerSecond)
    if (at >= until) return
    if (at >= stormUntil && rng.chance(0.002)) stormUntil = at + rng.range(5000, 30_000)
    const luck = rng.f()
    const kind = luck < 0.1 ? 'replace' : luck < 0.15 ? 'gap' : 'next'
    const tip = rng.range(1, 5) * (at < stormUntil ? rng.range(5, 50) : 1)
    yield [Math.round(at), 'tx', [rng.int(ACCOUNTS), rng.int(nodes - evil), kind, tip]]
  }
}

function* appointments(
  { appointments: wish, nodes, evil }: SimOptions,
  rng: Rng,
  until: number,
): Generator<PlanEvent> {
  for (const at of everySecond(rng, until, wish?.perSecond ?? 0)) {
    yield [at, 'appoint', [rng.int(nodes - evil), Math.round(rng.exp(waitMeanMs))]]
  }
}

function* evilDeeds(options: SimOptions, rng: Rng, until: number): Generator<PlanEvent> {
  const { nodes, evil, sick } = options
  for (let node = nodes - evil; node < nodes; node++) {
    // Once while all is well, so that there is somebody to keep out whatever else was drawn.
    if (sick !== undefined) {
      yield [until + surelyMs, 'attack', [node, 'invalid-tx', surelyMs]]
      yield [until + 2 * surelyMs, 'attack', [node, 'new-id', surelyMs]]
    }
    for (let at = settleMs + rng.int(30_000); at < until; ) {
      const ms = Math.min(rng.range(1000, 60_000), until - at)
      yield [at, 'attack', [node, attacks[rng.int(attacks.length)] ?? 'invalid-tx', ms]]
      at += ms + rng.range(1000, 120_000)
    }
  }
}

type Check = (arg: unknown) => boolean

const isNumber: Check = arg => typeof arg === 'number' && arg >= 0
const isSigned: Check = arg => typeof arg === 'number'
const isTruth: Check = arg => typeof arg === 'boolean'
const among =
  (words: readonly string[]): Check =>
  arg =>
    typeof arg === 'string' && words.includes(arg)
const txKinds: readonly TxKind[] = ['next', 'gap', 'replace']

const argsOf: Readonly<Record<PlanKind, readonly Check[]>> = {
  clog: [isNumber, isNumber, isNumber],
  partition: [arg => Array.isArray(arg) && arg.every(isNumber), isNumber, isTruth],
  reset: [isNumber, isNumber],
  duplicate: [isNumber],
  slowReader: [isNumber, isNumber, isNumber],
  narrow: [isNumber, isNumber, isNumber, isNumber],
  dialFailure: [isNumber, isNumber, isNumber],
  crash: [isNumber, isNumber],
  stop: [isNumber, isNumber],
  diskFull: [isNumber, isNumber],
  pause: [isNumber, isNumber],
  jump: [isNumber, isSigned, isNumber],
  reorg: [isNumber],
  tx: [isNumber, isNumber, among(txKinds), isNumber],
  appoint: [isNumber, isNumber],
  attack: [isNumber, among(attacks), isNumber],
}

/** The plan in a parsed JSON value, or what is wrong with it. */
export function parsePlan(value: unknown): Parsed<Plan> {
  if (!Array.isArray(value)) return { ok: false, why: '"plan" is no list' }
  const bad = value.findIndex(event => !isEvent(event))
  return bad === -1
    ? { ok: true, value: value as Plan }
    : { ok: false, why: `"plan" row ${bad} is no event` }
}

function isEvent(event: unknown): boolean {
  if (!Array.isArray(event) || event.length !== 3) return false
  const [at, kind, args] = event as [unknown, unknown, unknown]
  if (!isNumber(at) || typeof kind !== 'string' || !Array.isArray(args)) return false
  if (!Object.hasOwn(argsOf, kind)) return false
  const checks = argsOf[kind as PlanKind]
  return args.length === checks.length && checks.every((check, index) => check(args[index]))
}
