import { Bus, RealClock } from '@rockpool/actor'
import { createCrypto, keccak256, type NodeCrypto } from '@rockpool/adapters/crypto'
import { chainActor, type Genesis, genesisBlock, syncActor } from '@rockpool/chain'
import { aGenesis, ether, longChain, walletOf } from '@rockpool/chain/testkit'
import {
  type ChainMessage,
  type ChainStatus,
  createRecovery,
  decodeRangeRequest,
  encodeBlockFrame,
  encodeRangeAnswer,
  type Hash,
  limits,
  type PeerView,
  type RangeRequest,
  type SyncMessage,
} from '@rockpool/protocol'
import { type BenchRow, MemoryStore } from '@rockpool/protocol/conformance'
import { median, until } from './measure.ts'

const blockCount = 512
const transfers = 100
const passes = 3
/** Nobody else lives on this bus. */
const wiring = { 'chain.head': [], 'chain.syncing': [] }
const peer: PeerView = {
  ...{ id: '12D3KooWpeer', direction: 'out', ip: '127.0.0.1', sinceMs: 0 },
  protocols: [],
}

interface Served {
  readonly genesis: Genesis
  /** By height, block 0 first. */
  readonly hashes: readonly Hash[]
  readonly frames: readonly Uint8Array[]
}

/** What following a peer costs in time: a fresh chain, real recovery threads, and a peer in memory that answers at once. */
export async function rows(): Promise<BenchRow[]> {
  const served = aPeer()
  const two = await syncRate(2, served)
  return [
    {
      ...{ row: 'sync from a peer, blocks of 100 unknown transfers', unit: 'blocks/s wall' },
      ours: two.perSecond,
      target: '≥ 120',
      met: two.perSecond >= 120,
      note: `two recovery workers, on ${two.cores.toFixed(2)} cores, ${Math.round(two.perSecond / two.cores)} blocks per CPU s; median of ${passes}; the peer's own work is left out`,
    },
  ]
}

function aPeer(): Served {
  const producers = [walletOf(1), walletOf(2), walletOf(3)]
  const wallets = Array.from({ length: 1_000 }, (_, index) => walletOf(1_000 + index))
  const genesis = aGenesis({
    timeSeconds: 1_700_000_000,
    producers: producers.map(({ address }) => address),
    alloc: new Map(
      wallets.map(({ address }) => [address, { balance: 1_000n * ether, nonce: 0n }] as const),
    ),
  })
  const hashes: Hash[] = [genesisBlock(genesis, keccak256).header.hash]
  const frames: Uint8Array[] = []
  const transfersAt = () => transfers
  for (const made of longChain({ genesis, producers, wallets, blocks: blockCount, transfersAt })) {
    hashes.push(made.header.hash)
    frames.push(encodeBlockFrame(made.frame))
  }
  return { genesis, hashes, frames }
}

async function syncRate(workers: number, served: Served) {
  const crypto = await createCrypto({ workers })
  try {
    await syncOnce(crypto, served)
    const rates: number[] = []
    const before = process.cpuUsage()
    let seconds = 0
    for (let pass = 0; pass < passes; pass++) {
      const ms = await syncOnce(crypto, served)
      seconds += ms / 1_000
      rates.push((served.frames.length * 1_000) / ms)
    }
    const { user, system } = process.cpuUsage(before)
    return { perSecond: median(rates), cores: (user + system) / 1e6 / seconds }
  } finally {
    await crypto.close()
  }
}

/** From the first connection to the head of the peer. Milliseconds. */
async function syncOnce(crypto: NodeCrypto, served: Served): Promise<number> {
  const { genesis, hashes } = served
  const bus = new Bus({ clock: new RealClock(), wiring, trace: 0 })
  const chain = bus.declare<ChainMessage>('chain')
  const sync = bus.declare<SyncMessage>('sync')
  const recovery = createRecovery(crypto, BigInt(genesis.chainId))
  const store = new MemoryStore()
  bus.spawn(chain, chainActor({ genesis, store, crypto, recovery, sync }))
  const monitor = { tell: ({ reason }: { reason: string }) => console.error(`fault: ${reason}`) }
  const network = {
    request: async (_: string, __: string, bytes: Uint8Array) => answer(served, bytes),
  }
  bus.spawn(sync, syncActor({ chain, network, protocol: 'blocks', keccak256, monitor }))
  const status = async (): Promise<ChainStatus | undefined> => {
    const outcome = await bus.ask<ChainMessage, ChainStatus>(
      chain,
      reply => ({ type: 'chain.getStatus', reply }),
      60_000,
    )
    return outcome.ok ? outcome.value : undefined
  }
  await status()
  const since = performance.now()
  sync.tell({ type: 'peer.opened', peer })
  await until('head of the peer', 120_000, async () => {
    const head = (await status())?.head
    return head?.hash === hashes.at(-1) ? head : undefined
  })
  const ms = performance.now() - since
  bus.stopAll('dead')
  return ms
}

function answer(served: Served, bytes: Uint8Array): readonly Uint8Array[] {
  const request = decodeRangeRequest(bytes)
  if (!request.ok) throw new Error(request.code)
  return answerTo(served, request.value)
}

function answerTo({ genesis, hashes, frames }: Served, request: RangeRequest): Uint8Array[] {
  const weight = frames.length * genesis.producers.length
  const hashAt = (height: number) => hashes[height] ?? null
  if (request.kind === 'status') {
    const [number, hash] = [frames.length, hashes.at(-1)]
    if (hash === undefined) throw new RangeError('a chain has a head')
    return [encodeRangeAnswer({ kind: 'status', number, hash, totalWeight: weight })]
  }
  if (request.kind === 'hashes')
    return [encodeRangeAnswer({ kind: 'hashes', hashes: request.numbers.map(hashAt) })]
  if (request.kind === 'bodies') throw new Error('nobody asks for bodies here')
  const from = hashes.indexOf(request.after)
  const found: Uint8Array[] = []
  let size = 0
  for (const frame of frames.slice(from, from + request.count)) {
    size += frame.length
    if (found.length > 0 && size > limits.rangeBytesMax) break
    found.push(frame)
  }
  return [...found, encodeRangeAnswer({ kind: 'end', more: from + found.length < frames.length })]
}

if (process.argv[1]?.endsWith('sync.bench.ts') === true) {
  for (const { ours, unit, note } of await rows())
    console.log(`${ours.toFixed(1)} ${unit}; ${note}`)
}
