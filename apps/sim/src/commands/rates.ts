import {
  calmOptions,
  type Driver,
  drawOptions,
  type RunResult,
  type Violation,
} from '@rockpool/sim'
import { grouped, hoursPerMinute, violationText } from '../report.ts'
import { type History, runHistory } from '../run-history.ts'
import { exitCodeOf } from '../swarm.ts'
import { UsageError, wholeNumber } from '../usage.ts'

/** Faults of a middling seed. */
const faulty = {
  latency: { minMs: 10, meanMs: 50 },
  clog: { perSecond: 0.1, meanMs: 2000 },
  partition: { perSecond: 0.01, meanMs: 15_000, shape: 'half', symmetric: true },
  crash: { perNodeSecond: 0.001, restartMeanMs: 5000 },
  reorg: { perBlock: 0.1, depth: 3 },
  reset: { perSecond: 0.02 },
} as const

/** Of each world whose speed is measured. */
const speedSeconds = 600

/** Blocks as a devnet makes them, and as mainnet does. */
const chains = [
  { chain: 'dev', blockMs: 2_000 },
  { chain: 'source', blockMs: 12_000 },
] as const

function speedRows(): { readonly name: string; readonly history: History }[] {
  return chains.flatMap(({ chain, blockMs }) =>
    [0.1, 1, 5].map(txPerSecond => {
      const options = { ...faulty, nodes: 20, seconds: speedSeconds, blockMs, txPerSecond, chain }
      return {
        name: `20 nodes, ${chain}, ${blockMs / 1000} s blocks, ${txPerSecond} tx/s`,
        history: { options: calmOptions({ ...options, seed: 'speed' }) },
      }
    }),
  )
}

/** How fast worlds with faults run on this machine, once the code is warm: what the first world costs more is its own row. */
export async function speedCommand(flags: { readonly json?: boolean }): Promise<number> {
  const rows = speedRows()
  const results: { name: string; result: RunResult }[] = []
  const [first] = rows
  if (first !== undefined) {
    results.push({ name: 'the first world, cold', result: await runHistory(first.history) })
  }
  for (const { name, history } of rows) results.push({ name, result: await runHistory(history) })
  results.push({ name: 'swarm mix, 10 seeds', result: await mix(10) })
  if (flags.json === true) {
    const table = results.map(({ name, result }) => ({
      name,
      nodeHoursPerCpuMinute: hoursPerMinute(result),
      eventsPerCpuSecond: result.events / (result.cpuMs / 1000),
    }))
    console.log(JSON.stringify(table, null, 2))
  } else {
    for (const { name, result } of results) {
      const hours = hoursPerMinute(result).toFixed(0).padStart(6)
      const events = grouped(Math.round(result.events / (result.cpuMs / 1000))).padStart(10)
      console.log(`${name.padEnd(40)}${hours} node-hours per CPU minute ${events} events per CPU s`)
      if (result.violation !== undefined) console.log(`  ${violationText(result.violation)}`)
    }
  }
  return exitCodeOf(results.map(({ result }) => result))
}

/** Some seeds, one after the other, as one. */
async function mix(count: number): Promise<RunResult> {
  const runs: RunResult[] = []
  for (let seed = 0; seed < count; seed++) {
    runs.push(await runHistory({ options: drawOptions(`mix-${seed}`) }))
  }
  const sum = (of: (run: RunResult) => number) => runs.reduce((all, run) => all + of(run), 0)
  const failing = runs.find(run => run.violation !== undefined)?.violation
  return {
    ...(failing && { violation: failing }),
    hash: '',
    events: sum(run => run.events),
    nodeHours: sum(run => run.nodeHours),
    cpuMs: sum(run => run.cpuMs),
    coverage: new Map(),
    counts: {},
  }
}

/** The heap may grow this much between the second of the eighths of a soak and its end. */
const growthMax = 1.25

/** What heaps of one run, in MiB, say of it: `leak` when they go on growing. */
export function leakIn(mib: readonly number[], atMs: number): Violation | undefined {
  const [, early = 0] = mib
  const last = mib.at(-1) ?? 0
  if (last <= early * growthMax) return undefined
  return { id: 'leak', kind: 'correctness', text: `heap of ${mib.join(' ')} MiB`, atMs }
}

/** Many virtual hours of one world; 129 when the heap goes on growing. */
export async function soakCommand(flags: {
  readonly hours: string
  readonly json?: boolean
}): Promise<number> {
  const hours = wholeNumber(flags.hours, '--hours')
  if (hours < 1) throw new UsageError('--hours takes at least 1')
  const options = calmOptions({
    ...faulty,
    ...{ seed: 'soak', nodes: 6, seconds: hours * 3600, blockMs: 12_000, txPerSecond: 0.2 },
  })
  const heap: number[] = []
  const measure: Driver = world => {
    for (let part = 1; part <= 8; part++) {
      world.at((world.endMs * part) / 8 - 1000, 'heap', () => {
        globalThis.gc?.()
        heap.push(process.memoryUsage().heapUsed)
      })
    }
  }
  const result = await runHistory({ options }, { drivers: [measure] })
  const mib = heap.map(bytes => Math.round(bytes / 2 ** 20))
  const isFlat = leakIn(mib, options.seconds * 1000) === undefined
  if (flags.json === true) {
    console.log(JSON.stringify({ mib, isFlat, nodeHours: result.nodeHours }, null, 2))
  } else {
    console.log(
      `heap ${mib.join(' ')} MiB over ${hours} virtual hours: ${isFlat ? 'flat' : 'it grows'}`,
    )
    console.log(result.violation === undefined ? 'clean' : violationText(result.violation))
    console.log(
      `${result.nodeHours.toFixed(1)} node-hours, ${hoursPerMinute(result).toFixed(0)} per CPU minute`,
    )
  }
  const code = exitCodeOf([result])
  return code === 0 && !isFlat ? 129 : code
}
