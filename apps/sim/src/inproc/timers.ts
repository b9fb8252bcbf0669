/** A timer as modules made for Node hold it. */
export interface VirtualTimer {
  ref(): VirtualTimer
  unref(): VirtualTimer
  hasRef(): boolean
  /** Counts its time from now again. */
  refresh(): VirtualTimer
  close(): VirtualTimer
  [Symbol.toPrimitive](): number
  [Symbol.dispose](): void
}

/** Many are made: methods lie on the class, not on each. */
class Entry implements VirtualTimer {
  readonly timers: VirtualTimers
  readonly id: number
  readonly fn: (...args: unknown[]) => void
  readonly args: readonly unknown[]
  readonly delayMs: number
  readonly repeats: boolean
  dueMs = 0
  /** Place in the heap; below 0: not armed. */
  at = -1

  constructor(
    timers: VirtualTimers,
    id: number,
    act: Pick<Entry, 'fn' | 'args' | 'delayMs' | 'repeats'>,
  ) {
    this.timers = timers
    this.id = id
    this.fn = act.fn
    this.args = act.args
    this.delayMs = act.delayMs
    this.repeats = act.repeats
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  refresh(): this {
    this.timers.refresh(this)
    return this
  }

  close(): this {
    this.timers.clear(this)
    return this
  }

  [Symbol.toPrimitive](): number {
    return this.id
  }

  [Symbol.dispose](): void {
    this.timers.clear(this)
  }
}

/**
 * Timers of a time that stands still unless it is told to pass: those due at one instant fire in the order of their making. One that is made
 * for no time while others fire comes a millisecond later, so that a loop of them ends.
 */
export class VirtualTimers {
  nowMs = 0
  private readonly heap: Entry[] = []
  private readonly byId = new Map<number, Entry>()
  private made = 0
  private firing = false

  set(
    fn: (...args: never[]) => void,
    delay: unknown,
    repeats: boolean,
    args: unknown[],
  ): VirtualTimer {
    const whole = Math.trunc(Number(delay))
    const isOdd = !(whole >= 0 && whole <= 2_147_483_647)
    const call = fn as (...args: unknown[]) => void
    const delayMs = isOdd ? 1 : whole
    const entry = new Entry(this, ++this.made, { fn: call, args, delayMs, repeats })
    this.arm(entry)
    return entry
  }

  clear(timer: unknown): void {
    const entry = timer instanceof Entry ? timer : this.byId.get(Number(timer))
    if (entry !== undefined) this.disarm(entry)
  }

  /** Fires what falls due in so much time, each at its own instant. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms
    this.firing = true
    try {
      for (
        let next = this.heap[0];
        next !== undefined && next.dueMs <= endMs;
        next = this.heap[0]
      ) {
        this.nowMs = next.dueMs
        if (next.repeats) {
          next.dueMs += Math.max(1, next.delayMs)
          this.sink(0)
        } else this.disarm(next)
        next.fn(...next.args)
      }
    } finally {
      this.firing = false
    }
    this.nowMs = endMs
  }

  /** Counts its time from now again. */
  refresh(timer: VirtualTimer): void {
    const entry = timer as Entry
    this.disarm(entry)
    this.arm(entry)
  }

  private arm(entry: Entry): void {
    entry.dueMs = this.nowMs + (entry.delayMs === 0 && this.firing ? 1 : entry.delayMs)
    this.byId.set(entry.id, entry)
    entry.at = this.heap.push(entry) - 1
    this.rise(entry.at)
  }

  private disarm(entry: Entry): void {
    const { at } = entry
    if (at < 0) return
    entry.at = -1
    this.byId.delete(entry.id)
    const last = this.heap.pop()
    if (last === undefined || last === entry) return
    this.put(last, at)
    this.rise(at)
    this.sink(last.at)
  }

  private put(entry: Entry, at: number): void {
    this.heap[at] = entry
    entry.at = at
  }

  private rise(from: number): void {
    const entry = this.heap[from] as Entry
    let at = from
    while (at > 0) {
      const above = this.heap[(at - 1) >> 1] as Entry
      if (!isBefore(entry, above)) break
      this.put(above, at)
      at = (at - 1) >> 1
    }
    this.put(entry, at)
  }

  private sink(from: number): void {
    const { heap } = this
    const entry = heap[from] as Entry
    let at = from
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Entry)) child += 1
      const below = heap[child] as Entry
      if (!isBefore(below, entry)) break
      this.put(below, at)
      at = child
    }
    this.put(entry, at)
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.id < b.id)
