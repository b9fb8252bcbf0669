import type { Address, TxRecord } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { Entry } from './entry.ts'
import type { Accounts } from './op.ts'
import { Pool } from './pool.ts'
import { quirksOf } from './quirks.ts'
import { truncatePending } from './run.ts'
import { addressAt, aHead, anAccount, aPool, aTx } from './testing.ts'
import {
  accountsOf,
  collector,
  filled,
  lessRow,
  median,
  print,
  rich,
  timed,
} from './testkit/bench-kit.ts'
import { manifest, traceOf, traceTools } from './testkit/traces.ts'
import { prepareTrace } from './trace/prepare.ts'
import { replayPrepared } from './trace/replay.ts'

/** Rows of single steps and of a pool as busy networks have it. */
export async function rows(): Promise<BenchRow[]> {
  return [
    ...saturatedShape(),
    truncateRow(),
    ...[100, 1_000, 10_000].flatMap(count => [promotionRow(count), demotionRow(count)]),
    reheapRow('fixed'),
    reheapRow('geth'),
    comparatorRow(),
    await replayRow(),
  ]
}

const shapeAccounts = 4_000

/** 2,800 accounts of four executable, 800 of four below the base fee, 400 of four behind a gap. */
function shape(): { pool: Pool; accounts: Accounts } {
  const config = { globalSlots: 20_000, globalQueue: 4_000 }
  const pool = aPool({ config, head: aHead({ baseFee: 500n }) })
  const accounts = accountsOf(shapeAccounts + 128)
  const txs: TxRecord[] = []
  for (let from = 0; from < shapeAccounts; from++) {
    const gap = from >= 3_600 ? 1 : 0
    const fees =
      from >= 2_800 && from < 3_600
        ? { feeCap: 100, tip: 1 }
        : { feeCap: 2_000 + from, tip: 2 + (from % 50) }
    for (let nonce = 0; nonce < 4; nonce++) txs.push(aTx({ from, nonce: nonce + gap, ...fees }))
  }
  pool.apply({ op: 'add', now: 0, origin: 'gossip', txs, accounts })
  return { pool, accounts }
}

function saturatedShape(): BenchRow[] {
  const fresh = Array.from({ length: 128 }, (_, index) =>
    aTx({ from: shapeAccounts + index, feeCap: 3_000, tip: 30 }),
  )
  const { pool: first, accounts } = shape()
  const image = first.snapshot()
  const parts = first.inspect()
  const again = () => Pool.restore({ config: parts.config, forks: { londonBlock: 0 } }, image)
  const collect = collector()
  const add = median(() => {
    const pool = again()
    collect()
    return timed(() => pool.apply({ op: 'add', now: 1, origin: 'gossip', txs: fresh, accounts }))
  })
  const heads = ([0, 30_000_000] as const).map(gasUsed =>
    median(() => {
      const pool = again()
      const mined = [...pool.pending().values()].slice(0, 100).map(([tx]) => tx as TxRecord)
      const after = new Map(accounts)
      for (const { sender } of mined) after.set(sender, anAccount({ nonce: 1n, balance: rich }))
      const included = new Set(mined.map(({ hash }) => hash))
      const path = { kind: 'child', discarded: [], included } as const
      const head = aHead({ number: 1, baseFee: 500n, gasUsed })
      return timed(() =>
        pool.apply({ op: 'reset', now: 1, old: pool.head, new: head, path, accounts: after }),
      )
    }),
  )
  const name = '16,000 of 4,000 accounts in three states'
  return [
    lessRow(`${name}: 128 more`, 'ms', add, 3),
    lessRow(`${name}: 100 mined, base fee -12.5 %`, 'ms', heads[0] ?? Number.NaN, 8),
    lessRow(`${name}: 100 mined, base fee +12.5 %`, 'ms', heads[1] ?? Number.NaN, 8),
  ]
}

function truncateRow(): BenchRow {
  const pool = filled(5_000, 1)
  const { holdings, config } = pool.inspect()
  const context = { holdings, config, quirks: quirksOf('fixed'), now: 0, gasLimit: 30_000_000n }
  const times = 10_000
  const ms = median(() =>
    timed(() => {
      for (let index = 0; index < times; index++) truncatePending(context)
    }),
  )
  return lessRow('truncate pending under its cap, 5,000 accounts', 'µs', (ms / times) * 1000, 5)
}

