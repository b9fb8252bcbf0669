import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calmOptions } from '@rockpool/sim'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from './files.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rockpool-sim-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function sim(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['apps/sim/dist/main.js', ...args],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  return { status, stdout, stderr }
}

function aFile(name: string, value: unknown): string {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(value))
  return file
}

test('a bad file is named with what is wrong with it, and ends with 2', () => {
  const { nodes: _, ...rest } = calmOptions()
  const file = aFile('x.json', rest)

  expect(sim('replay', file)).toMatchObject({
    status: 2,
    stderr: `${file}: not an options file (missing "nodes")\n`,
  })
  expect(sim('one', join(folder, 'none.json')).stderr).toContain('cannot be read (ENOENT)')
})

test.each([['swarm', '--seeds', 'many'], ['planted', 'no-such-bug'], ['dance'], ['one']])(
  'wrong usage ends with 2: %s %s',
  (...args) => {
    expect(sim(...args).status).toBe(2)
  },
)

test('two runs of one history are equal, in one process and in two', () => {
  const file = aFile('calm.json', calmOptions({ seconds: 30 }))

  const twice = sim('twice', file)
  const once = JSON.parse(sim('one', file, '--json').stdout)

  expect(twice).toMatchObject({ status: 0 })
  expect(twice.stdout).toContain(`equal: hash ${once.hash}, ${once.events} events`)
})

test('a swarm over child processes prints one JSON object', () => {
  const { status, stdout } = sim(
    ...['swarm', '--seeds', '2', '--seconds', '20', '--jobs', '2', '--json'],
  )

  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ seeds: 2, failures: [] })
})

test('a replay stops at a message and shows what led to it', () => {
  const file = aFile('calm.json', calmOptions({ seconds: 30 }))

  const { status, stdout } = sim('replay', file, '--break', 'n1/pool:chain.head')

  expect(status).toBe(0)
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/n1\/pool {2}chain\.head#\d+ <- #\d+$/)
})

test('a history anywhere on the disk is replayed with its log beside it, and up to an instant as JSON', () => {
  const file = aFile('far.json', calmOptions({ seconds: 20 }))

  const whole = sim('replay', file)
  expect(whole).toMatchObject({ status: 0, stderr: '' })
  expect(whole.stdout).toContain(`log ${file.replace('.json', '.log')}`)
  expect(readFileSync(file.replace('.json', '.log'), 'utf8')).toContain('/pool')

  const part = JSON.parse(sim('replay', file, '--until', '3s', '--json').stdout)
  expect(part.events).toBeGreaterThan(10)
  const found = JSON.parse(sim('replay', file, '--break', 'n1/pool:chain.head', '--json').stdout)
  expect(found).toMatchObject({ found: true })
  expect(found.events.at(-1)).toMatchObject({ node: 'n1', actor: '/pool', type: 'chain.head' })
})
