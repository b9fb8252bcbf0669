import { spawn } from 'node:child_process'
import { checkout } from './devnet.ts'

/** Runs a program of the checkout to its end. */
export function runProgram(args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
  })
  child.stderr.on('data', chunk => {
    said += chunk
  })
  return new Promise(resolve => child.once('close', code => resolve({ code: code ?? -1, said })))
}

/** The launcher as a second terminal has it: runs one of its verbs on a devnet. */
export const devnetVerbs =
  (name: string) =>
  (...args: string[]) =>
    runProgram(['--conditions=@rockpool/source', 'scripts/devnet.ts', ...args, '--name', name])
