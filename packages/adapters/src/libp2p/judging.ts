import type { Verdict } from '@rockpool/protocol'
import type { NetworkClock } from './clock.ts'

interface Wait {
  readonly dueMs: number
  end(verdict: Verdict): void
}

/**
 * Waits for verdicts, each at most `deadlineMs`; what is late or fails is `ignore`. All waits are equally long, so they end in the order
 * they began and one timer stands for the oldest: a timer per delivery would cost more than the rest of it.
 */
export function createJudging(
  clock: NetworkClock,
  deadlineMs: number,
  count: { late(): void; failed(): void },
) {
  const waits = new Set<Wait>()
  let timer: unknown

  function judged(verdict: () => Promise<Verdict>): Promise<Verdict> {
    return new Promise(resolve => {
      const wait: Wait = {
        dueMs: clock.now() + deadlineMs,
        end(said) {
          waits.delete(wait)
          resolve(said)
        },
      }
      waits.add(wait)
      if (timer === undefined) arm(wait.dueMs)
      const failed = () => {
        count.failed()
        wait.end('ignore')
      }
      try {
        verdict().then(wait.end, failed)
      } catch {
        failed()
      }
    })
  }

  function arm(dueMs: number): void {
    timer = clock.at(dueMs, () => {
      timer = undefined
      sweep()
    })
  }

  function sweep(): void {
    for (const wait of waits) {
      if (wait.dueMs > clock.now()) return arm(wait.dueMs)
      count.late()
      wait.end('ignore')
    }
  }

  /** Ends every wait now, and leaves no timer. */
  function stop(): void {
    if (timer !== undefined) clock.clear(timer)
    timer = undefined
    for (const wait of waits) wait.end('ignore')
  }

  return { judged, stop }
}
