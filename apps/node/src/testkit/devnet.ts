import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const checkout = fileURLToPath(new URL('../../../..', import.meta.url))

/** Where the test runner has bundled the launcher and the node, if it has. */
export const bundleFolder = process.env.ROCKPOOL_TEST_BUNDLE
const installed = ['--import', 'tsx', 'scripts/devnet.ts']
const bundled = bundleFolder && [join(bundleFolder, 'devnet/devnet.js')]

export interface NetworkNode {
  readonly name: string
  readonly pid: number
  readonly peerId: string
  readonly rpc: string
  readonly ws: string
  readonly ops: string
  readonly tower?: string
  readonly p2p: string
  readonly datadir: string
  readonly log: string
}

export interface Network {
  readonly chainId: number
  readonly genesisHash: string
  readonly forkDigest: string
  readonly nodes: readonly NetworkNode[]
  readonly accounts: readonly {
    readonly address: `0x${string}`
    readonly privateKey: `0x${string}`
  }[]
}

export type Devnet = Awaited<ReturnType<typeof startDevnet>>

/** A devnet of real processes, started as a newcomer would, with nothing but its launcher. `installed` where a test changes a module of the nodes. */
export async function startDevnet(
  name: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  program: 'bundled' | 'installed' = 'bundled',
) {
  const launcher = (program === 'bundled' && bundled) || installed
  const child = spawn(process.execPath, [...launcher, 'up', '--name', name, ...flags], {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stderr.on('data', chunk => {
    output += chunk
  })
  const exited = new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1)))
  const folder = join(checkout, '.devnet', name)
  const file = join(folder, 'network.json')
  await until(`devnet ${name} is ready`, () => {
    if (child.exitCode !== null)
      throw new Error(`the launcher ended with ${child.exitCode}:\n${output}`)
    return existsSync(file) && output.includes('Stop with Ctrl-C')
  })
  const network = JSON.parse(readFileSync(file, 'utf8')) as Network
  return {
    network,
    launcher: child,
    exited,
    output: () => output,
    /** Ends it as Ctrl-C does; resolves to the launcher's exit code. */
    async stop(): Promise<number> {
      child.kill('SIGINT')
      const code = await exited
      rmSync(folder, { recursive: true, force: true })
      return code
    },
  }
}

/** Waits until the condition holds, looking every 50 ms; fails with its name. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1_000} s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

let callId = 0

/** One JSON-RPC call; throws the node's message. */
export async function call<T>(
  url: string,
  method: string,
  params: readonly unknown[] = [],
): Promise<T> {
  const [answer] = await batch<T>(url, [{ method, params }])
  return answer as T
}

/** Many calls in one batch, answered in order. */
export async function batch<T>(
  url: string,
  calls: readonly { readonly method: string; readonly params: readonly unknown[] }[],
): Promise<T[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls.map(each => ({ jsonrpc: '2.0', id: (callId += 1), ...each }))),
  })
  const answers = (await response.json()) as { result?: T; error?: { message: string } }[]
  return answers.map(answer => {
    if (answer.error) throw new Error(answer.error.message)
    return answer.result as T
  })
}
