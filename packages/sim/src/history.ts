import { type Bus, mix, type VirtualClock } from '@rockpool/actor'
import type { Violation, WorldParts } from './api.ts'
import { Causes } from './causes.ts'
import { legendLine, outsideLine } from './legend.ts'
import type { WorldNode } from './sim-node.ts'

/** What is known of a run: its hash, its counts, what it covered, and what went wrong first. */
export class History {
  /** Turns so far. */
  steps = 0
  /** Timers so far. */
  timers = 0
  violation: Violation | undefined
  readonly counts = new Map<string, number>()
  readonly coverage = new Map<string, number>()
  readonly causes = new Causes()
  private hash = 0
  private violator: readonly [WorldNode, number] | undefined
  private readonly parts: WorldParts
  private readonly clock: VirtualClock

  constructor(parts: WorldParts, clock: VirtualClock) {
    this.parts = parts
    this.clock = clock
  }

  readonly count = (what: string, by = 1): void => {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  readonly cover = (label: string): void => {
    this.coverage.set(label, (this.coverage.get(label) ?? 0) + 1)
  }

  mix(number: number): void {
    this.hash = mix(this.hash, number)
  }

  mixBus(bus: Bus | undefined): void {
    if (bus !== undefined) this.mix(bus.traceHash)
  }

  get hashText(): string {
    return (this.hash >>> 0).toString(16).padStart(8, '0')
  }

  /** A node has had its turn. */
  stepped(node: WorldNode): void {
    this.steps++
    this.mix(node.index)
    const { event, legend } = this.parts
    if (event === undefined && legend === undefined) return
    const row = node.bus?.rows?.latest(1)[0]
    if (row === undefined) return
    const told = { ...row, atMs: this.clock.now(), node: node.name }
    event?.(told)
    legend?.(legendLine(told, node))
  }

  fired(): void {
    this.timers++
    this.mix(Math.round(this.clock.now() * 1_000))
  }

  say(who: string, what: string): void {
    this.parts.legend?.(outsideLine(this.clock.now(), who, what))
  }

  /** Only the first counts. `node` is the one it is about. */
  violate(violation: Omit<Violation, 'atMs' | 'node'>, node: WorldNode | undefined): void {
    if (this.violation !== undefined) return
    const { message } = violation
    if (node !== undefined && message !== undefined) this.violator = [node, message]
    this.violation = {
      ...violation,
      ...(node !== undefined && { node: node.name }),
      atMs: this.clock.now(),
    }
    this.say('world', `violation ${violation.id}: ${violation.text}`)
  }

  /** How the message of the violation came about. */
  chain(): readonly string[] | undefined {
    return this.violator === undefined ? undefined : this.causes.chain(...this.violator)
  }
}
