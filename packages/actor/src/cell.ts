import type { ActorRef, Behavior, Log, Mailbox, SpawnOptions, Supervision, Typed } from './api.ts'
import { type Ask, type Hand } from './ask.ts'
import type { Bus } from './bus.ts'
import { ActorContext } from './context.ts'
import type { Timer } from './heap.ts'
import { fail } from './life.ts'
import { CAPACITY, Ring, URGENT_CAPACITY } from './mailbox.ts'
import type { KindMeter } from './meter.ts'
import type { Pipe } from './pipe.ts'
import type { Held } from './post.ts'
import type { Rng } from './rng.ts'
import type { ActorTimers } from './timers.ts'

/** Named, not begun: messages wait. */
export const DECLARED = 0
export const RUNNING = 1
/** Waiting to restart: messages wait, the system lane runs. */
export const SUSPENDED = 2
export const STOPPED = 3

/** One actor, and the ref to it: lanes, handler, children. What is rare is made on first use. */
export class Cell implements ActorRef<Typed>, Hand {
  readonly bus: Bus
  readonly parent: Cell | undefined
  readonly name: string
  readonly path: string
  readonly kind: KindMeter
  readonly capacity: number
  readonly mailbox: Mailbox<Typed> | undefined
  readonly urgentOf: ((msg: Typed) => boolean) | undefined
  readonly keyOf: ((msg: Typed) => string | undefined) | undefined
  supervision: Supervision | undefined
  state = DECLARED
  incarnation = 0
  handler: (msg: Typed) => void = notBegun
  readonly user = new Ring()
  urgent: Ring | undefined = undefined
  system: Ring | undefined = undefined
  /** Coalescing: key → position in the user lane. */
  slots: Map<string, number> | undefined = undefined
  next: Cell | undefined = undefined
  ready = false
  highWater = 0
  asks = 0
  hand: Ask | undefined = undefined
  timers: ActorTimers | undefined = undefined
  pipes: Set<Pipe> | undefined = undefined
  children: Map<string, Cell> | undefined = undefined
  watchers: Map<Cell, Typed> | undefined = undefined
  watching: Set<Cell> | undefined = undefined
  waiters: Map<object, () => void> | undefined = undefined
  stops: (() => void)[] | undefined = undefined
  stashed: Held[] | undefined = undefined
  rng: Rng | undefined = undefined
  log: Log | undefined = undefined
  aborter: AbortController | undefined = undefined
  restarts: readonly number[] | undefined = undefined
  restarting: Timer | undefined = undefined
  stopping = false
  private behavior: Behavior<Typed> | undefined = undefined
  private context: ActorContext | undefined = undefined

  constructor(bus: Bus, parent: Cell | undefined, name: string, options?: SpawnOptions<never>) {
    this.bus = bus
    this.parent = parent
    this.name = name
    this.path = `${parent === undefined ? '' : parent.path}/${name}`
    this.kind = bus.kinds.of(this.path)
    const mailbox = options?.mailbox as Mailbox<Typed> | undefined
    this.mailbox = mailbox
    this.capacity = mailbox?.capacity ?? CAPACITY
    this.urgentOf = mailbox?.urgent?.bind(mailbox)
    this.keyOf = mailbox?.overflow === 'coalesce' ? mailbox.key?.bind(mailbox) : undefined
    if (this.keyOf !== undefined) this.slots = new Map()
    this.supervision = options?.supervision
  }

  tell(msg: Typed, origin?: string): void {
    this.bus.enqueue(this, msg, false, origin)
  }

  offer(msg: Typed, origin?: string): boolean {
    return this.bus.enqueue(this, msg, true, origin)
  }

  get urgentCapacity(): number {
    return this.mailbox?.urgentCapacity ?? URGENT_CAPACITY
  }

  hasWork(): boolean {
    const { system, urgent, user } = this
    if (system !== undefined && system.head !== system.tail) return true
    if (this.state !== RUNNING) return false
    return user.head !== user.tail || (urgent !== undefined && urgent.head !== urgent.tail)
  }

  /** Calls `fn` once the mailbox has fallen to half or is gone; `waiter` waits once. */
  whenSpace(waiter: object, fn: () => void): void {
    if (this.hasSpace()) return fn()
    this.waiters ??= new Map()
    this.waiters.set(waiter, fn)
  }

  hasSpace(): boolean {
    return this.state === STOPPED || this.user.size * 2 <= this.capacity
  }

  tellWaiters(): void {
    const { waiters } = this
    this.waiters = undefined
    if (waiters !== undefined) for (const tell of waiters.values()) tell()
  }

  /** Aborts when this life ends. */
  signal(): AbortSignal {
    this.aborter ??= new AbortController()
    return this.aborter.signal
  }

  countStale(type: string): void {
    this.kind.stale++
    this.bus.report('debug', 'actor/stale', { type }, this.path)
  }

  begin<M extends Typed, F extends Typed>(behavior: Behavior<M, F>): void {
    this.behavior = behavior as unknown as Behavior<Typed>
    this.context = new ActorContext(this)
    this.setUp()
  }

  /** A throwing setup counts like a throwing handler. */
  setUp(): void {
    this.state = RUNNING
    try {
      const handler = this.behavior?.(this.context as ActorContext)
      if (this.state === RUNNING && handler !== undefined) this.handler = handler
    } catch (error) {
      return fail(this, error, true)
    }
    if (!this.ready && this.hasWork()) this.bus.wake(this)
  }
}

function notBegun(): void {
  throw new Error('an actor handles nothing before it is spawned')
}
