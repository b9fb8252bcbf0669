/** The devnet launcher: a local network of node processes, without containers, root or network. */
import { readFileSync } from 'node:fs'
import { UsageError, upOptions } from './devnet/args.ts'
import { filesOf, type NetworkFile, runningPid } from './devnet/files.ts'
import { askStatus, statusText } from './devnet/status.ts'
import { up } from './devnet/up.ts'

const usage = `npm run devnet -- up [--nodes 4] [--block 2s] [--name default] [--port-base P] [--keep] [--<key> value of every node …]
npm run devnet -- status [--name default]
npm run devnet -- down [--name default]`

function nameOf(args: readonly string[]): string {
  return upOptions(args).name
}

async function status(name: string): Promise<number> {
  const files = filesOf(name)
  if (runningPid(files) === undefined) return notRunning(name)
  const network = JSON.parse(readFileSync(files.network, 'utf8')) as NetworkFile
  console.log(
    statusText(await Promise.all(network.nodes.map(node => askStatus(node.name, node.rpc)))),
  )
  return 0
}

async function down(name: string): Promise<number> {
  const files = filesOf(name)
  const pid = runningPid(files)
  if (pid === undefined) return notRunning(name)
  process.kill(pid, 'SIGTERM')
  while (runningPid(files) !== undefined) await new Promise(resolve => setTimeout(resolve, 50))
  return 0
}

function notRunning(name: string): number {
  console.error(`devnet "${name}" is not running; start it with: npm run devnet -- up`)
  return 3
}

async function main([verb = 'up', ...args]: readonly string[]): Promise<number> {
  switch (verb) {
    case 'up':
      return up(upOptions(args))
    case 'status':
      return status(nameOf(args))
    case 'down':
      return down(nameOf(args))
    default:
      throw new UsageError(`unknown verb "${verb}"`)
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
