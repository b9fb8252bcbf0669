import {
  type Claim,
  type DeliveredTopic,
  type EvilPart,
  type Expectation,
  type Patch,
  PlanError,
  type ScenarioPlan,
  type Step,
  type StepName,
  type TimedStep,
  type Topology,
  type Trigger,
  type TxLoad,
  type TxPlace,
} from './plan.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `250ms`, `2s`, `1.5m`, `1h`; throws `PlanError` with `where` in front. */
function durationMs(text: string, where: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const factor = unitMs[unit]
  if (amount === undefined || factor === undefined) throw new PlanError(`${where}: not a duration`)
  return Math.round(Number(amount) * factor)
}

// Topology

export const ring = (): Topology => ({ kind: 'ring' })
export const star = (): Topology => ({ kind: 'star' })
export const full = (): Topology => ({ kind: 'full' })
/** Everybody dials the next `k` / 2, so that each has `k` neighbours. */
export const kRegular = (k: number): Topology => ({ kind: 'kRegular', k })
/** A regular ring of which a share `p` of the links lead somewhere else. */
export const smallWorld = (k: number, p: number): Topology => ({ kind: 'smallWorld', k, p })
export const edges = (pairs: readonly (readonly [string, string])[]): Topology => ({
  kind: 'edges',
  pairs,
})

/** Pairs of names as JSON, in a file beside the scenario. */
export const fromFile = (path: string): Topology => ({ kind: 'file', path })

// Load and evil peers

/** Transfers of up to twelve accounts. */
export function txs(wish: {
  perSecond: number
  accounts?: number
  mixed?: boolean
  from?: string
  until?: string
}): TxLoad {
  const { perSecond, accounts = 12, mixed = false, from = '5s', until } = wish
  if (!(perSecond > 0)) throw new PlanError(`txs: perSecond is above 0, not ${perSecond}`)
  if (!(accounts >= 1 && accounts <= 12)) throw new PlanError('txs: accounts is from 1 to 12')
  return {
    ...{ kind: 'txs', perSecond, accounts, mixed },
    fromMs: durationMs(from, `txs from '${from}'`),
    untilMs: until === undefined ? null : durationMs(until, `txs until '${until}'`),
  }
}

/** Sends batches of one transaction that is signed for another chain. `rate` a second, `messages` in all. */
export function invalidTx(
  wish: { rate?: number; messages?: number; from?: string } = {},
): EvilPart {
  const { rate = 0.5, messages = 1_000, from = '5s' } = wish
  if (!(rate > 0)) throw new PlanError(`invalidTx: rate is above 0, not ${rate}`)
  return { kind: 'invalidTx', rate, messages, fromMs: durationMs(from, `invalidTx from '${from}'`) }
}

type Raid = { from?: string; for?: string }
const raid =
  (kind: Exclude<EvilPart['kind'], 'invalidTx'>) =>
  (wish: Raid = {}): EvilPart => {
    const { from = '5s', for: lasts = '60s' } = wish
    const where = (name: string, text: string) => durationMs(text, `${kind} ${name} '${text}'`)
    return { kind, fromMs: where('from', from), forMs: where('for', lasts) }
  }

/** Transactions that nobody can execute, for more than anybody pays. */
export const futureFlood = raid('future-flood')
/** Says old messages again. */
export const replayOld = raid('replay')
/** Relays nothing. */
export const withhold = raid('withhold')
/** Many ids on one address around one node. */
export const eclipse = raid('eclipse')
/** Earns score, then attacks. */
export const scoreFarm = raid('score-farming')
/** Two blocks on every parent. */
export const equivocate = raid('equivocate')
/** Sends invalid transactions and comes back by reconnecting. */
export const washer = raid('reconnect')
/** Sends invalid transactions and comes back under new ids. */
export const newIds = raid('new-id')

// Steps

