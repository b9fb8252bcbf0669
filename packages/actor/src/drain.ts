import type { Bus } from './bus.ts'

export type DrainPhase = 'intake-closed' | 'work-off' | 'stop' | 'leftovers'

export interface DrainResult {
  /** False: the deadline passed with work still under way. */
  readonly drained: boolean
  /** Messages nobody handled any more. */
  readonly left: number
  readonly byType: Readonly<Record<string, number>>
}

/**
 * An orderly end: inputs become dead letters, what is queued and piped is worked off, then everybody stops. Timers that
 * only wait are not waited for.
 */
export class Drain {
  readonly result: Promise<DrainResult>
  private readonly bus: Bus
  private readonly onPhase: (phase: DrainPhase, queued: number, pipes: number) => void
  private readonly byType: Record<string, number> = {}
  private left = 0
  private over = false
  private cleanUp: () => void = () => {}
  private resolve: (result: DrainResult) => void = () => {}

  constructor(
    bus: Bus,
    deadlineMs: number,
    onPhase: (phase: DrainPhase, queued: number, pipes: number) => void = () => {},
  ) {
    this.bus = bus
    this.onPhase = onPhase
    this.result = new Promise(resolve => {
      this.resolve = resolve
    })
    this.enter('intake-closed')
    const unsubscribe = bus.deadLetters.subscribe(({ reason, type }) => {
      if (reason !== 'shutdown') return
      this.left++
      this.byType[type] = (this.byType[type] ?? 0) + 1
    })
    const timer = bus.clock.at(bus.instant + deadlineMs, () => this.finish(false))
    this.cleanUp = () => {
      unsubscribe()
      bus.clock.clear(timer)
    }
    this.enter('work-off')
  }

  /** Asked after every slice and step. */
  look(): void {
    const { bus } = this
    if (this.over || !bus.idle || bus.pipes.size > 0) return
    const { edges } = bus
    if (edges === undefined) return this.finish(true)
    // A replay is told when it was.
    if (edges.replays) return
    bus.advance()
    edges.drainEnds(() => this.finish(true))
  }

  /** All is done, or the deadline passed. */
  finish(drained: boolean): void {
    this.over = true
    const { bus, left: before } = this
    this.enter('stop')
    bus.stopAll('shutdown')
    this.enter('leftovers')
    this.cleanUp()
    const { left, byType } = this
    if (left > 0) bus.report('warn', 'bus/leftovers', { left, atStop: left - before, byType })
    this.resolve({ drained, left, byType })
  }

  private enter(phase: DrainPhase): void {
    this.onPhase(phase, this.bus.queued, this.bus.pipes.size)
  }
}
