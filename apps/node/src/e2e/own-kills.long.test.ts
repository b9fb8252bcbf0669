import { keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { blocksOn } from '../testkit/bookkeeping.ts'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, type NodeProcess, quietFlags } from '../testkit/scratch.ts'

/*
 * A node is killed without a word, again and again, at any instant: while it answers, while it mines, while it loads what it had. Whatever it ever
 * answered for is in its pool, in a block, or finished with a reason it can still give.
 */

const kills = Number(process.env.ROCKPOOL_E2E_KILLS ?? 5)
const seed = Number(process.env.ROCKPOOL_E2E_SEED ?? 7)
const scratch = createScratch()
const datadir = scratch.path('node')
const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
/** Of the well-known test mnemonic, its first five. */
const keys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
  '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a',
] as const

afterAll(() => scratch.close())

interface Sent {
  readonly hash: string
  readonly from: string
  readonly nonce: number
  readonly raw: string
  readonly gwei: number
}

interface Why {
  readonly state: string
  readonly reason?: string
}

type Half = Record<string, Record<string, { readonly hash: string }>>

/** Everything that was answered with a hash, and what was sent when the node went away before it answered. */
const taken = new Map<string, Sent>()
const unsure: Sent[] = []
/** Left with a reason, which was asked for at the first start after. */
const finished = new Map<string, string>()
const figures = { replaced: 0, gaps: 0, duringStart: 0, unsure: 0 }

test(
  `kill -9 under load, ${kills}x (seed ${seed}): whatever was answered for is pooled, mined, or finished with a reason`,
  async () => {
    const random = generator(seed)
    const users = keys.map(key => new User(key, random))
    let node = scratch.run(datadir, flags)
    let ports = await node.ready()
    for (let kill = 1; kill <= kills; kill++) {
      await underLoad(node, ports.rpc, users, random)
      if (kill % 4 === 0) await killedWhileStarting(random)
      node = scratch.run(datadir, flags)
      ports = await node.ready()
      await until('the pool is loaded', async () => {
        const info = await call<{ loading?: unknown }>(ports.rpc, 'txpool_info')
        return info.loading === undefined || info.loading === null
      })
      await expectNothingLost(ports.rpc, kill)
      await sendAgain(ports.rpc)
    }
    // Nothing is stuck either: with the gaps filled, blocks take everything.
    for (const user of users) await user.fillGaps(ports.rpc)
    await until('all is mined', async () => {
      await call(ports.rpc, 'devnet_mine', [1])
      const status = await call<{ pending: string; queued: string }>(ports.rpc, 'txpool_status')
      return Number(status.pending) + Number(status.queued) === 0
    })
    await expectNothingLost(ports.rpc, kills + 1)
    console.log(`${taken.size} answered for in ${kills} kills; ${JSON.stringify(figures)}`)
    expect(taken.size).toBeGreaterThan(kills)
    expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })
  },
  60_000 + kills * 20_000,
)

async function underLoad(
  node: NodeProcess,
  rpc: string,
  users: readonly User[],
  random: () => number,
): Promise<void> {
  let isOver = false
  const mines = async () => {
    while (!isOver) {
      await pause(60 + random() * 200)
      await call(rpc, 'devnet_mine', [1]).catch(() => undefined)
    }
  }
  const sends = users.map(async user => {
    while (!isOver) await user.step(rpc)
  })
  const mining = mines()
  await pause(30 + random() * 600)
  const gone = node.kill('SIGKILL')
  isOver = true
  await Promise.all([gone, mining, ...sends])
}

async function killedWhileStarting(random: () => number): Promise<void> {
  const node = scratch.run(datadir, flags)
  await pause(300 + random() * 1_500)
  await node.kill('SIGKILL')
  figures.duringStart += 1
}

