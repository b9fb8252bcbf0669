import type { Attack } from '../plan.ts'

/** What runs a scenario: the simulated world; the real network stack under virtual time; processes over TCP. */
export type Gear = 'sim' | 'inproc' | 'procs'

/** Who keeps dialling whom. */
export type Topology =
  | { readonly kind: 'ring' | 'star' | 'full' }
  | { readonly kind: 'kRegular'; readonly k: number }
  | { readonly kind: 'smallWorld'; readonly k: number; readonly p: number }
  | { readonly kind: 'edges'; readonly pairs: readonly (readonly [string, string])[] }
  /** Pairs of names as JSON, beside the scenario; whoever loads the scenario puts them in its place. */
  | { readonly kind: 'file'; readonly path: string }

/** Transfers of some accounts; mixed ones have one replacement in ten and one gap in twenty. */
export interface TxLoad {
  readonly kind: 'txs'
  readonly perSecond: number
  readonly accounts: number
  /** With replacements and gaps among them. */
  readonly mixed: boolean
  readonly fromMs: number
  /** Null: until a minute before the end, or half time of a short scenario. */
  readonly untilMs: number | null
}

/** What one evil peer does. */
export type EvilPart =
  | {
      readonly kind: 'invalidTx'
      /** Messages a second. */
      readonly rate: number
      /** So many in all. */
      readonly messages: number
      readonly fromMs: number
    }
  | {
      readonly kind: Exclude<Attack, 'invalid-tx'>
      readonly fromMs: number
      readonly forMs: number
    }

/** Settings of the pool by the names operators know. */
export type Patch = Readonly<Record<string, number>>

/** One thing done to the network. */
export type Step =
  | {
      readonly do: 'partition'
      /** A share of all nodes, counted from n0, or the groups themselves. */
      readonly share?: number
      readonly sets?: readonly (readonly string[])[]
      /** Only what goes from the first group to the others is lost. */
      readonly oneWay: boolean
    }
  | { readonly do: 'heal' }
  | { readonly do: 'clog'; readonly from: string; readonly to: string; readonly ms: number }
  /** A share of all links stops, one after the other, and comes back in another order, all within this time. */
  | { readonly do: 'swizzleClog'; readonly share: number; readonly ms: number }
  | { readonly do: 'reset'; readonly from: string; readonly to: string }
  | { readonly do: 'latency'; readonly from: string; readonly to: string; readonly ms: number }
  | {
      readonly do: 'bandwidth'
      readonly from: string
      readonly to: string
      readonly bytesPerSecond: number
    }
  | {
      readonly do: 'kill' | 'stop' | 'start' | 'pause' | 'resume'
      readonly node: string
    }
  /** The next of the nodes that were not there from the start. */
  | { readonly do: 'addNode' }
  | { readonly do: 'diskSlow'; readonly node: string; readonly ms: number }
  | { readonly do: 'diskFull'; readonly node: string; readonly on: boolean }
  | { readonly do: 'diskCorrupt'; readonly node: string; readonly room: string }
  | { readonly do: 'wallStep'; readonly node: string; readonly ms: number }
  | { readonly do: 'skew'; readonly node: string; readonly ppm: number }
  | { readonly do: 'backendDown'; readonly node: string; readonly ms: number }
  | { readonly do: 'configure'; readonly node: string; readonly patch: Patch }
  | {
      readonly do: 'call'
      readonly node: string
      readonly method: string
      /** The name of a node or evil peer stands for its peer id. */
      readonly params: readonly unknown[]
    }
  | { readonly do: 'mine'; readonly blocks: number }
  | { readonly do: 'reorg'; readonly depth: number; readonly keepTxs: number }
  | { readonly do: 'chainSpeed'; readonly speed: number }

export type StepName = Step['do']

export interface TimedStep {
  readonly atMs: number
  readonly step: Step
}

/** Where a transaction may be. `dropped`: a pool said that it let it go, and why. */
export type TxPlace = 'pool' | 'chain' | 'dropped' | 'nowhere'

export type DeliveredTopic = 'tx' | 'block'

