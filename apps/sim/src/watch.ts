import type { EventRow, RunResult } from '@rockpool/sim'
import { logRowsMax } from './files.ts'
import { type History, runHistory, type Watching } from './run-history.ts'

/** Events before a break that are shown with it. */
const shownBefore = 20

/** Runs and keeps the newest events. */
export async function runLogged(
  history: History,
): Promise<{ result: RunResult; rows: EventRow[] }> {
  const rows: EventRow[] = []
  const result = await runHistory(history, {
    event: row => {
      rows.push(row)
      if (rows.length >= 2 * logRowsMax) rows.splice(0, logRowsMax)
    },
  })
  return { result, rows: rows.slice(-logRowsMax) }
}

/** Where two runs of one history part; undefined when they are the same. */
export interface Difference {
  readonly index: number
  readonly first: string
  readonly second: string
}

/** Runs twice and compares event by event. */
export async function runTwice(
  history: History,
): Promise<{ first: RunResult; second: RunResult; difference?: Difference }> {
  const lines: string[] = []
  const first = await runHistory(history, { event: row => lines.push(eventText(row)) })
  let index = 0
  let difference: Difference | undefined
  const second = await runHistory(history, {
    event: row => {
      const line = eventText(row)
      if (difference === undefined && line !== lines[index]) {
        difference = { index, first: lines[index] ?? 'the end', second: line }
      }
      index += 1
    },
  })
  if (difference === undefined && index < lines.length) {
    difference = { index, first: lines[index] ?? 'the end', second: 'the end' }
  }
  return { first, second, ...(difference && { difference }) }
}

/** An event as one line. */
export function eventText({ atMs, node, actor, type, id, cause }: EventRow): string {
  const why = cause === 0 ? '' : ` <- #${cause}`
  return `${(atMs / 1000).toFixed(6)} s  ${node}${actor}  ${type}#${id}${why}`
}

/** Where to stop: an actor, with or without its node (`n0/pool` or `/pool`), and a message type. */
export interface Break {
  readonly path: string
  readonly type: string
}

/** Runs up to the first message of that type to that actor; its last events, the message itself last. */
export async function runToBreak(
  history: History,
  at: Break,
  watching: Watching,
): Promise<{ rows: EventRow[]; found: boolean }> {
  const rows: EventRow[] = []
  let found = false
  await runHistory(history, {
    ...watching,
    event: row => {
      if (found) return
      rows.push(row)
      if (rows.length > shownBefore) rows.shift()
      found =
        row.type === at.type && (row.actor === at.path || `${row.node}${row.actor}` === at.path)
    },
  })
  return { rows, found }
}
