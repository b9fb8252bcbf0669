import { relative } from 'node:path'
import { commitHash, failuresFolder, plantedFolder, readStored, root, storedIn } from '../files.ts'
import { createJobs, type Jobs } from '../jobs.ts'
import { failureLines, swarmJson, swarmText, violationText } from '../report.ts'
import type { History } from '../run-history.ts'
import { breaks } from '../shrinking.ts'
import { exitCodeOf, seedsOfCommit, swarm } from '../swarm.ts'
import { jobCount, type SwarmFlags } from './swarm.ts'

/** One stored history and what came of it. */
interface CorpusRow {
  readonly file: string
  readonly ok: boolean
  readonly text: string
}

/** Past failures must pass, planted bugs must still be found by their stored histories, and not without the bug. */
async function runCorpus(jobs: Jobs): Promise<CorpusRow[]> {
  const rows: CorpusRow[] = []
  await jobs.each([...storedIn(failuresFolder), ...storedIn(plantedFolder)], async file => {
    const { options, plan, planted, violation } = readStored(file)
    const clean: History = { options, ...(plan && { plan }) }
    const name = relative(root, file)
    const without = await jobs.run(clean)
    if (without.violation !== undefined) {
      rows.push({ file: name, ok: false, text: violationText(without.violation) })
    } else if (planted === undefined) rows.push({ file: name, ok: true, text: 'clean' })
    else {
      const found = await breaks({ ...clean, planted }, violation?.id, history => jobs.run(history))
      const ok = found !== undefined && found.id === violation?.id
      const text = found === undefined ? 'not found any more' : violationText(found)
      rows.push({ file: name, ok, text })
    }
    return true
  })
  return rows.sort((a, b) => (a.file < b.file ? -1 : 1))
}

/** All stored histories. */
export async function corpusCommand(flags: Pick<SwarmFlags, 'jobs' | 'json'>): Promise<number> {
  const jobs = createJobs(jobCount(flags.jobs))
  try {
    const rows = await runCorpus(jobs)
    if (flags.json === true) console.log(JSON.stringify(rows, null, 2))
    else
      for (const { file, ok, text } of rows) console.log(`${ok ? 'ok  ' : 'FAIL'} ${file}: ${text}`)
    return rows.every(({ ok }) => ok) ? 0 : 129
  } finally {
    jobs.close()
  }
}

/** Seeds of a commit that each change runs. */
const gateSeeds = 40
/** Of each: a fourth of what a swarm draws, so that all end within a minute and a half on two processors. */
const gateSeconds = 150
/** Of them, those that run a second time. */
const gateTwice = 2

/**
 * What each change runs: the corpus, the seeds of its commit, and some of them twice. The last line is the sum for a machine:
 * `passed failed`.
 */
export async function gateCommand(flags: Pick<SwarmFlags, 'jobs' | 'json'>): Promise<number> {
  const jobs = createJobs(jobCount(flags.jobs))
  const startedMs = Date.now()
  try {
    const stored = await runCorpus(jobs)
    const seeds = seedsOfCommit(commitHash(), gateSeeds)
    const wishes = { seconds: gateSeconds }
    const shared = { wishes, timeLimitMs: Number.POSITIVE_INFINITY, stores: true }
    const once = await swarm(jobs, {
      ...shared,
      seeds: seeds.slice(gateTwice),
      checkDeterminism: false,
    })
    const twice = await swarm(jobs, {
      ...shared,
      seeds: seeds.slice(0, gateTwice),
      checkDeterminism: true,
    })
    const runs = [...twice.runs, ...once.runs]
    const good = stored.filter(({ ok }) => ok).length
    const clean = runs.filter(({ result }) => result.violation === undefined).length
    const [sum, wallMs] = [{ ...once, runs }, Date.now() - startedMs]
    if (flags.json === true)
      console.log(JSON.stringify({ stored, ...swarmJson(sum, wallMs) }, null, 2))
    else {
      for (const { file, ok, text } of stored) if (!ok) console.log(`FAIL ${file}: ${text}`)
      for (const run of runs) for (const line of failureLines(run)) console.log(line)
      console.log(swarmText(sum, wallMs))
      console.log(`${good + clean} ${stored.length - good + runs.length - clean}`)
    }
    const code = exitCodeOf(runs.map(({ result }) => result))
    return code === 0 && good < stored.length ? 129 : code
  } finally {
    jobs.close()
  }
}
