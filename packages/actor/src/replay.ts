import type { ActorRef, Outcome, Reply, Typed } from './api.ts'
import type { Bus } from './bus.ts'
import { type Clock, RealClock } from './clock.ts'
import {
  type Edge,
  type Edges,
  edgeKinds,
  type PipeOutcomes,
  type PortEdges,
  WallGuess,
} from './edges.ts'
import type { Timer } from './heap.ts'
import type { Pipe } from './pipe.ts'
import type { TraceRow } from './trace.ts'

export interface ReplayOptions {
  /** As the recorder's. Absent: `kept`. */
  readonly pipes?: PipeOutcomes
  /** What the recorded bus did to its actors from outside, by name. */
  readonly acts?: Readonly<Record<string, (value: never) => void>>
  /** Stops before this turn, or at this instant (monotonic ms). */
  readonly untilTurn?: number
  readonly untilMs?: number
  /** Stops after the first turn it says yes to. */
  readonly breakAt?: (row: TraceRow) => boolean
  /** Hears every edge before it is applied. */
  readonly onEdge?: (edge: Edge, bus: Bus) => void
}

export interface ReplayResult {
  readonly turns: number
  readonly hash: number
  /** `ended`: the recording's own end was reached and agrees. `cut`: the file ends without one. */
  readonly stoppedAt: 'ended' | 'cut' | 'until' | 'break'
  /** The turn of `breakAt`. */
  readonly found?: TraceRow
}

/** The same inputs did not lead to the same turns. */
export class Diverged extends Error {
  /** The last turn at which both agreed, and the first known not to. */
  readonly agreed: number
  readonly turn: number

  constructor(agreed: number, turn: number, what: string) {
    super(`diverged at turn ${turn} (agreed at ${agreed}): ${what}`)
    this.name = 'Diverged'
    this.agreed = agreed
    this.turn = turn
  }
}

type Call = { resolve(value: unknown): void; reject(error: unknown): void }

/** Gives a bus what a recording says, at the turns it says. Make the bus with this as its `edges`, then `run`. */
export class Replay implements Edges, PortEdges {
  readonly replays = true
  wall = 0
  private readonly source: Iterator<Edge>
  private readonly options: ReplayOptions
  private readonly guess = new WallGuess()
  private readonly timers = new Map<number, () => void>()
  private readonly outcomes = new Map<number, { pipe: Pipe; outcome: Outcome<unknown, unknown> }>()
  private readonly calls = new Map<number, Call[]>()
  private readonly entropies: Uint8Array[] = []
  private readonly reads: unknown[] = []
  private now = 0
  private armed = 0
  /** Promises may have moved on: they must get their turn before the next edge. */
  private stirred = false
  private inSlice = false
  private agreed = 0
  private found: TraceRow | undefined = undefined

  constructor(edges: Iterable<Edge>, options: ReplayOptions = {}) {
    this.source = edges[Symbol.iterator]()
    this.options = options
    const { value: first } = this.source.next() as { value: Edge | undefined }
    if (first?.[0] !== edgeKinds.slice) throw new Diverged(0, 0, 'no recording begins like this')
    this.at(first[2], first[3])
  }

  attach(): Clock {
    return {
      now: () => this.now,
      wall: () => this.wall,
      at: (due, fn): Timer => {
        const sequence = ++this.armed
        this.timers.set(sequence, fn)
        return { due, sequence, fn }
      },
      clear: ({ sequence }) => void this.timers.delete(sequence),
    }
  }