/** What is claimed. */
export type Claim =
  | { readonly kind: 'banned' | 'notBanned' | 'lifted'; readonly who: string }
  | { readonly kind: 'keepsOut' | 'connected'; readonly who: string }
  | { readonly kind: 'explained'; readonly reason: string }
  | { readonly kind: 'noHonestBanned' }
  | { readonly kind: 'poolsEqual' | 'oneHead' }
  | { readonly kind: 'txIn'; readonly places: readonly TxPlace[] }
  | { readonly kind: 'delivered'; readonly topic: DeliveredTopic; readonly ratio: number }
  | { readonly kind: 'ready'; readonly node: string | null }
  | { readonly kind: 'log'; readonly code: string; readonly atLeast: number }
  | {
      readonly kind: 'metric'
      readonly name: string
      readonly is: '<=' | '>=' | '='
      readonly value: number
    }
  | { readonly kind: 'deadLetters' }
  | { readonly kind: 'letIn'; readonly who: string }
  | { readonly kind: 'invariant'; readonly id: string }

/** From when the time of a claim counts. */
export type Trigger =
  | { readonly kind: 'step'; readonly name: StepName }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'offences'; readonly count: number }

/** A claim that must come true in time, or, where it denies something, hold to the end. */
export interface Expectation {
  readonly claim: Claim
  /** At these nodes; null: every honest one. */
  readonly by: readonly string[] | null
  /** Scenario time. Null: before the end. */
  readonly withinMs: number | null
  /** What comes sooner than this after its trigger came too early. */
  readonly notBeforeMs: number | null
  /** Null: from the start. */
  readonly after: Trigger | null
}

/** A scenario as plain data: what runners execute, and what is stored. */
export interface ScenarioPlan {
  readonly version: 1
  readonly seed: string
  /** Honest ones at the start: n0, n1, …; those that are added go on from there. */
  readonly nodes: number
  readonly topology: Topology
  /** Peers that a node keeps connected and never bans. */
  readonly statics: readonly (readonly [node: string, peer: string])[]
  /** `source`: nobody here makes blocks, all follow one simulated chain. */
  readonly chain: { readonly blockMs: number; readonly kind: 'dev' | 'source' }
  /** Least and mean one-way time; null: what the gear has by itself. */
  readonly links: { readonly leastMs: number; readonly meanMs: number } | null
  /** Length of a first ban; null: as configured by default. */
  readonly banMs: number | null
  readonly load: readonly TxLoad[]
  /** evil0, evil1, … */
  readonly evil: readonly EvilPart[]
  readonly steps: readonly TimedStep[]
  readonly expect: readonly Expectation[]
  readonly allow: readonly { readonly id: string; readonly reason: string }[]
  readonly untilMs: number
}

/** A scenario that cannot be: its sentence, exit code 2. */
export class PlanError extends Error {}

type Sized = Pick<ScenarioPlan, 'nodes' | 'steps'>

/** Nodes that are added later, in that order. */
const addedOf = ({ steps }: Sized): number =>
  steps.filter(({ step }) => step.do === 'addNode').length

/** All honest nodes, those that are added last. */
export const honestNames = (plan: Sized): string[] =>
  Array.from({ length: plan.nodes + addedOf(plan) }, (_, index) => `n${index}`)

/** The steps as gears do them: what is added is a node that had not been started. */
export function plainSteps({ nodes, steps }: Sized): readonly TimedStep[] {
  let next = nodes
  return steps.map(({ atMs, step }) => ({
    atMs,
    step: step.do === 'addNode' ? { do: 'start', node: `n${next++}` } : step,
  }))
}

export const evilNames = ({ evil }: Pick<ScenarioPlan, 'evil'>): string[] =>
  evil.map((_, index) => `evil${index}`)

/** `n0…n6` */
const spanOf = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? 'no nodes') : `${names[0]}…${names.at(-1)}`

/** As it is written in a scenario file. */
export function stepText({ do: name, ...args }: Step): string {
  const [first, ...rest] = Object.entries(args)
  if (first === undefined) return `${name}()`
  const plain = (value: unknown) =>
    typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
  return `${name}(${[first, ...rest].map(([, value]) => plain(value)).join(', ')})`
}

/** As it is written in a scenario file. */
export function claimText({ claim, by, withinMs, notBeforeMs, after }: Expectation): string {
  const { kind, ...args } = claim
  const inner = Object.values(args)
    .filter(value => value !== null)
    .map(value => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value)))
    .join(', ')
  const trigger =
    after === null
      ? ''
      : after.kind === 'offences'
        ? `.after(offences(${after.count}))`
        : `.after('${after.kind === 'step' ? after.name : `${after.ms}ms`}')`
  return [
    kind === 'letIn' ? `never(letIn(${inner}))` : `${kind}(${inner})`,
    by === null ? '' : `.by(${by.map(name => `'${name}'`).join(', ')})`,
    notBeforeMs === null ? '' : `.notBefore('${notBeforeMs}ms')`,
    withinMs === null ? '' : `.within('${withinMs}ms')`,
    trigger,
  ].join('')
}

