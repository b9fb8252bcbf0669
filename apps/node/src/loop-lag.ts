import { monitorEventLoopDelay } from 'node:perf_hooks'

const everyMs = 5_000
const windowMs = 60_000
const resolutionMs = 20
const nanosPerMs = 1e6

/** Says every five seconds how late the event loop was within the last minute: the 99th percentile, in ms. Until the returned function is called. */
export function watchLoopLag(tell: (lagP99Ms: number) => void): () => void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  let windows = 0
  const timer = setInterval(() => {
    // What is measured is the time between two samples, of which one is meant.
    tell(Math.max(0, delays.percentile(99) / nanosPerMs - resolutionMs))
    windows += 1
    if (windows % (windowMs / everyMs) === 0) delays.reset()
  }, everyMs).unref()
  return () => {
    clearInterval(timer)
    delays.disable()
  }
}
