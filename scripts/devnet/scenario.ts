/*
 * A program of its own: runs a scenario on a devnet of processes, against evil peers of another libp2p. Its parent sends the plan and gets
 * the result.
 */
import { Rng } from '@rockpool/actor'
import { createCrypto, signDigest } from '@rockpool/adapters/crypto'
import { failed, type Hash, ok, toHex } from '@rockpool/protocol'
import {
  drive,
  type EvilVoice,
  evilNames,
  groupsOf,
  honestNames,
  Judge,
  type ScenarioPlan,
  type ScenarioResult,
  type Stage,
  type Step,
} from '@rockpool/sim'
import { startDevnet } from '../bench/devnet.ts'
import { tailLog } from './log-tail.ts'
import { createLooks } from './process-look.ts'
import { runningDevnet, verbs } from './verbs.ts'

const lookEveryMs = 500
const tailEveryMs = 100
/** Times that claims are given are stretched by this: a slow machine is no finding. */
const scale = Number(process.env.ROCKPOOL_TIME_SCALE ?? (process.env.CI === undefined ? 1 : 3))

async function run(plan: ScenarioPlan): Promise<ScenarioResult> {
  const name = `scenario-${process.pid}`
  const flags = [
    ...['--nodes', `${plan.nodes}`, '--block', `${plan.chain.blockMs}ms`],
    ...(plan.banMs === null ? [] : ['--p2p.ban.duration', `${plan.banMs}ms`]),
  ]
  const devnet = await startDevnet(name, flags)
  const peers: EvilPeer[] = []
  try {
    for (const _ of plan.evil) peers.push(await createEvil())
    return await play(plan, name, peers)
  } finally {
    await Promise.all(peers.map(peer => peer.stop()))
    await devnet.stop()
  }
}

/** What is asked of an evil peer. */
interface EvilPeer {
  readonly id: string
  connections(): number
  knock(address: string): Promise<boolean>
  publish(topic: string, bytes: Uint8Array): Promise<number>
  stop(): Promise<void>
}

/** Somebody else's libp2p, which only scenarios with evil peers need. */
async function createEvil(): Promise<EvilPeer> {
  const file = new URL('../../apps/node/src/testkit/plain-peer.ts', import.meta.url)
  const module = (await import(file.href)) as {
    readonly createPlainPeer: () => Promise<EvilPeer>
  }
  return module.createPlainPeer()
}

async function play(
  plan: ScenarioPlan,
  name: string,
  evil: readonly EvilPeer[],
): Promise<ScenarioResult> {
  const judge = new Judge(plan, scale)
  const { network } = runningDevnet(name)
  const names = new Map([
    ...network.nodes.map(({ peerId, name: node }) => [peerId, node] as const),
    ...evil.map(({ id }, index) => [id, evilNames(plan)[index] ?? ''] as const),
  ])
  const looks = createLooks(peer => names.get(peer))
  const { keccak256 } = await createCrypto({ workers: 0 })
  const timers = new Set<NodeJS.Timeout>()
  const run = (verb: string, ...words: readonly string[]) => {
    const act = verbs[verb]
    if (act === undefined) throw new Error(`no verb ${verb}`)
    return act(runningDevnet(name), words)
  }
  if (plan.links !== null) await slowLinks(plan, run)
  const startedMs = Date.now()
  const nowMs = () => Date.now() - startedMs
  const txTopic = `/rockpool/${network.chainId}/${network.forkDigest}/tx/1`

  function at(ms: number, act: () => void): void {
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        act()
      },
      Math.max(0, ms - nowMs()),
    )
    timers.add(timer)
  }

  const stage: Stage = {
    ...{ genesis: { chainId: network.chainId }, crypto: { keccak256 }, sign: signDigest },
    lookEveryMs,
    fork: label => new Rng(`scenario:${plan.seed}`).fork(label),
    get nowMs() {
      return nowMs()
    },
    at: (ms, _, act) => at(ms, act),
    async submit(node, raw) {
      const entry = runningDevnet(name).network.nodes[node]
      if (entry === undefined) return failed('load/not-ready')
      try {
        const hash = await looks.ask<Hash>(entry, 'eth_sendRawTransaction', [toHex(raw)])
        return ok({ hash, half: 'pending' })
      } catch (error) {
        return failed('load/not-ready', String(error))
      }
    },
    act: step => act(step, run, at, nowMs),
    voice: index => voiceOf(evil[index], name, txTopic),
    look: wants =>
      Promise.all(runningDevnet(name).network.nodes.map(node => looks.look(node, wants))),
  }
  const tails = network.nodes.map(node => ({ node: node.name, read: tailLog(node.log) }))
  const follow = (): void => {
    for (const { node, read } of tails) for (const line of read()) told(node, line)
    at(nowMs() + tailEveryMs, follow)
  }
  const told = (node: string, { atMs, code, fields }: ReturnType<(typeof tails)[0]['read']>[0]) => {
    const when = Math.max(0, atMs - startedMs)
    judge.tell({ type: 'log', node, code }, when)
    const { value, reason = '', by = '' } = fields as Record<string, string>
    const who = names.get(value ?? '')
    if (who === undefined) return
    if (code === 'p2p/banned') judge.tell({ type: 'banned', node, who, by, reason }, when)
    if (code === 'p2p/lifted') judge.tell({ type: 'lifted', node, who }, when)
  }
  drive(plan, stage, judge)
  follow()
  await new Promise<void>(resolve => at(plan.untilMs + lookEveryMs, resolve))
  for (const timer of timers) clearTimeout(timer)
  return {
    verdicts: judge.end(plan.untilMs),
    legend: judge.legend(),
    nodeHours: (plan.nodes * plan.untilMs) / 3_600_000,
    cpuMs: nowMs(),
    counts: { ...judge.counts },
  }
}

