import type { Clock } from './clock.ts'
import type { Edges } from './edges.ts'

/** Every message and fact is a member of a union told apart by `type`. */
export type Typed = { readonly type: string }

/** Where to send. Contravariant: a ref that takes more fits where one that takes less is asked for. */
export interface ActorRef<in M> {
  readonly path: string
  /** What cannot be taken becomes a dead letter, never silence. `origin` labels an input from outside. */
  tell(msg: M, origin?: string): void
  /** False: the mailbox is full, the message is still yours and nothing was counted but the refusal. */
  offer(msg: M, origin?: string): boolean
}

/** One answer, once. Travels in the request in the field `reply`, nowhere else. */
export type Reply<R> = ActorRef<R>

/** Sets one life of an actor up and returns what handles its messages. Runs again on every restart. */
export type Behavior<M extends Typed, F extends Typed = never> = (
  ctx: Context<M, F>,
) => (msg: M) => void

/** How much may wait, and what gives way. */
export interface Mailbox<M> {
  /** Messages waiting at most. */
  readonly capacity?: number
  readonly overflow?: 'dead-letter' | 'drop-oldest' | 'coalesce'
  /** For `coalesce`: of messages with one key only the newest waits, in the place of the oldest. */
  key?(msg: M): string | undefined
  /** For `coalesce`: nothing gives way before the mailbox is full, and then this waits in the place of both. */
  merge?(waiting: M, next: M): M
  /** Messages that overtake all others. */
  urgent?(msg: M): boolean
  readonly urgentCapacity?: number
}

/** What becomes of an actor whose handler or setup threw. */
export type Directive = 'resume' | 'restart' | 'stop' | 'escalate'

export interface Supervision {
  on(error: unknown): Directive
  /** Restarts allowed `within` the window; one more escalates. */
  readonly max?: number
  /** Milliseconds. */
  readonly within?: number
  /** Wait before a restart, doubling from the first to the second, ±10 %. Absent: at once. */
  readonly backoff?: readonly [minMs: number, maxMs: number]
}

export interface SpawnOptions<M> {
  readonly mailbox?: Mailbox<M>
  /** Absent: everything escalates. */
  readonly supervision?: Supervision
}

export type AskError = 'timeout' | 'full' | 'dead' | 'crashed'
/** How an ask or a pipe ended. Refusals of the domain are values inside `value`. */
export type Outcome<R, E = AskError> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: E }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Record<string, unknown>
/** A code `room/reason` and fields; sentences are made where lines are printed. */
export interface Log {
  debug(code: string, fields?: LogFields): void
  info(code: string, fields?: LogFields): void
  warn(code: string, fields?: LogFields): void
  error(code: string, fields?: LogFields): void
}
/** The turn a line was written in; id 0 is outside all turns. */
export interface LogPlace {
  readonly id: number
  readonly cause: number
  readonly actor: string
}
export type LogSink = (level: LogLevel, code: string, fields: LogFields, place: LogPlace) => void

