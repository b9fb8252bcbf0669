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
  honestNames,
  Judge,
  type ScenarioPlan,
  type ScenarioResult,
  type Stage,
} from '@rockpool/sim'
import { startDevnet } from '../bench/devnet.ts'
import { tailLog } from './log-tail.ts'
import { createLooks } from './process-look.ts'
import { createSteps } from './process-steps.ts'
import { runningDevnet, verbs } from './verbs.ts'

const lookEveryMs = 500
const tailEveryMs = 100
/** Times that claims are given are stretched by this: a slow machine is no finding. */
const scale = Number(process.env.ROCKPOOL_TIME_SCALE ?? (process.env.CI === undefined ? 1 : 3))

async function run(plan: ScenarioPlan): Promise<ScenarioResult> {
  const name = `scenario-${process.pid}`
  const flags = [
    ...['--nodes', `${honestNames(plan).length}`, '--block', `${plan.chain.blockMs}ms`],
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
  const idOf = (who: string) => [...names].find(([, each]) => each === who)?.[0]
  const looks = createLooks(peer => names.get(peer), idOf)
  const { keccak256 } = await createCrypto({ workers: 0 })
  const timers = new Set<NodeJS.Timeout>()
  const run = (verb: string, ...words: readonly string[]) => {
    const act = verbs[verb]
    if (act === undefined) throw new Error(`no verb ${verb}`)
    return act(runningDevnet(name), words)
  }
  let startedMs = Date.now()
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

  const steps = createSteps(plan, {
    run,
    after: (ms, end) => at(nowMs() + ms, end),
    entry: node => {
      const found = runningDevnet(name).network.nodes.find(each => each.name === node)
      if (found === undefined) throw new Error(`no ${node} here`)
      return found
    },
    ask: looks.ask,
    peerOf: idOf,
  })
  await steps.begin()
  startedMs = Date.now()
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
    act: steps.act,
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
    coverage: judge.coverage,
  }
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
