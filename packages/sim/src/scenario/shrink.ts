import { claimText, evilNames, planFaults, type ScenarioPlan } from './plan.ts'

/**
 * The plan without what its failure does not need: other claims, loads, steps, evil peers and nodes are left out one after the other, each
 * for good when the claim still fails. Ends when nothing more can go, or when `goesOn` says so.
 */
export async function shrinkScenario(
  plan: ScenarioPlan,
  claim: string,
  fails: (plan: ScenarioPlan) => Promise<boolean>,
  goesOn: () => boolean,
): Promise<ScenarioPlan> {
  let best = plan
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false
    for (const candidate of smaller(best, claim)) {
      if (!goesOn()) return best
      if (planFaults(candidate, 'sim').length > 0 || !(await fails(candidate))) continue
      best = candidate
      isSmaller = true
      break
    }
  }
  return best
}

function* smaller(plan: ScenarioPlan, claim: string): Generator<ScenarioPlan> {
  const needed = plan.expect.filter(expectation => claimText(expectation) === claim)
  if (needed.length < plan.expect.length) yield { ...plan, expect: needed }
  const without = <T>(items: readonly T[], at: number): T[] => items.toSpliced(at, 1)
  for (const at of plan.load.keys()) yield { ...plan, load: without(plan.load, at) }
  if (plan.steps.length > 3) {
    const half = Math.floor(plan.steps.length / 2)
    yield { ...plan, steps: plan.steps.slice(0, half) }
    yield { ...plan, steps: plan.steps.slice(half) }
  }
  for (const at of plan.steps.keys()) yield { ...plan, steps: without(plan.steps, at) }
  // Names are numbers: only the last one can go without a new name for the others.
  if (evilNames(plan).length > 0) yield { ...plan, evil: plan.evil.slice(0, -1) }
  if (plan.nodes > 2) yield { ...plan, nodes: plan.nodes - 1 }
}
