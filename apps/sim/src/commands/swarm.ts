import { availableParallelism } from 'node:os'
import { plantedBugs, type Wishes } from '@rockpool/sim'
import { commitHash } from '../files.ts'
import { createJobs } from '../jobs.ts'
import { againLine, failureLines, swarmJson, swarmText, unseen } from '../report.ts'
import { writeResults } from '../results.ts'
import { exitCodeOf, type SwarmSum, type SwarmWish, seedsOfCommit, swarm } from '../swarm.ts'
import { timeMs, UsageError, wholeNumber } from '../usage.ts'

export interface SwarmFlags {
  readonly seeds: string
  readonly from: string
  readonly seconds?: string
  readonly nodes?: string
  readonly chain?: string
  readonly family?: string
  readonly tx?: string
  readonly planted?: string
  readonly jobs?: string
  readonly timeLimit?: string
  /** Seeds follow from the commit, not from `from`. */
  readonly ofCommit?: boolean
  /** Fails when something that must be seen was not. */
  readonly sees?: boolean
  /** A folder for `result.json` and `junit.xml`. */
  readonly results?: string
  readonly json?: boolean
}

/** Processes at work, when nobody says otherwise: one for each processor. */
export function jobCount(word: string | undefined): number {
  const given = word ?? process.env.ROCKPOOL_SIM_JOBS
  const count = given === undefined ? availableParallelism() : wholeNumber(given, '--jobs')
  if (count < 1) throw new UsageError('--jobs takes at least 1')
  return count
}

/** What differs from the draw in all seeds. */
export function wishesOf(
  flags: Pick<SwarmFlags, 'seconds' | 'nodes' | 'chain' | 'tx' | 'family'>,
): Wishes {
  const { seconds, nodes, chain, tx, family } = flags
  if (family !== undefined && family !== 'sick') {
    throw new UsageError(`--family takes sick, not "${family}"`)
  }
  if (chain !== undefined && chain !== 'dev' && chain !== 'source') {
    throw new UsageError(`--chain takes dev or source, not "${chain}"`)
  }
  return {
    ...(seconds !== undefined && { seconds: wholeNumber(seconds, '--seconds') }),
    ...(nodes !== undefined && { nodes: wholeNumber(nodes, '--nodes') }),
    ...(chain !== undefined && { chain }),
    ...(family !== undefined && { family }),
    ...(tx !== undefined && { txPerSecond: wholeNumber(tx, '--tx') }),
  }
}

/** `count` seeds from `from` on, or those of this commit. */
function seedsOf({ seeds, from, ofCommit }: SwarmFlags): string[] {
  const { ROCKPOOL_SIM_SEED: first = from, ROCKPOOL_SIM_NUM: number = seeds } = process.env
  const count = wholeNumber(number, '--seeds')
  if (ofCommit === true) return seedsOfCommit(commitHash(), count)
  const start = wholeNumber(first, '--from')
  return Array.from({ length: count }, (_, index) => String(start + index))
}

/** The swarm of a command line; 0, or the code of the worst failure. */
export async function swarmCommand(flags: SwarmFlags): Promise<number> {
  const { planted, json = false } = flags
  if (planted !== undefined && !plantedBugs.has(planted)) {
    throw new UsageError(
      `no planted bug "${planted}"; one of: ${[...plantedBugs.keys()].join(', ')}`,
    )
  }
  const limit = flags.timeLimit ?? process.env.ROCKPOOL_SIM_TIME_LIMIT
  const bug = planted === undefined ? undefined : plantedBugs.get(planted)
  const wish: SwarmWish = {
    seeds: seedsOf(flags),
    wishes: { ...bug?.wishes, ...wishesOf(flags) },
    ...(planted !== undefined && { planted }),
    timeLimitMs: limit === undefined ? Number.POSITIVE_INFINITY : timeMs(limit, '--time-limit'),
    checkDeterminism: process.env.ROCKPOOL_SIM_CHECK_DETERMINISM === '1',
    stores: planted === undefined,
    ...(!json && { heard: dots() }),
  }
  const { sum, wallMs } = await timedSwarm(wish, jobCount(flags.jobs))
  if (json) console.log(JSON.stringify(swarmJson(sum, wallMs), null, 2))
  else {
    console.log('')
    for (const run of sum.runs) for (const line of failureLines(run)) console.log(line)
    console.log(swarmText(sum, wallMs))
  }
  const worst = exitCodeOf(sum.runs.map(({ result }) => result))
  const code = worst === 0 && flags.sees === true && unseen(sum).length > 0 ? 129 : worst
  if (flags.results !== undefined) writeResults(flags.results, resultsOf(wish, sum, code))
  return code
}

function resultsOf(
  { seeds }: SwarmWish,
  { runs, nodeHours, cpuMs, coverage }: SwarmSum,
  exitCode: number,
) {
  const failed = runs.find(({ result }) => result.violation !== undefined)
  const again = failed === undefined ? undefined : againLine(failed)
  return {
    ...{ name: 'swarm', gear: 'sim', exitCode, nodeHours },
    seed: failed?.seed ?? seeds[0] ?? '',
    coverage: Object.fromEntries(coverage),
    seconds: cpuMs / 1_000,
    cases: runs.map(({ seed, result: { violation, cpuMs } }) => ({
      ...{ name: `seed ${seed}`, seconds: cpuMs / 1_000 },
      ...(violation && { failure: violation }),
    })),
    again: again ?? `npm run sim -- ${process.argv.slice(2).join(' ')}`,
  }
}

/** A swarm with processes of its own, and how long it took. */
async function timedSwarm(
  wish: SwarmWish,
  count: number,
): Promise<{ sum: SwarmSum; wallMs: number }> {
  const jobs = createJobs(Math.min(count, Math.max(1, wish.seeds.length)))
  const startedMs = Date.now()
  try {
    return { sum: await swarm(jobs, wish), wallMs: Date.now() - startedMs }
  } finally {
    jobs.close()
  }
}

/** A sign of life for each seed: a point when it was clean. */
function dots(): NonNullable<SwarmWish['heard']> {
  let count = 0
  return ({ result }) => {
    const sign = { crash: 'C', liveness: 'L', correctness: '!' }
    process.stdout.write(result.violation === undefined ? '.' : sign[result.violation.kind])
    count += 1
    if (count % 80 === 0) process.stdout.write('\n')
  }
}
