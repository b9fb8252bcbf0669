import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { failed, zeroHash } from '@rockpool/protocol'
import { type BenchRow, MemoryStore } from '@rockpool/protocol/conformance'
import { chronicle } from './chronicle.ts'
import { defaultPoolConfig } from './config.ts'
import { explain } from './explain.ts'
import { openJournal, putRow } from './journal.ts'
import type { Op } from './op.ts'
import type { Pool } from './pool.ts'
import { Stories } from './stories.ts'
import { aPool, aTx } from './testing.ts'
import {
  accountsOf,
  filled,
  lessRow,
  manyAccounts,
  median,
  print,
  timed,
} from './testkit/bench-kit.ts'

const telling = { now: 1_000, cause: 7, block: 1 }
const storiesOf = (max = 32_768) => new Stories({ max, isOwn: () => false })

/** What telling costs: of the time of an add, in memory, and one question. */
export async function rows(): Promise<BenchRow[]> {
  return [shareRow(), memoryRow(), explainRow(), await journalRow()]
}

function shareRow(): BenchRow {
  const txs = manyAccounts(5_000, 1)
  const accounts = accountsOf(5_000)
  const run = (tell: (pool: Pool, op: Op) => void) =>
    median(() => {
      const pool = aPool()
      return timed(() => {
        for (let at = 0; at < txs.length; at += 50) {
          const part = txs.slice(at, at + 50)
          tell(pool, { op: 'add', now: 0, origin: 'gossip', txs: part, accounts })
        }
      })
    })
  const bare = run((pool, op) => void pool.apply(op))
  let stories = storiesOf()
  const told = run((pool, op) => {
    if (pool.stats.slots === 0) stories = storiesOf()
    chronicle(stories, pool, { op, outcome: pool.apply(op) }, telling)
  })
  const share = Math.round(((told - bare) / bare) * 100)
  const each = ((told - bare) / txs.length) * 1_000
  return lessRow('story of an add', 'us', each, 0.5, `${share} % of the core's part of it`)
}

function memoryRow(): BenchRow {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const count = 12_000
  const stories = storiesOf()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let from = 0; from < count; from++) {
    const tx = aTx({ from, salt: from })
    stories.refusedWith(tx, 'gossip', failed('pool/underpriced'), telling)
  }
  collect()
  const each = Math.round((process.memoryUsage().heapUsed - before) / count)
  const note = `${stories.kept} kept, hash and sender included`
  return lessRow('memory of a story', 'B', each, 400, note)
}

function explainRow(): BenchRow {
  const pool = filled(1_280, 4)
  const stories = storiesOf()
  const sources = {
    ...{ config: defaultPoolConfig, pool, stories, tracker: undefined },
    ...{ recovering: () => undefined, cheapest: undefined },
  }
  const hashes = [...pool.hashes()].slice(0, 1_000)
  const ms = median(() =>
    timed(() => {
      for (const subject of hashes) explain({ subject }, sources)
    }),
  )
  return lessRow('explain, of 5,120 pooled', 'us', (ms / hashes.length) * 1_000, 50)
}

async function journalRow(): Promise<BenchRow> {
  const store = new MemoryStore()
  const writes = Array.from({ length: 10_000 }, (_, from) => {
    const flags = { isRemote: true, isRanked: true }
    return putRow({
      ...{ tx: aTx({ from }), origin: 'gossip', seq: from, firstSeenMs: 1, trackedAtMs: 0 },
      ...flags,
    })
  })
  const identity = { chainId: 1337n, genesis: zeroHash }
  await openJournal(store, identity)
  await store.batch(writes)
  const from = performance.now()
  const opened = await openJournal(store, identity, 20_000)
  const ms = performance.now() - from
  const count = opened.ok ? opened.value.length : 0
  return lessRow('journal of 10,000 rows read', 'ms', ms, 300, `${count} rows, from memory`)
}

if (process.argv[1]?.endsWith('story.bench.ts') === true) await print(rows)
