import type { BusOptions, Typed } from './api.ts'
import { Ask } from './ask.ts'
import { assert } from './assert.ts'
import { type Cell, DECLARED, RUNNING } from './cell.ts'
import type { Edges } from './edges.ts'
import { fail } from './life.ts'
import type { Ring, SystemItem } from './mailbox.ts'
import { Pace } from './meter.ts'
import type { Pipe } from './pipe.ts'
import { Post } from './post.ts'

/** Who runs next and for how long: round robin over the ready actors, in slices between which the event loop runs. */
export abstract class Turns extends Post {
  turns = 0
  readonly pace: Pace
  private last: Cell | undefined = undefined
  private plannedAt = 0
  protected planned = false
  private running = false
  private readonly quantum: number
  private starting: Pipe[] = []
  private doomed = false
  private unclaimed: { error: unknown } | undefined = undefined

  constructor(options: BusOptions) {
    super(options)
    this.quantum = options.quantum ?? 64
    this.pace = new Pace(
      options.slice ?? 5,
      (code, fields) => this.report('warn', code, fields),
      count => this.rows?.latest(count) ?? [],
    )
  }

  get idle(): boolean {
    return this.first === undefined
  }

  /** Handles one message. False: nothing to do. */
  step(): boolean {
    this.advance()
    this.edges?.slice()
    const before = this.turns
    this.running = true
    try {
      while (this.first !== undefined && this.turns === before) this.run(1, false)
    } finally {
      this.running = false
    }
    if (this.edges !== undefined) this.dropSpent()
    this.settle()
    return this.turns !== before
  }

  /** Steps until idle, or `max` times; returns the number of steps. */
  runUntilIdle(max = 1_000_000): number {
    let steps = 0
    // A step may handle nothing and yet not be the last: the end of a drain leaves stopped actors in the ready list.
    while (steps < max && (this.step() || !this.idle)) steps++
    return steps
  }

  /** Names the turn we are in, for whoever catches something that must not happen there. */
  where(): string | undefined {
    if (!this.inTurn) return undefined
    const path = this.current?.path ?? '/'
    return `${path} on ${this.rows?.latest(1)[0]?.type ?? 'a message'} #${this.id}`
  }

  /** Nobody above could handle `error`. Told once; without a listener the pump throws it. */
  fatal(error: unknown, path = ''): void {
    this.report('error', 'bus/fatal', { error }, path)
    if (this.doomed) return
    this.doomed = true
    if (this.options.onFatal !== undefined) this.options.onFatal(error, path)
    else this.unclaimed = { error }
  }

  /** @internal To the tail of the ready list. */
  wake(cell: Cell): void {
    if (cell.state === DECLARED) return
    cell.ready = true
    cell.next = undefined
    if (this.last === undefined) {
      this.first = cell
      this.last = cell
      this.plan()
    } else {
      this.last.next = cell
      this.last = cell
    }
  }

  /** @internal */
  startAfterTurn(pipe: Pipe): void {
    this.starting.push(pipe)
  }

  /**
   * @internal For a replay: turns as they were, up to number `turn`. False: nobody had anything to do before. `look` is asked after each
   * actor's share and may end it early.
   */
  runTo(turn: number, look: () => boolean = () => false): boolean {
    this.running = true
    try {
      while (this.turns < turn && this.first !== undefined) {
        this.run(Math.min(this.quantum, turn - this.turns), false)
        if (look()) return true
      }
    } finally {
      this.running = false
    }
    this.dropSpent()
    return this.turns >= turn
  }

  /** Runs what an outside call does to actors as if in a turn that nobody caused; `note` writes it down where that is done. */
  protected outside(act: () => void, note?: (edges: Edges) => void): void {
    if (this.inTurn) return act()
    const { edges } = this
    if (note !== undefined || edges === undefined || edges.unnamed()) this.advance()
    if (note !== undefined && edges !== undefined) note(edges)
    this.inTurn = true
    try {
      act()
    } finally {
      this.inTurn = false
      this.startPipes()
    }
    this.claim()
  }

  private plan(): void {
    // Whoever runs the turns sees for itself whether work is left.
    if (this.running) return
    const { onReady } = this.options
    if (onReady !== undefined) return onReady()
    if (this.planned || this.clock.soon === undefined) return
    this.planned = true
    this.plannedAt = this.clock.now()
    this.clock.soon(this.pump)
  }

  private readonly pump = (): void => {
    this.planned = false
    this.advance()
    this.edges?.slice()
    const { pace } = this
    pace.begin(this.plannedAt, this.instant)
    this.running = true
    try {
      while (this.first !== undefined && !this.run(this.quantum, true)) {}
    } finally {
      this.running = false
      pace.end(this.clock.now())
      if (this.edges !== undefined) this.dropSpent()
      if (this.first !== undefined) this.plan()
    }
    this.settle()
  }

  /** Whoever is next has something to do. A replay ends its turns here too, so both leave the same list. */
  private dropSpent(): void {
    while (this.first !== undefined && !this.first.hasWork()) {
      const cell = this.nextInLine()
      cell.ready = false
    }
  }

