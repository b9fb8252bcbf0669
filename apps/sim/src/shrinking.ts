import {
  type Budget,
  drawPlan,
  type Failure,
  type RunResult,
  SHRINK_RUNS_MAX,
  shrinkOptions,
  shrinkPlan,
} from '@rockpool/sim'
import { failureOf } from './files.ts'
import { type History, runHistory } from './run-history.ts'

export interface Shrunk {
  readonly failure: Failure
  readonly runs: number
  /** It also fails with other chances. */
  readonly steady: boolean
}

/** Other chances, by what is put behind the seed: the same deeds at the same instants, other keys, delays and turns. */
const otherChances = ['~1', '~2'] as const

/** The same history in a world whose chance falls otherwise. Its plan is that of the first. */
export function withChance(history: History, chance: string): History {
  const { options } = history
  const plan = history.plan ?? drawPlan(options)
  return { ...history, options: { ...options, seed: `${options.seed}${chance}` }, plan }
}

/**
 * The first violation of this invariant that the history breaks, as it is or with other chances: a stored history must outlive changes that
 * only move a turn. Undefined when it breaks it with none.
 */
export async function breaks(
  history: History,
  id: string | undefined,
  run: (history: History) => Promise<RunResult> = runHistory,
): Promise<RunResult['violation']> {
  let other: RunResult['violation']
  for (const chance of ['', ...otherChances]) {
    const { violation } = await run(chance === '' ? history : withChance(history, chance))
    if (violation !== undefined && violation.id === id) return violation
    other ??= violation
  }
  return other
}

/**
 * The smallest history found that breaks the same invariant: options first, then the events of their plan. When the history breaks it with
 * other chances too, so does what comes back: what rests on one toss of a coin, as on which of two branches grows faster, is lost with the
 * next change of anything. Undefined when the history does not fail at all.
 */
export async function shrinkHistory(
  history: History,
  say: (line: string) => void,
  { runsMax = SHRINK_RUNS_MAX, run = runHistory } = {},
): Promise<Shrunk | undefined> {
  let best: Failure | undefined
  const budget: Budget = { left: runsMax }
  const { planted } = history
  const bug = planted === undefined ? {} : { planted }

  async function failure(smaller: History): Promise<Failure | undefined> {
    const found = failureOf(smaller, await run(smaller))
    return best === undefined || found?.violation.id === best.violation.id ? found : undefined
  }

  async function isSteady(smaller: History): Promise<boolean> {
    for (const chance of otherChances) {
      budget.left -= 1
      if ((await failure(withChance(smaller, chance))) === undefined) return false
    }
    return true
  }

  best = await failure(history)
  if (best === undefined) return undefined
  const steady = await isSteady(history)
  say(
    `fails ${best.violation.id} after ${best.events} events, ${steady ? 'with other chances too' : 'with these chances only'}`,
  )

  /** Runs, and remembers the history if it breaks the invariant of the first. */
  async function fails(smaller: History): Promise<boolean> {
    const found = await failure(smaller)
    if (found === undefined || (steady && !(await isSteady(smaller)))) return false
    best = found
    return true
  }

  // A plan that is given is not that of its options: then the options stay as they are.
  const options =
    history.plan === undefined
      ? await shrinkOptions(history.options, options => fails({ options, ...bug }), budget)
      : history.options
  say(`options: ${best.events} events, ${runsMax - budget.left} runs`)
  const plan = history.plan ?? drawPlan(options)
  // What comes long after it cannot matter, with whatever chance; nor, mostly, what comes after it at all.
  const until = best.violation.atMs
  const ended = plan.filter(([atMs]) => atMs <= until)
  const start = (await fails({ options, plan: ended, ...bug })) ? ended : plan
  await shrinkPlan(start, plan => fails({ options, plan, ...bug }), budget)
  say(
    `plan: ${best.plan?.length ?? plan.length} of ${plan.length} events, ${best.events} events of the run`,
  )
  return { failure: best, runs: runsMax - budget.left, steady }
}
