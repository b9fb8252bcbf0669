#!/usr/bin/env node
// Makes every npm script work from a bare clone: checks Node, installs what is missing, then runs the job. No dependencies.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const windows = process.platform === 'win32'
const [job = 'help', ...args] = process.argv.slice(2)
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
const children = new Set()
let stopping = false

/** Runs a program to its end; resolves to its exit code (128 + signal when killed). Signals are passed on by `forward`. */
function run(command, commandArgs, options = {}) {
  return new Promise(resolve => {
    const child = spawn(command, commandArgs, {
      cwd: root,
      stdio: 'inherit',
      shell: windows,
      ...options,
      env: { ...env, ...options.env },
    })
    children.add(child)
    child.on('error', error => {
      console.error(`${command}: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code, signal) => {
      children.delete(child)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
}

/** The same, but what it prints is kept and shown only when it fails. */
async function quiet(command, commandArgs) {
  const chunks = []
  const code = await new Promise(resolve => {
    const child = spawn(command, commandArgs, { cwd: root, env, shell: windows })
    children.add(child)
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.stderr.on('data', chunk => chunks.push(chunk))
    child.on('error', error => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`))
      resolve(1)
    })
    child.on('close', exit => {
      children.delete(child)
      resolve(exit ?? 1)
    })
  })
  if (code !== 0) process.stderr.write(Buffer.concat(chunks))
  return code
}

function forward(signal) {
  // A terminal sends Ctrl-C to the whole group already; only a signal meant for us alone has to be passed on.
  if (stopping || !process.stdin.isTTY) for (const child of children) child.kill(signal)
  stopping = true
}
process.on('SIGINT', () => forward('SIGINT'))
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGTERM')
  stopping = true
})

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(
    `Rockpool needs Node 20.19 or newer; this is ${process.version}. See https://nodejs.org`,
  )
  process.exit(2)
}

