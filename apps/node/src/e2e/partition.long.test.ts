import type { ReorgsAnswer } from '@rockpool/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askSocket, socketPath } from '../socket.ts'
import {
  askMany,
  blocksOn,
  expectBooksToBalance,
  headsOf,
  onOneHead,
  type RpcBlock,
  untilMined,
} from '../testkit/bookkeeping.ts'
import { call, type Devnet, type NetworkNode, startDevnet, until } from '../testkit/devnet.ts'
import { devnetVerbs } from '../testkit/devnet-verb.ts'
import { type Load, poolOf, startLoad } from '../testkit/load.ts'

/*
 * A network falls apart into halves that both go on under load, and is whole again: one branch is given up, and nothing that was on it is lost.
 */

const name = 'e2e-partition'
const blockMs = 500
/** Blocks each half has of its own before the network is whole again; the long figure is 20. */
const ownBlocks = Number(process.env.ROCKPOOL_E2E_PARTED_BLOCKS ?? 5)
/** For one head after the heal, the dials of connections that were reset included. */
const oneHeadMs = Math.max(3 * blockMs, 2_000)
const samePoolsMs = 15_000
const halves = [
  [0, 1],
  [2, 3],
] as const

let devnet: Devnet
let load: Load

beforeAll(async () => {
  devnet = await startDevnet(name, ['--block', `${blockMs}ms`])
})

afterAll(async () => {
  await load?.pause()
  load?.close()
  await devnet?.stop()
})

const nodesOf = (half: readonly number[]): NetworkNode[] =>
  devnet.network.nodes.filter((_, index) => half.includes(index))

interface Branch {
  readonly half: readonly number[]
  readonly blocks: readonly RpcBlock[]
}

/** What each half has above the last block that both have. */
async function branches(): Promise<Branch[]> {
  const firsts = halves.map(half => nodesOf(half)[0]?.rpc ?? '')
  const chains = await Promise.all(
    firsts.map(async rpc => blocksOn(rpc, 0, Number(await call<string>(rpc, 'eth_blockNumber')))),
  )
  const [left = [], right = []] = chains
  const at = left.findIndex(({ hash }, index) => hash !== right[index]?.hash)
  const from = at === -1 ? left.length : at
  return halves.map((half, index) => ({ half, blocks: chains[index]?.slice(from) ?? [] }))
}

async function reorgsOf({ datadir }: NetworkNode): Promise<ReorgsAnswer> {
  return (await askSocket(socketPath(datadir, 'rockpool'), 'chain_reorgs')).result as ReorgsAnswer
}

test('halves of a network mine apart under load; healed they have one head, one pool, and every transaction once', async () => {
  const { network } = devnet
  const verb = devnetVerbs(name)
  load = startLoad(network, {
    ...{ seed: 11, perSecond: 50, staysPerSecond: 3 },
    // A third of the accounts is heard by one half, a third by the other, a third by both.
    groupsOf: from => (from % 3 === 2 ? halves : [halves[from % 3] ?? []]),
  })
  await until('blocks with transactions', async () =>
    (await headsOf(network.nodes)).every(({ number }) => Number(number) >= 6),
  )

  expect(await verb('partition', 'n0,n1|n2,n3')).toMatchObject({ code: 0 })
  await until('both halves have blocks of their own', async () => {
    const apart = await branches()
    return apart.every(({ blocks }) => blocks.length >= ownBlocks)
  })
  const apart = await branches()
  await load.pause()
  expect(await verb('heal')).toMatchObject({ code: 0 })

  const healedAt = Date.now()
  await until('one head', () => onOneHead(network.nodes), oneHeadMs)
  const oneHeadAfter = Date.now() - healedAt
  await until(
    'one pool',
    async () => {
      const pools = await Promise.all(network.nodes.map(({ rpc }) => poolOf(rpc)))
      return new Set(pools.map(pool => pool.join())).size === 1
    },
    samePoolsMs - oneHeadAfter,
  )
  const onePoolAfter = Date.now() - healedAt

  await expectTheReorgToBeTold(apart)
  const kept = (await poolOf(network.nodes[0]?.rpc ?? '')).length
  console.log(
    `apart ${apart.map(({ blocks }) => blocks.length)} blocks; one head after ${oneHeadAfter} ms, one pool of ${kept} after ${onePoolAfter} ms`,
  )
  await expectNothingToBeLost(apart)
}, 170_000)

/** Every node of the half whose branch was given up shows that it was. */
async function expectTheReorgToBeTold(apart: readonly Branch[]): Promise<void> {
  const canonical = await blocksOn(devnet.network.nodes[0]?.rpc ?? '', 0, await lowest())
  const hashes = new Set(canonical.map(({ hash }) => hash))
  const lost = apart.filter(({ blocks }) => !hashes.has(blocks[0]?.hash ?? ''))
  expect(lost).toHaveLength(1)
  for (const { half, blocks } of lost) {
    for (const node of nodesOf(half)) {
      const { reorgs } = await reorgsOf(node)
      const told = reorgs.filter(({ removed }) =>
        blocks.every(({ hash }) => (removed as readonly string[]).includes(hash)),
      )
      expect(told.length, `${node.name} tells ${JSON.stringify(reorgs)}`).toBeGreaterThan(0)
    }
  }
}

const lowest = async () =>
  Math.min(...(await headsOf(devnet.network.nodes)).map(({ number }) => Number(number)))

/** What was on either branch and all that was taken is mined, or stays in every pool because it pays too little. */
async function expectNothingToBeLost(apart: readonly Branch[]): Promise<void> {
  const { network } = devnet
  expect(load.refused).toEqual([])
  const pay = load.sent.filter(({ stays }) => !stays)
  const stay = load.sent.filter(({ stays }) => stays).map(({ hash }) => hash)
  const onBranches = apart.map(({ blocks }) => blocks.flatMap(block => block.transactions))
  const all = new Set(pay.map(({ hash }) => hash))
  for (const hashes of onBranches) {
    expect(hashes.length).toBeGreaterThan(0)
    expect(hashes.filter(hash => !all.has(hash))).toEqual([])
  }
  for (const { rpc } of network.nodes) {
    const known = await askMany<unknown>(
      rpc,
      'eth_getTransactionByHash',
      [...all].map(hash => [hash]),
    )
    expect(known.filter(each => each === null)).toEqual([])
  }
  await untilMined(network.nodes, [...all], 30_000)
  for (const { rpc } of network.nodes) expect(await poolOf(rpc)).toEqual([...stay].sort())
  await until('one head', () => onOneHead(network.nodes), oneHeadMs)
  await expectBooksToBalance(
    network,
    pay.map(({ transfer }) => transfer),
    [...all],
  )
}
