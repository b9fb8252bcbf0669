import type { VirtualClock } from '@rockpool/actor'
import type { Strategy } from './api.ts'
import type { History } from './history.ts'
import type { WorldNode } from './sim-node.ts'
import type { Schedule } from './strategy.ts'

/** Virtual time between two looks of the books. */
const CHECKPOINT_MS = 5_000
/** Turns at one instant after which the world is stuck. */
const STEPS_MAX = 1_000_000

export interface LoopParts {
  readonly clock: VirtualClock
  readonly history: History
  readonly schedule: Schedule
  readonly strategy: Strategy
  readonly endMs: number
  /** Resolves once no microtask is left. */
  hop(): Promise<void>
  /** The books look. */
  check(): void
  /** Too many turns at one instant. */
  stuck(node: WorldNode | undefined): void
}

/** Steps whoever is ready, then lets time jump to the next timer; all microtasks run after everything that settles a promise. */
export class Loop {
  /** Whose turn it is just now. */
  stepping: WorldNode | undefined = undefined
  private readonly parts: LoopParts
  private readonly ready: WorldNode[] = []
  private settled = false
  private turns: (() => void)[] = []

  constructor(parts: LoopParts) {
    this.parts = parts
  }

  /** A promise settled, or will without time passing. */
  readonly settle = (): void => {
    this.settled = true
  }

  /** What a node takes for one turn of its event loop: everything else that has settled goes first. */
  readonly turn = (): Promise<void> => {
    this.settled = true
    return new Promise(resolve => this.turns.push(resolve))
  }

  /** A node has something to do. */
  readonly list = (node: WorldNode): void => {
    if (node.listed) return
    node.listed = true
    this.ready.push(node)
  }

  /** Until the end, or the first violation. */
  async run(): Promise<void> {
    const { clock, history, endMs } = this.parts
    let checkpoint = CHECKPOINT_MS
    let left = STEPS_MAX
    let instant = clock.now()
    while (history.violation === undefined) {
      if (clock.now() !== instant) {
        instant = clock.now()
        left = STEPS_MAX
      }
      while (this.ready.length > 0) {
        if (--left === 0) this.parts.stuck(this.ready[0])
        if (history.violation !== undefined) return
        this.step()
        if (this.settled) await this.hop()
      }
      if (this.settled) {
        await this.hop()
        continue
      }
      const next = clock.next() ?? Number.POSITIVE_INFINITY
      while (checkpoint < next && checkpoint < endMs) {
        clock.set(checkpoint)
        this.parts.check()
        if (history.violation !== undefined) return
        checkpoint += CHECKPOINT_MS
      }
      if (next > endMs) {
        clock.set(endMs)
        return
      }
      clock.fireNext(next)
      history.fired()
    }
  }

  /** Everything that has settled is told to whoever waits for it, and what they settle, until nothing more happens by itself. */
  private async hop(): Promise<void> {
    await this.parts.hop()
    while (this.turns.length > 0) {
      const { turns } = this
      this.turns = []
      for (const go of turns) go()
      await this.parts.hop()
    }
    this.settled = false
  }

  private step(): void {
    const { ready, parts } = this
    const index = parts.schedule.bus(ready)
    const node = ready[index] as WorldNode
    const { bus } = node
    if (bus === undefined) return this.unlist(index, node)
    const { asksOutside, pipesMade } = bus
    this.stepping = node
    bus.step()
    this.stepping = undefined
    parts.history.stepped(node)
    if (bus.asksOutside !== asksOutside || bus.pipesMade !== pipesMade) this.settled = true
    if (node.bus === undefined || bus.idle) this.unlist(index, node)
    else if (ready.length > 1 && parts.strategy === 'fifo') {
      ready.splice(index, 1)
      ready.push(node)
    }
  }

  private unlist(index: number, node: WorldNode): void {
    node.listed = false
    const last = this.ready.pop()
    if (last !== undefined && last !== node) this.ready[index] = last
  }
}
