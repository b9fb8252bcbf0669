import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { devAccounts, devBalance } from '@rockpool/chain'
import { call, cpuSecondsOf, freePort, until } from './measure.ts'

/** A fresh server on the dev chain id with the twenty well-known accounts funded and no blocks made meanwhile. */
export interface Server {
  readonly name: string
  readonly port: number
  cpuSeconds(): number
  /** Ends the process and removes what it wrote. */
  stop(): Promise<void>
}

export const chainId = 1337
const startMs = 60_000
const bin = fileURLToPath(new URL('../../apps/node/bin/rockpool.mjs', import.meta.url))

export async function startRockpool(extra: readonly string[] = []): Promise<Server> {
  const folder = scratch()
  const flags =
    `--rpc.port 0 --ops.port 0 --p2p.listen.tcp 0 --p2p.listen.ip 127.0.0.1 --chain.mining manual
    --txpool.globalslots 1000000`.split(/\s+/)
  const args = [bin, 'run', '--datadir', join(folder, 'data'), ...flags, ...extra]
  const ports = join(folder, 'data/ports.json')
  return startServer('rockpool', folder, process.execPath, args, () => {
    if (!existsSync(ports)) return undefined
    const { rpc } = JSON.parse(readFileSync(ports, 'utf8')) as { rpc: string }
    return Number(new URL(rpc).port)
  })
}

/** Undefined when there is no geth here. */
export async function startGeth(): Promise<Server | undefined> {
  const geth = binary('GETH_BIN', 'geth')
  if (geth === undefined) return undefined
  const folder = scratch()
  const genesis = join(folder, 'genesis.json')
  writeFileSync(genesis, JSON.stringify(gethGenesis()))
  const data = ['--datadir', join(folder, 'data')]
  const made = spawnSync(geth, ['init', ...data, genesis], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`geth init: ${made.stderr}`)
  const port = await freePort()
  const flags =
    `--dev --dev.period 1000000 --http --http.port ${port} --http.api eth,txpool --ipcdisable --verbosity 1
    --txpool.globalslots 1000000`.split(/\s+/)
  return startServer('geth', folder, geth, [...data, ...flags], answering(port))
}

/** Undefined when there is no anvil here. */
export async function startAnvil(): Promise<Server | undefined> {
  const anvil = binary('ANVIL_BIN', 'anvil')
  if (anvil === undefined) return undefined
  const port = await freePort()
  const flags =
    `--no-mining --chain-id ${chainId} --accounts 20 --port ${port} --silent --no-request-size-limit`.split(
      ' ',
    )
  return startServer('anvil', scratch(), anvil, flags, answering(port))
}

async function startServer(
  name: string,
  folder: string,
  command: string,
  args: readonly string[],
  ready: () => number | undefined | Promise<number | undefined>,
): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', chunk => {
    complaints = `${complaints}${chunk}`.slice(-2_000)
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const pid = child.pid ?? 0
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const port = await until(`${name} that answers`, startMs, () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${complaints}`)
      return ready()
    })
    return { name, port, cpuSeconds: () => cpuSecondsOf(pid), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function answering(port: number): () => Promise<number | undefined> {
  return async () => {
    const id = await call<string>(`http://127.0.0.1:${port}`, 'eth_chainId').catch(() => undefined)
    return id === undefined ? undefined : port
  }
}

/** The program an environment variable names, or the one on the path. */
function binary(variable: string, name: string): string | undefined {
  const named = process.env[variable]
  if (named !== undefined && existsSync(named)) return named
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(file => existsSync(file))
}

function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'rockpool-bench-'))
}

/** All forks at the start, as our dev chain has them. */
function gethGenesis() {
  const byNumber =
    'homestead eip150 eip155 eip158 byzantium constantinople petersburg istanbul muirGlacier berlin london arrowGlacier grayGlacier'
  const blobs = { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 }
  return {
    config: {
      chainId,
      ...Object.fromEntries(byNumber.split(' ').map(fork => [`${fork}Block`, 0])),
      ...{ shanghaiTime: 0, cancunTime: 0, pragueTime: 0, osakaTime: 0 },
      terminalTotalDifficulty: 0,
      blobSchedule: { cancun: blobs, prague: blobs, osaka: blobs },
    },
    gasLimit: '0x1c9c380',
    difficulty: '0x0',
    alloc: Object.fromEntries(
      devAccounts.map(({ address }) => [
        address.slice(2),
        { balance: `0x${devBalance.toString(16)}` },
      ]),
    ),
  }
}