/** Everything an actor may do. Bound to the actor, not to a turn: valid until it stops. */
export interface Context<M extends Typed, F extends Typed = never> {
  readonly self: ActorRef<M>
  readonly path: string
  readonly log: Log
  /** Id of the message being handled, as the trace of the bus knows it; what follows from it is to be found there. */
  id(): number
  /** Monotonic ms, the same through a whole slice. */
  now(): number
  /** Epoch ms, the same through a whole slice. */
  wall(): number
  /** Uniform in [0, 1), from this actor's own generator. Never for secrets. */
  random(): number
  /** Uniform in 0 … n − 1. */
  int(n: number): number
  /** Bytes nobody can guess. */
  entropy(bytes: number): Uint8Array
  /** Starts a child. Name children `kind:instance`: meters are summed over what follows the colon. */
  spawn<C extends Typed, G extends Typed = never>(
    name: string,
    behavior: Behavior<C, G>,
    options?: SpawnOptions<C>,
  ): ActorRef<C>
  /** Stops a child, or this actor itself, at once. */
  stop(ref?: ActorRef<never>): void
  /** `msg` comes when `ref` has stopped; at once if it already has. One watch per ref. */
  watch(ref: ActorRef<never>, msg: M): void
  unwatch(ref: ActorRef<never>): void
  /** `msg` comes when the mailbox of `ref` has fallen to half, or is gone. One wait per ref. */
  whenSpace(ref: ActorRef<never>, msg: M): void
  /**
   * Up to `max` messages that match, from the head of the own mailbox, into this very turn.
   * Bound by count, never by elapsed time: a clock read inside a turn does not replay.
   */
  take<K extends M>(match: (msg: M) => msg is K, max: number): readonly K[]
  /** Sends `msg` to self in `ms`. Replaces whatever was set under `key`, as the next two do. */
  after(key: string, ms: number, msg: M): void
  /** Sends `msg` to self every `ms`, keeping phase; missed ticks collapse into one. */
  every(key: string, ms: number, msg: M): void
  /** Sends `msg` to self at a calendar instant, within 60 s of it even if the wall clock jumps. */
  at(key: string, wallMs: number, msg: M): void
  cancel(key: string): void
  /** Asks and returns; the outcome comes back as the message `map` makes of it, at the latest after `ms`. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (reply: Reply<R>) => Q,
    ms: number,
    map: (outcome: Outcome<R>) => M,
  ): void
  /** The only door to promises. `work` runs after the turn; its outcome comes back as a message. */
  pipe<T>(
    work: (signal: AbortSignal) => Promise<T>,
    map: (outcome: Outcome<T, unknown>) => M,
    ms?: number,
  ): void
  /** Tells every listener of the wiring table, in its order. */
  emit(fact: F): void
  /** Holds a message back until `unstash`. */
  stash(msg: M): void
  /** Handles what is held, in order, inside this turn. */
  unstash(): void
  /** Another handler from the next message on, until restart. */
  become(handler: (msg: M) => void): void
  /** Runs when this life ends, last registered first. */
  onStop(fn: () => void): void
  /** Rare luck, drawn in simulations; always false in production. */
  maybe(label: string): boolean
}

/** Bounds of what one actor may have under way. */
export interface BusLimits {
  readonly timersPerActor: number
  readonly asksPerActor: number
  readonly pipesPerActor: number
  readonly watchesPerActor: number
  /** Asks from outside all actors, together. */
  readonly asksOutside: number
}

export interface BusOptions {
  readonly clock: Clock
  /** Everything random follows from it. */
  readonly seed?: string
  /** Unguessable bytes; absent where nothing needs them. */
  readonly entropy?: (bytes: number) => Uint8Array
  /** Who hears which fact: fact type → names of root actors, in the order they are told. */
  readonly wiring?: Readonly<Record<string, readonly string[]>>
  /** Messages of one actor before the next actor's turn. */
  readonly quantum?: number
  /** Milliseconds before the event loop gets its turn. */
  readonly slice?: number
  /** Rows of causality kept; 0 keeps none. */
  readonly trace?: number
  /** Also hash every turn, to compare two runs. */
  readonly traceHash?: boolean
  /** Records what comes from outside, or plays it back. */
  readonly edges?: Edges
  readonly limits?: Partial<BusLimits>
  readonly log?: LogSink
  /** Called instead of scheduling, when the first actor becomes ready: the caller steps by hand. */
  readonly onReady?: () => void
  /** Chooses which of the ready actors runs next; absent: the one that waited longest. */
  readonly pick?: (ready: readonly ActorRef<never>[]) => number
  readonly maybe?: (label: string, path: string) => boolean
  /** Hears, once, of an error nobody above could handle. Absent: the pump throws it. */
  readonly onFatal?: (error: unknown, path: string) => void
}

export const DEFAULT_LIMITS: BusLimits = {
  timersPerActor: 65_536,
  asksPerActor: 4096,
  pipesPerActor: 4096,
  watchesPerActor: 65_536,
  asksOutside: 65_536,
}
