import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { CodedError } from '@rockpool/protocol'
import type { Reader } from './config.ts'
import type { Paths } from './datadir.ts'
import { exit, Refusal } from './exit.ts'

/** The sentence and exit code of what went wrong at start; anything unknown stays what it is. */
export function asRefusal(error: unknown, paths: Paths): unknown {
  if (error instanceof Refusal) return error
  if (!(error instanceof CodedError)) return error
  // Known by code, not by class: a refusal must not load the servers to know theirs.
  if (error.code === 'rpc/port-in-use' || error.code === 'rpc/cannot-listen')
    return new Refusal(exit.datadir, error.message, { cause: error })
  if (error.code === 'store/locked')
    return new Refusal(exit.datadir, lockedText(paths), { cause: error })
  if (error.code === 'store/corrupt')
    return new Refusal(exit.datadir, corruptText(paths, error), { cause: error })
  const code = exitOf(error.code)
  const text = error.message.startsWith(error.code)
    ? error.message
    : `${error.code}: ${error.message}`
  return code === undefined ? error : new Refusal(code, text, { cause: error })
}

function exitOf(code: string): number | undefined {
  if (code === 'crypto/self-test') return exit.no
  if (code.startsWith('store/') || code === 'config/key-permissions' || code === 'p2p/port-in-use')
    return exit.datadir
  return code.startsWith('config/') || code.startsWith('p2p/') ? exit.usage : undefined
}

function lockedText(paths: Paths): string {
  let owner = ''
  try {
    const { pid } = JSON.parse(readFileSync(paths.ports, 'utf8')) as { pid: number }
    owner = ` (pid ${pid})`
  } catch {
    // It holds the lock but has not said its name yet.
  }
  return `data directory is in use by another Rockpool${owner}: stop it or pass --datadir DIR`
}

function corruptText({ db, root }: Paths, { message }: CodedError): string {
  const why = message.replace(/^store\/corrupt: /, '')
  return `store/corrupt: ${db} cannot be read (${why}); nothing was changed. Put a copy of ${root} in its place, or pass another --datadir`
}

/** A directory with data but without its key was damaged: a new key would be a new identity. */
export function requireKey(paths: Paths, read: Reader): void {
  if (!existsSync(paths.version) || existsSync(paths.p2pKey) || read.flag('new-identity')) return
  throw new Refusal(
    exit.datadir,
    'keys/p2p.key is missing; restore it from backup: a new key would be a new identity (--new-identity makes one)',
  )
}

/** A node of a real network has no switches that hurt it. */
export function requireDevForFaults(read: Pick<Reader, 'text' | 'flag' | 'number'>): void {
  if (read.text('network') === 'dev') return
  const clocks = ['devnet.clock-offset', 'devnet.clock-drift-ppm']
  const key = read.flag('devnet.faults')
    ? 'devnet.faults'
    : clocks.find(name => read.number(name) !== 0)
  if (key === undefined) return
  throw new Refusal(
    exit.usage,
    `${key} is only for network dev, not for ${read.text('network')}; remove the key`,
  )
}

/** Looks at every port before anything is opened, so that a refusal leaves nothing behind. */
export async function requireFreePorts(read: Reader): Promise<void> {
  const wanted = [
    {
      key: 'rpc.port',
      ip: read.text('rpc.ip'),
      port: read.number('rpc.port'),
      on: read.flag('rpc.enabled'),
    },
    {
      key: 'ops.port',
      ip: read.text('ops.ip'),
      port: read.number('ops.port'),
      on: read.flag('ops.enabled'),
    },
    {
      key: 'tower.api_port',
      ip: read.text('tower.api_bind'),
      port: read.number('tower.api_port'),
      on: read.flag('tower.enabled'),
    },
    {
      key: 'p2p.listen.tcp',
      ip: read.text('p2p.listen.ip'),
      port: read.number('p2p.listen.tcp'),
      on: true,
    },
  ]
  for (const { key, ip, port, on } of wanted) {
    if (!on || port === 0) continue
    const failure = await tryListen(ip, port)
    if (failure === 'EADDRINUSE')
      throw new Refusal(
        exit.datadir,
        `${key} ${port} is in use (by another program); choose another with --${key} or stop it`,
      )
    if (failure !== undefined)
      throw new Refusal(exit.datadir, `${key} ${port}: cannot listen on ${ip} (${failure})`)
  }
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port }, () => server.close(() => resolve(undefined)))
  })
}
