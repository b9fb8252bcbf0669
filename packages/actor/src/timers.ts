import type { Typed } from './api.ts'
import { LONGEST_MS } from './ask.ts'
import { assert } from './assert.ts'
import { type Cell, STOPPED } from './cell.ts'
import type { Timer } from './heap.ts'
import type { SystemItem } from './mailbox.ts'

/** How often a deadline in calendar time looks at the wall again: a jump is honoured within this. */
export const WALL_LOOK_MS = 60_000

/** What clocks count in: whole microseconds. */
const TICK_MS = 0.001

/** What a timer is about: a message, or work of a host inside the actor. */
type Content = { readonly msg: Typed } | { readonly type: string; readonly run: () => void }
type Mode = 'once' | { readonly periodMs: number } | { readonly wallMs: number }

/** The keyed timers of one actor. They end with each of its lives. */
export class ActorTimers {
  private readonly cell: Cell
  private readonly byKey = new Map<string, KeyedTimer>()

  constructor(cell: Cell) {
    this.cell = cell
  }

  get size(): number {
    return this.byKey.size
  }

  /** Replaces what was set under `key`; that one is never seen again, even if already queued. */
  set(key: string, ms: number, mode: Mode, content: Content): void {
    const { cell, byKey } = this
    assert(ms >= 0 && ms <= LONGEST_MS, `a timer waits 0 … 2^53 ms, not ${ms}`)
    if (cell.state === STOPPED) return
    this.cancel(key)
    const { timersPerActor } = cell.bus.limits
    assert(byKey.size < timersPerActor, `no more than ${timersPerActor} timers`)
    const timer = new KeyedTimer(cell, mode, content, () => byKey.delete(key))
    byKey.set(key, timer)
    timer.begin(ms)
  }

  cancel(key: string): void {
    const timer = this.byKey.get(key)
    if (timer === undefined) return
    this.byKey.delete(key)
    timer.end()
  }

  end(): void {
    for (const timer of this.byKey.values()) timer.end()
    this.byKey.clear()
  }
}

class KeyedTimer implements SystemItem {
  readonly type: string
  private readonly cell: Cell
  private readonly mode: Mode
  private readonly content: Content
  private readonly cause: number
  private readonly spent: () => void
  private live = true
  private queued = false
  private due = 0
  private timer: Timer | undefined = undefined

  constructor(cell: Cell, mode: Mode, content: Content, spent: () => void) {
    this.type = 'msg' in content ? content.msg.type : content.type
    this.cell = cell
    this.mode = mode
    this.content = content
    this.cause = cell.bus.id
    this.spent = spent
  }

  begin(ms: number): void {
    if (typeof this.mode === 'object' && 'wallMs' in this.mode) this.lookAtWall(this.mode.wallMs)
    // What a rounded sum leaves over must not come at the same instant again and again.
    else this.arm(this.cell.bus.instant + (ms > 0 && ms < TICK_MS ? TICK_MS : ms))
  }

  end(): void {
    this.live = false
    if (this.timer !== undefined) this.cell.bus.clock.clear(this.timer)
  }

  open(): Typed | undefined {
    if (!this.live) return undefined
    this.queued = false
    if (typeof this.mode === 'string' || 'wallMs' in this.mode) {
      this.live = false
      this.spent()
    }
    if ('msg' in this.content) return this.content.msg
    this.content.run()
    return undefined
  }

  private arm(due: number): void {
    this.due = due
    this.timer = this.cell.bus.clock.at(due, () => this.fire())
  }

  private fire(): void {
    const { bus } = this.cell
    bus.advance()
    if (this.mode === 'once') return this.ring()
    if ('wallMs' in this.mode) return this.lookAtWall(this.mode.wallMs)
    this.arm(nextTick(this.due, bus.instant, this.mode.periodMs))
    this.ring()
  }

  private lookAtWall(wallMs: number): void {
    const { bus } = this.cell
    const left = wallMs - bus.wall()
    if (left > 0) this.arm(bus.instant + Math.min(left, WALL_LOOK_MS))
    else this.ring()
  }

  /** Ticks that come while one still waits collapse into it. */
  private ring(): void {
    if (this.queued) return
    this.queued = true
    this.cell.bus.notify(this.cell, this, this.cause)
  }
}

/** The next tick after `now` in phase with `due`: no burst for what was missed. */
function nextTick(due: number, now: number, periodMs: number): number {
  const next = due + periodMs
  return next > now ? next : now + periodMs - ((now - next) % periodMs)
}