const onlySim: readonly Gear[] = ['sim']
const onlyVirtual: readonly Gear[] = ['sim', 'inproc']
/** What only some gears can do. */
const gearsOf: Partial<Record<StepName | Claim['kind'] | EvilPart['kind'], readonly Gear[]>> = {
  diskSlow: onlyVirtual,
  diskFull: onlyVirtual,
  diskCorrupt: onlyVirtual,
  backendDown: onlySim,
  deadLetters: onlyVirtual,
  invariant: onlySim,
  'future-flood': onlySim,
  replay: onlySim,
  withhold: onlySim,
  eclipse: onlySim,
  'score-farming': onlySim,
  equivocate: onlySim,
  reconnect: onlySim,
  'new-id': onlySim,
}

/** Processes that two cores carry. */
const procsNodesMax = 8

/** What makes this plan impossible on this gear, a sentence each. Empty: it can begin. */
export function planFaults(plan: ScenarioPlan, gear: Gear): string[] {
  const faults: string[] = []
  const honest = honestNames(plan)
  const evil = evilNames(plan)
  const known = new Set([...honest, ...evil])
  const have = evil.length === 0 ? spanOf(honest) : `${spanOf(honest)} and ${spanOf(evil)}`
  const needs = (where: string, names: readonly string[], of: ReadonlySet<string>) => {
    for (const name of names) {
      if (known.has(name) && !of.has(name)) faults.push(`${where}: ${name} is no honest node`)
      else if (!known.has(name)) faults.push(`${where}: the network has ${have}`)
    }
  }
  const able = (what: keyof typeof gearsOf | string) => {
    const gears = gearsOf[what as keyof typeof gearsOf]
    if (gears === undefined || gears.includes(gear)) return
    faults.push(`${what} is not possible in gear ${gear} (${gears.join(', ')} only)`)
  }
  const honestSet = new Set(honest)

  if (gear === 'procs' && honest.length > procsNodesMax)
    faults.push(`net(${honest.length}): gear procs starts at most ${procsNodesMax} processes`)
  if (plan.topology.kind === 'file')
    faults.push(`fromFile('${plan.topology.path}'): it was not read`)
  if (plan.chain.kind === 'source' && gear !== 'sim')
    faults.push(`chain source is not possible in gear ${gear} (sim only)`)
  for (const [node, peer] of plan.statics) {
    needs(`static('${node}', '${peer}')`, [node], honestSet)
    needs(`static('${node}', '${peer}')`, [peer], known)
  }
  if (plan.topology.kind === 'edges') {
    needs('edges', plan.topology.pairs.flat(), honestSet)
  }
  if (gear === 'procs' && plan.load.some(({ mixed }) => mixed))
    faults.push('txs mixed is not possible in gear procs (sim, inproc only)')
  if (gear === 'procs' && plan.topology.kind !== 'full')
    faults.push(`topology ${plan.topology.kind} is not possible in gear procs (full only)`)
  for (const { kind, fromMs } of plan.evil) {
    able(kind)
    if (fromMs >= plan.untilMs) faults.push(`${kind}: begins when the scenario is over`)
  }
  for (const { atMs, step } of plan.steps) {
    able(step.do)
    if (atMs > plan.untilMs) faults.push(`${stepText(step)}: comes after the end`)
    if ('node' in step) needs(stepText(step), [step.node], honestSet)
    const ends = gear === 'procs' ? honestSet : known
    if ('from' in step) needs(stepText(step), [step.from, step.to], ends)
    if (step.do === 'partition') faults.push(...partFaults(step, known, have))
    faults.push(...stepFaults(plan, gear, atMs, step))
  }
  for (const expectation of plan.expect) {
    const { claim, by, after } = expectation
    const text = claimText(expectation)
    able(claim.kind)
    needs(text, by ?? [], honestSet)
    if ('who' in claim) needs(text, [claim.who], known)
    if (claim.kind === 'ready' && claim.node !== null) needs(text, [claim.node], honestSet)
    if (expectation.notBeforeMs !== null && claim.kind !== 'lifted')
      faults.push(`${text}: only lifted(…) can come too early`)
    if (after?.kind === 'step' && !plan.steps.some(({ step }) => step.do === after.name))
      faults.push(`${text}: there is no step ${after.name}`)
    if (after?.kind === 'offences' && !plan.evil.some(({ kind }) => kind === 'invalidTx'))
      faults.push(`${text}: nobody sends anything invalid`)
  }
  return faults
}

