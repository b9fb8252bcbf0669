import { gethQuirks, type Quirks, quirkOfRow } from '../quirks.ts'
import { isSame } from './content.ts'
import type { OverlayLine, Trace, TraceResult } from './format.ts'
import type { PreparedTxs, TraceTools } from './prepare.ts'
import { replayPrepared } from './replay.ts'

/** What was answered otherwise than recorded, by line. */
type Answers = ReadonlyMap<number, unknown>

/** A line no set of the rows explains. */
const unexplained = 'unexplained'

/**
 * What mode `fixed` answers otherwise than recorded, line by line, each with the row of the table that explains it. Rows are repaired in mode
 * `geth` one after the other, each from the line on that needs it: a line that the rows repaired so far do not answer as mode `fixed` does
 * names the one that has to join them, or the two where one is not enough. A line they do answer names the last of them without which it
 * would be answered otherwise. To be read by somebody before it is kept.
 */
export function overlayOf(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  rows: readonly string[],
): OverlayLine[] {
  const recorded = new Map(trace.lines.map(line => [line.i, 'r' in line ? line.r : undefined]))
  const cache = new Map<string, Answers>()
  const answersOf = (repaired: readonly string[]): Answers => {
    const key = [...repaired].sort().join(' ')
    const known = cache.get(key)
    if (known !== undefined) return known
    const options = { compat: 'geth' as const, goOn: true, checkEvery: 0 }
    const quirks = repairedOf(repaired)
    const { differences } = replayPrepared(trace, txs, tools, { ...options, quirks })
    const answers = new Map(differences.map(({ line, got }) => [line, got]))
    cache.set(key, answers)
    return answers
  }
  const usable = rows.filter(row => quirkOfRow[row] !== undefined && row !== 'Q2')
  const repaired: string[] = []
  const named = new Set<string>()

  const fixed = replayPrepared(trace, txs, tools, { compat: 'fixed', goOn: true, checkEvery: 0 })
  return fixed.differences.map(({ line, got }) => {
    const explains = (set: readonly string[]) => isSame(answersOf(set).get(line), got)
    let row: string | undefined
    if (explains(repaired)) {
      row = repaired.findLast(one => !explains(repaired.filter(other => other !== one)))
      row ??= repaired.at(-1)
    } else {
      const joining = joiningOf(usable, repaired, explains)
      repaired.push(...joining)
      if (joining.length > 0) row = joining.join(' ')
    }
    // Both are one decision: a line is of the second row where a replacement pushed out what it was to replace, or follows from such a one.
    const isSecond = isOwnVictim(recorded.get(line), got) || (named.has('Q2') && !named.has('Q1'))
    const q = row === 'Q1' && isSecond ? 'Q2' : (row ?? unexplained)
    named.add(q)
    return got === undefined ? { i: line, q } : { i: line, q, r: got }
  })
}

/** The row that has to be repaired as well; where none alone is enough, the two. */
function joiningOf(
  usable: readonly string[],
  repaired: readonly string[],
  explains: (set: readonly string[]) => boolean,
): readonly string[] {
  const open = usable.filter(row => !repaired.includes(row))
  const one = open.find(row => explains([...repaired, row]))
  if (one !== undefined) return [one]
  for (const [at, first] of open.entries()) {
    const second = open.slice(at + 1).find(row => explains([...repaired, first, row]))
    if (second !== undefined) return [first, second]
  }
  return []
}

/** Mode `geth` with the decisions of these rows made as mode `fixed` makes them. */
export function repairedOf(rows: readonly string[]): Quirks {
  const repaired = rows.flatMap(row => {
    const key = quirkOfRow[row]
    return key === undefined ? [] : [[key, false] as const]
  })
  return { ...gethQuirks, ...Object.fromEntries(repaired) }
}

/** A replacement was taken, and is refused now. */
function isOwnVictim(recorded: unknown, got: unknown): boolean {
  const [before, now] = [errsOf(recorded), errsOf(got)]
  return before.some((err, at) => err === null && now[at]?.[0] === 'replacement-underpriced')
}

function errsOf(value: unknown): NonNullable<TraceResult['errs']> {
  return typeof value === 'object' && value !== null ? ((value as TraceResult).errs ?? []) : []
}
