import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleFolder, checkout, until } from './devnet.ts'

/** What a ready node wrote into `ports.json`. */
export interface Ports {
  readonly pid: number
  readonly peerId: string
  readonly p2p: readonly string[]
  readonly rpc: string
  readonly ws: string
  readonly ops: string
  readonly control: string
  readonly tower?: string
  readonly chainId: number
  readonly genesisHash: `0x${string}`
  readonly forkDigest: string
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface NodeProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly datadir: string
  readonly exited: Promise<Ended>
  /** Both streams so far. */
  output(): string
  /** What it wrote when it was ready; fails with its output when it ends instead. */
  ready(): Promise<Ports>
  kill(signal: NodeJS.Signals): Promise<Ended>
}

export interface SpawnOptions {
  /** Arguments of Node itself, before the program. */
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** An open standard input, for a lifeline. */
  readonly stdin?: 'pipe'
}

const installed = join(checkout, 'apps/node/bin/rockpool.mjs')
const bundled = bundleFolder && join(bundleFolder, 'node/main.js')

/** Flags with which a node meets nobody by chance: loopback only, every port asked from the system. */
export const quietFlags: readonly string[] = [
  ...['--rpc.port', '0', '--ops.port', '0', '--p2p.listen.tcp', '0'],
  ...['--p2p.listen.ip', '127.0.0.1', '--p2p.profile', 'devnet', '--crypto.workers', '0'],
]

export type Scratch = ReturnType<typeof createScratch>

/**
 * A temporary folder and the processes that live in it; after `close` both are gone, however the test went. They run from the bundle where
 * the test runner made one, or always as the package has it: file by file, behind its check of Node.
 */
export function createScratch(program: 'bundled' | 'installed' = 'bundled') {
  const bin = (program === 'bundled' && bundled) || installed
  const root = mkdtempSync(join(tmpdir(), 'rockpool-e2e-'))
  const children = new Set<ChildProcess>()

  /** A path that is not there yet. */
  const path = (name: string): string => join(root, name)

  function folder(name: string): string {
    mkdirSync(path(name), { recursive: true, mode: 0o700 })
    return path(name)
  }

  function launch(args: readonly string[], options: SpawnOptions = {}) {
    const child = spawn(process.execPath, [...(options.nodeArgs ?? []), bin, ...args], {
      cwd: root,
      env: { ...ownEnvironment(), ...options.env },
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', chunk => {
      stdout += chunk
    })
    child.stderr?.on('data', chunk => {
      stderr += chunk
    })
    const exited = new Promise<Ended>(resolve =>
      child.once('close', (code, signal) => {
        children.delete(child)
        resolve({ code, signal, stdout, stderr })
      }),
    )
    return { child, exited, output: () => stdout + stderr }
  }

  /** Runs one command to its end. */
  function rockpool(args: readonly string[], options?: SpawnOptions): Promise<Ended> {
    return launch(args, options).exited
  }

  /** `rockpool run` in its own process. */
  function run(datadir: string, flags: readonly string[], options?: SpawnOptions): NodeProcess {
    const { child, exited, output } = launch(['run', '--datadir', datadir, ...flags], options)
    const pid = child.pid ?? 0
    return {
      child,
      pid,
      datadir,
      exited,
      output,
      async ready() {
        let ports: Ports | undefined
        await until(`the node in ${datadir} is ready`, () => {
          if (child.exitCode !== null)
            throw new Error(`the node ended with ${child.exitCode}:\n${output()}`)
          ports = readPorts(datadir)
          return ports?.pid === pid
        })
        if (ports === undefined) throw new Error('no ports.json')
        return ports
      },
      kill(signal) {
        child.kill(signal)
        return exited
      },
    }
  }

  /** Ends what still runs, without a drain, and removes every file. */
  async function close(): Promise<void> {
    const left = [...children]
    const gone = left.map(child => new Promise(resolve => child.once('close', resolve)))
    for (const child of left) child.kill('SIGKILL')
    await Promise.all(gone)
    rmSync(root, { recursive: true, force: true })
  }

  return { path, folder, rockpool, run, close }
}

/** The file of a running node, or undefined when there is none. */
export function readPorts(datadir: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(join(datadir, 'ports.json'), 'utf8')) as Ports
  } catch {
    return undefined
  }
}

/** This process' environment without what would configure a node or the test runner's children. */
function ownEnvironment(): Record<string, string> {
  const foreign = /^(?:ROCKPOOL_|VITEST|NODE_OPTIONS$)/
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0]),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1' }
}
