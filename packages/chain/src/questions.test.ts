import type {
  Answer,
  BlockAnswer,
  BlockId,
  ChainMessage,
  FeeHistory,
  Hash,
  MinedTx,
} from '@rockpool/protocol'
import { zeroHash } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { expect, test } from 'vitest'
import { aGenesis, ether, gwei } from './testkit/chains.ts'
import { Forge, type Forged } from './testkit/forge.ts'
import { good, TestNet, type TestNode } from './testkit/nodes.ts'
import { addressAt, walletOf } from './testkit/wallets.ts'

const start = 1_700_000_000_000
const producers = [walletOf(1), walletOf(2), walletOf(3)]
const rich = walletOf(10)
const shop = addressAt(0x5409)
const count = 70

async function aChain(length = count) {
  const genesis = aGenesis({
    blockTimeMs: 500,
    producers: producers.map(({ address }) => address),
    alloc: new Map([[rich.address, { balance: 1_000n * ether, nonce: 0n }]]),
  })
  const net = new TestNet(start)
  const store = new MemoryStore()
  const node = net.node('n0', { genesis, store })
  const forge = new Forge(genesis, producers)
  await net.advance(3_600_000)
  const blocks = forge.row(forge.root, length, (_, { header, state }) => {
    const nonce = state.get(rich.address)?.nonce ?? 0
    const tip = BigInt(header.number + 1) * gwei
    const isNearEnd = header.number < 4 || header.number >= count - 6
    return isNearEnd ? { txs: [rich.tx({ nonce, to: shop, tip, feeCap: 1_000n * gwei })] } : {}
  })
  await net.offerAll(node, blocks)
  const restart = () => {
    net.remove(node)
    return net.node('n0', { genesis, store })
  }
  return {
    net,
    node,
    forge,
    blocks,
    restart,
    at: (height: number) => blockAt(forge, blocks, height),
  }
}

function blockAt(forge: Forge, blocks: readonly Forged[], height: number): Forged {
  return height === 0 ? forge.root : (blocks[height - 1] ?? forge.root)
}

function block(net: TestNet, node: TestNode, id: BlockId) {
  return net.ask<ChainMessage, Answer<BlockAnswer | null>>(node, node.chain, reply => ({
    type: 'chain.getBlock',
    id,
    reply,
  }))
}

function transaction(net: TestNet, node: TestNode, hash: Hash) {
  return net.ask<ChainMessage, Answer<MinedTx | null>>(node, node.chain, reply => ({
    type: 'chain.getTransaction',
    hash,
    reply,
  }))
}

function fees(net: TestNet, node: TestNode, wanted: number, newest: BlockId) {
  return net.ask<ChainMessage, Answer<FeeHistory>>(node, node.chain, reply => ({
    type: 'chain.getFeeHistory',
    count: wanted,
    newest,
    percentiles: [50],
    reply,
  }))
}

test('blocks, transactions, accounts and fees are the same from memory and from the store', async () => {
  const { net, node, restart, at } = await aChain()
  await answersAre(net, node, at)
  await answersAre(net, restart(), at)
})

async function answersAre(net: TestNet, node: TestNode, at: (height: number) => Forged) {
  const ids: [BlockId, number][] = [
    [{ tag: 'latest' }, count],
    [{ tag: 'pending' }, count],
    [{ tag: 'safe' }, count - 32],
    [{ tag: 'finalized' }, count - 64],
    [{ tag: 'earliest' }, 0],
    [{ number: 2 }, 2],
    [{ number: count - 1 }, count - 1],
    [{ hash: at(3).header.hash }, 3],
  ]
  for (const [id, height] of ids) {
    const answer = good(await block(net, node, id))
    expect(answer?.block).toEqual(at(height).block)
    expect(answer?.receipts).toEqual(at(height).receipts)
    expect(answer).toMatchObject({ canonical: true, totalWeight: height * 3 })
  }
  expect(good(await block(net, node, { number: count + 1 }))).toBeNull()
  expect(good(await block(net, node, { hash: zeroHash }))).toBeNull()

  for (const height of [1, count]) {
    const { block: mined, receipts } = at(height)
    const [tx] = mined.txs
    const answer = good(await transaction(net, node, tx?.hash ?? zeroHash))
    expect(answer).toEqual({ tx, block: mined, index: 0, receipt: receipts[0] })
  }
  expect(good(await transaction(net, node, zeroHash))).toBeNull()

  const recent = good(await fees(net, node, 3, { tag: 'latest' }))
  expect(recent.oldest).toBe(count - 2)
  expect(recent.baseFees).toHaveLength(4)
  expect(recent.rewards).toEqual([
    [BigInt(count - 2) * gwei],
    [BigInt(count - 1) * gwei],
    [BigInt(count) * gwei],
  ])
  const first = good(await fees(net, node, 1_024, { number: 2 }))
  expect(first.oldest).toBe(0)
  expect(first.baseFees).toEqual([0, 1, 2, 3].map(height => at(height).header.baseFee))
  expect(await fees(net, node, 1, { number: count + 1 })).toMatchObject({
    code: 'chain/unknown-block',
  })

  const tip = await net.ask<ChainMessage, bigint>(node, node.chain, reply => ({
    type: 'chain.suggestTip',
    reply,
  }))
  // Fourteen quiet blocks count with the default; of 20 samples the 60th percentile is still one of them.
  expect(tip).toBe(1_000_000n)

  const old = await net.account(node, shop, { number: 3 })
  expect(old.balance).toBe(3n)
}

test('a block beside the branch is found by its hash, without receipts', async () => {
  const { net, node, forge } = await aChain(3)
  const base = forge.root
  const side = forge.next(base, { producer: 2, delayMs: 9 })
  expect(await net.offer(node, side, 'm', 'fetch')).toMatchObject({ code: 'chain/side-branch' })

  const answer = good(await block(net, node, { hash: side.header.hash }))

  expect(answer).toMatchObject({ canonical: false, receipts: [] })
  expect(answer?.block).toEqual(side.block)
})
