import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `npm run sim -- scenario …`, compiled; only the scenarios themselves are read from source. */
function scenario(...words: readonly string[]) {
  const program = ['--import', 'tsx', 'apps/sim/dist/main.js', 'scenario']
  const child = spawn(process.execPath, [...program, ...words], { cwd: root })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

interface Told {
  readonly held: boolean
  readonly hash: string
  readonly verdicts: readonly { readonly claim: string; readonly held: boolean }[]
}

async function inproc(name: string): Promise<Told> {
  const { stdout } = await scenario(name, '--gear', 'inproc', '--json')
  return JSON.parse(stdout) as Told
}

test('hello comes as expected over the real network stack in virtual time, twice with the same deliveries', async () => {
  const [first, second] = await Promise.all([inproc('hello'), inproc('hello')])
  expect(first.verdicts.filter(({ held }) => !held)).toEqual([])
  expect(second.hash).toBe(first.hash)
})

test('links, joiners, clocks and operators are words over the real network stack too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-results-'))
  try {
    const ended = await scenario('swizzle', '--gear', 'inproc', '--results', folder)
    expect(ended.stdout).not.toContain('FAIL')
    expect(ended.code).toBe(0)
    const told = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))
    expect(told).toMatchObject({ gear: 'inproc', exitCode: 0, failures: 0, firstViolation: null })
    expect(told.coverage).toHaveProperty('p2p/banned')
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toContain('failures="0"')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a topology is read from a file beside the scenario', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-scenario-'))
  const name = `scenario-${process.pid}-file.tmp`
  const beside = join(root, 'scripts', `${name}.ts`)
  try {
    const links = join(folder, 'links.json')
    const words = `net(3).topology(fromFile('${links}')).expect(ready().within('20s')).until('20s')`
    writeFileSync(
      beside,
      `import { fromFile, net, ready } from '@rockpool/sim/scenario'\nexport default ${words}\n`,
    )
    writeFileSync(links, '[["n0","n1"],["n1","n2"]]')
    const read = await scenario(beside, '--plan')
    expect(JSON.parse(read.stdout).topology).toEqual({
      kind: 'edges',
      pairs: [
        ['n0', 'n1'],
        ['n1', 'n2'],
      ],
    })
    writeFileSync(links, '{"n0":"n1"}')
    const wrong = await scenario(beside)
    expect([wrong.code, wrong.stderr.trim()]).toEqual([
      2,
      `fromFile('${links}'): not a list of pairs of names`,
    ])
  } finally {
    rmSync(beside, { force: true })
    rmSync(folder, { recursive: true })
  }
})

test('a scenario is stored as JSON, and what fails says how to run it again, with exit code 128', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-scenario-'))
  const file = join(folder, 'never-ready.ts')
  const source = `import { net, ready, stop } from '@rockpool/sim/scenario'
export default net(2).at('2s', stop('n1')).expect(ready('n1').within('3s').after('4s')).until('9s')
`
  try {
    // Beside the scenarios, where its imports lead somewhere.
    const beside = join(root, 'scripts', `scenario-${process.pid}.tmp.ts`)
    writeFileSync(beside, source)
    try {
      const ended = await scenario(beside)
      expect(ended.code).toBe(128)
      expect(ended.stdout).toContain("FAIL ready('n1').within('3000ms').after('4000ms')")
      expect(ended.stdout).toContain('n1: down')
      expect(ended.stdout).toContain('again: npm run sim -- scenario')
      expect(ended.stdout).toContain('small: 2 nodes, 0 evil, 1 steps')
    } finally {
      rmSync(beside)
    }
    writeFileSync(file.replace(/ts$/, 'json'), '{"version":7}')
    const other = await scenario(file.replace(/ts$/, 'json'))
    expect([other.code, other.stderr.trim()]).toEqual([2, 'no scenario of version 1: version 7'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what cannot begin does not: exit code 2 with a sentence', async () => {
  const unknown = await scenario('nothing')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('no scenario "nothing"; a file, or one of evil-spammer, hello')
  const gear = await scenario('hello', '--gear', 'cloud')
  expect([gear.code, gear.stderr.trim()]).toEqual([
    2,
    '--gear is one of sim, inproc, procs, not "cloud"',
  ])
})
