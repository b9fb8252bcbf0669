import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { startDevnet } from './devnet.ts'
import { cpuSecondsOf, median, pause, residentMiB } from './measure.ts'

const bin = fileURLToPath(new URL('../../apps/node/bin/rockpool.mjs', import.meta.url))
const settleMs = 15_000
const idleMs = 20_000
const helpRounds = 9

interface Idle {
  /** Of one core. */
  readonly share: number
  readonly mib: number
}

/** What a node costs while nobody wants anything of it, and the command line that only explains itself. */
export async function rows(): Promise<BenchRow[]> {
  const still = await idle(['--chain.mining', 'manual'])
  const making = await idle([])
  return [
    {
      ...{ row: 'idle node of four, CPU', unit: '% of a core', ours: still.share * 100 },
      target: '≤ 2 %',
      met: still.share <= 0.02,
      note: `no blocks; ${(making.share * 100).toFixed(1)} % with an empty block every 2 s; the busiest node over 20 s`,
    },
    {
      ...{ row: 'idle node of four, memory', unit: 'MiB RSS', ours: making.mib },
      target: '≤ 150 MiB',
      met: making.mib <= 150,
      note: `making blocks; ${Math.round(still.mib)} without; the largest node`,
    },
    helpRow(),
  ]
}

async function idle(flags: readonly string[]): Promise<Idle> {
  const devnet = await startDevnet('bench-idle', flags)
  try {
    const pids = devnet.network.nodes.map(({ pid }) => pid)
    await pause(settleMs)
    const since = performance.now()
    const before = pids.map(cpuSecondsOf)
    await pause(idleMs)
    const seconds = (performance.now() - since) / 1_000
    const shares = pids.map((pid, index) => (cpuSecondsOf(pid) - (before[index] ?? 0)) / seconds)
    return { share: Math.max(...shares), mib: Math.max(...pids.map(residentMiB)) }
  } finally {
    await devnet.stop()
  }
}

function helpRow(): BenchRow {
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < helpRounds; round++) {
    bare.push(wallMs(['-e', '0']))
    ours.push(wallMs([bin, '--help']))
  }
  const reference = median(bare)
  const ratio = median(ours) / reference
  return {
    ...{ row: 'rockpool --help', unit: 'ms', ours: median(ours) },
    reference: { name: 'node -e 0', value: reference },
    // Better is faster: the share of the reference's time.
    ratio: 1 / ratio,
    target: '≤ 3 times the reference',
    met: ratio <= 3,
    note: `${ratio.toFixed(2)} times`,
  }
}

function wallMs(args: readonly string[]): number {
  const since = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`)
  return performance.now() - since
}
