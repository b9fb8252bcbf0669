import { fork } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  createBooks,
  type Gear,
  PlanError,
  planFaults,
  readPlan,
  type ScenarioPlan,
  type ScenarioResult,
  shrinkScenario,
  simulate,
} from '@rockpool/sim'
import type { Command } from 'commander'
import { fromSource, isSource, root } from '../files.ts'
import { heapFlags } from '../jobs.ts'
import { type Results, writeResults } from '../results.ts'
import { worldCrypto } from '../run-history.ts'
import { UsageError } from '../usage.ts'

export interface ScenarioFlags {
  readonly gear: string
  readonly seed?: string
  readonly plan?: boolean
  readonly results?: string
  readonly json?: boolean
}

const folder = join(root, 'scripts/scenarios')
/** Real time that making a failure small may take. */
const shrinkMs = 60_000
const exitCodes = { crash: 127, liveness: 128, correctness: 129 } as const
const gears: readonly Gear[] = ['sim', 'inproc', 'procs']

/** Adds `sim scenario` to the command line. `ends` makes an exit code of what the action resolves to. */
export function addScenario(
  program: Command,
  ends: (
    run: (word: string, flags: ScenarioFlags) => Promise<number>,
  ) => (word: string, flags: ScenarioFlags) => Promise<void>,
): void {
  program
    .command('scenario')
    .description('a network, what happens to it, and what is expected of it')
    .argument('<file or name>')
    .option('--gear <gear>', 'sim, inproc or procs', 'sim')
    .option('--seed <seed>', 'instead of that of the scenario')
    .option('--plan', 'prints the scenario as data and runs nothing')
    .option('--results <folder>', 'also writes result.json and junit.xml there')
    .option('--json', 'for programs')
    .action(ends(scenarioCommand))
}

/** Runs a scenario: 0 when everything came as expected, 2 when it cannot begin, else as every run of the simulator. */
async function scenarioCommand(word: string, flags: ScenarioFlags): Promise<number> {
  const gear = gears.find(each => each === flags.gear)
  if (gear === undefined)
    throw new UsageError(`--gear is one of ${gears.join(', ')}, not "${flags.gear}"`)
  const loaded = await loadPlan(word)
  const plan = flags.seed === undefined ? loaded : { ...loaded, seed: flags.seed }
  if (flags.plan === true) {
    console.log(JSON.stringify(plan, null, 2))
    return 0
  }
  const faults = planFaults(plan, gear)
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  const result = await runScenario(plan, gear)
  const [broken] = result.verdicts.filter(({ held }) => !held)
  const isHeld = broken === undefined
  if (flags.json === true) {
    const of = { scenario: word, gear, seed: plan.seed, held: isHeld }
    console.log(JSON.stringify({ ...of, ...result }, null, 2))
  } else print(word, gear, plan, result)
  const exitCode = isHeld ? 0 : exitCodes[broken.kind]
  if (flags.results !== undefined)
    writeResults(flags.results, resultsOf(word, gear, plan, result, exitCode))
  if (isHeld) return 0
  if (gear === 'sim' && flags.json !== true)
    await keepSmall(plan, broken.claim, basename(word, '.ts'))
  return exitCode
}

function resultsOf(
  word: string,
  gear: Gear,
  plan: ScenarioPlan,
  { verdicts, nodeHours, coverage }: ScenarioResult,
  exitCode: number,
): Results {
  const cases = verdicts.map(({ claim, held, kind, atMs, text }) => ({
    ...{ name: claim, seconds: atMs / 1_000 },
    ...(!held && { failure: { id: claim, kind, text } }),
  }))
  const name = `scenario ${basename(word, '.ts')}`
  const again = againText(word, gear, plan)
  const seconds = plan.untilMs / 1_000
  return { name, gear, seed: plan.seed, exitCode, nodeHours, seconds, coverage, cases, again }
}

const againText = (word: string, gear: Gear, { seed }: ScenarioPlan): string =>
  `npm run sim -- scenario ${word} --gear ${gear}${seed === 'scenario' ? '' : ` --seed ${seed}`}`

