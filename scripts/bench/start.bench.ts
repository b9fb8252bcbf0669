import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from '@rockpool/protocol/conformance'
import type { NetworkFile } from '../devnet/files.ts'
import { launch } from './devnet.ts'
import { median } from './measure.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const name = 'bench-start'

/** `npm start` as a newcomer types it, from spawn to the end of the banner, and Ctrl-C. A stop that is not clean fails the bench. */
export async function rows(): Promise<BenchRow[]> {
  const warm: number[] = []
  for (let round = 0; round < 3; round++) warm.push(await startAndStop(root))
  const cold = await coldStart()
  const seconds = { unit: 's' } as const
  return [
    {
      ...{ row: 'npm start to ready, warm', ...seconds, ours: median(warm) },
      target: '≤ 4 s',
      met: median(warm) <= 4,
      note: `median of ${warm.map(each => each.toFixed(1)).join(', ')}; four nodes, stopped cleanly each time`,
    },
    {
      ...{ row: 'npm start to ready, bare clone', ...seconds, ours: cold },
      target: '≤ 45 s',
      met: cold <= 45,
      note: 'npm ci included, with what npm has in its cache',
    },
  ]
}

async function coldStart(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-clone-'))
  const clone = join(folder, 'rockpool')
  try {
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone])
    return await startAndStop(clone)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds until it was ready. */
async function startAndStop(checkout: string): Promise<number> {
  const { readyMs, interrupt } = await launch('npm', ['start', '--', '--name', name], checkout)
  const folder = join(checkout, '.devnet', name)
  const network = JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8')) as NetworkFile
  await interrupt(network)
  rmSync(folder, { recursive: true, force: true })
  return readyMs / 1_000
}
