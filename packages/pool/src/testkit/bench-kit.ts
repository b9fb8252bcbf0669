import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Hash, TxRecord } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import type { PoolConfig } from '../config.ts'
import type { Pool } from '../pool.ts'
import { addressAt, anAccount, aPool, aTx } from '../testing.ts'

export const rich = 10n ** 24n

/** A row in transactions a second, beside a bare Map that takes the same records. */
export function rateRow(
  row: string,
  txs: readonly TxRecord[],
  ms: number,
  target: number,
): BenchRow {
  const reference = median(() => {
    const map = new Map<Hash, TxRecord>()
    return timed(() => {
      for (const tx of txs) map.set(tx.hash, tx)
    })
  })
  const ours = Math.round((txs.length / ms) * 1000)
  const bare = Math.round((txs.length / reference) * 1000)
  return {
    row,
    unit: 'tx/s',
    ours,
    reference: { name: 'bare Map', value: bare },
    ratio: ours / bare,
    target: `>= ${target}`,
    met: ours >= target,
  }
}

export function manyAccounts(accounts: number, each: number): TxRecord[] {
  return Array.from({ length: accounts * each }, (_, index) =>
    aTx({
      from: Math.floor(index / each),
      nonce: index % each,
      feeCap: 1_000 + (index % 97),
      tip: 2 + (index % 89),
    }),
  )
}

export function accountsOf(count: number) {
  return new Map(
    Array.from(
      { length: count },
      (_, index) => [addressAt(index), anAccount({ balance: rich })] as const,
    ),
  )
}

export function filled(accounts: number, each: number, config: Partial<PoolConfig> = {}): Pool {
  const pool = aPool({ config })
  const txs = manyAccounts(accounts, each)
  pool.apply({ op: 'add', now: 0, origin: 'gossip', txs, accounts: accountsOf(accounts) })
  return pool
}

/** Collects garbage: before what is measured in bytes, or leaves much of it before it starts. */
export function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** CPU milliseconds. */
export function timed(work: () => unknown): number {
  const from = process.cpuUsage()
  const started = performance.now()
  work()
  const wall = performance.now() - started
  const { user, system } = process.cpuUsage(from)
  // CPU time has a coarse tick on some systems; below it the wall clock is the better measure.
  return wall < 5 ? wall : Math.min(wall, (user + system) / 1000)
}

/** Of seven, after two to warm up. */
export function median(run: () => number): number {
  for (let warm = 0; warm < 2; warm++) run()
  const times = Array.from({ length: 7 }, run).sort((left, right) => left - right)
  return times[3] ?? Number.NaN
}

/** A row of which less is better. */
export function lessRow(
  row: string,
  unit: string,
  ours: number,
  most: number,
  note?: string,
): BenchRow {
  const target = `<= ${most} ${unit}`
  return { row, unit, ours, target, met: ours <= most, ...(note !== undefined && { note }) }
}

/** For a file that is run by itself. */
export async function print(rows: () => Promise<BenchRow[]>): Promise<void> {
  for (const { row, unit, ours, reference, target, met, note } of await rows()) {
    const beside = reference === undefined ? '' : `  (${reference.name} ${reference.value})`
    const text = `${row}: ${ours} ${unit}, ${target}${beside} ${met ? 'ok' : 'MISSED'} ${note ?? ''}`
    process.stdout.write(`${text}\n`)
  }
}
