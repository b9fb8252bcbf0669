import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from '@rockpool/protocol/conformance'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** A row of `npm run sim -- speed --json`. */
interface Speed {
  readonly name: string
  readonly nodeHoursPerCpuMinute: number
  readonly eventsPerCpuSecond: number
}
/** Node-hours in a CPU minute that a finished node is to reach. */
const target = 100

/** Simulated worlds with faults, books open, as compiled. */
export async function rows(): Promise<BenchRow[]> {
  const { stdout, status } = spawnSync(
    process.execPath,
    [
      '--max-semi-space-size=64',
      '--single-threaded-gc',
      'apps/sim/dist/main.js',
      'speed',
      '--json',
    ],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`worlds ended with ${status}`)
  return (JSON.parse(stdout) as Speed[]).map(
    ({ name, nodeHoursPerCpuMinute: ours, eventsPerCpuSecond }) => ({
      row: `worlds: ${name}`,
      ours,
      unit: 'node-hours per CPU minute',
      target: `≥ ${target}`,
      met: ours >= target,
      note: `${Math.round(eventsPerCpuSecond).toLocaleString('en')} events per CPU s`,
    }),
  )
}
