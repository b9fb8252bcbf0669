import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Behavior, Bus, RealClock } from '@rockpool/actor'
import {
  type ChainMessage,
  ok,
  type PoolMessage,
  type ProducerMessage,
  zeroHash,
} from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { createRpc, startRpcServer } from './index.ts'
import type { LoadOptions, LoadResult } from './load.ts'

const connections = 16
const ms = 1_500
const rounds = 3
const batchSize = 50
const echo = '{"jsonrpc":"2.0","id":1,"method":"web3_clientVersion","params":[]}'
const padded = `{"jsonrpc":"2.0","id":1,"method":"web3_sha3","params":["0x${'ab'.repeat(119)}"]}`
const submit = `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x${'ab'.repeat(119)}"]}`

/** Transport and dispatch against a bare node:http echo on the same machine: answers per second of the server's CPU, load from a child. */
export async function rows(): Promise<BenchRow[]> {
  const child = fork(loadFile(), ['load'])
  const bare = await startBare()
  const rpc = await startOurs()
  try {
    const measure = (port: number, body: string) => rate(child, { port, connections, body, ms })
    const bareRates: Rate[] = []
    const singles: Rate[] = []
    const batches: Rate[] = []
    const sends: Rate[] = []
    const sendBatches: Rate[] = []
    for (let round = 0; round < rounds; round++) {
      bareRates.push(await measure(bare.port, padded))
      singles.push(await measure(rpc.port, echo))
      batches.push(await measure(rpc.port, batchOf(echo)))
      sends.push(await measure(rpc.port, submit))
      sendBatches.push(await measure(rpc.port, batchOf(submit)))
    }
    const reference = { name: 'bare node:http echo', value: median(bareRates.map(cpuRate)) }
    const row = (
      name: string,
      rates: readonly Rate[],
      calls: number,
      atLeast: number,
    ): BenchRow => {
      const ours = Math.round(median(rates.map(cpuRate)) * calls)
      const ratio = ours / reference.value
      return {
        ...{ row: name, unit: 'calls per server CPU s', ours, reference },
        ratio: Number(ratio.toFixed(2)),
        target: `≥ ${atLeast} x`,
        met: ratio >= atLeast,
        note: `${Math.round(median(rates.map(({ wall }) => wall)) * calls)} calls/s wall, ${connections} connections`,
      }
    }
    return [
      row('JSON-RPC echo, single', singles, 1, 0.8),
      row(`JSON-RPC echo, batch of ${batchSize}`, batches, batchSize, 8),
      row('eth_sendRawTransaction to a pool that answers at once, single', sends, 1, 0.5),
      row(`eth_sendRawTransaction, batch of ${batchSize}`, sendBatches, batchSize, 3),
    ]
  } finally {
    child.kill()
    await Promise.all([bare.close(), rpc.close()])
  }
}

interface Rate {
  readonly perCpuSecond: number
  readonly wall: number
}

const cpuRate = ({ perCpuSecond }: Rate): number => perCpuSecond

async function rate(child: ReturnType<typeof fork>, options: LoadOptions): Promise<Rate> {
  const before = process.cpuUsage()
  const result = await new Promise<LoadResult>(resolve => {
    child.once('message', message => resolve(message as LoadResult))
    child.send(options)
  })
  const { user, system } = process.cpuUsage(before)
  if (!result.first.includes('result')) throw new Error(`no answer: ${result.first}`)
  return {
    perCpuSecond: (result.answers / (user + system)) * 1e6,
    wall: (result.answers / result.ms) * 1e3,
  }
}

function batchOf(call: string): string {
  return `[${Array<string>(batchSize).fill(call).join(',')}]`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function loadFile(): string {
  const name = import.meta.url.endsWith('.ts') ? './load.ts' : './load.js'
  return fileURLToPath(new URL(name, import.meta.url))
}

/** Reads the body, answers a constant: what any server on node:http pays. */
async function startBare() {
  const body = '{"jsonrpc":"2.0","id":1,"result":"bare"}'
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      })
      response.end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
  }
  return { port, close }
}

async function startOurs() {
  const bus = new Bus({ clock: new RealClock(), trace: 0 })
  const ignore = () => () => undefined
  const pool: Behavior<PoolMessage> = () => message => {
    if (message.type === 'pool.submit') message.reply.tell(ok({ hash: zeroHash, half: 'pending' }))
  }
  const rpc = createRpc({
    bus,
    refs: {
      chain: bus.spawn<ChainMessage>('chain', ignore),
      pool: bus.spawn<PoolMessage>('pool', pool),
      producer: bus.spawn<ProducerMessage>('producer', ignore),
    },
    chainId: 1337,
    genesisHash: zeroHash,
    signer: { accounts: () => [], sign: () => Promise.reject(new Error('no accounts')) },
    keccak256: bytes => bytes.subarray(0, 32),
    observe: ignore,
    peerCount: () => 0,
    listening: () => true,
    version: '0.0.0',
    devnetControl: false,
    allowUnprotected: false,
    txFeeCapWei: 10n ** 18n,
    log: { debug() {}, info() {}, warn() {}, error: console.error },
    draining: () => false,
  })
  return startRpcServer({ rpc, ip: '127.0.0.1', port: 0, vhosts: ['localhost'], cors: [] })
}
