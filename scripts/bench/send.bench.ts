import { devAccounts } from '@rockpool/chain'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { type Child, startChild } from './child.ts'
import type { LoadResult, LoadWish, SignWish } from './load.ts'
import { chainId, type Server, startAnvil, startGeth, startRockpool } from './servers.ts'

const connections = 16
const warmMs = 5_000
const ms = 10_000
/** Transactions of each account: enough for the fastest of the three over the whole time. */
const each = 16_000

/**
 * Submitting over HTTP to one process from outside, on the same cores: accepted transactions per second of wall time. Every rate is measured
 * on a fresh server. The same load runs against geth and anvil when they are here.
 */
export async function rows(): Promise<BenchRow[]> {
  const child = startChild('./load.ts')
  try {
    const privateKeys = devAccounts.slice(0, connections).map(account => account.privateKey)
    await child.ask<number>({ kind: 'sign', privateKeys, chainId, each } satisfies SignWish)
    const singles = await compare(child, 1)
    const batches = await compare(child, 50)
    return [
      ...rowsOf('eth_sendRawTransaction, single calls', singles, 4_500),
      ...rowsOf('eth_sendRawTransaction, batches of 50', batches, 10_000),
    ]
  } finally {
    child.end()
  }
}

interface Rate {
  readonly name: string
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly note: string
}

async function compare(child: Child, batch: number): Promise<Rate[]> {
  const rates: Rate[] = []
  for (const start of [startRockpool, startGeth, startAnvil]) {
    const server = await start()
    if (server === undefined) continue
    try {
      rates.push(await measure(child, server, batch))
    } finally {
      await server.stop()
    }
  }
  return rates
}

async function measure(child: Child, server: Server, batch: number): Promise<Rate> {
  const before = server.cpuSeconds()
  const wish: LoadWish = { kind: 'load', port: server.port, batch, warmMs, ms }
  const result = await child.ask<LoadResult>(wish)
  const cpu = (server.cpuSeconds() - before) * (result.ms / (result.ms + warmMs))
  const { accepted, refused, refusal, ranOut } = result
  if (accepted === 0) throw new Error(`${server.name} accepted nothing: ${refusal ?? 'no answer'}`)
  const faults = [refused > 0 ? `${refused} refused (${refusal})` : '', ranOut ? 'ran out' : '']
  return {
    name: server.name,
    perSecond: (accepted * 1_000) / result.ms,
    perCpuSecond: accepted / cpu,
    note: faults.filter(Boolean).join(', '),
  }
}

/** One row per reference, or one that says that nothing was there to compare with. */
function rowsOf(what: string, [ours, ...others]: readonly Rate[], least: number): BenchRow[] {
  if (ours === undefined) return []
  const { perSecond, perCpuSecond } = ours
  const common = { unit: 'tx/s wall', ours: perSecond, target: `≥ ${least.toLocaleString('en')}` }
  const note = [`${Math.round(perCpuSecond)} per server CPU s`, ours.note]
    .filter(Boolean)
    .join('; ')
  const met = perSecond >= least
  if (others.length === 0) return [{ row: what, ...common, met, note: `${note}; not compared` }]
  return others.map(other => ({
    row: `${what}, beside ${other.name}`,
    ...common,
    reference: { name: other.name, value: other.perSecond },
    ratio: perSecond / other.perSecond,
    met,
    note: `${note}; ${other.name} ${Math.round(other.perCpuSecond)} per CPU s${other.note && `, ${other.note}`}`,
  }))
}
