import {
  type Budget,
  drawPlan,
  type Failure,
  SHRINK_RUNS_MAX,
  shrinkOptions,
  shrinkPlan,
} from '@rockpool/sim'
import { failureOf } from './files.ts'
import { type History, runHistory } from './run-history.ts'

export interface Shrunk {
  readonly failure: Failure
  readonly runs: number
}

/**
 * The smallest history found that breaks the same invariant: options first, then the events of their plan. Undefined when the history does
 * not fail at all.
 */
export async function shrinkHistory(
  history: History,
  say: (line: string) => void,
  runsMax = SHRINK_RUNS_MAX,
): Promise<Shrunk | undefined> {
  let best: Failure | undefined
  const budget: Budget = { left: runsMax }
  const { planted } = history
  const bug = planted === undefined ? {} : { planted }

  /** Runs, and remembers the history if it breaks the invariant of the first. */
  async function fails(smaller: History): Promise<boolean> {
    const found = failureOf(smaller, await runHistory(smaller))
    if (found === undefined) return false
    if (best !== undefined && found.violation.id !== best.violation.id) return false
    best = found
    return true
  }

  if (!(await fails(history)) || best === undefined) return undefined
  say(`fails ${best.violation.id} after ${best.events} events`)
  // A plan that is given is not that of its options: then the options stay as they are.
  const options =
    history.plan === undefined
      ? await shrinkOptions(history.options, options => fails({ options, ...bug }), budget)
      : history.options
  say(`options: ${best.events} events, ${runsMax - budget.left} runs`)
  const plan = history.plan ?? drawPlan(options)
  const until = best.violation.atMs
  const ended = plan.filter(([atMs]) => atMs <= until)
  if (await fails({ options, plan: ended, ...bug })) {
    await shrinkPlan(ended, plan => fails({ options, plan, ...bug }), budget)
  }
  say(
    `plan: ${best.plan?.length ?? plan.length} of ${plan.length} events, ${best.events} events of the run`,
  )
  return { failure: best, runs: runsMax - budget.left }
}