/** What is odd about single steps. */
function stepFaults(plan: ScenarioPlan, gear: Gear, atMs: number, step: Step): string[] {
  const text = stepText(step)
  switch (step.do) {
    case 'skew':
    case 'wallStep':
      return gear === 'procs' && atMs > 0
        ? [`${text}: gear procs sets clocks only at the start, at('0s', …)`]
        : []
    case 'backendDown':
      return plan.chain.kind === 'source'
        ? []
        : [`${text}: the dev chain has no backend; chain({ kind: 'source' }) has`]
    case 'mine':
    case 'chainSpeed':
      return plan.chain.kind === 'dev' ? [] : [`${text}: nobody here makes blocks of a source`]
    case 'configure': {
      const unknown = Object.keys(step.patch).filter(key => !poolKeys.has(key))
      return unknown.map(
        key => `${text}: no setting "${key}"; there are ${[...poolKeys.keys()].join(', ')}`,
      )
    }
    case 'call':
      return gear === 'procs' || virtualMethods.includes(step.method)
        ? []
        : [`${text}: gear ${gear} answers only ${virtualMethods.join(', ')}`]
    default:
      return []
  }
}

/** What can be configured: the operators' name, and the pool's. */
export const poolKeys = new Map([
  ['txpool.pricelimit', 'priceLimit'],
  ['txpool.pricebump', 'priceBump'],
  ['txpool.accountslots', 'accountSlots'],
  ['txpool.globalslots', 'globalSlots'],
  ['txpool.accountqueue', 'accountQueue'],
  ['txpool.globalqueue', 'globalQueue'],
  ['txpool.stories', 'stories'],
] as const satisfies readonly (readonly [string, string])[]) as ReadonlyMap<string, string>

/** Methods that nodes without a listener answer. */
const virtualMethods: readonly string[] = [
  'eth_blockNumber',
  'eth_sendRawTransaction',
  'txpool_setGasTip',
  'peers_ban',
  'peers_unban',
]

function partFaults(
  { share, sets }: Extract<Step, { do: 'partition' }>,
  known: ReadonlySet<string>,
  have: string,
): string[] {
  if (share !== undefined)
    return share > 0 && share < 1 ? [] : [`partition(${share}): a share between 0 and 1`]
  const named = (sets ?? []).flat()
  const unknown = named.find(name => !known.has(name))
  if (unknown !== undefined) return [`partition('${unknown}'): the network has ${have}`]
  if (new Set(named).size < named.length) return ['partition: a node is in two groups']
  if ((sets ?? []).length < 2) return ['partition: one group is no partition']
  return []
}

/** A metric as claims name it: `name`, or `name{label="value"}`. */
export function metricOf(text: string): {
  readonly name: string
  readonly label?: string
  readonly value?: string
} {
  const [, name = text, label, value] = /^(\w+)\{(\w+)="([^"]*)"\}$/.exec(text) ?? []
  return label === undefined || value === undefined ? { name } : { name, label, value }
}

/** Groups of names that do not hear each other. Who is in no group is with nobody cut. */
export function groupsOf(
  { share, sets }: Extract<Step, { do: 'partition' }>,
  names: readonly string[],
): readonly (readonly string[])[] {
  if (share === undefined) return sets ?? []
  const count = Math.min(names.length - 1, Math.max(1, Math.round(share * names.length)))
  return [names.slice(0, count), names.slice(count)]
}

/** A plan read from a file, or throws `PlanError`. Only its frame is checked: who writes plans is the builder. */
export function readPlan(value: unknown): ScenarioPlan {
  const plan = value as Partial<ScenarioPlan> | null
  if (typeof plan !== 'object' || plan === null) throw new PlanError('no scenario: no object')
  if (plan.version !== 1)
    throw new PlanError(`no scenario of version 1: version ${String(plan.version)}`)
  const chain = { kind: 'dev' as const, ...plan.chain }
  const expect = (plan.expect ?? []).map(each => ({ ...{ notBeforeMs: null }, ...each }))
  return { statics: [], ...plan, chain, expect } as ScenarioPlan
}
