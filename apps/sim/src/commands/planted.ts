import { drawOptions, type Failure, type Planted, plantedBugs } from '@rockpool/sim'
import { failureOf, plantedFolder, storeFailure } from '../files.ts'
import { createJobs, type Jobs } from '../jobs.ts'
import { plantedTable, violationText } from '../report.ts'
import { shrinkHistory } from '../shrinking.ts'
import { UsageError, wholeNumber } from '../usage.ts'
import { jobCount, type SwarmFlags } from './swarm.ts'

export type PlantedFlags = Pick<SwarmFlags, 'jobs' | 'json' | 'from'> & {
  readonly seeds?: string
  /** Also stores the small history. */
  readonly store?: boolean
}

/** What a planted bug may be shrunk to at most: one of the two. */
const smallEvents = 1_000
const smallPlan = 50

/** One planted bug and what became of it. */
export interface PlantedRow {
  readonly bug: string
  readonly about: string
  /** Seeds tried with the bug, up to and with the one that found it. */
  readonly tried: number
  /** Absent: it was not found. */
  readonly seed?: string
  readonly invariant?: string
  readonly found?: string
  /** Seeds run without the bug: all that were tried with it. */
  readonly clean: number
  /** What failed without it. */
  readonly wrong: readonly string[]
  /** Invariants that it broke and that are none of its own. */
  readonly also: readonly string[]
  readonly shrunk?: {
    /** Turns and timers of the run. */
    readonly events: number
    readonly plan: number
    readonly runs: number
    readonly file?: string
  }
}

/** Searches for each planted bug, makes its history small, and sees that the same seeds are clean without it. */
export async function plantedCommand(
  name: string | undefined,
  flags: PlantedFlags,
): Promise<number> {
  const bugs = name === undefined ? [...plantedBugs.values()] : [bugOf(name)]
  const jobs = createJobs(jobCount(flags.jobs))
  const rows: PlantedRow[] = []
  try {
    for (const bug of bugs) rows.push(await lookFor(jobs, bug, flags))
  } finally {
    jobs.close()
  }
  if (flags.json === true) console.log(JSON.stringify(rows, null, 2))
  else console.log(plantedTable(rows))
  return rows.every(isGood) ? 0 : 129
}

function bugOf(name: string): Planted {
  const bug = plantedBugs.get(name)
  if (bug !== undefined) return bug
  throw new UsageError(`no planted bug "${name}"; one of: ${[...plantedBugs.keys()].join(', ')}`)
}

function isGood({ seed, wrong, tried, clean, shrunk }: PlantedRow): boolean {
  if (seed === undefined || shrunk === undefined || wrong.length > 0 || clean < tried) return false
  return shrunk.events <= smallEvents || shrunk.plan <= smallPlan
}

async function lookFor(jobs: Jobs, bug: Planted, flags: PlantedFlags): Promise<PlantedRow> {
  const count = flags.seeds === undefined ? bug.seeds : wholeNumber(flags.seeds, '--seeds')
  const from = wholeNumber(flags.from, '--from')
  const seeds = Array.from({ length: count }, (_, index) => String(from + index))
  const { tried, also, failure } = await search(jobs, bug, seeds)
  const wrong: string[] = []
  let clean = 0
  await jobs.each(tried, async seed => {
    const { violation } = await jobs.run({ options: drawOptions(seed, bug.wishes) })
    if (violation === undefined) clean += 1
    else wrong.push(`seed ${seed}: ${violationText(violation)}`)
    return true
  })
  const { name, about } = bug
  // A search of all takes minutes; the table comes at the end.
  console.error(`${name}: ${failure === undefined ? 'not found' : 'found'}, ${tried.length} seeds`)
  const row = { bug: name, about, tried: tried.length, clean, wrong, also }
  if (failure === undefined) return row
  const { options, planted, violation } = failure
  const shrunk = await shrinkHistory({ options, ...(planted && { planted }) }, () => {})
  const found = {
    ...row,
    seed: options.seed,
    invariant: violation.id,
    found: violationText(violation),
  }
  if (shrunk === undefined) return found
  const file = flags.store === true ? storeFailure(shrunk.failure, plantedFolder) : undefined
  const { events, plan = [] } = shrunk.failure
  return {
    ...found,
    shrunk: { events, plan: plan.length, runs: shrunk.runs, ...(file !== undefined && { file }) },
  }
}

interface Searched {
  /** In their order, without those after the one that found it. */
  readonly tried: readonly string[]
  readonly also: readonly string[]
  readonly failure?: Failure
}

/** The first of the seeds that breaks one of the invariants the bug is known for. */
async function search(jobs: Jobs, bug: Planted, seeds: readonly string[]): Promise<Searched> {
  const found = new Map<number, Failure>()
  const also = new Set<string>()
  let first = Number.POSITIVE_INFINITY
  await jobs.each(seeds.entries(), async ([index, seed]) => {
    if (index > first) return false
    const history = { options: drawOptions(seed, bug.wishes), planted: bug.name }
    const failure = failureOf(history, await jobs.run(history))
    if (failure === undefined) return true
    if (!bug.fires.includes(failure.violation.id)) {
      also.add(failure.violation.id)
      return true
    }
    found.set(index, failure)
    first = Math.min(first, index)
    return false
  })
  const failure = found.get(first)
  const tried = seeds.slice(0, failure === undefined ? seeds.length : first + 1)
  return { tried, also: [...also], ...(failure && { failure }) }
}
