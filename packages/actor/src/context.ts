import type {
  ActorRef,
  Behavior,
  Context,
  Log,
  Outcome,
  Reply,
  SpawnOptions,
  Typed,
} from './api.ts'
import { Ask, patience } from './ask.ts'
import { assert } from './assert.ts'
import { Cell, STOPPED } from './cell.ts'
import { stopCell } from './life.ts'
import { ActorLog } from './log.ts'
import { Notice, spaceOf } from './mailbox.ts'
import { lateness, PIPE_MS, Pipe } from './pipe.ts'
import type { Rng } from './rng.ts'
import { stash, unstash } from './stash.ts'
import { ActorTimers } from './timers.ts'
import { cellOf, unwatch, watch } from './watch.ts'
import { tellListeners } from './wiring.ts'

/** What a behaviour sees of its actor. A class over the cell: closures per actor cost five times the memory. */
export class ActorContext implements Context<Typed, Typed> {
  private readonly cell: Cell

  constructor(cell: Cell) {
    this.cell = cell
  }

  get self(): ActorRef<Typed> {
    return this.cell
  }

  get path(): string {
    return this.cell.path
  }

  get log(): Log {
    this.cell.log ??= new ActorLog(this.cell)
    return this.cell.log
  }

  id(): number {
    return this.cell.bus.id
  }

  now(): number {
    return this.cell.bus.instant
  }

  wall(): number {
    return this.cell.bus.wall()
  }

  random(): number {
    return this.rng().f()
  }

  int(n: number): number {
    return this.rng().int(n)
  }

  entropy(bytes: number): Uint8Array {
    return this.cell.bus.entropy(bytes)
  }

  spawn<C extends Typed, G extends Typed>(
    name: string,
    behavior: Behavior<C, G>,
    options?: SpawnOptions<C>,
  ): ActorRef<C> {
    const { cell } = this
    assert(cell.state !== STOPPED, 'a stopped actor has no children')
    cell.children ??= new Map()
    assert(!cell.children.has(name), `actor ${cell.path}/${name} exists`)
    const child = new Cell(cell.bus, cell, name, options as SpawnOptions<never>)
    cell.children.set(name, child)
    child.begin(behavior)
    return child
  }

  stop(ref?: ActorRef<never>): void {
    const { cell } = this
    if (ref === undefined || ref === this.self) return stopCell(cell, 'dead')
    const child = cellOf(ref)
    assert(child.parent === cell, `${cell.path} may stop itself and its children, not ${ref.path}`)
    stopCell(child, 'dead')
  }

  watch(ref: ActorRef<never>, msg: Typed): void {
    watch(this.cell, ref, msg)
  }

  unwatch(ref: ActorRef<never>): void {
    unwatch(this.cell, ref)
  }

  whenSpace(ref: ActorRef<never>, msg: Typed): void {
    const { cell } = this
    const notice = new Notice(msg, cell.incarnation)
    spaceOf(ref).whenSpace(cell, () => cell.bus.notify(cell, notice, cell.bus.id))
  }

  take<K extends Typed>(match: (msg: Typed) => msg is K, max: number): readonly K[] {
    return this.cell.bus.take(this.cell, match, max)
  }

  after(key: string, ms: number, msg: Typed): void {
    this.timers().set(key, ms, 'once', { msg })
  }

  every(key: string, ms: number, msg: Typed): void {
    assert(ms > 0, `a period is more than ${ms} ms`)
    this.timers().set(key, ms, { periodMs: ms }, { msg })
  }

  at(key: string, wallMs: number, msg: Typed): void {
    assert(Math.abs(wallMs) <= 2 ** 53, `not an instant: ${wallMs}`)
    this.timers().set(key, 0, { wallMs }, { msg })
  }

  /** Like `after`, for a host inside this actor: `run` is a turn of its own, named `type` in the trace. */
  later(key: string, ms: number, type: string, run: () => void): void {
    this.timers().set(key, ms, 'once', { type, run })
  }

  cancel(key: string): void {
    this.cell.timers?.cancel(key)
  }

  ask<Q, R>(
    to: ActorRef<Q>,
    make: (reply: Reply<R>) => Q,
    ms: number,
    map: (outcome: Outcome<R>) => Typed,
  ): void {
    const { cell } = this
    const ask = new Ask(cell.bus, cell, patience(this, ms), map)
    if (cell.asks > cell.bus.limits.asksPerActor) ask.fail('full')
    else to.tell(make(ask))
  }

  pipe<T>(
    work: (signal: AbortSignal) => Promise<T>,
    map: (outcome: Outcome<T, unknown>) => Typed,
    ms = PIPE_MS,
  ): void {
    const { cell } = this
    if (cell.state === STOPPED) return cell.countStale('$pipe')
    const pipe = new Pipe(cell, work, map, ms, lateness(this))
    const open = cell.pipes?.size ?? 0
    if (open > cell.bus.limits.pipesPerActor) pipe.settle({ ok: false, error: 'busy' })
    else cell.bus.startAfterTurn(pipe)
  }

  emit(fact: Typed): void {
    tellListeners(this.cell.bus, fact)
  }

  stash(msg: Typed): void {
    stash(this.cell, msg)
  }

  unstash(): void {
    unstash(this.cell)
  }

  become(handler: (msg: Typed) => void): void {
    this.cell.handler = handler
  }

  onStop(fn: () => void): void {
    this.cell.stops ??= []
    this.cell.stops.push(fn)
  }

  maybe(label: string): boolean {
    return this.cell.bus.maybe(label, this.cell.path)
  }

  /** Kept across restarts. */
  private rng(): Rng {
    const { cell } = this
    cell.rng ??= cell.bus.forks.fork(cell.path)
    return cell.rng
  }

  private timers(): ActorTimers {
    this.cell.timers ??= new ActorTimers(this.cell)
    return this.cell.timers
  }
}
