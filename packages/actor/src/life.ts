import type { AskError } from './api.ts'
import { failHand } from './ask.ts'
import { type Cell, STOPPED, SUSPENDED } from './cell.ts'
import type { SystemItem } from './mailbox.ts'
import { directiveFor, planRestart } from './supervision.ts'
import { tellWatchers, unwatchAll } from './watch.ts'

const RESTART: SystemItem = {
  type: '$restart',
  open(cell) {
    cell.setUp()
    return undefined
  },
}

/** What becomes of `cell` now that its handler, its setup or a child of it threw. */
export function fail(cell: Cell, error: unknown, settingUp = false): void {
  const { bus, parent, supervision } = cell
  const directive = directiveFor(supervision, error)
  bus.report('error', 'actor/crashed', { directive, error }, cell.path)
  if (directive === 'resume' && !settingUp) return
  if (directive === 'stop') return stopCell(cell, 'dead')
  if (directive === 'restart' && supervision !== undefined) {
    if (cell.state === STOPPED) return
    const plan = planRestart(cell.restarts ?? [], bus.instant, supervision, () => bus.luck.f())
    if (plan !== undefined) {
      cell.restarts = plan.restarts
      return restart(cell, plan.delayMs)
    }
  }
  stopCell(cell, 'dead')
  if (parent !== undefined) fail(parent, error)
  else bus.fatal(error, cell.path)
}

/** Ends an actor at once, children first. Twice is harmless. */
export function stopCell(cell: Cell, reason: 'dead' | 'shutdown'): void {
  if (cell.stopping) return
  cell.stopping = true
  stopChildren(cell, reason)
  cell.state = STOPPED
  endLife(cell, 'dead')
  if (cell.restarting !== undefined) cell.bus.clock.clear(cell.restarting)
  buryQueued(cell, reason)
  cell.tellWaiters()
  cell.kind.highWater = Math.max(cell.kind.highWater, cell.highWater)
  leaveParent(cell)
  tellWatchers(cell)
}

function stopChildren({ children }: Cell, reason: 'dead' | 'shutdown'): void {
  if (children === undefined) return
  for (const child of [...children.values()]) stopCell(child, reason)
}

/** The mailbox survives and goes on filling; a delayed restart leaves only the system lane running. */
function restart(cell: Cell, delayMs: number): void {
  const { bus } = cell
  cell.kind.restarts++
  endLife(cell, 'crashed')
  stopChildren(cell, 'dead')
  if (delayMs === 0) return cell.setUp()
  cell.state = SUSPENDED
  const cause = bus.id
  cell.restarting = bus.clock.at(bus.instant + delayMs, () => {
    bus.advance()
    bus.notify(cell, RESTART, cause)
  })
}

/** Whatever this life had under way is void from here on; the mailbox and the stash are not part of a life. */
function endLife(cell: Cell, error: AskError): void {
  cell.incarnation++
  cell.timers?.end()
  runStops(cell)
  unwatchAll(cell)
  failHand(cell, error)
  if (cell.pipes !== undefined) {
    for (const pipe of cell.pipes) pipe.end()
    cell.pipes = undefined
  }
  cell.aborter?.abort()
  cell.aborter = undefined
}

function runStops(cell: Cell): void {
  const { stops } = cell
  cell.stops = undefined
  if (stops === undefined) return
  for (const stop of stops.reverse()) {
    try {
      stop()
    } catch (error) {
      cell.bus.report('error', 'actor/stop-failed', { error }, cell.path)
    }
  }
}

function buryQueued(cell: Cell, reason: 'dead' | 'shutdown'): void {
  const { bus, system, urgent, user, stashed } = cell
  if (system !== undefined) for (; system.size > 0; system.drop()) bus.closeSystem()
  for (const ring of [urgent, user]) {
    while (ring !== undefined && ring.size > 0) bus.buryHead(cell, ring, reason)
  }
  cell.stashed = undefined
  if (stashed !== undefined) for (const held of stashed) bus.buryHeld(cell, held, reason)
}

function leaveParent(cell: Cell): void {
  const siblings = cell.parent === undefined ? cell.bus.roots : cell.parent.children
  if (siblings?.get(cell.name) === cell) siblings.delete(cell.name)
}
