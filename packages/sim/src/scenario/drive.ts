import type { Rng } from '@rockpool/actor'
import type { Added, Answer } from '@rockpool/protocol'
import type { WorldView } from '../api.ts'
import { evilPurse, invalidBatch } from '../evil/spam.ts'
import { ACCOUNTS } from '../plan.ts'
import { transfers } from '../workload.ts'
import type { Judge } from './judge.ts'
import {
  type EvilPart,
  evilNames,
  honestNames,
  plainSteps,
  type ScenarioPlan,
  type Step,
  stepText,
  type TxLoad,
} from './plan.ts'
import type { NodeLook, Wants } from './sights.ts'

/** An evil peer's own voice on the wire. */
export interface EvilVoice {
  /** Tries to connect with an honest node, unless it is. */
  dial(node: number): void
  /** Honest nodes it is connected with. */
  connected(): number
  /** Gives a message to each of them; how many that were. */
  push(bytes: Uint8Array): number | Promise<number>
}

/** What a gear is to a scenario. Times are scenario ms from its start. */
export interface Stage extends Pick<WorldView, 'sign' | 'fork'> {
  readonly genesis: Pick<WorldView['genesis'], 'chainId'>
  readonly crypto: Pick<WorldView['crypto'], 'keccak256'>
  readonly nowMs: number
  at(ms: number, what: string, act: () => void): void
  /** As JSON-RPC would, at one node. */
  submit(node: number, raw: Uint8Array): Promise<Answer<Added>>
  /** Does one step; what is not possible is a sentence. */
  act(step: Step): string | undefined | Promise<string | undefined>
  voice(evil: number): EvilVoice
  /** Raids that only this gear knows. */
  raid?(evil: number, part: Exclude<EvilPart, { kind: 'invalidTx' }>): void
  look(wants: Wants): readonly NodeLook[] | Promise<readonly NodeLook[]>
  readonly lookEveryMs: number
}

const enterMs = 1_000
/** How often an evil peer tries to connect again, and how long it waits for all of its victims. */
const knockMs = 2_000
const gatherMs = 10_000

/** Arms everything a plan says on a stage; the judge hears of it. Begins when the stage's time does. */
export function drive(plan: ScenarioPlan, stage: Stage, judge: Judge): void {
  for (const load of plan.load) work(plan, load, stage, judge)
  plan.evil.forEach((part, index) => {
    if (part.kind === 'invalidTx') spam(plan, part, index, stage, judge)
    else stage.at(part.fromMs, part.kind, () => stage.raid?.(index, part))
  })
  plainSteps(plan).forEach(({ atMs, step }, index) => {
    stage.at(atMs, stepText(step), () => {
      const done = (fault: string | undefined) => {
        if (fault === undefined) judge.tell({ type: 'step', index }, stage.nowMs)
        else judge.failed(`${stepText(step)} at ${atMs} ms`, fault, stage.nowMs)
      }
      const outcome = step.do === 'swizzleClog' ? swizzle(plan, step, stage) : stage.act(step)
      if (outcome instanceof Promise) outcome.then(done, error => done(String(error)))
      else done(outcome)
    })
  })
  const look = (): void => {
    const seen = (looks: readonly NodeLook[]) => {
      judge.see(looks, stage.nowMs)
      if (stage.nowMs < plan.untilMs) stage.at(stage.nowMs + stage.lookEveryMs, 'look', look)
    }
    const looks = stage.look(judge.wants(stage.nowMs))
    if (looks instanceof Promise) void looks.then(seen)
    else seen(looks)
  }
  stage.at(stage.lookEveryMs, 'look', look)
}

/** Links by name: each stops at an instant of the first half and comes back at one of the second. */
function swizzle(
  plan: ScenarioPlan,
  { share, ms }: Extract<Step, { do: 'swizzleClog' }>,
  stage: Stage,
): undefined {
  const rng = stage.fork(`swizzle/${stage.nowMs}`)
  const names = honestNames(plan).slice(0, plan.nodes)
  const links = names.flatMap(from => names.flatMap(to => (from === to ? [] : [{ from, to }])))
  for (const { from, to } of links) {
    if (!rng.chance(share)) continue
    const [stops, lasts] = [(rng.f() * ms) / 2, ms / 2 + (rng.f() * ms) / 2]
    stage.at(stage.nowMs + stops, `clog ${from} > ${to}`, () => {
      void stage.act({ do: 'clog', from, to, ms: Math.round(lasts - stops) })
    })
  }
}

