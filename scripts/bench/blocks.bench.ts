import type { BenchRow } from '@rockpool/protocol/conformance'
import { startDevnet } from './devnet.ts'
import { call, cpuSecondsOf, pause } from './measure.ts'

const settleMs = 10_000
const measuredMs = 20_000
/** Chance and travel add up to a tenth to each block time; a machine that makes fewer measures something else. */
const rateMin = 9

/** What following ten blocks a second costs each of four nodes that make them in turn. */
export async function rows(): Promise<BenchRow[]> {
  const devnet = await startDevnet('bench-blocks', ['--block', '100ms'])
  try {
    const { nodes } = devnet.network
    const heights = () =>
      Promise.all(nodes.map(async ({ rpc }) => Number(await call<string>(rpc, 'eth_blockNumber'))))
    const cpu = () => nodes.map(({ pid }) => cpuSecondsOf(pid))
    await pause(settleMs)
    const [before, spent, since] = [await heights(), cpu(), performance.now()]
    await pause(measuredMs)
    const [after, spentAfter] = [await heights(), cpu()]
    const seconds = (performance.now() - since) / 1_000
    const shares = spentAfter.map((each, index) => (each - (spent[index] ?? 0)) / seconds)
    const rate = (Math.max(...after) - Math.max(...before)) / seconds
    const share = Math.max(...shares)
    return [
      {
        ...{
          row: 'ten blocks a second on four nodes, each',
          unit: '% of a core',
          ours: share * 100,
        },
        target: '≤ 15 %',
        met: share <= 0.15 && rate >= rateMin,
        note: `${rate.toFixed(1)} empty blocks a second over ${measuredMs / 1_000} s; the busiest node`,
      },
    ]
  } finally {
    await devnet.stop()
  }
}
