/** The time this adapter uses for its own deadlines; the bus' clock fits. libp2p below it keeps the machine's timers. */
export interface NetworkClock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls `fn` once at the monotonic instant `due`. */
  at(due: number, fn: () => void): unknown
  clear(timer: unknown): void
}

export function systemClock(): NetworkClock {
  return {
    now: () => performance.now(),
    at: (due, fn) => setTimeout(fn, Math.max(0, due - performance.now())),
    clear: timer => clearTimeout(timer as NodeJS.Timeout),
  }
}

/** An abort signal for `ms` from now. `clear` must be called when it is no longer needed, or its timer stays. */
export function deadline(clock: NetworkClock, ms: number): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController()
  const timer = clock.at(clock.now() + ms, () =>
    controller.abort(new DOMException('deadline passed', 'TimeoutError')),
  )
  return { signal: controller.signal, clear: () => clock.clear(timer) }
}

/** Resolves when `work` ends, however it ends, and at the latest after `ms`. True when it ended in time. */
export function atMost(clock: NetworkClock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise(resolve => {
    const timer = clock.at(clock.now() + ms, () => resolve(false))
    const ended = () => {
      clock.clear(timer)
      resolve(true)
    }
    work.then(ended, ended)
  })
}
