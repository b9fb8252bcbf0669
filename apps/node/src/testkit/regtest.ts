import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BitcoinLogin, createBitcoinRpc } from '@rockpool/adapters/chain'
import { startBitcoinFacade } from '@rockpool/adapters/testkit'
import { type Coin, keyHash, regtestAddress, unhex } from '@rockpool/tower/testkit/outside'
import { until } from './devnet.ts'
import { freePorts } from './free-ports.ts'

/** A bitcoin node on a chain of the test's own, whoever wrote it. */
export interface Regtest {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly login: BitcoinLogin
  /** Where it publishes blocks. */
  readonly zmq: string
  call(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Blocks with what waits in its mempool. */
  mine(count: number): Promise<void>
  /** An output of this chain that a test may spend. */
  coin(): Promise<Coin>
  /** So many blocks give way to a longer branch of empty ones, and what was in them waits again. */
  reorg(depth: number): Promise<void>
  close(): Promise<void>
}

const secret = new Uint8Array(32).fill(0x51)
const maturity = 100
const coinsAtStart = 20

/** Coinbases of blocks that were mined for the test, oldest first. */
async function wallet(
  call: Regtest['call'],
  mineTo: (count: number) => Promise<readonly string[]>,
) {
  const blocks: string[] = []
  const mine = async (count: number): Promise<void> => {
    blocks.push(...(await mineTo(count)))
  }
  await mine(coinsAtStart + maturity)

  async function coin(): Promise<Coin> {
    for (;;) {
      const hash = blocks.shift()
      if (hash === undefined) throw new Error('no more coins')
      const { tx } = (await call('getblock', [hash, 1])) as { tx: readonly string[] }
      const [txid = ''] = tx
      const output = (await call('gettxout', [txid, 0, true])) as { value: number } | null
      if (output === null) continue
      const value = Math.round(output.value * 100_000_000)
      return { txid: unhex(txid).reverse(), index: 0, value, secret }
    }
  }
  return { mine, coin }
}

/** The node in this process. */
export async function facadeRegtest() {
  const facade = await startBitcoinFacade()
  const target = keyHash(secret)
  const call = async (method: string, params: readonly unknown[] = []) =>
    facade.call(method, params)
  const { mine, coin } = await wallet(call, count => facade.mine(target, count))
  const regtest: Regtest = {
    ...{ name: 'façade', host: facade.host, port: facade.port, zmq: facade.zmq },
    login: { user: facade.user, password: facade.password },
    ...{ call, mine, coin },
    reorg: depth => facade.reorg(new Uint8Array(20).fill(9), depth),
    close: facade.close,
  }
  return { ...regtest, facade }
}

/** Where a real bitcoind is, or undefined: named by the environment, or found on the path. */
export function findBitcoind(): string | undefined {
  const named = process.env.BITCOIND_BIN
  const places = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'bitcoind'))
  for (const path of named === undefined ? places : [named]) {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    const version = /version v?(\d+)\S*/.exec(stdout ?? '')
    if (status !== 0 || version === null || Number(version[1]) < 25) continue
    console.log(`bitcoind: ${path} ${version[0]}`)
    return path
  }
  console.log('skipped: no bitcoind (set BITCOIND_BIN)')
  return undefined
}

/** A bitcoind of its own, in a directory of its own; both are gone after `close`. */
export async function bitcoindRegtest(path: string): Promise<Regtest> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-bitcoind-'))
  const [port = 0, zmqPort = 0] = await freePorts(2)
  const zmq = `tcp://127.0.0.1:${zmqPort}`
  const child: ChildProcess = spawn(
    path,
    [
      ...['-regtest', '-listen=0', '-connect=0', '-dnsseed=0', '-fallbackfee=0.0001'],
      ...['-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', `-rpcport=${port}`],
      ...[`-datadir=${folder}`, `-zmqpubhashblock=${zmq}`],
    ],
    { stdio: 'ignore' },
  )
  const login = { cookie: join(folder, 'regtest', '.cookie') }
  const rpc = createBitcoinRpc({ host: '127.0.0.1', port, login })
  await until('bitcoind answers', () => isUp(() => rpc.call('getblockcount')))
  const address = regtestAddress(keyHash(secret))
  const mineTo = async (count: number) =>
    (await rpc.call('generatetoaddress', [count, address])) as readonly string[]
  const { mine, coin } = await wallet(rpc.call, mineTo)
  return {
    ...{ name: 'bitcoind', host: '127.0.0.1', port, login, zmq, call: rpc.call, mine, coin },
    async reorg(depth) {
      const height = (await rpc.call('getblockcount')) as number
      const first = await rpc.call('getblockhash', [height - depth + 1])
      await rpc.call('invalidateblock', [first])
      for (let made = 0; made <= depth; made += 1) await rpc.call('generateblock', [address, []])
    },
    async close() {
      const gone = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGKILL')
      await gone
      rpc.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function isUp(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch {
    return false
  }
}