async function install() {
  const lock = join(root, 'package-lock.json')
  const done = join(root, 'node_modules/.package-lock.json')
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('installing dependencies (once) …')
  const code = await quiet('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code === 0) return
  console.error('install failed: check the network, then run "npm ci" again')
  process.exit(code)
}

const bin = name => join(root, 'node_modules/.bin', windows ? `${name}.cmd` : name)
const fromSource = ['--import', 'tsx', '--conditions=@rockpool/source']
const script = (file, scriptArgs) => run(process.execPath, [...fromSource, file, ...scriptArgs])

/** One compiler for all packages in their order; with nothing to do it is back in a quarter of a second, turbo in more than one. */
const build = (...projects) => run(bin('tsc'), ['-b', ...projects])

/** In this process: one less to start. The launcher takes its words from `process.argv` and hears signals itself. */
async function devnet(devnetArgs) {
  const { bundled } = await import('./bundle.mjs')
  const launcher = await bundled(() => build('apps/node'))
  if (launcher === undefined || stopping) return 1
  process.argv = [process.execPath, launcher, ...devnetArgs]
  await import(pathToFileURL(launcher).href)
  return process.exitCode ?? 0
}

/** The commit that seeds the properties; empty outside a repository, where they draw at random. */
function commitHash() {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return (stdout ?? '').trim()
}

/** Runs vitest and adds its counts to `total`. */
async function vitest(title, total, vitestArgs, extraEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-test-'))
  const file = join(folder, 'result.json')
  console.log(`\n${title}`)
  const code = await run(
    bin('vitest'),
    ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`, ...vitestArgs],
    { env: { ROCKPOOL_TEST_COMMIT: commitHash(), ...extraEnv } },
  )
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'))
    total.passed += result.numPassedTests
    total.failed += result.numFailedTests
    total.skipped += result.numPendingTests + result.numTodoTests
    // A file that cannot be loaded fails without a failed test in it.
    if (code !== 0 && result.numFailedTests === 0) total.failed += 1
  } catch {
    total.failed += 1
  }
  rmSync(folder, { recursive: true, force: true })
}

async function step(title, total, work) {
  const started = Date.now()
  const code = await work()
  console.log(
    `${code === 0 ? 'ok  ' : 'FAIL'} ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  )
  if (code === 0) total.passed += 1
  else total.failed += 1
  return code
}

async function staticChecks(total) {
  await step('types', total, () => quiet(bin('tsc'), ['-b']))
  // After the compiler, whose output some of them read, and at once: three of the four have one thread each.
  await Promise.all([
    step('lint', total, () => quiet(bin('oxlint'), ['--type-aware', '--deny-warnings'])),
    step('arrows between rooms', total, () => quiet(bin('turbo'), ['boundaries'])),
    step('tidy', total, () => quiet(process.execPath, [...fromSource, 'scripts/tidy.ts'])),
    step('generated pages', total, () =>
      quiet(process.execPath, [...fromSource, 'scripts/docs.ts', '--check']),
    ),
  ])
}

/** The simulator's part of a test: past failures, and seeds that follow from the commit. Its last line is `passed failed`. */
async function simulate(total) {
  console.log('\nsimulated worlds')
  // Compiled by the first of the checks.
  const { code, last } = await told([...heapFlags, sim, 'gate'])
  const [passed, failed] = last.split(' ').map(Number)
  if (Number.isInteger(passed) && Number.isInteger(failed)) {
    total.passed += passed
    total.failed += failed
  }
  if (code !== 0 && !(failed > 0)) total.failed += 1
}

/** Runs a program of ours, shows what it prints but for the last line, and tells that. */
async function told(nodeArgs) {
  let text = ''
  const code = await new Promise(resolve => {
    const stdio = ['inherit', 'pipe', 'inherit']
    const child = spawn(process.execPath, nodeArgs, { cwd: root, env, stdio })
    children.add(child)
    child.stdout.on('data', chunk => {
      text += chunk
      const end = text.trimEnd().lastIndexOf('\n') + 1
      process.stdout.write(text.slice(0, end))
      text = text.slice(end)
    })
    child.on('error', () => resolve(1))
    child.on('close', exit => {
      children.delete(child)
      resolve(exit ?? 1)
    })
  })
  return { code, last: text.trim() }
}

/** Compiled: from source every function is wrapped to keep its name, and worlds run at two thirds of the speed. */
const sim = 'apps/sim/dist/main.js'
/** Worlds run in the simulator's first process too; see `heapFlags` in apps/sim. */
const heapFlags = ['--max-semi-space-size=64', '--single-threaded-gc']
/** Runs the simulator's command line, one set of words after the other; the first that fails decides. */
async function sims(...commands) {
  const code = await build('apps/sim')
  if (code !== 0) return code
  for (const words of commands) {
    console.log(`\nnpm run sim -- ${words.join(' ')}`)
    const code = await run(process.execPath, [...heapFlags, sim, ...words])
    if (code !== 0 || stopping) return code
  }
  return 0
}

function swarm() {
  const long = args[0] === 'long'
  const rest = args.slice(long ? 1 : 0)
  if (!long) {
    return sims(
      ['corpus'],
      ['swarm', '--of-commit', '--seeds', '200', '--time-limit', '100s', ...rest],
      ...['101', '102', '103', '104', '105'].map(seed => ['twice', seed, '--seconds', '120']),
    )
  }
  return sims(
    ['corpus'],
    ['swarm', '--seeds', '5500', '--time-limit', '40m', '--sees', ...rest],
    // Pools that are full and blocks that are: a drawn world has few of either.
    ['swarm', '--seeds', '24', '--from', '900000', '--nodes', '4', '--tx', '40'],
    ['planted'],
    ['soak', '--hours', '24'],
  )
}

function summary(total) {
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
  return total.failed === 0 ? 0 : 1
}

const jobs = {
  start: () => devnet(['up', ...args]),
  devnet: () => devnet(args),
  build: () => build(),
  async test() {
    const total = { passed: 0, failed: 0, skipped: 0 }
    await staticChecks(total)
    await vitest('unit tests', total, args)
    await simulate(total)
    await vitest('end-to-end tests', total, ['--config', 'vitest.e2e.config.ts', ...args])
    return summary(total)
  },
  async 'test:e2e'() {
    const total = { passed: 0, failed: 0, skipped: 0 }
    await step('types', total, () => quiet(bin('tsc'), ['-b']))
    const rest = args.filter(arg => arg !== '--ci')
    await vitest('long end-to-end tests', total, ['--config', 'vitest.e2e.config.ts', ...rest], {
      ROCKPOOL_E2E_LONG: '1',
      // A check of every change: the shorter form of each, and not what takes long in memory alone.
      ...(args.includes('--ci') && { ROCKPOOL_E2E_CI: '1' }),
    })
    return summary(total)
  },
  async check() {
    const total = { passed: 0, failed: 0, skipped: 0 }
    await step('format', total, () => quiet(bin('biome'), ['check', '.']))
    await staticChecks(total)
    await vitest('unit tests of what changed', total, ['--changed', '--passWithNoTests'])
    return summary(total)
  },
  async bench() {
    const code = await run(bin('tsc'), ['-b'])
    return code === 0 ? script('scripts/bench.ts', args) : code
  },
  async sim() {
    // A scenario may be a TypeScript file of whoever wrote it.
    if (args[0] === 'scenario') return script('apps/sim/src/main.ts', args)
    const code = await build('apps/sim')
    return code === 0 ? run(process.execPath, [...heapFlags, sim, ...args]) : code
  },
  swarm,
  async 'demo:tower'() {
    const code = await build('apps/node')
    return code === 0 ? script('scripts/demo/tower.ts', args) : code
  },
  trace: () => script('scripts/trace.ts', args),
  docs: () => script('scripts/docs.ts', args),
  format: () => run(bin('biome'), ['check', '--write', '.']),
  async help() {
    console.error(`unknown job "${job}"; one of: ${Object.keys(jobs).join(', ')}`)
    return 2
  },
}

checkNode()
await install()
const chosen = jobs[job] ?? jobs.help
process.exitCode = await chosen()
