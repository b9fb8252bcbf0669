import { groupsOf, honestNames, type ScenarioPlan, type Step } from '@rockpool/sim'

type Run = (verb: string, ...words: readonly string[]) => Promise<string[]>

/**
 * Steps of a scenario as verbs of a running devnet. Rules of links live in the processes, so what a node forgets when it starts again it is
 * told again. Links to evil peers have none.
 */
export function createSteps(
  { links, ...plan }: ScenarioPlan,
  run: Run,
  after: (ms: number, end: () => void) => void,
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
        await slow([step.node])
        return parted === undefined ? undefined : part(parted)
      case 'heal':
        parted = undefined
        await run('heal')
        return slow(names)
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

  return {
    begin: () => slow(names),
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