  /** Plays the recording on `bus` to its end, or to where the options say. Throws `Diverged`. */
  async run(bus: Bus): Promise<ReplayResult> {
    const { untilTurn = Number.POSITIVE_INFINITY, untilMs, onEdge } = this.options
    for (;;) {
      const { value: edge, done } = this.source.next()
      if (done === true) return this.result(bus, 'cut')
      const [kind, turn] = edge
      if (kind === edgeKinds.entropy) {
        this.entropies.push(edge[2] as Uint8Array)
        continue
      }
      if (kind === edgeKinds.read) {
        this.reads.push(edge[2])
        continue
      }
      if (kind === edgeKinds.mark) {
        onEdge?.(edge, bus)
        continue
      }
      this.runTo(bus, Math.min(turn, untilTurn))
      if (this.found !== undefined) return this.result(bus, 'break')
      if (turn >= untilTurn) return this.result(bus, 'until')
      if (this.stirred) await this.settle()
      onEdge?.(edge, bus)
      if (kind === edgeKinds.end) {
        this.compare(bus, edge[2] as number)
        return this.result(bus, 'ended')
      }
      if (untilMs !== undefined && this.instantOf(edge) > untilMs) return this.result(bus, 'until')
      await this.apply(bus, edge)
    }
  }

  port<T>(signature: number): Promise<T> {
    this.stirred = true
    return new Promise<unknown>((resolve, reject) => {
      const call = { resolve, reject }
      const calls = this.calls.get(signature)
      if (calls === undefined) this.calls.set(signature, [call])
      else calls.push(call)
    }) as Promise<T>
  }

  read<T>(): T {
    if (this.reads.length === 0)
      throw new Diverged(this.agreed, this.agreed, 'nothing is left to be read')
    return this.reads.shift() as T
  }

  stamp(): number {
    return this.now
  }

  unnamed(): boolean {
    return false
  }

  begins(): boolean {
    this.stirred = true
    return this.options.pipes === 'made'
  }

  settled(pipe: Pipe, outcome: Outcome<unknown, unknown>): void {
    if (pipe.waits) this.outcomes.set(pipe.number, { pipe, outcome })
    else pipe.settle(outcome)
  }

  entropy(): Uint8Array {
    const bytes = this.entropies.shift()
    if (bytes === undefined) throw new Diverged(this.agreed, this.agreed, 'no entropy is left')
    return bytes
  }

  slice(): void {}
  act(): void {}
  ask(): void {}
  input(): void {}
  drainBegins(): void {}
  drainEnds(): void {}

  private runTo(bus: Bus, turn: number): void {
    const { breakAt } = this.options
    const before = bus.turns
    if (before > turn) throw this.diverged(bus, turn, `the replay is at ${before} already`)
    let seen = before
    const look =
      breakAt &&
      (() => {
        const rows = bus.rows?.latest(bus.turns - seen) ?? []
        seen = bus.turns
        this.found = rows.reverse().find(breakAt)
        return this.found !== undefined
      })
    // A slice without turns changes something too: who had nothing to do has left the line.
    const ran = before < turn || this.inSlice
    this.inSlice = false
    if (ran && !bus.runTo(turn, look)) {
      throw this.diverged(
        bus,
        bus.turns,
        `nobody has anything to do, the file continues at ${turn}`,
      )
    }
  }

  private async settle(): Promise<void> {
    this.stirred = false
    await new Promise<void>(resolve => eventLoop.soon(resolve))
  }

  private async apply(bus: Bus, edge: Edge): Promise<void> {
    const [kind, turn, first, second, third, fourth] = edge
    switch (kind) {
      case edgeKinds.slice:
        this.compare(bus, third as number)
        this.at(first, second)
        this.inSlice = true
        return bus.advance()
      case edgeKinds.sweep: {
        this.at(first, second)
        bus.advance()
        for (const number of edge.slice(4) as number[]) this.fire(bus, number)
        return
      }
      case edgeKinds.input: {
        this.at(edge[6], edge[7])
        const msg = second as Typed
        const origin = (third as string | null) ?? undefined
        const ref = find(bus, first as string)
        if (ref === undefined) bus.buryElsewhere('dead', first as string, msg)
        else if (fourth === true) ref.offer(msg, origin)
        else ref.tell(msg, origin)
        return
      }
      case edgeKinds.ask: {
        this.at(edge[6], edge[7])
        const ref = find(bus, first as string) ?? nobody(bus, first as string)
        const make = (reply: Reply<unknown>) => ({ ...(second as Typed), reply })
        void bus.ask(ref, make, third as number, (fourth as string | null) ?? undefined)
        return
      }
      case edgeKinds.pipe:
        return this.settlePipe(bus, edge)
      case edgeKinds.drain:
        this.at(first, second)
        bus.advance()
        if (third === -1) bus.endDrain()
        else void bus.drain(third as number)
        return
      case edgeKinds.port: {
        const calls = this.calls.get(first as number)
        const [call] = calls?.splice(second as number, 1) ?? []
        if (calls?.length === 0) this.calls.delete(first as number)
        if (call === undefined) throw this.diverged(bus, turn, 'a port answers what nobody asked')
        if (third === true) call.resolve(fourth)
        else call.reject(fourth)
        this.stirred = true
        return
      }
      case edgeKinds.act: {
        this.at(third, fourth)
        const act = this.options.acts?.[first as string]
        if (act === undefined) throw this.diverged(bus, turn, `no act "${String(first)}" is known`)
        act(second as never)
        return
      }
      default:
        throw this.diverged(bus, turn, `no edge of kind ${kind} is known`)
    }
  }

