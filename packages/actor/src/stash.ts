import type { Typed } from './api.ts'
import { replyOf } from './ask.ts'
import { type Cell, STOPPED } from './cell.ts'

/** Holds `msg` back. It counts as handled; if it dies after all it counts as sent once more. */
export function stash(cell: Cell, msg: Typed): void {
  const { bus } = cell
  cell.stashed ??= []
  const held = { msg, id: bus.id, cause: bus.cause }
  if (cell.state === STOPPED) bus.buryHeld(cell, held, 'dead')
  else if (cell.stashed.length < cell.capacity) cell.stashed.push(held)
  else bus.buryHeld(cell, held, 'full')
}

/** Handles what is held, in order. What is held back meanwhile waits for the next time. */
export function unstash(cell: Cell): void {
  const { bus, stashed } = cell
  cell.stashed = undefined
  if (stashed === undefined) return
  for (const [index, held] of stashed.entries()) {
    if (cell.state === STOPPED) bus.buryHeld(cell, held, 'dead')
    else if (replyOf(held.msg)?.outcome !== undefined) bus.buryHeld(cell, held, 'expired')
    else {
      try {
        cell.handler(held.msg)
      } catch (error) {
        bus.buryHeld(cell, held, 'crashed')
        cell.stashed = [...stashed.slice(index + 1), ...(cell.stashed ?? [])]
        throw error
      }
    }
  }
}
