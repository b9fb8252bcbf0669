import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { groupsOf, honestNames, type ScenarioPlan, type Step } from '@rockpool/sim'
import type { NodeEntry } from './files.ts'

const reorgTries = 4

type Run = (verb: string, ...words: readonly string[]) => Promise<string[]>

interface Parts {
  /** A verb of the devnet. */
  readonly run: Run
  after(ms: number, end: () => void): void
  entry(node: string): NodeEntry
  ask(node: NodeEntry, method: string, params: readonly unknown[]): Promise<unknown>
  /** The peer id of a node or evil peer of the scenario. */
  peerOf(name: string): string | undefined
}

/**
 * Steps of a scenario as verbs of a running devnet. Rules of links live in the processes, so what a node forgets when it starts again it is
 * told again. Links to evil peers have none.
 */
export function createSteps(
  { links, ...plan }: ScenarioPlan,
  { run, after, entry, ask, peerOf }: Parts,
) {
  const names = honestNames(plan)
  let parted: Extract<Step, { do: 'partition' }> | undefined

  /** Every link of these nodes as slow as the plan says. Who is down is told when it starts. */
  async function slow(of: readonly string[]): Promise<void> {
    if (links === null) return
    const { leastMs, meanMs } = links
    const wish = ['--latency', `${meanMs}ms`, '--jitter', `${meanMs - leastMs}ms`]
    for (const from of of)
      for (const to of names) if (from !== to) await link(from, to, ...wish).catch(() => {})
  }

  const link = (from: string, to: string, ...fault: readonly string[]) =>
    run('link', from, to, '--one-way', ...fault)

  async function part(step: Extract<Step, { do: 'partition' }>): Promise<void> {
    parted = step
    const groups = groupsOf(step, names).map(group => group.filter(name => names.includes(name)))
    const [first = [], ...others] = groups
    if (step.oneWay) {
      for (const from of first)
        for (const to of others.flat()) await link(from, to, '--cut').catch(() => {})
      return
    }
    const rest = names.filter(name => !groups.flat().includes(name))
    const spec = [...groups, rest].filter(group => group.length > 0)
    await run('partition', spec.map(group => group.join()).join('|'))
  }

  /** Peers that this node never bans: it forgets them when it stops. */
  async function spare(node: string): Promise<void> {
    for (const [name, peer] of plan.statics)
      if (name === node) await ask(entry(node), 'peers_protect', [peerOf(peer)])
  }

  /** Everything that a node forgets when it stops. */
  async function remind(node: string): Promise<void> {
    await slow([node])
    await spare(node)
    if (parted !== undefined) await part(parted)
  }

  async function configure(node: string, settings: Readonly<Record<string, string | number>>) {
    await run('stop', node)
    const file = join(entry(node).datadir, 'config.toml')
    writeFileSync(file, withSettings(readFileSync(file, 'utf8'), settings))
    await run('restart', node)
  }

  /** Clocks are set while a node is down, and who joins later goes again before anything begins. */
  async function begin(): Promise<void> {
    const clocks = new Map<string, Record<string, string | number>>()
    for (const { atMs, step } of plan.steps) {
      if (atMs > 0 || (step.do !== 'skew' && step.do !== 'wallStep')) continue
      const wish =
        step.do === 'skew'
          ? { 'devnet.clock-drift-ppm': step.ppm }
          : { 'devnet.clock-offset': `${step.ms}ms` }
      clocks.set(step.node, { ...clocks.get(step.node), ...wish })
    }
    for (const [node, wish] of clocks) await configure(node, wish)
    for (const name of names.slice(plan.nodes)) await run('kill', name)
    await slow(names)
    for (const name of names.slice(0, plan.nodes)) await spare(name)
  }

  /** On a machine that is busy otherwise the network may go on faster than the branch: what helps is another try. */
  async function reorg({ depth, keepTxs }: Extract<Step, { do: 'reorg' }>): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await run('reorg', `${depth}`, '--keep', `${keepTxs}`)
      } catch (error) {
        if (tries === reorgTries || !String(error).includes('went on faster')) throw error
      }
    }
  }

  async function doStep(step: Step): Promise<unknown> {
    switch (step.do) {
      case 'partition':
        return part(step)
      case 'clog':
        // The rule that was there before is not put back.
        after(step.ms, () => void link(step.from, step.to).catch(() => {}))
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
        await run('restart', step.node)
        return remind(step.node)
      case 'configure':
        await configure(step.node, step.patch)
        return remind(step.node)
      case 'call': {
        const params = step.params.map(each =>
          typeof each === 'string' ? (peerOf(each) ?? each) : each,
        )
        return ask(entry(step.node), step.method, params)
      }
      case 'skew':
      case 'wallStep':
        // Done before everything began.
        return undefined
      case 'heal':
        parted = undefined
        await run('heal')
        return slow(names)
      case 'mine':
        return run('mine', `${step.blocks}`)
      case 'reorg':
        return reorg(step)
      case 'chainSpeed':
        return run('speed', `${step.speed}x`)
      default:
        throw new Error(`${step.do} is not possible in gear procs`)
    }
  }

  return {
    begin,
    /** What did not work, as a sentence. */
    async act(step: Step): Promise<string | undefined> {
      try {
        await doStep(step)
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
  }
}

/** A configuration file with these settings in their sections, instead of what it said of them. */
export function withSettings(
  text: string,
  settings: Readonly<Record<string, string | number>>,
): string {
  let lines = text.trimEnd().split('\n')
  for (const [name, value] of Object.entries(settings)) {
    const dot = name.indexOf('.')
    const [section, key] = [`[${name.slice(0, dot)}]`, name.slice(dot + 1)]
    const line = `${key} = ${JSON.stringify(value)}`
    if (!lines.includes(section)) lines.push('', section)
    const begin = lines.indexOf(section) + 1
    const next = lines.findIndex((each, at) => at >= begin && each.startsWith('['))
    const end = next === -1 ? lines.length : next
    const others = lines.slice(begin, end).filter(each => !each.startsWith(`${key} =`))
    lines = [...lines.slice(0, begin), line, ...others, ...lines.slice(end)]
  }
  return `${lines.join('\n')}\n`
}