  private fire(bus: Bus, number: number): void {
    const fn = this.timers.get(number)
    if (fn === undefined) throw this.diverged(bus, bus.turns, `timer ${number} is not armed`)
    this.timers.delete(number)
    fn()
  }

  private settlePipe(bus: Bus, [, turn, number, isValue, said]: Edge): void {
    if (this.options.pipes !== 'made') {
      const pipe = bus.pipes.get(number as number)
      if (pipe === undefined) throw this.diverged(bus, turn, `no pipe ${String(number)} is open`)
      pipe.settle(isValue === true ? { ok: true, value: said } : { ok: false, error: said })
      return
    }
    const held = this.outcomes.get(number as number)
    if (held === undefined) throw this.diverged(bus, turn, `pipe ${String(number)} is not done`)
    this.outcomes.delete(number as number)
    held.pipe.settle(held.outcome)
  }

  private at(us: unknown, wall: unknown): void {
    if (typeof us !== 'number') return
    this.now = us / 1000
    if (typeof wall === 'number') {
      this.guess.correct(this.now, wall)
      this.wall = wall
    } else this.wall = this.guess.at(this.now)
  }

  private instantOf(edge: Edge): number {
    const us = edge[0] === edgeKinds.slice || edge[0] === edgeKinds.sweep ? edge[2] : undefined
    return typeof us === 'number' ? us / 1000 : this.now
  }

  private compare(bus: Bus, recorded: number): void {
    const replayed = bus.traceHash >>> 0
    if (recorded !== replayed) {
      const hex = (hash: number) => hash.toString(16).padStart(8, '0')
      const what = `the recording has trace ${hex(recorded)}, the replay ${hex(replayed)}`
      throw this.diverged(bus, bus.turns, what)
    }
    this.agreed = bus.turns
  }

  private diverged(bus: Bus, turn: number, what: string): Diverged {
    const [last] = bus.rows?.latest(1) ?? []
    const where =
      last === undefined ? '' : `; last replayed: ${last.actor} on ${last.type} #${last.id}`
    return new Diverged(this.agreed, turn, what + where)
  }

  private result(bus: Bus, stoppedAt: ReplayResult['stoppedAt']): ReplayResult {
    const { found } = this
    return { turns: bus.turns, hash: bus.traceHash >>> 0, stoppedAt, ...(found && { found }) }
  }
}

/** Promises settle between two edges, whatever the virtual time. */
const eventLoop = new RealClock()

function find(bus: Bus, path: string): ActorRef<Typed> | undefined {
  const [, root = '', ...below] = path.split('/')
  let cell = bus.roots.get(root)
  for (const name of below) cell = cell?.children?.get(name)
  return cell
}

/** Stands for an actor that had stopped. */
function nobody(bus: Bus, path: string): ActorRef<Typed> {
  return {
    path,
    tell: msg => bus.buryElsewhere('dead', path, msg),
    offer: msg => {
      bus.buryElsewhere('dead', path, msg)
      return true
    },
  }
}
