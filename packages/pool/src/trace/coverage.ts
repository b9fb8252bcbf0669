import type { Hash } from '@rockpool/protocol'
import type { Op, Outcome } from '../op.ts'
import type { Pool } from '../pool.ts'
import type { TraceResult } from './format.ts'

/** How often each path of the pool was taken. */
export type Coverage = ReadonlyMap<string, number>

/**
 * What the exact traces together must have reached at least 20 times: every code bytes can reach, each demotion, each cap, each way a head
 * can come, and the limits of delegated accounts.
 */
export const coverageGate: readonly string[] = [
  ...[
    'undecodable type-unsupported oversized type-not-enabled initcode-too-big gas-cap gas-over-block',
    'fee-cap-too-wide tip-too-wide tip-above-fee-cap invalid-sender wrong-chain nonce-max value-too-wide',
    'intrinsic-gas floor-gas tip-below-minimum empty-authorizations known nonce-too-low insufficient-funds',
    'delegated-gap delegated-in-flight authority-reserved address-reserved underpriced full',
    'future-replaces-pending replacement-underpriced',
  ]
    .join(' ')
    .split(' ')
    .map(code => `code ${code}`),
  'accepted',
  'demoted: nonce went up',
  'demoted: unpayable or over the gas limit',
  'demoted: behind what left',
  'dropped: truncated-pending',
  'dropped: truncated-queue',
  'dropped: account-queue-cap',
  'dropped: evicted-price',
  'dropped: expired',
  'dropped: replaced',
  'full by the throttle',
  'price index built anew',
  'path child',
  'path reorg',
  'path deep',
  'path sethead',
  'path missing old',
  'path missing new',
  'path missing state',
]
export const coverageLeast = 20

export function coverageOf() {
  const counts = new Map<string, number>()
  const add = (name: string, count = 1) => {
    if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  return {
    count(op: Op, outcome: Outcome): void {
      const reset = op.op === 'reset' ? op : op.op === 'merge' ? op.reset : undefined
      if (reset !== undefined) countReset(outcome, add)
      for (const { reason } of outcome.dropped) add(`dropped: ${reason}`)
      for (const result of outcome.results) {
        const why = result.ok ? undefined : result.details?.why
        if (why === 'throttle') add('full by the throttle')
      }
      add('announced', outcome.events.length)
      add('promoted', outcome.promoted.length)
    },
    answered(result: TraceResult): void {
      for (const err of result.errs ?? []) add(err === null ? 'accepted' : `code ${err[0]}`)
    },
    total(pool: Pool, paths: ReadonlyMap<string, number>): Coverage {
      for (const [kind, count] of paths) add(`path ${kind}`, count)
      add('price index built anew', pool.inspect().holdings.priced.rebuilt)
      return counts
    },
  }
}

function countReset({ dropped, demoted }: Outcome, add: (name: string, count?: number) => void) {
  const reasons = new Map<Hash, string>(dropped.map(({ hash, reason }) => [hash, reason]))
  for (const reason of reasons.values()) {
    if (reason === 'mined' || reason === 'nonce-used') add('demoted: nonce went up')
    if (reason === 'unpayable' || reason === 'gas-over-block') {
      add('demoted: unpayable or over the gas limit')
    }
  }
  add('demoted: behind what left', demoted.length)
}

/** Sums of several traces. */
export function addCoverage(total: Map<string, number>, more: Coverage): void {
  for (const [name, count] of more) total.set(name, (total.get(name) ?? 0) + count)
}

/** What of the gate is not reached. */
export function coverageGaps(total: Coverage): string[] {
  return coverageGate
    .filter(name => (total.get(name) ?? 0) < coverageLeast)
    .map(name => `${name}: ${total.get(name) ?? 0}`)
}
