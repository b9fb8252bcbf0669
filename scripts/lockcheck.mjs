#!/usr/bin/env node
// Proves that the lock file installs on a machine that is not this one: a lock that lacks native siblings for other platforms passes where it was
// made and dies elsewhere. Runs `npm ci --dry-run` in a bare copy with the oldest npm we support and with the one at hand.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'rockpool-lock-'))
const manifests = ['packages', 'apps'].flatMap(group =>
  readdirSync(join(root, group)).map(name => join(group, name, 'package.json')),
)
for (const file of ['package.json', 'package-lock.json', '.npmrc', ...manifests]) {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  cpSync(join(root, file), join(folder, file))
}

let failed = false
for (const npm of [['npm'], ['npx', '--yes', 'npm@10.8.2']]) {
  const [command, ...before] = npm
  const { status, stdout, stderr } = spawnSync(
    command,
    [...before, 'ci', '--dry-run', '--no-audit', '--no-fund'],
    {
      cwd: folder,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    },
  )
  const bad = `${stdout}${stderr}`.split('\n').filter(line => /Missing:|EBADENGINE/.test(line))
  if (status !== 0 || bad.length > 0) failed = true
  console.log(
    `${npm.join(' ')}: ${status === 0 && bad.length === 0 ? 'ok' : [`exit ${status}`, ...bad].join('\n  ')}`,
  )
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0
