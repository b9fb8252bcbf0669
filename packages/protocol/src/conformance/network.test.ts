import { describe, expect, test } from 'vitest'
import { createLoopHub, type LoopClock } from './loop-network.ts'
import { networkSuite } from './network.ts'

/** The deadlines the suite waits for are 100 ms: real time is enough here. */
const clock: LoopClock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

describe('network in a loop', () => {
  networkSuite(
    { test, expect },
    {
      async make(count) {
        const hub = createLoopHub(clock)
        return Array.from({ length: count }, (_, index) => hub.join(`n${index}`))
      },
      async until(holds) {
        for (let turn = 0; turn < 1_000 && !holds(); turn++) {
          await new Promise(resolve => setImmediate(resolve))
        }
        if (!holds()) throw new Error('never came true')
      },
    },
  )
})
