import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Loaded, loadConfig, type Reader, readConfigFile, reader } from './config.ts'
import { defaultDatadir, type Paths, pathsOf } from './datadir.ts'
import { exit, Refusal } from './exit.ts'

export interface Effective {
  readonly read: Reader
  readonly config: Loaded
  readonly paths: Paths
  /** First and last bytes of the SHA-256 of the effective configuration. */
  readonly digest: string
}

/** Flags, environment and the data directory's file, joined and checked; every error is listed in the refusal. */
export function effectiveSettings(flags: readonly string[]): Effective {
  const first = loadConfig({ flags, environment: process.env })
  const datadir = first.ok ? datadirOf(reader(first.config)) : undefined
  const file = datadir === undefined ? undefined : readConfigFile(join(datadir, 'config.toml'))
  const loaded =
    file === undefined
      ? first
      : loadConfig({ flags, environment: process.env, file: { ...file, name: 'config.toml' } })
  if (!loaded.ok) throw new Refusal(exit.usage, loaded.errors.join('\n'))
  const read = reader(loaded.config)
  return {
    read,
    config: loaded.config,
    paths: pathsOf(datadirOf(read)),
    digest: digestOf(loaded.config),
  }
}

function datadirOf(read: Reader): string {
  return read.has('datadir') ? read.text('datadir') : defaultDatadir(read.text('network'))
}

function digestOf(config: Loaded): string {
  const lines = [...config.values.values()].map(({ key, value }) => `${key}=${String(value)}`)
  const digest = createHash('sha256').update(lines.join('\n')).digest('hex')
  return `${digest.slice(0, 4)}…${digest.slice(-2)}`
}