function work(plan: ScenarioPlan, load: TxLoad, stage: Stage, judge: Judge): void {
  const rng = stage.fork('load')
  const send = transfers({
    ...{ genesis: stage.genesis, crypto: stage.crypto, sign: stage.sign },
    fork: name => stage.fork(name),
    async submit(node, raw) {
      const answer = await stage.submit(node, raw)
      if (answer.ok) {
        const { hash, half } = answer.value
        judge.tell({ type: 'took', hash, half }, stage.nowMs)
      }
      return answer
    },
  })
  const { perSecond, accounts, fromMs, mixed } = load
  const short = plan.untilMs / 2
  const untilMs = load.untilMs ?? Math.max(short, plan.untilMs - 60_000)
  const next = (): void => {
    if (stage.nowMs >= untilMs) return
    const luck = rng.f()
    const kind = !mixed || luck >= 0.15 ? 'next' : luck < 0.1 ? 'replace' : 'gap'
    send([rng.int(Math.min(accounts, ACCOUNTS)), rng.int(plan.nodes), kind, rng.range(1, 5)])
    stage.at(stage.nowMs + rng.exp(1_000 / perSecond), 'tx', next)
  }
  stage.at(fromMs, 'load', next)
}

function spam(
  plan: ScenarioPlan,
  { rate, messages, fromMs }: Extract<EvilPart, { kind: 'invalidTx' }>,
  index: number,
  stage: Stage,
  judge: Judge,
): void {
  const name = evilNames(plan)[index] ?? ''
  const purse = evilPurse(stage)
  let sent = 0
  stage.at(Math.min(enterMs, fromMs), `${name} enters`, () => {
    const voice = stage.voice(index)
    const knock = (): void => {
      for (const node of honestNames(plan).keys()) voice.dial(node)
      if (stage.nowMs + knockMs < plan.untilMs)
        stage.at(stage.nowMs + knockMs, `${name} knocks`, knock)
    }
    const shout = (): void => {
      if (sent >= messages || stage.nowMs >= plan.untilMs) return
      stage.at(stage.nowMs + 1_000 / rate, `${name} shouts`, shout)
      // Alone it says nothing; at first it waits for everybody.
      const wanted = sent === 0 && stage.nowMs < fromMs + gatherMs ? plan.nodes : 1
      if (voice.connected() < wanted) return
      const heard = (count: number) => {
        if (count === 0) return
        sent += 1
        judge.tell({ type: 'offence', who: name, count: sent }, stage.nowMs)
      }
      const count = voice.push(invalidBatch(purse))
      if (count instanceof Promise) void count.then(heard)
      else heard(count)
    }
    knock()
    stage.at(fromMs, `${name} begins`, shout)
  })
}

/** Whom each node dials at boot, and keeps dialling. */
export function dialsOf(plan: ScenarioPlan, node: number, rng: Rng): number[] {
  const kept = plan.statics.flatMap(([name, peer]) =>
    name === `n${node}` && /^n\d/.test(peer) ? [Number(peer.slice(1))] : [],
  )
  return [...new Set([...topologyOf(plan, node, rng), ...kept])]
}

function topologyOf(plan: ScenarioPlan, node: number, rng: Rng): number[] {
  const { topology } = plan
  const nodes = honestNames(plan).length
  const all = Array.from({ length: nodes }, (_, index) => index)
  const next = (by: number) => (node + by) % nodes
  switch (topology.kind) {
    case 'ring':
      return [next(1)]
    case 'star':
      return node === 0 ? [] : [0]
    case 'full':
      return all.slice(0, node)
    case 'kRegular':
      return around(topology.k).map(next)
    case 'smallWorld':
      return around(topology.k).map(by => (rng.chance(topology.p) ? rng.int(nodes) : next(by)))
    case 'edges':
      return topology.pairs.flatMap(([a, b]) => (a === `n${node}` ? [Number(b.slice(1))] : []))
    case 'file':
      return []
  }
}

const around = (k: number): number[] =>
  Array.from({ length: Math.max(1, Math.floor(k / 2)) }, (_, index) => index + 1)