  private settle(): void {
    if (this.draining !== undefined) this.draining.look()
    if (this.unclaimed !== undefined) this.claim()
  }

  private claim(): void {
    const { unclaimed } = this
    this.unclaimed = undefined
    if (unclaimed !== undefined) throw unclaimed.error
  }

  /** Up to `quantum` messages of the next ready actor. True: the slice is over. */
  private run(quantum: number, timed: boolean): boolean {
    const cell = this.nextReady()
    const { pace, clock } = this
    let cut = false
    for (let left = quantum; left > 0 && !cut; left--) {
      if (timed && pace.due()) {
        const startedAt = clock.now()
        const type = this.turn(cell)
        if (type === undefined) break
        cut = pace.look(startedAt, clock.now(), cell.kind, type)
      } else if (this.turn(cell) === undefined) break
    }
    cell.ready = false
    if (cell.hasWork()) this.wake(cell)
    return cut
  }

  private nextInLine(): Cell {
    const cell = this.first as Cell
    this.first = cell.next
    if (this.last === cell) this.last = undefined
    cell.next = undefined
    return cell
  }

  private nextReady(): Cell {
    const { pick } = this.options
    let before: Cell | undefined
    let cell = this.first as Cell
    if (pick !== undefined) {
      const ready: Cell[] = []
      for (let at: Cell | undefined = cell; at !== undefined; at = at.next) ready.push(at)
      const index = pick(ready)
      before = ready[index - 1]
      cell = ready[index] as Cell
    }
    if (before === undefined) this.first = cell.next
    else before.next = cell.next
    if (this.last === cell) this.last = before
    cell.next = undefined
    return cell
  }

  /** One message of `cell`; its type, or undefined when there is nothing it may do now. */
  private turn(cell: Cell): string | undefined {
    const { system } = cell
    if (system !== undefined && system.head !== system.tail) return this.systemTurn(cell, system)
    if (cell.state !== RUNNING) return undefined
    let ring = cell.urgent
    if (ring === undefined || ring.head === ring.tail) {
      ring = cell.user
      if (ring.head === ring.tail) return undefined
    }
    const slot = ring.head & ring.mask
    const msg = ring.items[slot] as Typed
    const id = ring.stamps[slot * 3] as number
    const cause = ring.stamps[slot * 3 + 1] as number
    const { type } = msg
    this.leave(cell, ring, msg)
    this.begin(cell, id, cause, type)
    try {
      const { reply } = msg as { reply?: unknown }
      if (reply !== undefined && reply instanceof Ask && !reply.hold(cell))
        this.bury('expired', cell.path, msg, id, cause)
      else {
        cell.handler(msg)
        this.succeed(cell)
      }
    } catch (error) {
      this.crash(cell, msg, error)
    }
    this.end(cell)
    return type
  }

  private systemTurn(cell: Cell, ring: Ring): string {
    const slot = ring.head & ring.mask
    const item = ring.items[slot] as SystemItem
    ring.drop()
    this.queued--
    let { type } = item
    const id = ring.stamps[slot * 3] as number
    this.begin(cell, id, ring.stamps[slot * 3 + 1] as number, type)
    let msg: Typed = item
    try {
      const opened = item.open(cell)
      if (opened !== undefined) {
        msg = opened
        if (msg.type !== type) {
          type = msg.type
          this.rows?.retype(type)
        }
        cell.handler(msg)
      }
      this.succeed(cell)
    } catch (error) {
      this.crash(cell, msg, error)
    }
    this.end(cell)
    return type
  }

  private begin(cell: Cell, id: number, cause: number, type: string): void {
    this.current = cell
    this.id = id
    this.cause = cause
    this.inTurn = true
    this.turns++
    if (this.rows !== undefined) this.rows.note(id, cause, this.instant, cell.path, type)
  }

  private succeed(cell: Cell): void {
    const count = 1 + this.taken.length
    this.handled += count
    cell.kind.handled += count
    if (count > 1) this.taken = []
  }

  /** The message and what was taken along with it are poison; what becomes of the actor is its supervision's word. */
  private crash(cell: Cell, msg: Typed, error: unknown): void {
    this.bury('crashed', cell.path, msg, this.id, this.cause)
    const { taken } = this
    this.taken = []
    for (const more of taken) this.bury('crashed', cell.path, more.msg, more.id, more.cause)
    fail(cell, error)
  }

  private end(cell: Cell): void {
    this.id = 0
    this.cause = 0
    this.inTurn = false
    this.current = undefined
    if (cell.waiters !== undefined && cell.hasSpace()) cell.tellWaiters()
    if (this.starting.length > 0) this.startPipes()
  }

  private startPipes(): void {
    const { starting } = this
    if (starting.length === 0) return
    this.starting = []
    for (const pipe of starting) pipe.start()
  }

  /** @internal */
  entropy(bytes: number): Uint8Array {
    const make = () => {
      const { entropy } = this.options
      assert(entropy !== undefined, 'this bus was given no entropy')
      return entropy(bytes)
    }
    return this.edges === undefined ? make() : this.edges.entropy(make)
  }

  /** @internal */
  maybe(label: string, path: string): boolean {
    return this.options.maybe?.(label, path) ?? false
  }
}
