import { drawOptions, type Failure, type Planted, plantedBugs } from '@rockpool/sim'
import { failureOf, plantedFolder, storeFailure } from '../files.ts'
import { createJobs, type Jobs } from '../jobs.ts'
import { violationText } from '../report.ts'
import { shrinkHistory } from '../shrinking.ts'
import { UsageError, wholeNumber } from '../usage.ts'
import { jobCount, type SwarmFlags } from './swarm.ts'

export type PlantedFlags = Pick<SwarmFlags, 'jobs' | 'json' | 'from'> & {
  readonly seeds?: string
  /** Also makes the history small and stores it. */
  readonly shrink?: boolean
}

interface Row {
  readonly bug: string
  readonly about: string
  /** Seeds tried until it was found; undefined: it was not. */
  readonly after?: number
  readonly seed?: string
  readonly found?: string
  /** Seeds that fail without it. */
  readonly wrong: readonly string[]
  /** Invariants that it broke and that are none of its own. */
  readonly also: readonly string[]
  readonly shrunk?: { readonly events: number; readonly plan: number; readonly file: string }
}

/** Searches for each planted bug, and sees that the same seeds are clean without it. */
export async function plantedCommand(
  name: string | undefined,
  flags: PlantedFlags,
): Promise<number> {
  const bugs = name === undefined ? [...plantedBugs.values()] : [plantedBugs.get(name)]
  const jobs = createJobs(jobCount(flags.jobs))
  const rows: Row[] = []
  try {
    for (const bug of bugs) {
      if (bug === undefined) {
        throw new UsageError(
          `no planted bug "${name}"; one of: ${[...plantedBugs.keys()].join(', ')}`,
        )
      }
      const row = await search(jobs, bug, flags)
      rows.push(row)
      if (flags.json !== true) for (const line of rowLines(row)) console.log(line)
    }
  } finally {
    jobs.close()
  }
  if (flags.json === true) console.log(JSON.stringify(rows, null, 2))
  return rows.every(({ after, wrong }) => after !== undefined && wrong.length === 0) ? 0 : 129
}

async function search(jobs: Jobs, bug: Planted, flags: PlantedFlags): Promise<Row> {
  const count = flags.seeds === undefined ? bug.seeds : wholeNumber(flags.seeds, '--seeds')
  const from = wholeNumber(flags.from, '--from')
  const seeds = Array.from({ length: count }, (_, index) => String(from + index))
  const tried: string[] = []
  const wrong: string[] = []
  const also = new Set<string>()
  let first: { seed: string; failure: Failure } | undefined
  await jobs.each(seeds, async seed => {
    if (first !== undefined) return false
    const options = drawOptions(seed, bug.wishes)
    tried.push(seed)
    const history = { options, planted: bug.name }
    const failure = failureOf(history, await jobs.run(history))
    if (failure === undefined) return true
    const clean = await jobs.run({ options })
    if (clean.violation !== undefined) {
      wrong.push(`seed ${seed} without it: ${violationText(clean.violation)}`)
      return true
    }
    if (!bug.fires.includes(failure.violation.id)) {
      also.add(failure.violation.id)
      return true
    }
    first ??= { seed, failure }
    return false
  })
  const row = { bug: bug.name, about: bug.about, wrong, also: [...also] }
  if (first === undefined) return row
  const { seed, failure } = first
  const found = { ...row, after: tried.length, seed, found: violationText(failure.violation) }
  if (flags.shrink !== true) return found
  const { options, planted } = failure
  const shrunk = await shrinkHistory({ options, ...(planted && { planted }) }, () => {})
  if (shrunk === undefined) return found
  const { events, plan = [] } = shrunk.failure
  const file = storeFailure(shrunk.failure, plantedFolder)
  return { ...found, shrunk: { events, plan: plan.length, file } }
}

function rowLines({ bug, about, after, seed, found, wrong, also, shrunk }: Row): string[] {
  const lines = [
    after === undefined
      ? `NOT FOUND ${bug}: ${about}`
      : `found     ${bug}: ${about}\n          after ${after} seeds, seed ${seed}: ${found}`,
  ]
  if (shrunk !== undefined) {
    const { events, plan, file } = shrunk
    lines.push(`          shrunk to ${events} events, a plan of ${plan}: ${file}`)
  }
  if (also.length > 0) lines.push(`          breaks too: ${also.join(', ')}`)
  return [...lines, ...wrong.map(text => `          WRONG ${text}`)]
}
