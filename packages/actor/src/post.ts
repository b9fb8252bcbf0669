import {
  type BusLimits,
  type BusOptions,
  DEFAULT_LIMITS,
  type LogFields,
  type LogLevel,
  type Typed,
} from './api.ts'
import { Ask, askErrorFor, replyOf } from './ask.ts'
import { type Cell, STOPPED } from './cell.ts'
import type { Clock } from './clock.ts'
import { DeadLetters, type DeadReason } from './dead-letters.ts'
import type { Drain } from './drain.ts'
import type { Edges } from './edges.ts'
import { Notice, Ring, type SystemItem } from './mailbox.ts'
import { kindOf } from './meter.ts'
import { Trace, type TraceRow } from './trace.ts'

/** A message out of its mailbox but not yet accounted for. */
export type Held = { readonly msg: Typed; readonly id: number; readonly cause: number }

/**
 * How a message gets into a mailbox, and how it dies. Keeps the law of the bus: between any two turns
 * `sent = handled + dead + merged + queued`. A refused `offer` is none of these.
 */
export abstract class Post {
  readonly clock: Clock
  /** Absent: nothing is recorded and nothing replayed. */
  readonly edges: Edges | undefined
  readonly limits: BusLimits
  readonly deadLetters: DeadLetters
  readonly rows: Trace | undefined
  sent = 0
  handled = 0
  dead = 0
  merged = 0
  queued = 0
  refused = 0
  /** Asks whose outcome is open; those of them from outside. */
  asks = 0
  asksOutside = 0
  /** Monotonic ms every actor sees: one per slice, sweep and outside call. */
  instant = 0
  /** Message in whose turn we are and what caused it; 0 between turns. */
  id = 0
  cause = 0
  inTurn = false
  /** The actor that has waited longest for its turn. */
  first: Cell | undefined = undefined
  protected ids = 0
  protected current: Cell | undefined = undefined
  protected draining: Drain | undefined = undefined
  protected taken: Held[] = []
  protected readonly options: BusOptions
  private wallInstant = Number.NaN

  constructor(options: BusOptions) {
    this.options = options
    const { clock, edges } = options
    this.edges = edges
    this.clock = edges === undefined ? clock : edges.attach(this, clock)
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    const rows = options.trace ?? 65_536
    this.rows = rows > 0 ? new Trace(rows, options.traceHash ?? edges !== undefined) : undefined
    this.deadLetters = new DeadLetters((level, code, fields) => this.report(level, code, fields))
    this.advance()
  }

  /** How message `id` came about, newest first. */
  trace(id: number): TraceRow[] {
    return this.rows?.chain(id, this.ids) ?? []
  }

  get traceHash(): number {
    return this.rows?.hash ?? 0
  }

  /** @internal To the tail of the ready list. */
  abstract wake(cell: Cell): void

  /** @internal */
  enqueue(cell: Cell, msg: Typed, polite: boolean, origin: string | undefined): boolean {
    if (!this.inTurn && this.edges !== undefined)
      this.noteInput(this.edges, cell, msg, polite, origin)
    if (cell.state === STOPPED) return this.reject('dead', cell, msg, origin)
    if (this.draining !== undefined && !this.inTurn) {
      return this.reject('shutdown', cell, msg, origin)
    }
    let ring = cell.user
    if (cell.urgentOf !== undefined && cell.urgentOf(msg)) {
      cell.urgent ??= new Ring()
      ring = cell.urgent
      if (ring.size >= cell.urgentCapacity) {
        return polite ? this.refuse() : this.reject('full', cell, msg, origin)
      }
    } else {
      const mayMerge = cell.mailbox?.merge === undefined || ring.size >= cell.capacity
      if (cell.slots !== undefined && mayMerge && this.merge(cell, msg, origin)) return true
      if (ring.size >= cell.capacity) {
        if (polite) return this.refuse()
        if (cell.mailbox?.overflow !== 'drop-oldest') return this.reject('full', cell, msg, origin)
        this.buryHead(cell, ring, 'oldest')
      }
    }
    // An input that wakes an idle bus came now, not when the last slice ended.
    if (!this.inTurn && this.first === undefined && this.edges === undefined) this.advance()
    const id = ++this.ids
    const position = ring.push(msg, id, this.id, this.instant)
    this.sent++
    this.queued++
    const { reply } = msg as { reply?: unknown }
    if (reply !== undefined && reply instanceof Ask) reply.release()
    if (ring === cell.user) {
      if (ring.size > cell.highWater) cell.highWater = ring.size
      if (cell.slots !== undefined) {
        const key = cell.keyOf?.(msg)
        if (key !== undefined) cell.slots.set(key, position)
      }
    }
    if (origin !== undefined && !this.inTurn) this.rows?.noteOrigin(id, origin)
    if (!cell.ready) this.wake(cell)
    return true
  }

  /** @internal What the actor itself started comes back through the system lane, which is never full. */
  notify(cell: Cell, item: SystemItem, cause: number): void {
    if (cell.state === STOPPED) return cell.countStale(item.type)
    cell.system ??= new Ring()
    cell.system.push(item, ++this.ids, cause, this.instant)
    this.sent++
    this.queued++
    if (!cell.ready) this.wake(cell)
  }