/** Groups of nodes, or a share of all counted from n0, no longer hear each other. */
export function partition(
  wish: number | readonly (readonly string[])[],
  { oneWay = false }: { oneWay?: boolean } = {},
): Step {
  return typeof wish === 'number'
    ? { do: 'partition', share: wish, oneWay }
    : { do: 'partition', sets: wish, oneWay }
}
/** Ends every fault of links; nodes that are down stay down. */
export const heal = (): Step => ({ do: 'heal' })
/** Nothing passes from one node to the other for so long; then all of it. */
export const clog = (from: string, to: string, lasts: string): Step => ({
  ...{ do: 'clog', from, to },
  ms: durationMs(lasts, `clog('${from}', '${to}', '${lasts}')`),
})
/** A share of all links stops, one after the other, and comes back in another order, all within this time. */
export function swizzleClog(share: number, lasts: string): Step {
  if (!(share > 0 && share <= 1)) throw new PlanError(`swizzleClog: share ${share} is no share`)
  return { do: 'swizzleClog', share, ms: durationMs(lasts, `swizzleClog(${share}, '${lasts}')`) }
}
/** Ends the connection of two nodes once. */
export const reset = (from: string, to: string): Step => ({ do: 'reset', from, to })
/** What goes from one node to the other takes so much longer, until healed. */
export const latency = (from: string, to: string, by: string): Step => ({
  ...{ do: 'latency', from, to },
  ms: durationMs(by, `latency('${from}', '${to}', '${by}')`),
})
export const bandwidth = (from: string, to: string, bytesPerSecond: number): Step => ({
  ...{ do: 'bandwidth', from, to, bytesPerSecond },
})
const onNode =
  (name: 'kill' | 'stop' | 'start' | 'pause' | 'resume') =>
  (node: string): Step => ({ do: name, node })
/** As SIGKILL. */
export const kill = onNode('kill')
/** Drains it first. */
export const stop = onNode('stop')
export const start = onNode('start')
/** As SIGSTOP. */
export const pause = onNode('pause')
export const resume = onNode('resume')
/** One more node joins. They are named in the order of their times, on from those of the start. */
export const addNode = (): Step => ({ do: 'addNode' })
/** Writes become durable after so long in the mean. */
export const diskSlow = (node: string, mean: string): Step => ({
  ...{ do: 'diskSlow', node },
  ms: durationMs(mean, `diskSlow('${node}', '${mean}')`),
})
export const diskFull = (node: string, on = true): Step => ({ do: 'diskFull', node, on })
/** A record of a room, drawn, cannot be read any more. */
export const diskCorrupt = (node: string, room: string): Step => ({ do: 'diskCorrupt', node, room })
/** Moves the wall clock of a node; `-5s` sets it back. */
export function wallStep(node: string, by: string): Step {
  const ms = durationMs(by.replace(/^-/, ''), `wallStep('${node}', '${by}')`)
  return { do: 'wallStep', node, ms: by.startsWith('-') ? -ms : ms }
}
/** From now on the time of a node runs faster by so many parts per million; below 0 slower. */
export function skew(node: string, ppm: number): Step {
  if (!Number.isInteger(ppm) || Math.abs(ppm) > 100_000)
    throw new PlanError(`skew('${node}', ${ppm}): a whole number from -100000 to 100000`)
  return { do: 'skew', node, ppm }
}
/** For so long a node has no answer from the chain it follows, and hears nothing of it. */
export const backendDown = (node: string, lasts: string): Step => ({
  ...{ do: 'backendDown', node },
  ms: durationMs(lasts, `backendDown('${node}', '${lasts}')`),
})
/** Stops a node and starts it with other settings of its pool, by the names that operators know. */
export const configure = (node: string, patch: Patch): Step => ({ do: 'configure', node, patch })
/** Asks one node as its operator could; an answer that is an error fails. */
export const call = (node: string, method: string, params: readonly unknown[] = []): Step => ({
  ...{ do: 'call', node, method, params },
})
/** Blocks now. */
export const mine = (blocks = 1): Step => ({ do: 'mine', blocks })
/** The last blocks make way for a heavier branch, which takes a share of their transactions back in. */
export function reorg({ depth, keepTxs = 1 }: { depth: number; keepTxs?: number }): Step {
  if (!Number.isInteger(depth) || depth < 1) throw new PlanError(`reorg: depth ${depth}`)
  if (!(keepTxs >= 0 && keepTxs <= 1)) throw new PlanError(`reorg: keepTxs ${keepTxs} is no share`)
  return { do: 'reorg', depth, keepTxs }
}
/** The chain clock of every node runs so many times as fast as the wall clock. */
export const chainSpeed = (speed: number): Step => ({ do: 'chainSpeed', speed })

