import type { Bus } from './bus.ts'
import type { Cell } from './cell.ts'
import type { ActorReading, BusReading, KindMeter } from './meter.ts'

/** Messages that really lie in the mailboxes of `cells` and all their children. */
export function queuedIn(cells: Iterable<readonly [string, Cell]>): number {
  let queued = 0
  for (const cell of everyCell(cells)) {
    queued += cell.user.size + (cell.urgent?.size ?? 0) + (cell.system?.size ?? 0)
  }
  return queued
}

/** All numbers of a bus at this moment. Walks every actor: meant for a scrape, not for a loop. */
export function readBus(bus: Bus): BusReading {
  const now = bus.clock.now()
  const live = new Map<KindMeter, Live>()
  for (const cell of everyCell(bus.roots)) {
    let sums = live.get(cell.kind)
    if (sums === undefined) {
      sums = newLive()
      live.set(cell.kind, sums)
    }
    addCell(sums, cell, now)
  }
  const actors = bus.kinds.all().map(kind => actorReading(kind, live.get(kind) ?? newLive()))
  let readyActors = 0
  for (let cell = bus.first; cell !== undefined; cell = cell.next) readyActors++
  const { sent, handled, dead, merged, queued, refused, turns, asks, pace } = bus
  return {
    sent,
    handled,
    dead,
    merged,
    queued,
    refused,
    turns,
    readyActors,
    slices: pace.slices,
    sliceOverruns: pace.overruns,
    loopLagMs: pace.lagMs,
    loopLagMaxMs: pace.lagMaxMs,
    timers: actors.reduce((sum, actor) => sum + actor.timers, 0),
    asks,
    pipes: bus.pipes.size,
    traceBytes: bus.rows?.bytes ?? 0,
    balanced: bus.balanced(),
    actors,
    deadLetters: bus.deadLetters.counts(),
  }
}

type Live = ReturnType<typeof newLive>

function newLive() {
  return {
    count: 0,
    depth: { system: 0, urgent: 0, user: 0 },
    highWater: 0,
    oldestMs: 0,
    timers: 0,
    asks: 0,
    pipes: 0,
  }
}

function addCell(sums: Live, cell: Cell, now: number): void {
  sums.count++
  sums.depth.system += cell.system?.size ?? 0
  sums.depth.urgent += cell.urgent?.size ?? 0
  sums.depth.user += cell.user.size
  sums.highWater = Math.max(sums.highWater, cell.highWater)
  sums.oldestMs = Math.max(
    sums.oldestMs,
    now - (cell.user.oldest() ?? now),
    now - (cell.urgent?.oldest() ?? now),
  )
  sums.timers += cell.timers?.size ?? 0
  sums.asks += cell.asks
  sums.pipes += cell.pipes?.size ?? 0
}

function actorReading(kind: KindMeter, live: Live): ActorReading {
  const { handled, stale, late, restarts } = kind
  return {
    actor: kind.kind,
    ...live,
    highWater: Math.max(live.highWater, kind.highWater),
    handled,
    stale,
    late,
    restarts,
    handlerBuckets: [...(kind.buckets ?? [])],
    slowHandlers: Object.fromEntries(kind.slow ?? []),
  }
}

function* everyCell(cells: Iterable<readonly [string, Cell]>): Generator<Cell> {
  for (const [, cell] of cells) {
    yield cell
    if (cell.children !== undefined) yield* everyCell(cell.children)
  }
}