const roomy = { globalSlots: 20_000, accountQueue: 20_000, globalQueue: 20_000 }

/** Everything waits for nonce 0, which the chain then passes. */
function promotionRow(count: number): BenchRow {
  const txs = Array.from({ length: count }, (_, index) => aTx({ nonce: index + 1 }))
  return headRow(`promote ${count} at a head`, count, txs, [0n, 1n], rich)
}

/** Nobody can pay the first any more; all behind it wait. */
function demotionRow(count: number): BenchRow {
  const txs = Array.from({ length: count }, (_, nonce) =>
    aTx({ nonce, value: nonce === 0 ? 10n ** 20n : 1 }),
  )
  return headRow(`demote ${count} at a head`, count, txs, [0n, 0n], 10n ** 19n)
}

function headRow(
  row: string,
  count: number,
  txs: readonly TxRecord[],
  [before, after]: readonly [bigint, bigint],
  balance: bigint,
): BenchRow {
  const views = (nonce: bigint, funds: bigint): Map<Address, ReturnType<typeof anAccount>> =>
    new Map([[addressAt(0), anAccount({ nonce, balance: funds })]])
  const times = 10_000 / count
  const ms = median(() => {
    const pools = Array.from({ length: times }, () => {
      const pool = aPool({ config: roomy })
      pool.apply({ op: 'add', now: 0, origin: 'gossip', txs, accounts: views(before, rich) })
      return pool
    })
    const path = { kind: 'child', discarded: [], included: new Set<never>() } as const
    const head = aHead({ number: 1 })
    const accounts = views(after, balance)
    return timed(() => {
      for (const pool of pools) {
        pool.apply({ op: 'reset', now: 1, old: pool.head, new: head, path, accounts })
      }
    })
  })
  return lessRow(row, 'µs each', ms / 10, 1)
}

function reheapRow(compat: 'fixed' | 'geth'): BenchRow {
  const pool = filled(6_144, 1, { compat })
  const { priced } = pool.inspect().holdings
  const times = 20
  const ms = median(() =>
    timed(() => {
      for (let index = 0; index < times; index++) priced.reheap()
    }),
  )
  return lessRow(`rebuild the price index of 6,144, mode ${compat}`, 'ms', ms / times, 0.7)
}

function comparatorRow(): BenchRow {
  const pool = filled(1_024, 1)
  const { priced, all } = pool.inspect().holdings
  const worst = [...all.values()].map(
    ({ tx, account }, seq) => new Entry({ ...tx, feeCap: 1n, tip: 1n }, account, seq, 'gossip', 0),
  )
  const times = 1_000
  let refused = 0
  const ms = median(() =>
    timed(() => {
      for (let round = 0; round < times; round++) {
        for (const entry of worst) if (priced.underpriced(entry)) refused++
      }
    }),
  )
  const note = `two orders a comparison, ${refused > 0 ? 'all refused' : 'none refused'}`
  return lessRow('compare with the cheapest', 'ns', (ms / times / worst.length) * 1e6, 20, note)
}

async function replayRow(): Promise<BenchRow> {
  const tools = await traceTools('remembered')
  const ready: {
    trace: ReturnType<typeof traceOf>
    txs: Awaited<ReturnType<typeof prepareTrace>>
  }[] = []
  for (const listed of manifest()) {
    if (listed.file.includes('large')) continue
    const trace = traceOf(listed)
    ready.push({ trace, txs: await prepareTrace(trace, tools) })
  }
  let operations = 0
  const ms = median(() => {
    operations = 0
    return timed(() => {
      for (const { trace, txs } of ready) {
        operations += replayPrepared(trace, txs, tools, {
          compat: 'geth',
          checkEvery: 0,
        }).operations
      }
    })
  })
  const ours = Math.round((operations / ms) * 1000)
  return {
    row: 'replay of recorded traces',
    unit: 'operations/s',
    ours,
    target: '>= 20000',
    met: ours >= 20_000,
    note: 'every answer compared; without recovery, recounts and the two largest',
  }
}

if (process.argv[1]?.endsWith('shapes.bench.ts') === true) await print(rows)
