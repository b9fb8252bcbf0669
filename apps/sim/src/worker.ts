/** A child process that runs one history after the other. */
import type { JobAnswer } from './jobs.ts'
import { type History, runHistory } from './run-history.ts'

process.on('message', history => {
  void answer(history as History).then(reply => process.send?.(reply))
})
// The parent is gone: so is the reason to run.
process.on('disconnect', () => process.exit(0))

async function answer(history: History): Promise<JobAnswer> {
  try {
    return { ok: true, result: await runHistory(history) }
  } catch (error) {
    return {
      ok: false,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}
