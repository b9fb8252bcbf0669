import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { socketPath } from 'rockpool/socket'

/** What `network.json` tells programs, as the banner tells people. */
export interface NetworkFile {
  readonly chainId: number
  readonly genesisHash: string
  readonly forkDigest: string
  readonly nodes: readonly NodeEntry[]
  readonly accounts: readonly { readonly address: string; readonly privateKey: string }[]
}

export interface NodeEntry {
  readonly name: string
  readonly pid: number
  readonly peerId: string
  readonly rpc: string
  readonly ws: string
  readonly ops: string
  /** What a client of its watchtower is given: `<tower_id>@<host>:<port>`. */
  readonly tower?: string
  /** Multiaddr with `/p2p/`. */
  readonly p2p: string
  readonly datadir: string
  readonly log: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Paths of one devnet under `.devnet/<name>/`. */
export function filesOf(name: string) {
  const folder = join(root, '.devnet', name)
  return {
    folder,
    network: join(folder, 'network.json'),
    genesis: join(folder, 'genesis.json'),
    pid: join(folder, 'devnet.pid'),
    socket: socketPath(folder, 'launcher'),
    /** Beside the folder, since a new run empties that. */
    launcherLog: join(root, '.devnet', `${name}.log`),
    node: (index: number) => join(folder, `n${index}`),
    log: (index: number) => join(folder, 'logs', `n${index}.log`),
    logs: join(folder, 'logs'),
  }
}

export type Files = ReturnType<typeof filesOf>

/** Pid of the launcher that runs this devnet now, if one does. */
export function runningPid(files: Files): number | undefined {
  if (!existsSync(files.pid)) return undefined
  const pid = Number(readFileSync(files.pid, 'utf8'))
  try {
    process.kill(pid, 0)
    return pid
  } catch {
    return undefined
  }
}

/** An empty folder for a new run; what an earlier run left is removed unless it is to be kept. */
export function freshFolder(files: Files, keep: boolean): void {
  if (!keep) rmSync(files.folder, { recursive: true, force: true })
  mkdirSync(files.logs, { recursive: true })
  writeFileSync(files.pid, `${process.pid}`)
}

/** Written beside and renamed: a reader sees all of it or nothing. */
export function writeWhole(file: string, content: string): void {
  const temporary = `${file}.tmp`
  writeFileSync(temporary, content)
  renameSync(temporary, file)
}
