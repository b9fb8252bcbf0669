/*
 * A program of its own: runs a scenario on the real network stack under virtual time. Its parent sends the plan and gets the result. Nothing
 * of the network may be loaded before time and chance are ours, so everything else is imported by the handler.
 */
import { takeTime } from './time.ts'

process.once('message', plan => {
  const time = takeTime(String((plan as { seed?: unknown }).seed))
  import('./harness.ts')
    .then(({ runInproc }) => runInproc(plan as Parameters<typeof runInproc>[0], time))
    .then(
      result => process.send?.(result, () => process.exit(0)),
      error => {
        console.error(error)
        process.exit(1)
      },
    )
})
