import { fork } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  createBooks,
  type Gear,
  PlanError,
  planFaults,
  readPlan,
  type ScenarioPlan,
  type ScenarioResult,
  simulate,
} from '@rockpool/sim'
import type { Command } from 'commander'
import { root } from '../files.ts'
import { worldCrypto } from '../run-history.ts'
import { UsageError } from '../usage.ts'

export interface ScenarioFlags {
  readonly gear: string
  readonly seed?: string
  readonly json?: boolean
}

const folder = join(root, 'scripts/scenarios')
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
    .option('--json', 'for programs')
    .action(ends(scenarioCommand))
}

/** Runs a scenario: 0 when everything came as expected, 129 when not, 2 when it cannot begin. */
async function scenarioCommand(word: string, flags: ScenarioFlags): Promise<number> {
  const gear = gears.find(each => each === flags.gear)
  if (gear === undefined)
    throw new UsageError(`--gear is one of ${gears.join(', ')}, not "${flags.gear}"`)
  const loaded = await loadPlan(word)
  const plan = flags.seed === undefined ? loaded : { ...loaded, seed: flags.seed }
  const faults = planFaults(plan, gear)
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  const result = await runScenario(plan, gear)
  const isHeld = result.verdicts.every(({ held }) => held)
  if (flags.json === true) {
    const of = { scenario: word, gear, seed: plan.seed, held: isHeld }
    console.log(JSON.stringify({ ...of, ...result }, null, 2))
  } else print(word, gear, plan, result)
  return isHeld ? 0 : 129
}

/** A scenario of a file, or of a name in `scripts/scenarios`: a builder, or its plan as JSON. */
async function loadPlan(word: string): Promise<ScenarioPlan> {
  const named = join(folder, `${word}.ts`)
  const file = /^[a-z0-9-]+$/.test(word) && existsSync(named) ? named : resolve(word)
  if (!existsSync(file)) {
    const names = readdirSync(folder).map(name => basename(name, '.ts'))
    throw new UsageError(`no scenario "${word}"; a file, or one of ${names.sort().join(', ')}`)
  }
  try {
    if (file.endsWith('.json')) return readPlan(JSON.parse(readFileSync(file, 'utf8')))
    const module = (await import(pathToFileURL(file).href)) as { default?: { plan?: unknown } }
    if (module.default === undefined) throw new PlanError(`${word}: it exports no default`)
    return readPlan(module.default.plan)
  } catch (error) {
    if (error instanceof PlanError) throw new UsageError(error.message)
    throw error
  }
}

/** On the gear that is wanted. What is not simulated whole runs in a process of its own. */
async function runScenario(plan: ScenarioPlan, gear: Gear): Promise<ScenarioResult> {
  if (gear === 'sim') return simulate(plan, { ...(await worldCrypto()), books: createBooks() })
  const program =
    gear === 'inproc'
      ? fileURLToPath(new URL('../inproc/main.ts', import.meta.url))
      : join(root, 'scripts/devnet/scenario.ts')
  return inOwnProcess(program, plan)
}

function inOwnProcess(program: string, plan: ScenarioPlan): Promise<ScenarioResult> {
  const child = fork(program, {
    cwd: root,
    serialization: 'advanced',
    execArgv: ['--import', 'tsx', '--conditions=@rockpool/source'],
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
    const seed = plan.seed === 'scenario' ? '' : ` --seed ${plan.seed}`
    console.log(`again: npm run sim -- scenario ${word} --gear ${gear}${seed}`)
  }
  const { nodeHours, cpuMs, hash, counts } = result
  const speed = (nodeHours * 60_000) / Math.max(1, cpuMs)
  const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  const hashed = hash === undefined ? '' : `hash ${hash}, `
  console.log(
    `${gear}: ${hashed}${told.join(', ')}; ${nodeHours.toFixed(2)} node-hours, ${speed.toFixed(1)} a CPU minute`,
  )
}
