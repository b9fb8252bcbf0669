import type { BenchRow } from '@rockpool/protocol/conformance'
import type { RouterResult, RouterWish } from './bare-router.ts'
import { startChild } from './child.ts'
import { startDevnet } from './devnet.ts'
import { pause, quantile, until } from './measure.ts'
import type { SpreadResult, SpreadWish } from './spread.ts'

const seconds = process.env.ROCKPOOL_BENCH_SHORT === '1' ? 3 : 10
const processes = 8
const batchesPerSecond = 20
const perBatch = 64
/** A batch of 64 transfers as gossip has it. */
const batchBytes = 64 * 120
const settleMs = 5_000

/** 1,280 transactions a second, given to one of eight processes in batches of 64, on their way into all pools; beside it the router alone. */
export async function rows(): Promise<BenchRow[]> {
  const bare = await routersAlone()
  const { sent, refused, waysMs } = await pools()
  const [ours, reference] = [quantile(waysMs, 0.95), quantile(bare, 0.95)]
  const missing = sent * processes - waysMs.length
  const ratio = ours / reference
  return [
    {
      ...{ row: `1,280 tx/s of one process into ${processes} pools`, unit: 'ms at p95', ours },
      reference: { name: 'gossipsub alone, from publication', value: reference },
      ratio: 1 / ratio,
      target: '≤ 2 times the reference, none missing',
      met: ratio <= 2 && missing === 0 && refused === 0,
      note: `${ratio.toFixed(2)} times; p50 ${quantile(waysMs, 0.5).toFixed(1)} ms, of the router ${quantile(bare, 0.5).toFixed(1)}; from the call to the notification of each pool; ${missing} missing, ${refused} refused of ${sent + refused}`,
    },
  ]
}

async function pools(): Promise<SpreadResult> {
  const child = startChild('./spread.ts')
  const devnet = await startDevnet('bench-spread', [
    ...['--nodes', `${processes}`, '--chain.mining', 'manual', '--record.enabled', 'false'],
    ...[
      '--txpool.globalslots',
      '100000',
      '--txpool.accountslots',
      '10000',
      '--txpool.persist',
      'none',
    ],
  ])
  try {
    const { nodes, accounts, chainId } = devnet.network
    await pause(settleMs)
    return await child.ask<SpreadResult>({
      ...{ rpc: nodes[0]?.rpc ?? '', ws: nodes.map(({ ws }) => ws), chainId },
      privateKeys: accounts.map(({ privateKey }) => privateKey),
      ...{ batches: batchesPerSecond * seconds, perBatch, batchesPerSecond },
    } satisfies SpreadWish)
  } finally {
    await devnet.stop()
    child.end()
  }
}

async function routersAlone(): Promise<readonly number[]> {
  const children = Array.from({ length: processes }, () => startChild('./bare-router.ts'))
  const ask = (index: number, wish: RouterWish) => children[index]?.ask<RouterResult>(wish)
  try {
    const dial: string[] = []
    for (let index = 0; index < processes; index++) {
      const opened = await ask(index, { do: 'open', seed: index + 1, dial: [...dial] })
      if (opened !== undefined) dial.push(opened.address)
    }
    const told = () => Promise.all(children.map((_, index) => ask(index, { do: 'tell' })))
    await until('mesh', 30_000, async () =>
      (await told()).every(result => (result?.mesh ?? 0) >= 2) ? true : undefined,
    )
    await pause(settleMs)
    const count = batchesPerSecond * seconds
    await ask(0, { do: 'send', count, perSecond: batchesPerSecond, bytes: batchBytes })
    await pause(2_000)
    return (await told()).flatMap(result => result?.waysMs ?? [])
  } finally {
    for (const child of children) child.end()
  }
}
