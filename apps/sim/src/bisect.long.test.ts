import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plantedFolder, readStored, root, storedIn } from './files.ts'

/** A repository with the program as it is here, and five commits of which the fourth breaks the pool. */
let repo = ''
let broken = ''
let history = ''

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: repo, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout.trim()
}

function commit(what: string): string {
  run('git', 'add', '.')
  const by = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false']
  run('git', ...by, 'commit', '--quiet', '--no-verify', '-m', what)
  return run('git', 'rev-parse', 'HEAD')
}

beforeAll(() => {
  repo = mkdtempSync(join(tmpdir(), 'rockpool-bisected-'))
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', 'packages', 'apps/sim']
  const names = spawnSync('git', list, { cwd: root, encoding: 'utf8' }).stdout.trim().split('\n')
  for (const name of [...names, 'package.json', '.gitignore']) {
    mkdirSync(dirname(join(repo, name)), { recursive: true })
    copyFileSync(join(root, name), join(repo, name))
  }
  mkdirSync(join(repo, 'node_modules/@rockpool'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@rockpool')
      symlinkSync(join(root, 'node_modules', name), join(repo, 'node_modules', name))
  }
  for (const room of readdirSync(join(repo, 'packages'))) {
    symlinkSync(join(repo, 'packages', room), join(repo, 'node_modules/@rockpool', room))
  }
  run('git', 'init', '--quiet')
  commit('as it is')
  for (const step of ['one', 'two', 'break the pool', 'four']) {
    writeFileSync(join(repo, 'notes.md'), step)
    if (step === 'break the pool') {
      const file = join(repo, 'packages/pool/src/admission.ts')
      const right = readFileSync(file, 'utf8')
      const wrong = right.replace('tx, this.config.priceBump)', 'tx, 0)')
      expect(wrong).not.toBe(right)
      writeFileSync(file, wrong)
      broken = commit(step)
    } else commit(step)
  }
  const stored = storedIn(plantedFolder).find(file => file.includes('/free-replacement-')) ?? ''
  const { planted: _, ...failure } = readStored(stored)
  history = join(repo, '..', `failure-${process.pid}.json`)
  writeFileSync(history, JSON.stringify(failure))
}, 60_000)
afterAll(() => {
  rmSync(repo, { recursive: true, force: true })
  rmSync(history, { force: true })
})

test('the commit that broke a stored failure is named, by the nodes of each commit', () => {
  const source = ['--import', 'tsx', '--conditions=@rockpool/source', 'apps/sim/src/main.ts']
  const found = JSON.parse(run(process.execPath, ...source, 'bisect', history, '--json'))

  expect(found.first).toBe(broken)
  const verdicts: readonly string[] = Object.values(found.judged)
  expect(verdicts).toContain('good')
  expect(verdicts.filter(verdict => verdict === 'bad').length).toBeGreaterThan(1)
  // Its worktree is gone, and the repository stands where it stood.
  expect(run('git', 'worktree', 'list').split('\n')).toHaveLength(1)
  expect(run('git', 'log', '-1', '--format=%s')).toBe('four')
}, 300_000)
