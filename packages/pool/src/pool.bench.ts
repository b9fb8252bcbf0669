import type { Hash, TxRecord } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { defaultPoolConfig } from './config.ts'
import { addressAt, aHead, anAccount, aPool, aTx } from './testing.ts'
import {
  accountsOf,
  collector,
  filled,
  manyAccounts,
  median,
  print,
  rateRow,
  rich,
  timed,
} from './testkit/bench-kit.ts'

const roomy = { ...defaultPoolConfig, globalSlots: 20_000, accountQueue: 20_000 }

/** Pool rows, without cryptography: per CPU second, medians of seven. The reference is a bare Map that takes the same records. */
export async function rows(): Promise<BenchRow[]> {
  return [
    batchRow(100, 150_000),
    batchRow(1_000, 250_000),
    batchRow(10_000, 350_000),
    oneByOneRow(),
    saturatedRow(),
    selectRow(),
    resetRow(),
    reorgRow(),
    memoryRow(),
  ]
}

function batchRow(count: number, target: number): BenchRow {
  const txs = oneAccount(count)
  const accounts = new Map([[addressAt(0), anAccount({ balance: rich })]])
  const times = 10_000 / count
  const ms = median(() => {
    const pools = Array.from({ length: times }, () => aPool({ config: roomy }))
    return timed(() => {
      for (const pool of pools) pool.apply({ op: 'add', now: 0, origin: 'gossip', txs, accounts })
    })
  })
  return rateRow(`batch insert ${count}, one account`, txs, ms / times, target)
}

function oneByOneRow(): BenchRow {
  const txs = manyAccounts(5_000, 1)
  const accounts = accountsOf(5_000)
  const ms = median(() => {
    const pool = aPool()
    return timed(() => {
      for (const tx of txs) pool.apply({ op: 'add', now: 0, origin: 'gossip', txs: [tx], accounts })
    })
  })
  return rateRow('5,000 accounts, one by one', txs, ms, 60_000)
}

function selectRow(): BenchRow {
  const pool = filled(1_280, 4)
  const ms = median(() =>
    timed(() => pool.select({ gas: 21_000 * 200, bytes: 4_000_000, baseFee: 7n })),
  )
  return {
    row: 'select 200 of 5,120',
    unit: 'ms',
    ours: ms,
    target: '<= 5 ms',
    met: ms <= 5,
  }
}

function resetRow(): BenchRow {
  const ms = median(() => {
    const pool = filled(5_000, 1)
    const mined = [...pool.pending().values()].flat().slice(0, 100)
    const senders = new Set(mined.map(({ sender }) => sender))
    const accounts = new Map(
      [...accountsOf(5_000)].map(([address, view]) =>
        senders.has(address) ? [address, anAccount({ nonce: 1n, balance: rich })] : [address, view],
      ) as [ReturnType<typeof addressAt>, ReturnType<typeof anAccount>][],
    )
    const head = aHead({ number: 1, gasUsed: 30_000_000 })
    const path = {
      kind: 'child',
      discarded: [],
      included: new Set(mined.map(({ hash }) => hash)),
    } as const
    return timed(() =>
      pool.apply({ op: 'reset', now: 1, old: pool.head, new: head, path, accounts }),
    )
  })
  return {
    row: 'head with 100 mined of 5,000, base fee +12.5 %',
    unit: 'ms',
    ours: ms,
    target: '<= 8 ms',
    met: ms <= 8,
  }
}

function saturatedRow(): BenchRow {
  const accounts = accountsOf(6_144 + 2_000)
  const txs = Array.from({ length: 2_000 }, (_, index) =>
    aTx({ from: 6_144 + index, feeCap: 5_000 + index, tip: 1_000 + index }),
  )
  const ms = median(() => {
    const pool = filled(6_144, 1)
    return timed(() => {
      for (const tx of txs) pool.apply({ op: 'add', now: 0, origin: 'gossip', txs: [tx], accounts })
    })
  })
  return rateRow('full pool, each add pushes one out', txs, ms, 40_000)
}

function reorgRow(): BenchRow {
  const discarded = manyAccounts(1_280, 5)
  const accounts = accountsOf(1_280)
  const ms = median(() => {
    const pool = aPool()
    const path = { kind: 'reorg', discarded, included: new Set<Hash>() } as const
    const head = aHead({ number: 1 })
    return timed(() =>
      pool.apply({ op: 'reset', now: 1, old: pool.head, new: head, path, accounts }),
    )
  })
  return {
    row: 'reorg 64 deep, 100 a block',
    unit: 'ms',
    ours: ms,
    target: '<= 42 ms',
    met: ms <= 42,
  }
}

function memoryRow(): BenchRow {
  const collect = collector()
  collect()
  const before = used()
  const pool = filled(1_280, 4)
  collect()
  const mb = (used() - before) / 1e6
  const held = pool.stats.pending
  return {
    row: 'memory of 5,120 transfers',
    unit: 'MB',
    ours: mb,
    target: '<= 8 MB',
    met: mb <= 8,
    note: `records included, ${Math.round((mb * 1e6) / held)} B each`,
  }
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function oneAccount(count: number): TxRecord[] {
  return Array.from({ length: count }, (_, nonce) => aTx({ from: 0, nonce }))
}

if (process.argv[1]?.endsWith('pool.bench.ts') === true) await print(rows)
