import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the bundled launcher stands the bundled node. */
const bundled = new URL('../node/main.js', import.meta.url)
const bin = fileURLToPath(
  existsSync(bundled) ? bundled : new URL('../../apps/node/bin/rockpool.mjs', import.meta.url),
)

export interface NodeProcess {
  readonly name: string
  readonly process: ChildProcess
  readonly exited: Promise<number>
}

/**
 * Starts one node in its own process group, so that a terminal's Ctrl-C reaches the launcher alone. Its standard input is the lifeline:
 * when the launcher dies, however it dies, the pipe closes and the node drains.
 */
export function startNode(
  name: string,
  datadir: string,
  log: string,
  flags: readonly string[],
): NodeProcess {
  const output = openSync(log, 'a')
  const child = spawn(
    process.execPath,
    [bin, 'run', '--datadir', datadir, '--devnet.lifeline', '--record.enabled', ...flags],
    {
      detached: true,
      stdio: ['pipe', output, output],
      env: { ...process.env, NO_COLOR: '1' },
    },
  )
  closeSync(output)
  // A node that has gone takes its end of the lifeline with it.
  child.stdin?.on('error', () => {})
  const exited = new Promise<number>(resolve => {
    child.once('error', () => resolve(1))
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
  return { name, process: child, exited }
}

/** What a ready node wrote about itself. */
export interface PortsFile {
  readonly pid: number
  readonly version: string
  readonly peerId: string
  readonly p2p: readonly string[]
  readonly rpc?: string
  readonly ws?: string
  readonly ops?: string
  readonly tower?: string
  readonly chainId: number
  readonly genesisHash: string
  readonly forkDigest: string
  readonly crypto: string
}

/** The file appears by rename when the node is ready; it belongs to this run when it names this process. */
export function readPorts(datadir: string, pid: number): PortsFile | undefined {
  try {
    const ports = JSON.parse(readFileSync(join(datadir, 'ports.json'), 'utf8')) as PortsFile
    return ports.pid === pid ? ports : undefined
  } catch {
    return undefined
  }
}

/** The last lines of a log, for an error message. */
export function tail(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}
