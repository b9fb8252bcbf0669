import type { EventRow } from './api.ts'
import type { WorldNode } from './sim-node.ts'

/** One line an event in fixed columns, so that two runs can be compared line by line. */
export function legendLine(row: EventRow, node: WorldNode | undefined): string {
  const event = `${row.actor}:${row.type} ${row.id}<${row.cause}`
  return `${columnsOf(row.atMs, row.node)} ${event.padEnd(44)} | ${stateOf(node)}`
}

/** A line for what happens to a node from outside. */
export function outsideLine(atMs: number, who: string, what: string): string {
  return `${columnsOf(atMs, who)} ${what}`
}

function columnsOf(atMs: number, who: string): string {
  return `${(atMs / 1_000).toFixed(6).padStart(12)} ${who.padEnd(5)}`
}

function stateOf(node: WorldNode | undefined): string {
  if (node?.running === undefined) return 'down'
  const { peers, pending, queued, height } = node.running.glance()
  return `peers ${peers} pend ${pending} queue ${queued} head ${height}`
}
