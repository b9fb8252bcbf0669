import type { ActorRef, Typed } from './api.ts'
import { assert } from './assert.ts'
import { Cell, STOPPED } from './cell.ts'

/** `msg` comes to `watcher` when `ref` has stopped, at once if it already has. */
export function watch(watcher: Cell, ref: ActorRef<never>, msg: Typed): void {
  const watched = cellOf(ref)
  const { bus } = watcher
  if (watched.state === STOPPED) return bus.notice(watcher, msg)
  if (watcher.state === STOPPED) return
  watcher.watching ??= new Set()
  const { watchesPerActor } = bus.limits
  const { watching } = watcher
  const fits = watching.size < watchesPerActor || watching.has(watched)
  assert(fits, `no more than ${watchesPerActor} watches`)
  watching.add(watched)
  watched.watchers ??= new Map()
  watched.watchers.set(watcher, msg)
}

export function unwatch(watcher: Cell, ref: ActorRef<never>): void {
  const watched = cellOf(ref)
  watched.watchers?.delete(watcher)
  watcher.watching?.delete(watched)
}

/** The life of `watcher` is over: nobody owes it news. */
export function unwatchAll(watcher: Cell): void {
  const { watching } = watcher
  watcher.watching = undefined
  if (watching !== undefined) for (const watched of watching) watched.watchers?.delete(watcher)
}

/** `watched` has stopped. The news goes through the system lane: a full mailbox must not lose it. */
export function tellWatchers(watched: Cell): void {
  const { watchers } = watched
  watched.watchers = undefined
  if (watchers === undefined) return
  for (const [watcher, msg] of watchers) {
    watcher.watching?.delete(watched)
    watched.bus.notice(watcher, msg)
  }
}

export function cellOf(ref: ActorRef<never>): Cell {
  assert(ref instanceof Cell, `${ref.path} is no actor of this bus`)
  return ref
}
