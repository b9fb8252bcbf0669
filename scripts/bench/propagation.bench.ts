import type { BenchRow } from '@rockpool/protocol/conformance'
import { startChild } from './child.ts'
import { startDevnet } from './devnet.ts'
import { call, cpuSecondsOf, quantile } from './measure.ts'
import type { TravelResult, TravelWish } from './travel.ts'

const perSecond = 200
const seconds = 30
const targetMs = 100

/** A transaction's way through four processes that make blocks meanwhile: from the answer of n0 to the notification of n3. */
export async function rows(): Promise<BenchRow[]> {
  const child = startChild('./travel.ts')
  const devnet = await startDevnet('bench-propagation')
  try {
    const { network } = devnet
    const [first, last] = [network.nodes[0], network.nodes.at(-1)]
    if (first === undefined || last === undefined) throw new Error('a devnet without nodes')
    const before = network.nodes.map(({ pid }) => cpuSecondsOf(pid))
    const { sent, refused, refusal, missing, waysMs } = await child.ask<TravelResult>({
      ...{ rpc: first.rpc, ws: last.ws, chainId: network.chainId, perSecond, seconds },
      privateKeys: network.accounts.map(account => account.privateKey),
    } satisfies TravelWish)
    if (refused > 0) throw new Error(`${refused} of ${sent} refused: ${refusal}`)
    const cpu = network.nodes.map(({ pid }, index) => cpuSecondsOf(pid) - (before[index] ?? 0))
    const inBlocks = await countMined(last.rpc, missing)
    const [p50, p95] = [quantile(waysMs, 0.5), quantile(waysMs, 0.95)]
    const shares = cpu.map(each => `${Math.round((each / seconds) * 100)} %`).join(', ')
    return [
      {
        ...{ row: 'answer of n0 to notification of n3, 200 tx/s', unit: 'ms at p95', ours: p95 },
        target: `≤ ${targetMs} ms, none missing`,
        met: p95 <= targetMs && missing.length === inBlocks,
        note:
          `p50 ${p50.toFixed(1)}, largest ${Math.max(...waysMs).toFixed(0)} ms; ${sent} sent, ${missing.length - inBlocks} missing, ` +
          `${inBlocks} came with their block first; CPU of a core ${shares}`,
      },
    ]
  } finally {
    await devnet.stop()
    child.end()
  }
}

/** How many of these the node knows from a block: then it had no need to announce them as waiting. */
async function countMined(rpc: string, hashes: readonly string[]): Promise<number> {
  let count = 0
  for (const hash of hashes) {
    const receipt = await call<object | null>(rpc, 'eth_getTransactionReceipt', [hash])
    if (receipt !== null) count++
  }
  return count
}
