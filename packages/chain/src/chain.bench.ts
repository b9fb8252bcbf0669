import { Bus, RealClock } from '@rockpool/actor'
import type { ChainMessage, Crypto, ImportOutcome, Recovery, Store } from '@rockpool/protocol'
import { createRecovery } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { chainActor } from './chain.actor.ts'
import { aGenesis, ether } from './testkit/chains.ts'
import { testCrypto } from './testkit/crypto.ts'
import { Forge, type Forged } from './testkit/forge.ts'
import { walletOf } from './testkit/wallets.ts'

const transfers = 1_400
const blocks = 12
const reorgDepth = 64
const producers = [walletOf(1), walletOf(2), walletOf(3)]
/** Blocks of the bench lie in the past, as those of a peer that is ahead. */
const startSeconds = 1_700_000_000

/** What importing costs, all of it: decoding, checks, execution, roots, records, the batch, the fact. Processor time of this process. */
export async function rows(): Promise<BenchRow[]> {
  const world = aWorld()
  const full = world.row(world.forge.root, blocks, transfers, 0)
  // Once unmeasured: the first runs are the compiler's.
  await importRow(world, full, true, new MemoryStore())
  await reorgRow(world)
  await reorgRow(world)
  return [
    await importRow(world, full, true, new MemoryStore()),
    await importRow(world, full, true, new NoStore()),
    await importRow(world, full, false, new NoStore()),
    await reorgRow(world),
  ]
}

function aWorld() {
  const wallets = Array.from({ length: 1_000 }, (_, index) => walletOf(1_000 + index))
  const genesis = aGenesis({
    timeSeconds: startSeconds,
    producers: producers.map(({ address }) => address),
    alloc: new Map(
      wallets.map(({ address }) => [address, { balance: 10_000n * ether, nonce: 0n }] as const),
    ),
  })
  const forge = new Forge(genesis, producers)

  /** In-turn blocks with `count` transfers between accounts that exist; `lag` makes them out of turn. */
  function row(from: Forged, length: number, count: number, lag: number): Forged[] {
    return forge.row(from, length, (index, { header, state }) => {
      const used = new Map<string, number>()
      const txs = Array.from({ length: count }, (_, position) => {
        const wallet = wallets[(index * 131 + position) % wallets.length] ?? walletOf(0)
        const nonce = used.get(wallet.address) ?? state.get(wallet.address)?.nonce ?? 0
        used.set(wallet.address, nonce + 1)
        const to = wallets[(position * 7 + 3) % wallets.length]?.address ?? wallet.address
        return wallet.tx({ nonce, to, value: BigInt(position + 1) })
      })
      return { txs, producer: (header.number + 1 + lag) % producers.length }
    })
  }
  return { genesis, forge, row }
}

type World = ReturnType<typeof aWorld>

function aChain({ genesis }: World, store: Store) {
  const bus = new Bus({ clock: new RealClock(), wiring: { 'chain.head': [] }, trace: 0 })
  const crypto: Crypto = testCrypto
  const recovery: Recovery = createRecovery(crypto, BigInt(genesis.chainId))
  const sync = { tell: () => undefined }
  const chain = bus.spawn<ChainMessage, never>(
    'chain',
    chainActor({ genesis, store, crypto, recovery, sync }) as never,
  )
  const offer = async ({ frame }: Forged): Promise<ImportOutcome> => {
    const outcome = await bus.ask<ChainMessage, ImportOutcome>(
      chain,
      reply => ({ type: 'chain.offer', frame, from: 'bench', via: 'fetch', reply }),
      60_000,
    )
    if (!outcome.ok) throw new Error(outcome.error)
    return outcome.value
  }
  return { bus, recovery, offer }
}

async function importRow(
  world: World,
  full: readonly Forged[],
  known: boolean,
  store: Store,
): Promise<BenchRow> {
  const { bus, recovery, offer } = aChain(world, store)
  if (known) for (const { block } of full) await recovery.recover(block.txs)
  const times: number[] = []
  for (const block of full) {
    const before = process.cpuUsage()
    await offer(block)
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1_000)
  }
  bus.stopAll('dead')
  // Other work on the machine only ever adds to the time.
  const ours = Math.min(...times)
  const isStored = store instanceof MemoryStore
  const target = known ? (isStored ? 35 : 25) : 240
  return {
    row: `import of ${transfers} transfers, senders ${known ? 'known' : 'unknown, one thread'}, ${isStored ? 'store in memory' : 'no store'}`,
    unit: 'ms CPU, best of 12',
    ours,
    target: `<= ${target}`,
    met: ours <= target,
  }
}

async function reorgRow(world: World): Promise<BenchRow> {
  const { bus, recovery, offer } = aChain(world, new NoStore())
  const light = world.row(world.forge.root, reorgDepth, 100, 2)
  const heavy = world.row(world.forge.root, Math.floor(reorgDepth / 3) + 1, 100, 0)
  // As long as the branch that leaves: side blocks first, out of turn by one, then the one that tips the scales.
  for (const { block } of [...light, ...heavy]) await recovery.recover(block.txs)
  for (const block of [...light, ...heavy.slice(0, -1)]) await offer(block)
  const last = heavy.at(-1)
  if (last === undefined) throw new Error('no branch')
  const before = process.cpuUsage()
  const { code } = await offer(last)
  const { user, system } = process.cpuUsage(before)
  bus.stopAll('dead')
  if (code !== 'chain/imported') throw new Error(code)
  const ours = (user + system) / 1_000
  return {
    row: `reorg: ${reorgDepth} blocks of 100 transfers leave, ${heavy.length} join, records made, no store`,
    unit: 'ms CPU',
    ours,
    target: '<= 80',
    met: ours <= 80,
    note: 'with the records of 86 batches, which the target leaves out',
  }
}

/** Takes everything and keeps nothing: what is left is the chain's own work. */
class NoStore implements Store {
  async get(): Promise<undefined> {
    return undefined
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly undefined[]> {
    return keys.map(() => undefined)
  }

  async scan(): Promise<readonly []> {
    return []
  }

  async batch(): Promise<void> {
    return
  }
}

if (process.argv[1]?.endsWith('chain.bench.ts') === true) {
  for (const { row, unit, ours, target, met } of await rows()) {
    process.stdout.write(
      `${met ? 'ok  ' : 'MISS'} ${row}: ${ours.toFixed(1)} ${unit} (${target})\n`,
    )
  }
}
