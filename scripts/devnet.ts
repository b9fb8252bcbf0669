/** The devnet launcher: a local network of node processes, without containers, root or network. */
import { devnetName, UsageError, upOptions } from './devnet/args.ts'
import { upDetached } from './devnet/detach.ts'
import { filesOf, runningPid } from './devnet/files.ts'
import { down, runningDevnet, VerbError, verbs } from './devnet/verbs.ts'

const usage = `npm run devnet -- up [--nodes 4] [--block 2s] [--port-base P] [--keep] [--detach] [--<key> value of every node …]
npm run devnet -- down [--wipe] | status | logs [node]
npm run devnet -- kill | restart | pause | resume | stop <node>
npm run devnet -- partition "n0,n1|n2,n3" | partition 0.5 | heal
npm run devnet -- link <a> <b> [--latency 100ms] [--jitter 20ms] [--bandwidth 1MiB] [--stall] [--cut] [--reset] [--one-way]
npm run devnet -- mine [n] | reorg <depth> [--keep share] | speed <0.1x..1000x> | jump <duration> | fund <address> [ether]
every verb takes --name <devnet> (default: default)`

async function main([verb = 'up', ...args]: readonly string[]): Promise<number> {
  if (verb === 'up') {
    const options = upOptions(args)
    const isRunning = runningPid(filesOf(options.name)) !== undefined
    if (options.detach && !isRunning) return upDetached(options, args)
    // Loaded when it is called: it brings the chain and its cryptography, and every other verb is quick.
    const { up } = await import('./devnet/up.ts')
    return up(options)
  }
  const { name, rest } = withoutName(args)
  if (verb === 'down') {
    await down(name, rest.includes('--wipe'))
    return 0
  }
  const run = verbs[verb]
  if (run === undefined) throw new UsageError(`unknown verb "${verb}"`)
  for (const line of await run(runningDevnet(name), rest)) console.log(line)
  return 0
}

/** The devnet a verb is about, and its other words. */
function withoutName(args: readonly string[]): { name: string; rest: string[] } {
  const at = args.indexOf('--name')
  if (at === -1) return { name: devnetName(), rest: [...args] }
  const name = args[at + 1]
  if (name === undefined) throw new UsageError('--name needs the name of a devnet')
  return {
    name: devnetName(name),
    rest: args.filter((_, index) => index !== at && index !== at + 1),
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof VerbError) {
    console.error(error.message)
    process.exitCode = error.exitCode
  } else if (error instanceof UsageError) {
    console.error(`${error.message}\n${usage}`)
    process.exitCode = 2
  } else throw error
}
