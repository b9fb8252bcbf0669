import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/* Scenarios that take minutes: on processes in real time, and the heavy ones over the real network stack. */

const root = fileURLToPath(new URL('..', import.meta.url))

const always = [
  ['hello', 'procs'],
  ['evil-spammer', 'procs'],
  ['evil-spammer', 'inproc'],
] as const
const besides = [
  ['swizzle', 'procs'],
  ['reorg-storm', 'procs'],
  ['rolling-restart', 'procs'],
  ['partition-heal', 'procs'],
  ['reorg-storm', 'inproc'],
  ['one-address', 'inproc'],
  ['reorg-storm', 'sim'],
  ['partition-heal', 'sim'],
  ['rolling-restart', 'sim'],
] as const

test.each(process.env.ROCKPOOL_E2E_CI === '1' ? always : [...always, ...besides])(
  '%s comes as expected in gear %s',
  { timeout: 600_000 },
  (name, gear) => {
    const source = ['--import', 'tsx', '--conditions=@rockpool/source', 'apps/sim/src/main.ts']
    const { status, stdout } = spawnSync(
      process.execPath,
      [...source, 'scenario', name, '--gear', gear],
      { cwd: root, encoding: 'utf8', timeout: 590_000 },
    )
    expect(stdout).not.toContain('FAIL')
    expect(status).toBe(0)
  },
)
