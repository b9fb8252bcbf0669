import { describe, expect, test } from 'vitest'
import { checkInvariants, fingerprint } from '../invariants.ts'
import type { Op, Outcome } from '../op.ts'
import { Pool, type PoolParts } from '../pool.ts'
import type { Compat } from '../quirks.ts'
import { named, traceTools } from '../testkit/traces.ts'
import type { Trace } from './format.ts'
import { TracePlayer } from './player.ts'
import { type PreparedTxs, prepareTrace } from './prepare.ts'

const tools = await traceTools()
const names = ['price/price-136', 'truncation/pendcap-154', 'chaos/chaos-234']

/** An outcome in a few words: what was answered, what moved, what was announced. */
function text({ results, events, ...moved }: Outcome): string {
  const answers = results.map(result => (result.ok ? result.value : result.message))
  return JSON.stringify([answers, moved, events.map(({ tx, relayed }) => [tx.hash, relayed])])
}

/** The operations of a trace with what came of each, and the pool at the end. */
function record(trace: Trace, txs: PreparedTxs, compat: Compat) {
  const log: { op: Op; outcome: Outcome }[] = []
  const player = new TracePlayer({
    trace,
    txs,
    tools,
    compat,
    onOp: (op, outcome) => log.push({ op, outcome }),
  })
  const parts: PoolParts = {
    config: player.pool.inspect().config,
    forks: trace.header.chain.forks,
    head: player.pool.head,
  }
  for (const line of trace.lines) {
    // The second handle is outside of the log.
    if (line.k !== 'hold' && line.k !== 'release') player.play(line)
  }
  return { log, parts, end: fingerprint(player.pool) }
}

describe.each(['geth', 'fixed'] as const)('the same log is the same pool in mode %s', compat => {
  test.each(names)(
    '%s: again, from snapshots on the way, and with other batches of recovery',
    async name => {
      const trace = named(name)
      const { log, parts, end } = record(trace, await prepareTrace(trace, tools), compat)
      const told = log.map(({ outcome }) => text(outcome))

      const again = new Pool(parts)
      expect(log.map(({ op }) => text(again.apply(op)))).toEqual(told)
      expect(fingerprint(again)).toBe(end)

      let pool = new Pool(parts)
      for (const [index, { op }] of log.entries()) {
        // Records never change, so a snapshot may share them; once in a while it goes through a copy all the same.
        const image = index % 7 === 3 ? pool.snapshot() : undefined
        if (image !== undefined) {
          pool = Pool.restore(parts, index % 70 === 3 ? structuredClone(image) : image)
        }
        expect(text(pool.apply(op))).toBe(told[index])
      }
      expect(fingerprint(pool)).toBe(end)
      expect(checkInvariants(pool)).toEqual([])

      const others = await prepareTrace(trace, await traceTools(), 7)
      const other = record(trace, others, compat)
      expect(other.end).toBe(end)
      expect(other.log.map(({ outcome }) => text(outcome))).toEqual(told)
    },
    60_000,
  )
})
