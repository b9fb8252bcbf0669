import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { exit, Refusal } from './exit.ts'
import { socketPath } from './socket.ts'

/** Schema of the whole data directory; a newer one is refused. */
export const schemaVersion = 1

export interface VersionFile {
  readonly schema: number
  readonly network: string
  readonly chainId: number
  readonly genesis: string
  readonly created: string
  readonly lastRun?: { readonly version: string; readonly cleanStop: boolean }
}

export function defaultDatadir(network: string): string {
  const local = process.env.LOCALAPPDATA
  if (process.platform === 'win32' && local !== undefined) return join(local, 'Rockpool', network)
  return join(homedir(), '.rockpool', network)
}

/** Every path inside one data directory. */
export function pathsOf(datadir: string) {
  const root = resolve(datadir)
  return {
    root,
    config: join(root, 'config.toml'),
    version: join(root, 'VERSION'),
    keys: join(root, 'keys'),
    /** Encrypted accounts, as geth keeps them. */
    keystore: join(root, 'keystore'),
    p2pKey: join(root, 'keys', 'p2p.key'),
    producerKey: join(root, 'keys', 'producer.key'),
    /** Only where this node is the director of its network. */
    directorKey: join(root, 'keys', 'director.key'),
    /** The key of the watchtower's receipts. */
    towerKey: join(root, 'keys', 'tower.key'),
    db: join(root, 'db'),
    recordings: join(root, 'recordings'),
    ports: join(root, 'ports.json'),
    socket: socketPath(root, 'rockpool'),
  }
}

export type Paths = ReturnType<typeof pathsOf>

/** Makes the directory, or checks that what is there is ours and not wider open than it may be. Says what it made. */
export function prepareDatadir(paths: Paths): { made: boolean } {
  if (!existsSync(paths.root)) {
    mkdirSync(paths.keys, { recursive: true, mode: 0o700 })
    chmodSync(paths.root, 0o700)
    return { made: true }
  }
  if (!statSync(paths.root).isDirectory())
    throw new Refusal(exit.datadir, `${paths.root} is not a directory; choose another --datadir`)
  const ours = new Set([
    'config.toml',
    'keys',
    'keystore',
    'db',
    'logs',
    'recordings',
    'ports.json',
    'rockpool.sock',
    'genesis.json',
    'node.log',
  ])
  const strange = readdirSync(paths.root).some(name => !ours.has(name))
  if (!existsSync(paths.version) && strange)
    throw new Refusal(
      exit.datadir,
      `${paths.root} is not empty and has no VERSION file; choose another --datadir`,
    )
  mkdirSync(paths.keys, { recursive: true, mode: 0o700 })
  return { made: false }
}

export function readVersion(paths: Paths): VersionFile | undefined {
  if (!existsSync(paths.version)) return undefined
  try {
    return JSON.parse(readFileSync(paths.version, 'utf8')) as VersionFile
  } catch (cause) {
    throw new Refusal(
      exit.datadir,
      `${paths.version} is not readable JSON; restore it from a backup`,
      { cause },
    )
  }
}

/** Refuses a directory of a newer schema, or of another network, chain or genesis. Before anything is opened. */
export function checkVersion(
  version: VersionFile,
  wanted: { network: string; chainId: number; genesis: string },
): void {
  if (version.schema > schemaVersion)
    throw new Refusal(
      exit.datadir,
      `data directory was written by a newer Rockpool (schema ${version.schema}, this build knows ${schemaVersion}). ` +
        `Install ${version.lastRun?.version ?? 'a newer version'} or newer, or: rockpool backup restore <pre-upgrade backup>`,
    )
  if (version.network !== wanted.network || version.chainId !== wanted.chainId)
    throw new Refusal(
      exit.datadir,
      `this data directory belongs to network ${version.network} (chain ${version.chainId}), the configuration says ` +
        `${wanted.network} (${wanted.chainId})`,
    )
  if (version.genesis !== wanted.genesis)
    throw new Refusal(
      exit.datadir,
      `this data directory belongs to genesis ${version.genesis}, the configuration says ${wanted.genesis}; ` +
        'use the genesis file it was made with, or another --datadir',
    )
}

export function writeVersion(paths: Paths, version: VersionFile): void {
  writeWhole(paths.version, `${JSON.stringify(version, null, 2)}\n`)
}

/** Writes beside and renames, so that a reader never sees half a file. */
export function writeWhole(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, file)
}