type Run = (verb: string, ...words: readonly string[]) => Promise<string[]>

/** Every link of the network as slow as the plan says; what goes to evil peers is as fast as the machine. */
async function slowLinks({ links, ...plan }: ScenarioPlan, run: Run): Promise<void> {
  if (links === null) return
  const names = honestNames(plan)
  const { leastMs, meanMs } = links
  const wish = ['--latency', `${meanMs}ms`, '--jitter', `${meanMs - leastMs}ms`]
  for (const [index, from] of names.entries())
    for (const to of names.slice(0, index)) await run('link', from, to, ...wish)
}

async function act(
  step: Step,
  run: Run,
  at: (ms: number, act: () => void) => void,
  nowMs: () => number,
): Promise<string | undefined> {
  try {
    await doStep(step, run, (ms, end) => at(nowMs() + ms, end))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function doStep(
  step: Step,
  run: Run,
  after: (ms: number, end: () => void) => void,
): Promise<unknown> {
  const link = (from: string, to: string, ...fault: readonly string[]) =>
    run('link', from, to, '--one-way', ...fault)
  switch (step.do) {
    case 'partition':
      return part(step, run)
    case 'clog':
      // The rule that was there before is not put back: a heal ends all of them anyway.
      after(step.ms, () => void link(step.from, step.to))
      return link(step.from, step.to, '--stall')
    case 'reset':
      return run('link', step.from, step.to, '--reset')
    case 'latency':
      return link(step.from, step.to, '--latency', `${step.ms}ms`)
    case 'bandwidth':
      return link(step.from, step.to, '--bandwidth', `${step.bytesPerSecond}B`)
    case 'kill':
    case 'stop':
    case 'pause':
    case 'resume':
      return run(step.do, step.node)
    case 'start':
      return run('restart', step.node)
    case 'heal':
      return run('heal')
    case 'mine':
      return run('mine', `${step.blocks}`)
    case 'reorg':
      return run('reorg', `${step.depth}`, '--keep', `${step.keepTxs}`)
    case 'chainSpeed':
      return run('speed', `${step.speed}x`)
    default:
      throw new Error(`${step.do} is not possible in gear procs`)
  }
}

/** Evil peers have no rules of their own, and are cut off from nobody. */
async function part(step: Extract<Step, { do: 'partition' }>, run: Run): Promise<void> {
  const { nodes } = runningDevnet(`scenario-${process.pid}`).network
  const names = nodes.map(node => node.name)
  const groups = groupsOf(step, names).map(group => group.filter(name => names.includes(name)))
  const [first = [], ...others] = groups
  if (!step.oneWay) {
    const rest = names.filter(name => !groups.flat().includes(name))
    const spec = [...groups, rest].filter(group => group.length > 0)
    await run('partition', spec.map(group => group.join()).join('|'))
    return
  }
  for (const from of first)
    for (const to of others.flat()) await run('link', from, to, '--one-way', '--cut')
}

function voiceOf(peer: EvilPeer | undefined, name: string, topic: string): EvilVoice {
  if (peer === undefined) throw new Error('there is no such evil peer')
  const knocking = new Set<number>()
  return {
    connected: peer.connections,
    dial(node) {
      const { p2p } = runningDevnet(name).network.nodes[node] ?? {}
      if (p2p === undefined || knocking.has(node)) return
      knocking.add(node)
      void peer.knock(p2p).finally(() => knocking.delete(node))
    },
    push: bytes => peer.publish(topic, bytes),
  }
}

process.once('message', plan => {
  run(plan as ScenarioPlan).then(
    result => process.send?.(result, () => process.exit(0)),
    error => {
      console.error(error)
      process.exit(1)
    },
  )
})