// Expectations

/** The n-th invalid message that an evil peer sent. */
export const offences = (count: number): Trigger => ({ kind: 'offences', count })

/** A claim with where and until when. Each word gives another one; the last word of a kind counts. */
export class Expected {
  readonly plain: Expectation

  constructor(plain: Expectation) {
    this.plain = plain
  }

  by(...nodes: readonly string[]): Expected {
    return new Expected({ ...this.plain, by: nodes })
  }

  /** By every honest node. */
  byAll(): Expected {
    return new Expected({ ...this.plain, by: null })
  }

  byHonest(): Expected {
    return this.byAll()
  }

  within(text: string): Expected {
    return new Expected({ ...this.plain, withinMs: durationMs(text, `within('${text}')`) })
  }

  /** Sooner than this is too early. For `lifted`. */
  notBefore(text: string): Expected {
    return new Expected({ ...this.plain, notBeforeMs: durationMs(text, `notBefore('${text}')`) })
  }

  /** After a step by its name (the last one of that name), an instant, or so many offences. */
  after(trigger: StepName | Trigger | (string & {})): Expected {
    if (typeof trigger !== 'string') return new Expected({ ...this.plain, after: trigger })
    const after: Trigger = /^\d/.test(trigger)
      ? { kind: 'time', ms: durationMs(trigger, `after('${trigger}')`) }
      : { kind: 'step', name: trigger as StepName }
    return new Expected({ ...this.plain, after })
  }
}

const expected = (claim: Claim): Expected =>
  new Expected({ claim, by: null, withinMs: null, notBeforeMs: null, after: null })

export const banned = (who: string): Expected => expected({ kind: 'banned', who })
export const notBanned = (who: string): Expected => expected({ kind: 'notBanned', who })
/** Banned, and then let in again. */
export const lifted = (who: string): Expected => expected({ kind: 'lifted', who })
/** Asked by its operator (`rockpool peers why`), a node says that it has banned this one. */
export const keepsOut = (who: string): Expected => expected({ kind: 'keepsOut', who })
/** At some moment there is a connection. */
export const connected = (who: string): Expected => expected({ kind: 'connected', who })
/**
 * Transactions of the load left the chain of a node, and for each the node gives this reason when it is asked (`rockpool txpool why`): at the
 * end of its story, or in it when the transaction came back by another way.
 */
export const explained = (reason: string): Expected => expected({ kind: 'explained', reason })
/** No node ever bans an honest one; an operator may. */
export const noHonestBanned = (): Expected => expected({ kind: 'noHonestBanned' })
/** At some moment all nodes that are up hold the same transactions. */
export const poolsEqual = (): Expected => expected({ kind: 'poolsEqual' })
/** At some moment all nodes that are up have the same head. */
export const oneHead = (): Expected => expected({ kind: 'oneHead' })
/** Every transaction that a node took from the load is in one of these places at every node that is up. */
export const txIn = (...places: readonly TxPlace[]): Expected => expected({ kind: 'txIn', places })
/**
 * At some moment so large a share is delivered. `tx`: of the transactions of the load, at every node that is up, in its pool, its chain or
 * dropped with a reason. `block`: of the nodes that are up, those at the highest head.
 */
export function delivered(topic: DeliveredTopic, ratio: number): Expected {
  if (!(ratio > 0 && ratio <= 1)) throw new PlanError(`delivered: ${ratio} is no share`)
  return expected({ kind: 'delivered', topic, ratio })
}
export const ready = (node?: string): Expected => expected({ kind: 'ready', node: node ?? null })
/** Nodes log this code so often, together. */
export const log = (code: string, atLeast = 1): Expected => expected({ kind: 'log', code, atLeast })
/** At some moment a metric is so at each of the nodes: `name{label="value"}`, or `name` for the sum over its labels. */
export const metric = (name: string, is: '<=' | '>=' | '=', value: number): Expected =>
  expected({ kind: 'metric', name, is, value })
