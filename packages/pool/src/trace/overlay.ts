import { gethQuirks, quirkOfRow } from '../quirks.ts'
import { isSame } from './content.ts'
import type { OverlayLine, Trace } from './format.ts'
import type { PreparedTxs, TraceTools } from './prepare.ts'
import { replayPrepared } from './replay.ts'

/**
 * What mode `fixed` answers otherwise than recorded, line by line, each with the row of the table that explains it: the one which, repaired
 * alone, already changes that line; where none does, the one that explained the line before. To be read by somebody before it is kept.
 */
export function overlayOf(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  rows: readonly string[],
): OverlayLine[] {
  const fixed = replayPrepared(trace, txs, tools, { compat: 'fixed', goOn: true, checkEvery: 0 })
  const alone = rows.flatMap(row => {
    const key = quirkOfRow[row]
    if (key === undefined) return []
    const quirks = { ...gethQuirks, [key]: false }
    const options = { compat: 'geth' as const, quirks, goOn: true, checkEvery: 0 }
    const { differences } = replayPrepared(trace, txs, tools, options)
    return [{ row, answers: new Map(differences.map(({ line, got }) => [line, got])) }]
  })
  let last: string | undefined
  return fixed.differences.map(({ line, got }) => {
    const exactly = alone.find(({ answers }) => isSame(answers.get(line), got))
    const also = alone.find(({ row, answers }) => row === last && answers.has(line))
    const first = alone.find(({ answers }) => answers.has(line))
    last = (exactly ?? also ?? first)?.row ?? last ?? 'unexplained'
    return got === undefined ? { i: line, q: last } : { i: line, q: last, r: got }
  })
}
