import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { UpOptions } from './args.ts'
import { filesOf } from './files.ts'

/** Starts the launcher in the background, in a session of its own, and shows its banner once the network is ready. */
export async function upDetached(options: UpOptions, argv: readonly string[]): Promise<number> {
  const { launcherLog } = filesOf(options.name)
  mkdirSync(dirname(launcherLog), { recursive: true })
  const output = openSync(launcherLog, 'w')
  const args = ['up', '--daemon', ...argv.filter(word => word !== '--detach')]
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  child.unref()
  const said = (): string => readFileSync(launcherLog, 'utf8')
  let code: number | undefined
  child.once('exit', exitCode => {
    code = exitCode ?? 1
  })
  while (code === undefined && !said().includes('ready in'))
    await new Promise(resolve => setTimeout(resolve, 50))
  process.stdout.write(said())
  return code ?? 0
}
