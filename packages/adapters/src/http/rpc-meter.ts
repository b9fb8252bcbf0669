import type { Series } from '@rockpool/protocol'

export type CallOutcome = 'ok' | 'error' | 'busy' | 'timeout' | 'failed'
export type RefusalReason =
  | 'parse'
  | 'empty-batch'
  | 'batch-too-large'
  | 'invalid-request'
  | 'host'
  | 'origin'
  | 'method'
  | 'content-type'
  | 'body'
  | 'connections'
  | 'slow-consumer'
type ConnectionKind = 'http' | 'websocket'

const outcomes: readonly CallOutcome[] = ['ok', 'error', 'busy', 'timeout', 'failed']
/** Seconds, doubling from 0.125 ms to 8 s. */
const bounds: readonly number[] = Array.from({ length: 17 }, (_, index) => 0.000125 * 2 ** index)

interface Row {
  readonly outcomes: Float64Array
  readonly buckets: Float64Array
  seconds: number
}

export type RpcMeter = ReturnType<typeof createRpcMeter>

/** Plain numbers about calls, read when the exporter asks. Names outside the table are counted as `other` by the dispatcher. */
export function createRpcMeter() {
  const rows = new Map<string, Row>()
  const refusals = new Map<RefusalReason, number>()
  const connections: Record<ConnectionKind, number> = { http: 0, websocket: 0 }

  function count(method: string, outcome: CallOutcome, ms: number): void {
    let row = rows.get(method)
    if (row === undefined) {
      row = {
        outcomes: new Float64Array(outcomes.length),
        buckets: new Float64Array(bounds.length + 1),
        seconds: 0,
      }
      rows.set(method, row)
    }
    const seconds = ms / 1_000
    row.seconds += seconds
    bump(row.outcomes, outcomes.indexOf(outcome))
    bump(row.buckets, bucketOf(seconds))
  }

  function refuse(reason: RefusalReason): void {
    refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
  }

  function series(): Series[] {
    return [
      {
        name: 'rockpool_rpc_requests_total',
        help: 'JSON-RPC calls by method and outcome.',
        kind: 'counter',
        samples: [...rows].flatMap(([method, row]) =>
          outcomes.flatMap((outcome, index) => {
            const value = row.outcomes[index] ?? 0
            return value === 0 ? [] : [{ labels: { method, outcome }, value }]
          }),
        ),
      },
      {
        name: 'rockpool_rpc_seconds',
        help: 'Time from the parsed call to its answer, by method.',
        kind: 'histogram',
        samples: [...rows].map(([method, row]) => ({
          labels: { method },
          bounds,
          counts: [...row.buckets],
          sum: row.seconds,
        })),
      },
      {
        name: 'rockpool_rpc_refused_total',
        help: 'Requests refused before any method was called, by reason.',
        kind: 'counter',
        samples: [...refusals].map(([reason, value]) => ({ labels: { reason }, value })),
      },
      {
        name: 'rockpool_rpc_connections',
        help: 'Open connections of the JSON-RPC listener, by kind.',
        kind: 'gauge',
        samples: Object.entries(connections).map(([kind, value]) => ({ labels: { kind }, value })),
      },
    ]
  }

  return { count, refuse, connections, series }
}

function bump(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1
}

function bucketOf(seconds: number): number {
  let index = 0
  while (index < bounds.length && seconds > (bounds[index] ?? 0)) index++
  return index
}
