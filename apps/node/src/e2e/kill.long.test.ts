import { afterAll, beforeAll, expect, test } from 'vitest'
import { blocksOn, expectBooksToBalance, onOneHead, untilMined } from '../testkit/bookkeeping.ts'
import { call, type Devnet, startDevnet, until } from '../testkit/devnet.ts'
import { devnetVerbs } from '../testkit/devnet-verb.ts'
import { type Load, poolOf, startLoad } from '../testkit/load.ts'

/*
 * Every node of a network under load is killed without a word, one after the other, and comes back: with its chain, its place among the others,
 * and all that it ever answered for.
 */

const name = 'e2e-kill'
/** Each is 40 s of full load on two cores; the long figure is 5. */
const rounds = Number(process.env.ROCKPOOL_E2E_ROUNDS ?? 1)
/** How long the load runs before each kill, and while the node is gone. */
const loadMs = 3_000
const goneMs = 1_500
const backMs = 30_000
const all = [0, 1, 2, 3]

let devnet: Devnet
let load: Load

beforeAll(async () => {
  devnet = await startDevnet(name, ['--block', '500ms'])
})

afterAll(async () => {
  await load?.pause()
  load?.close()
  await devnet?.stop()
})

const time = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

test(
  `kill -9 of each node with 200 tx/s offered, ${rounds}x: back within 30 s, nothing answered for is lost or mined twice`,
  async () => {
    const { network } = devnet
    load = startLoad(network, {
      ...{ seed: 23, perSecond: 200, staysPerSecond: 2 },
      groupsOf: () => [all],
    })
    const figures: string[] = []
    for (let round = 1; round <= rounds; round += 1) {
      for (const victim of all) {
        const figure = `${round}: ${await killAndRestart(victim)}`
        figures.push(figure)
        console.log(figure)
      }
    }
    await load.pause()
    console.log(`${load.sent.length} sent in ${figures.length} kills`)

    expect(load.refused).toEqual([])
    const pay = load.sent.filter(({ stays }) => !stays)
    const hashes = pay.map(({ hash }) => hash)
    await untilMined(network.nodes, hashes, backMs)
    const stay = load.sent.filter(({ stays }) => stays).map(({ hash }) => hash)
    for (const { rpc } of network.nodes) expect(await poolOf(rpc)).toEqual([...stay].sort())
    await until('one head', () => onOneHead(network.nodes), backMs)
    await expectBooksToBalance(
      network,
      pay.map(({ transfer }) => transfer),
      hashes,
      // One head is one receipts root, so thousands of receipts are asked of one node only.
      network.nodes.slice(0, 1),
    )
  },
  60_000 + rounds * 100_000,
)

/** One round of one node, under load until it is back; its figures. */
async function killAndRestart(victim: number): Promise<string> {
  const { nodes } = devnet.network
  const node = nodes[victim]
  if (node === undefined) throw new Error(`no node ${victim}`)
  const verb = devnetVerbs(name)
  const [before, begun] = [load.sent.length, Date.now()]
  load.resume()
  await time(loadMs)
  expect(await verb('kill', node.name)).toMatchObject({ code: 0 })
  const rate = Math.round((load.sent.length - before) / ((Date.now() - begun) / 1_000))
  const answered = load.sent.filter(({ taken }) => taken.some(each => each.node === victim))
  await time(goneMs)
  const asked = Date.now()
  expect(await verb('restart', node.name)).toMatchObject({ code: 0 })
  // The verb ends when the node has said that it runs.
  const restartAt = Date.now()
  const left = () => backMs - (Date.now() - asked)
  const after: string[] = [`started in ${restartAt - asked} ms`]
  const step = async (what: string, holds: () => Promise<boolean>) => {
    await until(`${what} with ${node.name} (${after.join(', ')})`, holds, left())
    after.push(`${what} ${Date.now() - restartAt}`)
  }
  const others = nodes.length - 1
  await step('all peers', async () => Number(await call(node.rpc, 'net_peerCount')) === others)
  await step('ready', async () => (await fetch(`${node.ops}/readyz`)).status === 200)
  await load.pause()
  await step('load ended', async () => true)
  await step('one head', () => onOneHead(nodes))
  await step('all it answered for', async () => {
    // By pool and blocks: thousands of single questions would keep the node busier than the load does.
    const pooled = await poolOf(node.rpc)
    const height = Number(await call<string>(node.rpc, 'eth_blockNumber'))
    const blocks = await blocksOn(node.rpc, 0, height)
    const known = new Set([...pooled, ...blocks.flatMap(block => block.transactions)])
    return answered.every(({ hash }) => known.has(hash))
  })
  await step('one pool', async () => {
    const pools = await Promise.all(nodes.map(({ rpc }) => poolOf(rpc)))
    return new Set(pools.map(pool => pool.join())).size === 1
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await differences()}`)
  })
  return `${node.name} had answered for ${answered.length} (${rate} tx/s); ${after.join(', ')} ms`
}

/** What pools hold that not all of them hold, by nodes, with one of it as each node knows it. */
async function differences(): Promise<string> {
  const { nodes } = devnet.network
  const pools = await Promise.all(nodes.map(({ rpc }) => poolOf(rpc)))
  const holders = new Map<string, string[]>()
  for (const [index, pool] of pools.entries())
    for (const hash of pool) holders.set(hash, [...(holders.get(hash) ?? []), `n${index}`])
  const [hash] = [...holders].find(([, who]) => who.length < nodes.length) ?? []
  const groups = new Map<string, number>()
  for (const who of holders.values())
    groups.set(who.join('+'), (groups.get(who.join('+')) ?? 0) + 1)
  const known = await Promise.all(
    nodes.map(({ rpc }) => call<object | null>(rpc, 'eth_getTransactionByHash', [hash])),
  )
  const sent = load.sent.find(each => each.hash === hash)
  const statuses = await Promise.all(nodes.map(({ rpc }) => call(rpc, 'txpool_status')))
  const taken = sent?.taken.map(({ node }) => node)
  return JSON.stringify({ held: [...groups], statuses, hash, taken, stays: sent?.stays, known })
}
