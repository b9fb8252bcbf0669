import { encodeTxBatch } from '@rockpool/protocol'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { startChild } from './child.ts'
import type { CrowdResult, CrowdWish } from './crowd.ts'
import { type BenchDevnet, startDevnet } from './devnet.ts'
import { cpuSecondsOf, pause } from './measure.ts'
import { signTransfers } from './transfers.ts'

/** `ROCKPOOL_BENCH_SHORT=1`: a quarter of the time, for a look. */
const share = process.env.ROCKPOOL_BENCH_SHORT === '1' ? 0.25 : 1
const seconds = 60 * share
const crowdPeers = 50
const raceSeconds = 20 * share
const racePerSecond = 20
const floodPerSecond = 1_000
const knockSeconds = 20 * share
const knocksPerSecond = 10
/** Connections, subscriptions and meshes have settled by then. */
const settleMs = 15_000 * share

const big = ['--txpool.globalslots', '100000', '--txpool.accountslots', '10000']
const open = ['--p2p.peers.hi', '80', '--p2p.peers.max', '90', '--chain.mining', 'manual']
/** The profile of fifty peers, not that of the one node. */
const flags = ['--nodes', '1', '--p2p.profile', 'small', ...big, ...open]

/** What peers cost a node: many at rest and at work, one that floods it, one that is banned and does not give up. */
export async function rows(): Promise<BenchRow[]> {
  return [await crowdRow(), ...(await enemyRows())]
}

/** One signed transfer a frame, each nonce once. */
function framesOf({ network }: BenchDevnet, account: number, count: number): string[] {
  const privateKey = network.accounts[account]?.privateKey ?? ''
  const raws = signTransfers({ privateKey, chainId: network.chainId, from: 0, count })
  return raws.map(raw => Buffer.from(encodeTxBatch({ salt: 0, txs: [raw] })).toString('hex'))
}

interface Scene {
  readonly devnet: BenchDevnet
  readonly topic: string
  readonly address: string
  /** CPU of the node while the work is done, of a core. */
  cost(work: () => Promise<unknown>): Promise<number>
  ask(wish: CrowdWish): Promise<CrowdResult>
  /** The same in another process. */
  enemy(wish: CrowdWish): Promise<CrowdResult>
}

async function onNode(
  more: readonly string[],
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const [child, other] = [startChild('./crowd.ts'), startChild('./crowd.ts')]
  const devnet = await startDevnet('bench-peers', [...flags, ...more])
  try {
    const [node] = devnet.network.nodes
    if (node === undefined) throw new Error('a devnet without nodes')
    const { chainId, forkDigest } = devnet.network
    await act({
      ...{ devnet, topic: `/rockpool/${chainId}/${forkDigest}/tx/1`, address: node.p2p },
      async cost(work) {
        const [before, since] = [cpuSecondsOf(node.pid), performance.now()]
        await work()
        return (cpuSecondsOf(node.pid) - before) / ((performance.now() - since) / 1_000)
      },
      ask: wish => child.ask<CrowdResult>(wish),
      enemy: wish => other.ask<CrowdResult>(wish),
    })
  } finally {
    await devnet.stop()
    child.end()
    other.end()
  }
}

async function crowdRow(): Promise<BenchRow> {
  let [idle, busy] = [0, 0]
  await onNode([], async ({ devnet, topic, address, cost, ask }) => {
    await ask({ do: 'join', topic, address, peers: crowdPeers })
    await pause(settleMs)
    idle = await cost(() => pause(settleMs))
    const frames = framesOf(devnet, 0, crowdPeers * seconds)
    busy = await cost(() => ask({ do: 'publish', topic, frames, perSecond: crowdPeers }))
  })
  return {
    ...{ row: `${crowdPeers} peers at 1 message/s, CPU`, unit: '% of a core', ours: busy * 100 },
    target: '≤ 5 %',
    met: busy <= 0.05,
    note: `${(idle * 100).toFixed(1)} % while they are silent; libp2p peers of another process, one valid transaction a message, ${seconds} s`,
  }
}

async function enemyRows(): Promise<BenchRow[]> {
  const found: BenchRow[] = []
  const count = racePerSecond * raceSeconds
  // Nobody is banned here: what is measured is what a flooder can do until it is.
  await onNode(['--p2p.ban.peers', 'false'], async ({ devnet, topic, address, ask, enemy }) => {
    await ask({ do: 'join', topic, address, peers: 3 })
    await enemy({ do: 'join', topic, address, peers: 1 })
    await pause(settleMs)
    const race = (account: number) =>
      ask({
        do: 'race',
        ...{ topic, frames: framesOf(devnet, account, count), perSecond: racePerSecond },
      })
    const calm = await race(0)
    const [flooded, { bad }] = await Promise.all([
      race(1),
      enemy({ do: 'flood', topic, perSecond: floodPerSecond, seconds: raceSeconds }),
    ])
    const ratio = flooded.p95Ms / calm.p95Ms
    found.push({
      ...{ row: 'honest delivery beside a flood of invalid messages', unit: 'ms at p95' },
      ours: flooded.p95Ms,
      reference: { name: 'without the flood', value: calm.p95Ms },
      ratio: 1 / ratio,
      target: '≤ 2 times the reference, none missing',
      met: ratio <= 2 && flooded.arrived === flooded.sent,
      note: `${ratio.toFixed(2)} times; ${bad} invalid in ${raceSeconds} s, ${flooded.arrived} of ${flooded.sent} arrived`,
    })
  })
  await onNode([], async ({ topic, address, cost, ask, enemy }) => {
    // So many that a ban leaves enough.
    await ask({ do: 'join', topic, address, peers: 8 })
    await enemy({ do: 'join', topic, address, peers: 1 })
    await pause(settleMs)
    await enemy({ do: 'flood', topic, perSecond: 5, seconds: 3 })
    const idle = await cost(() => pause(settleMs))
    let letIn = 0
    const busy = await cost(async () => {
      const wish = { perSecond: knocksPerSecond, seconds: knockSeconds }
      letIn = (await enemy({ do: 'knock', address, ...wish })).bad
    })
    found.push({
      ...{ row: 'a banned peer dials ten times a second, CPU', unit: '% of a core' },
      ours: (busy - idle) * 100,
      target: '≤ 5 %, never let in',
      met: busy - idle <= 0.05 && letIn === 0,
      note: `above ${(idle * 100).toFixed(1)} % without it; let in ${letIn} times of ${knocksPerSecond * knockSeconds}`,
    })
  })
  return found
}
