import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { towerAddress } from '@rockpool/tower/testkit/outside'
import { startChild } from './child.ts'
import { cpuSecondsOf, quantile, until } from './measure.ts'
import type { TowerAddResult, TowerAddWish, TowerSignWish } from './tower-load.ts'

const bin = fileURLToPath(new URL('../../apps/node/bin/rockpool.mjs', import.meta.url))
const users = 4
const each = 2_000
const warmEach = 250
const connections = 64
const target = 3_000

/**
 * Appointments handed over HTTP with real signatures from another process on the same cores, each on disk before its receipt: a second of
 * wall time, and a second of the tower's own processor time.
 */
export async function rows(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-tower-'))
  const flags = [
    ...['--rpc.port', '0', '--ops.port', '0', '--p2p.listen.tcp', '0'],
    ...['--p2p.listen.ip', '127.0.0.1', '--chain.mining', 'manual'],
    ...['--tower.enabled', '--tower.api_port', '0', '--tower.adds-per-user', '1000000'],
  ]
  const node = spawn(process.execPath, [bin, 'run', '--datadir', join(folder, 'data'), ...flags], {
    stdio: 'ignore',
  })
  const child = startChild('./tower-load.ts')
  try {
    const file = join(folder, 'data/ports.json')
    const { tower } = await until('tower', 60_000, () =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { tower: string }) : undefined,
    )
    const address = towerAddress(tower)
    const pid = node.pid ?? 0
    const run = async (count: number) => {
      await child.ask<number>({ kind: 'sign', address, users, each: count } satisfies TowerSignWish)
      const before = cpuSecondsOf(pid)
      const result = await child.ask<TowerAddResult>({
        kind: 'add',
        connections,
      } satisfies TowerAddWish)
      return { ...result, cpu: cpuSecondsOf(pid) - before }
    }
    await run(warmEach)
    const { added, refused, refusal, ms, cpu, latenciesMs } = await run(each)
    if (refused > 0) throw new Error(`${refused} were refused: ${refusal ?? ''}`)
    const perSecond = added / (ms / 1_000)
    return [
      {
        row: 'tower: durable appointments over HTTP, client in another process',
        ...{ unit: '/s', ours: perSecond, target: `≥ ${target} /s`, met: perSecond >= target },
        note: `${Math.round(added / cpu)} per second of its CPU; p99 ${Math.round(quantile(latenciesMs, 0.99))} ms with ${connections} connections`,
      },
    ]
  } finally {
    child.end()
    const gone = new Promise(resolve => node.once('close', resolve))
    node.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
}
