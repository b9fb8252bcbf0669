import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@rockpool/adapters/level'
import { genesisToPlain } from '@rockpool/chain'
import {
  aGenesis,
  ether,
  longChain,
  type MadeBlock,
  walletOf,
  writeChain,
} from '@rockpool/chain/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pathsOf } from '../datadir.ts'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

/*
 * Nodes that missed a long history of several producers catch up with it over real processes, sockets, disks and recovery threads. The history is
 * made offline and written by the chain itself into the directories of those who know it.
 */

/** Height of the network; the long figure is 10,000, and a tenth of it is missed by the one behind. Every fifth block carries transfers. */
const height = Number(process.env.ROCKPOOL_E2E_JOIN_BLOCKS ?? 1_000)
const behindBy = height / 10
const transfers = 100
const everyBlocks = 5
/** Generous: a loaded machine syncs some hundred blocks a second, and those with transfers at a tenth of that. */
const joinMs = 30_000 + height * 30

const scratch = createScratch()
const producers = [walletOf(1), walletOf(2), walletOf(3), walletOf(4)]
const wallets = Array.from({ length: 200 }, (_, index) => walletOf(100 + index))
const genesis = aGenesis({
  timeSeconds: Math.floor(Date.now() / 1_000) - 2 * height - 3_600,
  blockTimeMs: 1_000,
  producers: producers.map(({ address }) => address),
  alloc: new Map(
    wallets.map(({ address }) => [address, { balance: 1_000n * ether, nonce: 0n }] as const),
  ),
})
let full: Ports
let top: MadeBlock

interface BlockJson {
  readonly number: string
  readonly hash: string
  readonly stateRoot: string
}

const head = (rpc: string) => call<BlockJson>(rpc, 'eth_getBlockByNumber', ['latest', false])

/** A directory that knows the first so many blocks. */
async function directoryAt(name: string, blocks: readonly MadeBlock[]): Promise<string> {
  const { db, keys } = pathsOf(scratch.path(name))
  mkdirSync(keys, { recursive: true, mode: 0o700 })
  const database = await openDatabase(db)
  await writeChain(database.room('chain'), genesis, blocks)
  await database.close()
  return scratch.path(name)
}

function start(datadir: string, peers: readonly string[]) {
  return scratch
    .run(datadir, [
      ...quietFlags,
      ...['--crypto.workers', '2', '--chain.mining', 'manual', '--devnet.control', 'true'],
      ...['--genesis', scratch.path('genesis.json')],
      ...['--p2p.static', peers.join(',')],
    ])
    .ready()
}

/** Until `rpc` has the head of the full node; how long it took from `since`. */
async function caughtUp(rpc: string, since: number): Promise<number> {
  await until('it has caught up', async () => (await head(rpc)).hash === top.header.hash, joinMs)
  return Date.now() - since
}

beforeAll(
  async () => {
    const begun = Date.now()
    writeFileSync(
      join(scratch.folder('.'), 'genesis.json'),
      JSON.stringify(genesisToPlain(genesis)),
    )
    const transfersAt = (number: number) => (number % everyBlocks === 0 ? transfers : 0)
    const made = [...longChain({ genesis, producers, wallets, blocks: height, transfersAt })]
    const madeAt = Date.now()
    top = made.at(-1) as MadeBlock
    const known = await directoryAt('full', made)
    writeFileSync(
      join(known, 'keys', 'producer.key'),
      Buffer.from(producers[0]?.key ?? []).toString('hex'),
      { mode: 0o600 },
    )
    await directoryAt('behind', made.slice(0, -behindBy))
    console.log(
      `${height} blocks made in ${madeAt - begun} ms, written in ${Date.now() - madeAt} ms`,
    )
    full = await start(known, [])
  },
  60_000 + height * 30,
)

afterAll(() => scratch.close())

test(
  'a node with an empty directory reaches the head and the state root of a long history',
  async () => {
    expect(await head(full.rpc)).toMatchObject({ hash: top.header.hash })
    const since = Date.now()
    const late = await start(scratch.path('late'), [full.p2p[0] ?? ''])
    const ms = await caughtUp(late.rpc, since)

    expect(await head(late.rpc)).toMatchObject({
      number: `0x${height.toString(16)}`,
      stateRoot: top.header.stateRoot,
    })
    await expectSameAccounts(late)
    await until(
      'it is ready',
      async () => (await fetch(`${late.ops}/readyz`)).status === 200,
      15_000,
    )
    console.log(`${height} blocks in ${ms} ms: ${Math.round((height * 1_000) / ms)} blocks/s`)
  },
  60_000 + joinMs,
)

test(
  'a node that was behind is not ready before it has caught up, and then follows',
  async () => {
    const since = Date.now()
    const behind = await start(scratch.path('behind'), [full.p2p[0] ?? ''])
    await until(
      'it is ready',
      async () => (await fetch(`${behind.ops}/readyz`)).status === 200,
      joinMs,
    )
    expect(await head(behind.rpc)).toMatchObject({
      hash: top.header.hash,
      stateRoot: top.header.stateRoot,
    })
    const ms = await caughtUp(behind.rpc, since)
    await expectSameAccounts(behind)
    console.log(`${behindBy} blocks behind: caught up in ${ms} ms`)

    const [mined] = await call<string[]>(full.rpc, 'devnet_mine', [1])
    await until('the next block is here', async () => (await head(behind.rpc)).hash === mined)
  },
  60_000 + joinMs,
)

async function expectSameAccounts({ rpc }: Ports): Promise<void> {
  for (const { address } of wallets.slice(0, 20)) {
    for (const method of ['eth_getTransactionCount', 'eth_getBalance']) {
      const params = [address, 'latest']
      expect(await call(rpc, method, params)).toBe(await call(full.rpc, method, params))
    }
  }
}
