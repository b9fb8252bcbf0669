import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { RecoveryJob } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { generateSignatures } from '@rockpool/protocol/conformance'
import { keccak256 } from './keccak.ts'
import { startRecoveryPool } from './pool.ts'
import { nativeSecp } from './secp.ts'

/** Measures of this folder; each reference is measured beside ours in the same run. */
export async function rows(): Promise<BenchRow[]> {
  const native = nativeSecp()
  const jobs = generateSignatures({ count: 1_024, sign: native.sign })
    .filter(entry => !entry.mutated)
    .map(entry => entry.job)
  return [recoverRow(native, jobs), await poolRow(jobs), keccakRow()]
}

function recoverRow(native: ReturnType<typeof nativeSecp>, jobs: readonly RecoveryJob[]): BenchRow {
  const packed = jobs.map(({ digest, r, s, id }) => ({
    digest,
    id,
    signature: Uint8Array.from([...r, ...s]),
  }))
  const at = (index: number) => packed[index % packed.length] as (typeof packed)[number]
  const ours = perCpuSecond(12_000, index => {
    const { digest, signature, id } = at(index)
    native.recover(digest, signature, id)
  })
  const reference = perCpuSecond(800, index => {
    const { digest, signature, id } = at(index)
    secp256k1.recoverPublicKey(Uint8Array.from([id, ...signature]), digest, { prehash: false })
  })
  return compared({
    row: 'recover, native, 1 thread',
    unit: 'recoveries per CPU s',
    ours,
    reference: { name: '@noble/curves', value: reference },
    least: 15,
  })
}

async function poolRow(jobs: readonly RecoveryJob[]): Promise<BenchRow> {
  const one = await poolRate(1, jobs)
  const two = await poolRate(2, jobs)
  return {
    ...compared({
      row: 'recovery pool, 2 workers, batch 32',
      unit: 'recoveries per s (wall)',
      ours: two,
      reference: { name: '1 worker', value: one },
      least: 1.7,
    }),
    note: 'where two cores are free',
  }
}

/** Sixteen callers with 32 signatures each, always one call under way. Median of three. */
async function poolRate(workers: number, jobs: readonly RecoveryJob[]): Promise<number> {
  const pool = await startRecoveryPool({ workers, backend: 'native' })
  const calls = 40
  const rates: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    const callers = Array.from({ length: 16 }, async (_, caller) => {
      const mine = jobs.slice(caller * 32, caller * 32 + 32)
      for (let call = 0; call < calls; call++) await pool.recover(mine)
    })
    await Promise.all(callers)
    rates.push((16 * 32 * calls * 1_000) / (performance.now() - start))
  }
  await pool.close()
  return median(rates)
}

function keccakRow(): BenchRow {
  const inputs = Array.from({ length: 64 }, (_, index) => new Uint8Array(200).fill(index))
  const input = (index: number) => inputs[index % 64] as Uint8Array
  return compared({
    row: 'keccak256 200 B',
    unit: 'hashes per CPU s',
    ours: perCpuSecond(400_000, index => keccak256(input(index))),
    reference: {
      name: '@noble/hashes',
      value: perCpuSecond(40_000, index => keccak_256(input(index))),
    },
    least: 8,
  })
}

function compared(row: {
  readonly row: string
  readonly unit: string
  readonly ours: number
  readonly reference: { readonly name: string; readonly value: number }
  readonly least: number
}): BenchRow {
  const { least, ...rest } = row
  const ratio = row.ours / row.reference.value
  return { ...rest, ratio, target: `≥ ${least} ×`, met: ratio >= least }
}

/** Calls per second of CPU of this process; median of three rounds after a warm-up. */
function perCpuSecond(count: number, run: (index: number) => unknown): number {
  for (let index = 0; index < count / 10; index++) run(index)
  const rates: number[] = []
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage()
    for (let index = 0; index < count; index++) run(index)
    const { user, system } = process.cpuUsage(before)
    rates.push((count * 1_000_000) / (user + system))
  }
  return median(rates)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