/** A scenario of a file, or of a name in `scripts/scenarios`: a builder, or its plan as JSON. */
async function loadPlan(word: string): Promise<ScenarioPlan> {
  const named = join(folder, `${word}.ts`)
  const file = /^[a-z0-9-]+$/.test(word) && existsSync(named) ? named : resolve(word)
  if (!existsSync(file)) {
    const names = readdirSync(folder).map(name => basename(name, '.ts'))
    throw new UsageError(`no scenario "${word}"; a file, or one of ${names.sort().join(', ')}`)
  }
  try {
    if (file.endsWith('.json'))
      return withTopology(readPlan(JSON.parse(readFileSync(file, 'utf8'))), dirname(file))
    const module = (await import(pathToFileURL(file).href)) as { default?: { plan?: unknown } }
    if (module.default === undefined) throw new PlanError(`${word}: it exports no default`)
    return withTopology(readPlan(module.default.plan), dirname(file))
  } catch (error) {
    if (error instanceof PlanError) throw new UsageError(error.message)
    throw error
  }
}

/** The plan with the pairs of the file that its topology names. */
function withTopology(plan: ScenarioPlan, folder: string): ScenarioPlan {
  const { topology } = plan
  if (topology.kind !== 'file') return plan
  const where = `fromFile('${topology.path}')`
  let pairs: unknown
  try {
    pairs = JSON.parse(readFileSync(resolve(folder, topology.path), 'utf8'))
  } catch (error) {
    throw new PlanError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isPairs(pairs)) throw new PlanError(`${where}: not a list of pairs of names`)
  return { ...plan, topology: { kind: 'edges', pairs } }
}

const isPairs = (value: unknown): value is [string, string][] =>
  Array.isArray(value) &&
  value.every(
    pair =>
      Array.isArray(pair) && pair.length === 2 && pair.every(name => typeof name === 'string'),
  )

/** On the gear that is wanted. What is not simulated whole runs in a process of its own. */
async function runScenario(plan: ScenarioPlan, gear: Gear): Promise<ScenarioResult> {
  if (gear === 'sim') return simulate(plan, { ...(await worldCrypto()), books: createBooks() })
  if (gear === 'procs') return inOwnProcess(join(root, 'scripts/devnet/scenario.ts'), plan)
  const inproc = isSource ? '../inproc/main.ts' : '../inproc/main.js'
  return inOwnProcess(fileURLToPath(new URL(inproc, import.meta.url)), plan)
}

/** Writes the smallest plan that fails like this one; it can be run by its file. */
async function keepSmall(plan: ScenarioPlan, claim: string, name: string): Promise<void> {
  const until = performance.now() + shrinkMs
  const fails = async (candidate: ScenarioPlan) => {
    const { verdicts } = await runScenario(candidate, 'sim')
    return verdicts.some(verdict => !verdict.held && verdict.claim === claim)
  }
  const small = await shrinkScenario(plan, claim, fails, () => performance.now() < until)
  const kept = join(root, '.devnet/scenarios')
  mkdirSync(kept, { recursive: true })
  const file = join(kept, `${name}-${plan.seed}.json`)
  writeFileSync(file, `${JSON.stringify(small, null, 2)}\n`)
  const { nodes, evil, steps } = small
  console.log(
    `small: ${nodes} nodes, ${evil.length} evil, ${steps.length} steps; npm run sim -- scenario ${relative(root, file)}`,
  )
}

function inOwnProcess(program: string, plan: ScenarioPlan): Promise<ScenarioResult> {
  const child = fork(program, {
    cwd: root,
    serialization: 'advanced',
    execArgv: [...heapFlags, ...(program.endsWith('.ts') ? fromSource : [])],
  })
  return new Promise((resolve, reject) => {
    let answer: ScenarioResult | undefined
    child.once('message', message => {
      answer = message as ScenarioResult
    })
    child.once('exit', (code, signal) => {
      if (answer !== undefined) resolve(answer)
      else reject(new Error(`the process of the scenario ended (${signal ?? code})`))
    })
    child.send(plan)
  })
}

function print(word: string, gear: Gear, plan: ScenarioPlan, result: ScenarioResult): void {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
  for (const { claim, held, atMs, text } of result.verdicts) {
    console.log(`${held ? 'ok  ' : 'FAIL'} ${claim}  (${seconds(atMs)})`)
    if (!held) console.log(`     ${text}`)
  }
  if (result.verdicts.some(({ held }) => !held)) {
    for (const line of result.causes ?? []) console.log(`  ${line}`)
    for (const line of result.legend) console.log(`  ${line}`)
    console.log(`again: ${againText(word, gear, plan)}`)
  }
  const { nodeHours, cpuMs, hash, counts } = result
  const speed = (nodeHours * 60_000) / Math.max(1, cpuMs)
  const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  const hashed = hash === undefined ? '' : `hash ${hash}, `
  console.log(
    `${gear}: ${hashed}${told.join(', ')}; ${nodeHours.toFixed(2)} node-hours, ${speed.toFixed(1)} a CPU minute`,
  )
}