async function expectNothingLost(rpc: string, kill: number): Promise<void> {
  const { pending, queued } = await call<{ pending: Half; queued: Half }>(rpc, 'txpool_content')
  const height = Number(await call<string>(rpc, 'eth_blockNumber'))
  const blocks = await blocksOn(rpc, 0, height)
  const mined = blocks.flatMap(({ transactions }) => transactions as readonly string[])
  const pooled = [...placesIn(pending), ...placesIn(queued)]
  expect(new Set(mined).size, 'mined twice').toBe(mined.length)
  expect(new Set(pooled.map(({ place }) => place)).size, 'a nonce twice').toBe(pooled.length)
  const here = new Set([...mined, ...pooled.map(({ hash }) => hash)])
  expect(here.size, 'mined and pooled').toBe(mined.length + pooled.length)

  const gone = [...taken.values()].filter(({ hash }) => !here.has(hash) && !finished.has(hash))
  for (const { hash, from, nonce } of gone) {
    const why = await call<Why>(rpc, 'txpool_explain', [hash])
    const what = `kill ${kill}: ${hash} of ${from} at ${nonce}: ${JSON.stringify(why)}`
    // Only two things may end an own transaction here: its sender's replacement, in the pool or in a block.
    expect(why.state, what).toBe('dropped')
    expect(['replaced', 'nonce-used'], what).toContain(why.reason)
    finished.set(hash, why.reason ?? '')
  }
  for (const hash of finished.keys()) expect(here.has(hash), `${hash} is back`).toBe(false)
}

function* placesIn(half: Half) {
  for (const [from, txs] of Object.entries(half))
    for (const [nonce, { hash }] of Object.entries(txs)) yield { place: `${from} ${nonce}`, hash }
}

/** What nobody answered for was taken or was not; sent again it is taken, or was. */
async function sendAgain(rpc: string): Promise<void> {
  figures.unsure += unsure.length
  for (const sent of unsure.splice(0)) {
    const answer = await call<string>(rpc, 'eth_sendRawTransaction', [sent.raw]).catch(
      (error: Error) => error.message,
    )
    if (answer === sent.hash || answer === 'already known') taken.set(sent.hash, sent)
    else expect(answer).toMatch(/nonce too low|replacement transaction underpriced/)
  }
}

/** Somebody who sends one transaction after the other, leaves gaps, closes them later, and thinks again about fees. */
class User {
  private readonly account: ReturnType<typeof privateKeyToAccount>
  private readonly random: () => number
  private next = 0
  private readonly gaps: number[] = []
  private readonly recent: Sent[] = []

  constructor(key: `0x${string}`, random: () => number) {
    this.account = privateKeyToAccount(key)
    this.random = random
  }

  async step(rpc: string): Promise<void> {
    const dice = this.random()
    const last = this.recent.at(-1)
    if (dice < 0.15 && last !== undefined) {
      if (await this.send(rpc, last.nonce, Math.ceil(last.gwei * 1.2) + 1)) figures.replaced += 1
      return
    }
    const gap = this.gaps[0]
    if (gap !== undefined && dice < 0.3) {
      if (await this.send(rpc, gap, 3)) this.gaps.shift()
      return
    }
    if (dice > 0.95 && this.gaps.length < 3) {
      this.gaps.push(this.next)
      this.next += 1
      figures.gaps += 1
    }
    await this.send(rpc, this.next, 3)
    this.next += 1
  }

  async fillGaps(rpc: string): Promise<void> {
    for (const gap of this.gaps) await this.send(rpc, gap, 3)
  }

  private async send(rpc: string, nonce: number, gwei: number): Promise<boolean> {
    const raw = await this.account.signTransaction({
      ...{ type: 'eip1559', chainId: 1337, nonce, gas: 21_000n, value: 1n },
      ...{ to: this.account.address, maxPriorityFeePerGas: 1_000_000n * BigInt(gwei) },
      maxFeePerGas: 1_000_000_000n * BigInt(gwei),
    })
    const sent = { hash: keccak256(raw), from: this.account.address, nonce, raw, gwei }
    try {
      expect(await call<string>(rpc, 'eth_sendRawTransaction', [raw])).toBe(sent.hash)
    } catch (error) {
      const { message, name } = error as Error
      // A replacement may come after the block, or have come before a kill; everything else is a node that is gone.
      if (/nonce too low/.test(message)) return true
      const isTaken = message === 'already known' && taken.has(sent.hash)
      if (!isTaken && name !== 'TypeError' && name !== 'SyntaxError') throw error
      if (!isTaken) unsure.push(sent)
      if (!isTaken) return false
    }
    taken.set(sent.hash, sent)
    this.recent.push(sent)
    if (this.recent.length > 8) this.recent.shift()
    return true
  }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Numbers from 0 to 1, the same for the same seed. */
function generator(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
