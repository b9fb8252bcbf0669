/** One armed deadline. Its callback is gone once it fired or was cancelled. */
export interface Timer {
  readonly due: number
  readonly sequence: number
  fn: (() => void) | undefined
}

/** Below this length dead entries are not worth a rebuild. */
const COMPACT_ABOVE = 64

/** Deadlines in order of (due, insertion): what is due at the same instant fires in the order it was armed. */
export class TimerHeap {
  /** Deadlines that will still fire. */
  alive = 0
  private entries: Timer[] = []
  private sequence = 0

  add(due: number, fn: () => void): Timer {
    const timer: Timer = { due, sequence: this.sequence++, fn }
    this.alive++
    this.entries.push(timer)
    this.rise(this.entries.length - 1)
    return timer
  }

  /** Harmless after the firing and the second time. */
  cancel(timer: Timer): void {
    if (timer.fn === undefined) return
    timer.fn = undefined
    this.alive--
    if (this.entries.length > COMPACT_ABOVE && this.alive * 2 < this.entries.length) {
      // A sorted array is a heap.
      this.entries = this.entries.filter(entry => entry.fn !== undefined).sort(byDue)
    }
  }

  /** The earliest deadline that will still fire. */
  next(): number | undefined {
    let top = this.entries[0]
    while (top !== undefined && top.fn === undefined) {
      this.removeTop()
      top = this.entries[0]
    }
    return top?.due
  }

  /** Fires the earliest deadline if it is not after `until`. */
  fire(until: number): boolean {
    const due = this.next()
    if (due === undefined || due > until) return false
    const timer = this.removeTop()
    const fn = timer.fn
    timer.fn = undefined
    this.alive--
    fn?.()
    return true
  }

  private removeTop(): Timer {
    const top = this.entries[0] as Timer
    const last = this.entries.pop() as Timer
    if (this.entries.length > 0) {
      this.entries[0] = last
      this.sink()
    }
    return top
  }

  private rise(from: number): void {
    const { entries } = this
    const timer = entries[from] as Timer
    let at = from
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = entries[up] as Timer
      if (byDue(parent, timer) <= 0) break
      entries[at] = parent
      at = up
    }
    entries[at] = timer
  }

  private sink(): void {
    const { entries } = this
    const timer = entries[0] as Timer
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      const right = child + 1
      if (right < entries.length && byDue(entries[right] as Timer, entries[child] as Timer) < 0) {
        child = right
      }
      const below = entries[child] as Timer
      if (byDue(timer, below) <= 0) break
      entries[at] = below
      at = child
    }
    entries[at] = timer
  }
}

function byDue(a: Timer, b: Timer): number {
  return a.due - b.due || a.sequence - b.sequence
}
