import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `npm run sim -- scenario …` */
function scenario(...words: readonly string[]) {
  const source = ['--import', 'tsx', '--conditions=@rockpool/source', 'apps/sim/src/main.ts']
  const child = spawn(process.execPath, [...source, 'scenario', ...words], { cwd: root })
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
  const [first, second] = [await inproc('hello'), await inproc('hello')]
  expect(first.verdicts.filter(({ held }) => !held)).toEqual([])
  expect(second.hash).toBe(first.hash)
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
