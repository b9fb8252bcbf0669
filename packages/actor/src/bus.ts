import type {
  ActorRef,
  Behavior,
  BusOptions,
  Mailbox,
  Outcome,
  Reply,
  SpawnOptions,
  Typed,
} from './api.ts'
import { Ask } from './ask.ts'
import { assert } from './assert.ts'
import { Cell, DECLARED } from './cell.ts'
import { Drain, type DrainPhase, type DrainResult } from './drain.ts'
import { stopCell } from './life.ts'
import { spaceOf } from './mailbox.ts'
import { type BusReading, Kinds } from './meter.ts'
import type { Pipe } from './pipe.ts'
import { queuedIn, readBus } from './reading.ts'
import { Forks, Rng } from './rng.ts'
import { Turns } from './turns.ts'
import { cellOf } from './watch.ts'

/**
 * The bus of one node: its cast, and the doors for whoever stands outside. Single-threaded and deterministic: what an
 * actor sees follows from the seed, the clock and the order of inputs.
 */
export class Bus extends Turns {
  readonly rng: Rng
  readonly roots = new Map<string, Cell>()
  readonly kinds = new Kinds()
  /** Work under way, by number: a replay settles it from the recording. */
  readonly pipes = new Map<number, Pipe>()
  pipesMade = 0
  /** Draws of the supervisors, apart from every actor's own. */
  readonly luck: Rng
  readonly forks: Forks
  readonly wiring: BusOptions['wiring']

  constructor(options: BusOptions) {
    super(options)
    this.rng = new Rng(options.seed ?? '1')
    this.luck = this.rng.fork('supervision')
    this.forks = new Forks(this.rng)
    this.wiring = options.wiring
  }

  /** A root ref before its actor exists: what it is told waits in the mailbox. */
  declare<M extends Typed>(name: string, mailbox?: Mailbox<M>): ActorRef<M> {
    return this.root(name, mailbox === undefined ? undefined : { mailbox: mailbox as never })
  }

  /** Starts a root actor, under a new name or a declared ref. */
  spawn<M extends Typed, F extends Typed = never>(
    declared: ActorRef<M>,
    behavior: Behavior<M, F>,
    options?: Omit<SpawnOptions<M>, 'mailbox'>,
  ): ActorRef<M>
  /** The same with messages of its own, which nobody else can send. */
  spawn<M extends C, C extends Typed, F extends Typed = never>(
    declared: ActorRef<M>,
    behavior: Behavior<C, F>,
    options?: Omit<SpawnOptions<C>, 'mailbox'>,
  ): ActorRef<C>
  spawn<C extends Typed, F extends Typed = never>(
    name: string,
    behavior: Behavior<C, F>,
    options?: SpawnOptions<C>,
  ): ActorRef<C>
  spawn<C extends Typed, F extends Typed>(
    at: string | ActorRef<never>,
    behavior: Behavior<C, F>,
    options?: SpawnOptions<C>,
  ): ActorRef<C> {
    const cell = typeof at === 'string' ? this.root(at, options as SpawnOptions<never>) : at
    assert(cell instanceof Cell && cell.state === DECLARED, `actor ${cell.path} exists`)
    if (options?.supervision !== undefined) cell.supervision = options.supervision
    this.outside(() => cell.begin(behavior))
    return cell
  }

  /** Asks from outside all actors: RPC, CLI, tests. Never rejects. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (reply: Reply<R>) => Q,
    ms: number,
    origin?: string,
  ): Promise<Outcome<R>> {
    // An idle bus would otherwise arm a deadline in the past; once a slice is planned its input is at most as old.
    if (!this.inTurn && !this.planned) this.advance()
    return new Promise(resolve => {
      const ask = new Ask(this, undefined, ms, resolve)
      const msg = this.asksOutside > this.limits.asksOutside ? undefined : make(ask)
      if (!this.inTurn) this.edges?.ask(to.path, msg as Typed | undefined, ms, origin)
      this.asking = true
      if (msg !== undefined) to.tell(msg, origin)
      this.asking = false
      if (msg === undefined) ask.fail('full')
    })
  }

  /** For edges that were refused: calls `fn` once the mailbox has fallen to half or is gone. */
  whenSpace(ref: ActorRef<never>, fn: () => void): void {
    spaceOf(ref).whenSpace(fn, fn)
  }

  stop(ref: ActorRef<never>): void {
    this.outside(() => stopCell(cellOf(ref), 'dead'))
  }

  /** Root actors in reverse order of spawning. */
  stopAll(reason: 'dead' | 'shutdown'): void {
    this.outside(() => {
      for (const cell of [...this.roots.values()].reverse()) stopCell(cell, reason)
    })
  }

  /** Acts on actors from outside, at one instant. Recorded by name with `value`, all that `run` may depend on: a replay does it too. */
  act<T>(name: string, value: T, run: (value: T) => void): void {
    this.outside(
      () => run(value),
      edges => edges.act(name, value),
    )
  }

  /** The orderly end; the second call gets the result of the first. */
  drain(
    deadlineMs: number,
    onPhase?: (phase: DrainPhase, queued: number, pipes: number) => void,
  ): Promise<DrainResult> {
    if (this.draining !== undefined) return this.draining.result
    if (!this.inTurn) this.advance()
    this.edges?.drainBegins(deadlineMs)
    this.draining = new Drain(this, deadlineMs, onPhase)
    if (!this.inTurn) this.draining.look()
    return this.draining.result
  }

  /** @internal For a replay: the drain ends here, as it did. */
  endDrain(): void {
    this.draining?.finish(true)
  }

  /** The law, against what really lies in the mailboxes. Holds between turns. */
  balanced(): boolean {
    const { sent, handled, dead, merged, queued } = this
    return sent === handled + dead + merged + queued && queued === queuedIn(this.roots)
  }

  meters(): BusReading {
    return readBus(this)
  }

  private root(name: string, options?: SpawnOptions<never>): Cell {
    assert(!this.roots.has(name), `actor /${name} exists`)
    const cell = new Cell(this, undefined, name, options)
    this.roots.set(name, cell)
    return cell
  }
}
