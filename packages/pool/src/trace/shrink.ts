import type { Compat } from '../quirks.ts'
import { isSame } from './content.ts'
import type { Trace, TraceResult } from './format.ts'
import { TracePlayer } from './player.ts'
import type { PreparedTxs, TraceTools } from './prepare.ts'
import { replayPrepared } from './replay.ts'

type Line = Trace['lines'][number]

/** What an operation did by itself: readable without knowing what the pool held besides. */
interface Local {
  readonly errs: unknown
  readonly moved: readonly [pending: number, queued: number]
  readonly nonces: unknown
  readonly events: unknown
}

export interface Shrunk {
  readonly trace: Trace
  readonly linesBefore: number
}

/**
 * A shorter trace with the same mismatch: its last operation still differs from what was recorded in the same fields, and every operation
 * left before it does by itself what was recorded of it. What was recorded of the pool as a whole no longer holds once an operation is gone;
 * in its place stands what this pool says. Undefined: nothing differs.
 */
export function shrinkTrace(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  compat: Compat,
): Shrunk | undefined {
  const [first] = replayPrepared(trace, txs, tools, { compat, checkEvery: 0 }).differences
  if (first === undefined) return undefined
  const end = trace.lines.findIndex(({ i }) => i === first.line)
  const recorded = recordedLocals(trace)
  const attempt = (lines: readonly Line[]) =>
    isSameMismatch({ ...trace, lines }, recorded, { txs, tools, compat })
  let lines = trace.lines.slice(0, end + 1)
  // Where only the content as a whole differs, no operation can be judged by itself.
  if (attempt(lines)) lines = shortest(lines, attempt)
  return {
    trace: asPlayed({ ...trace, lines }, recorded, { txs, tools, compat }),
    linesBefore: end + 1,
  }
}

/** Leaves out halves, quarters and so on down to single lines, as long as the last one still fails. */
function shortest(all: readonly Line[], fails: (lines: readonly Line[]) => boolean): Line[] {
  const last = all.at(-1)
  if (last === undefined) return []
  let lines = all.slice(0, -1)
  for (
    let size = Math.ceil(lines.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < lines.length; ) {
      const fewer = [...lines.slice(0, at), ...lines.slice(at + size)]
      if (fails([...fewer, last])) lines = fewer
      else at += size
    }
  }
  return [...lines, last]
}

interface Ground {
  readonly txs: PreparedTxs
  readonly tools: TraceTools
  readonly compat: Compat
}

function isSameMismatch(
  trace: Trace,
  recorded: ReadonlyMap<number, Local>,
  ground: Ground,
): boolean {
  try {
    const played = locals(trace, ground)
    return trace.lines.every(({ i }, index) => {
      const want = recorded.get(i)
      const got = played.get(i)
      if (want === undefined) return true
      return isSame(want, got?.local) === index < trace.lines.length - 1
    })
  } catch {
    // A line needs a block that is gone.
    return false
  }
}

function recordedLocals({ lines }: Trace): Map<number, Local> {
  const found = new Map<number, Local>()
  let before: TraceResult['stats'] = [0, 0]
  for (const line of lines) {
    if (!('r' in line) || !isResult(line.r)) continue
    found.set(line.i, localOf(line.r, before))
    before = line.r.stats
  }
  return found
}

function locals(trace: Trace, { txs, tools, compat }: Ground) {
  const player = new TracePlayer({ trace, txs, tools, compat })
  const found = new Map<number, { readonly local: Local; readonly result: TraceResult }>()
  let before: TraceResult['stats'] = [0, 0]
  for (const line of trace.lines) {
    const result = player.play(line)
    if (!isResult(result)) continue
    found.set(line.i, { local: localOf(result, before), result })
    before = result.stats
  }
  return found
}

function localOf(
  { errs, stats, nonces, events }: TraceResult,
  before: TraceResult['stats'],
): Local {
  return { errs, moved: [stats[0] - before[0], stats[1] - before[1]], nonces, events }
}

/** The lines with what this pool says of them; the last one with what was recorded. */
function asPlayed(trace: Trace, recorded: ReadonlyMap<number, Local>, ground: Ground): Trace {
  const played = locals(trace, ground)
  let before: TraceResult['stats'] = [0, 0]
  const lines = trace.lines.map((line, index): Line => {
    const result = played.get(line.i)?.result
    const local = recorded.get(line.i)
    if (result === undefined || local === undefined || !('r' in line)) return line
    if (index < trace.lines.length - 1) {
      before = result.stats
      return { ...line, r: result } as Line
    }
    const { content: _, ...want } = line.r as TraceResult
    const [pending, queued] = local.moved
    return { ...line, r: { ...want, stats: [before[0] + pending, before[1] + queued] } } as Line
  })
  return { ...trace, lines }
}

function isResult(value: unknown): value is TraceResult {
  return typeof value === 'object' && value !== null && 'digest' in value
}
