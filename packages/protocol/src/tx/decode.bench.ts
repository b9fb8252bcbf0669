import { pathToFileURL } from 'node:url'
import { parseTransaction } from 'viem'
import type { BenchRow } from '../conformance/bench-row.ts'
import { vectors } from '../testkit/vectors.ts'
import { fromHex } from '../values/bytes.ts'
import { decodeTx } from './decode.ts'

/** Decoding of a 119-byte transfer, without the hash, beside the parser most wallets use. */
export async function rows(): Promise<BenchRow[]> {
  const raw = fromHex(vectors.dynamicFee)
  const digest = new Uint8Array(32)
  const ours = perCpuSecond(() => decodeTx(raw, () => digest), 400_000)
  const viem = perCpuSecond(() => parseTransaction(vectors.dynamicFee), 30_000)
  const ratio = ours / viem
  return [
    {
      row: 'decode a transaction',
      unit: 'per CPU s',
      ours,
      reference: { name: 'viem parseTransaction', value: viem },
      ratio,
      target: '>= 10 x',
      met: ratio >= 10,
      note: 'also yields the signing payload; hash not included',
    },
  ]
}

/** Best of five, each after the last, so that the compiler has settled. */
function perCpuSecond(act: () => unknown, times: number): number {
  let best = 0
  for (let round = 0; round < 5; round += 1) {
    const before = process.cpuUsage()
    for (let index = 0; index < times; index += 1) act()
    const { user, system } = process.cpuUsage(before)
    best = Math.max(best, (times * 1e6) / (user + system))
  }
  return Math.round(best)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(await rows())