  /** @internal */
  notice(cell: Cell, msg: Typed): void {
    this.notify(cell, new Notice(msg, cell.incarnation), this.id)
  }

  /** @internal Consecutive matches from the head of the user lane become part of the running turn. */
  take<K extends Typed>(cell: Cell, match: (msg: Typed) => msg is K, max: number): K[] {
    const { user } = cell
    const matching: K[] = []
    while (matching.length < max && user.size > 0) {
      const slot = user.head & user.mask
      const msg = user.items[slot] as Typed
      if (!match(msg)) break
      const reply = replyOf(msg)
      if (reply?.outcome !== undefined) {
        this.buryHead(cell, user, 'expired')
        continue
      }
      const id = user.stamps[slot * 3] as number
      const cause = user.stamps[slot * 3 + 1] as number
      this.leave(cell, user, msg)
      this.rows?.note(id, cause, this.instant, cell.path, msg.type)
      reply?.hold(cell)
      this.taken.push({ msg, id, cause })
      matching.push(msg)
    }
    return matching
  }

  /** @internal The actors' time follows the clock. Between turns only. */
  advance(): void {
    const { edges } = this
    if (edges === undefined) {
      this.instant = this.clock.now()
      this.wallInstant = Number.NaN
    } else {
      this.instant = edges.stamp()
      this.wallInstant = edges.wall
    }
  }

  /** @internal */
  wall(): number {
    if (Number.isNaN(this.wallInstant)) this.wallInstant = this.clock.wall()
    return this.wallInstant
  }

  /** @internal */
  report(level: LogLevel, code: string, fields: LogFields, actor?: string): void {
    const { log } = this.options
    if (log === undefined) return
    log(level, code, fields, {
      id: this.id,
      cause: this.cause,
      actor: actor ?? this.current?.path ?? '',
    })
  }

  /** @internal A queued message dies at the head of its lane. */
  buryHead(cell: Cell, ring: Ring, reason: DeadReason): void {
    const slot = ring.head & ring.mask
    const msg = ring.items[slot] as Typed
    const id = ring.stamps[slot * 3] as number
    const cause = ring.stamps[slot * 3 + 1] as number
    this.leave(cell, ring, msg)
    this.bury(reason, cell.path, msg, id, cause)
  }

  /** @internal A message that once counted as handled dies after all. */
  buryHeld(cell: Cell, { msg, id, cause }: Held, reason: DeadReason): void {
    this.sent++
    this.bury(reason, cell.path, msg, id, cause)
  }

  /** @internal A message to somebody who has no mailbox here. */
  buryElsewhere(reason: DeadReason, path: string, msg: Typed): void {
    this.sent++
    this.bury(reason, path, msg, ++this.ids, this.id)
  }

  /** @internal */
  buryLateReply(path: string, value: unknown): void {
    this.sent++
    this.dead++
    const letter = { to: path, type: '$reply', msg: value, id: ++this.ids, cause: this.id }
    this.deadLetters.add({ reason: 'late-reply', ...letter, at: this.instant }, kindOf(path))
  }

  /** @internal What waits in the system lane of a stopping actor has nothing left to say. */
  closeSystem(): void {
    this.queued--
    this.handled++
  }

  protected leave(cell: Cell, ring: Ring, msg: Typed): void {
    if (cell.slots !== undefined && ring === cell.user) {
      const key = cell.keyOf?.(msg)
      if (key !== undefined && cell.slots.get(key) === ring.head) cell.slots.delete(key)
    }
    ring.drop()
    this.queued--
  }

  /** Asks are noted as such, not as the input they also are. */
  protected asking = false

  private noteInput(
    edges: Edges,
    cell: Cell,
    msg: Typed,
    polite: boolean,
    origin: string | undefined,
  ): void {
    if (this.asking) return
    if (this.first === undefined) this.advance()
    edges.input(cell, msg, polite, origin)
  }

  private merge(cell: Cell, msg: Typed, origin?: string): boolean {
    const key = cell.keyOf?.(msg)
    const position = key === undefined ? undefined : cell.slots?.get(key)
    if (position === undefined) return false
    const id = ++this.ids
    const { user } = cell
    const waiting = user.items[position & user.mask] as Typed
    const merged = cell.mailbox?.merge?.(waiting, msg) ?? msg
    const replaced = user.replace(position, merged, id, this.id)
    this.sent++
    this.merged++
    if (origin !== undefined && !this.inTurn) this.rows?.noteOrigin(id, origin)
    replyOf(msg)?.release()
    replyOf(replaced)?.fail('full')
    return true
  }

  private reject(reason: DeadReason, cell: Cell, msg: Typed, origin?: string): boolean {
    const id = ++this.ids
    this.sent++
    if (origin !== undefined && !this.inTurn) this.rows?.noteOrigin(id, origin)
    this.bury(reason, cell.path, msg, id, this.id)
    return true
  }

  private refuse(): boolean {
    this.refused++
    return false
  }

  protected bury(reason: DeadReason, to: string, msg: Typed, id: number, cause: number): void {
    this.dead++
    const origin = this.rows?.originOf(id)
    const letter = { reason, to, type: msg.type, msg, id, cause, at: this.instant }
    this.deadLetters.add(origin === undefined ? letter : { ...letter, origin }, kindOf(to))
    replyOf(msg)?.fail(askErrorFor(reason))
  }
}
