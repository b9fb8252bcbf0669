import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Failure, testText } from '@rockpool/sim'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plantedFolder, readStored, root, storedIn } from './files.ts'
import { violationText } from './report.ts'

/** A folder beside the program, where an emitted test finds what it imports. */
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(root, 'apps/sim/src/emitted-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes the test of a failure and has vitest run it, as `npm test` would. */
function emitted(name: string, failure: Failure) {
  const file = join(folder, `${name}.test.ts`)
  writeFileSync(file, testText(failure))
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const env = { ...process.env, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, 'run', `${basename(folder)}/${name}`],
    { cwd: root, encoding: 'utf8', env },
  )
  return { status, said: stdout + stderr }
}

test('the test that is written for a failure fails with what was violated, and passes when the fault is gone', () => {
  const [file = ''] = storedIn(plantedFolder).filter(name => name.includes('/free-replacement-'))
  const failure = readStored(file) as Failure

  const withBug = emitted('with', failure)
  expect(withBug.said).toContain('1 failed')
  expect(withBug.said).toContain(violationText(failure.violation))
  expect(withBug.status).toBe(1)

  const { planted, ...mended } = failure
  expect(planted).toBe('free-replacement')
  const without = emitted('without', mended)
  expect(without.said).toContain('1 passed')
  expect(without.status).toBe(0)
  expect(readdirSync(folder)).toHaveLength(2)
}, 120_000)