/** No message is lost but while a node stops. */
export const deadLetters = () => ({ onlyShutdown: () => expected({ kind: 'deadLetters' }) })
/** A node has a connection with somebody it has banned. */
export const letIn = (who: string): Claim => ({ kind: 'letIn', who })
export const never = (claim: Claim): Expected => expected(claim)
/** Of the simulator's books, all of which are on always; named, it is listed with the result. */
export const invariant = (id: string): Expected => expected({ kind: 'invariant', id })

// The builder

type Draft = Omit<ScenarioPlan, 'untilMs'> & { readonly untilMs: number | null }

/** A scenario as it is being written. Each word gives another one; `plan` is what runs. */
export class Scenario {
  private readonly draft: Draft

  constructor(draft: Draft) {
    this.draft = draft
  }

  private with(more: Partial<Draft>): Scenario {
    return new Scenario({ ...this.draft, ...more })
  }

  seed(seed: string): Scenario {
    return this.with({ seed })
  }

  topology(topology: Topology): Scenario {
    return this.with({ topology })
  }

  /** `source` (gear `sim`): nobody here makes blocks, all follow one simulated chain. */
  chain({ blockMs, kind = 'dev' }: { blockMs: number; kind?: 'dev' | 'source' }): Scenario {
    return this.with({ chain: { blockMs, kind } })
  }

  /** A node keeps the connection with a peer, and never bans it. */
  static(node: string, peer: string): Scenario {
    return this.with({ statics: [...this.draft.statics, [node, peer]] })
  }

  /** Least and mean time from one node to another, ms. */
  links({ latency: [leastMs, meanMs] }: { latency: readonly [number, number] }): Scenario {
    if (!(leastMs >= 0 && meanMs >= leastMs))
      throw new PlanError(`links: latency [${leastMs}, ${meanMs}] is no least and mean`)
    return this.with({ links: { leastMs, meanMs } })
  }

  /** Length of a first ban. */
  bans({ duration }: { duration: string }): Scenario {
    return this.with({ banMs: durationMs(duration, `bans('${duration}')`) })
  }

  load(...load: readonly TxLoad[]): Scenario {
    return this.with({ load: [...this.draft.load, ...load] })
  }

  /** So many more evil peers that all do this. */
  evil(count: number, part: EvilPart): Scenario {
    const parts = Array.from({ length: count }, () => part)
    return this.with({ evil: [...this.draft.evil, ...parts] })
  }

  at(time: string, ...steps: readonly Step[]): Scenario {
    const atMs = durationMs(time, `at('${time}', …)`)
    const timed = steps.map((step): TimedStep => ({ atMs, step }))
    return this.with({ steps: [...this.draft.steps, ...timed] })
  }

  expect(expectation: Expected): Scenario {
    return this.with({ expect: [...this.draft.expect, expectation.plain] })
  }

  /** An invariant of the simulator that this scenario breaks on purpose, and why. */
  allow(id: string, reason: string): Scenario {
    if (reason.trim() === '') throw new PlanError(`allow('${id}'): name the reason`)
    return this.with({ allow: [...this.draft.allow, { id, reason }] })
  }

  until(time: string): Scenario {
    return this.with({ untilMs: durationMs(time, `until('${time}')`) })
  }

  /** The scenario as data. */
  get plan(): ScenarioPlan {
    const { untilMs, steps, ...rest } = this.draft
    if (untilMs === null) throw new PlanError('a scenario needs an end: until(…)')
    const ordered = steps.toSorted((left, right) => left.atMs - right.atMs)
    return { ...rest, steps: ordered, untilMs }
  }
}

/** A network of so many honest nodes, n0, n1, … */
export function net(nodes: number): Scenario {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 98)
    throw new PlanError(`net(${nodes}): a whole number from 1 to 98`)
  return new Scenario({
    ...{ version: 1, seed: 'scenario', nodes, topology: { kind: 'full' } },
    ...{ statics: [], chain: { blockMs: 2_000, kind: 'dev' }, links: null, banMs: null },
    ...{ load: [], evil: [], steps: [], expect: [], allow: [], untilMs: null },
  })
}
