import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  blocksOn,
  expectBooksToBalance,
  headsOf,
  onOneHead,
  receiptsOn,
} from '../testkit/bookkeeping.ts'
import { batch, call, type Devnet, startDevnet, until } from '../testkit/devnet.ts'
import { draws, signTransfer, type Transfer } from '../testkit/transfers.ts'

/*
 * A wallet's view of a whole network: four processes, 1,000 signed transfers from twenty accounts, out of nonce order, each to a random
 * node. The sums at the end come from headers and receipts alone.
 */

const accountCount = 20
const transfersEach = 50

let devnet: Devnet

beforeAll(async () => {
  devnet = await startDevnet('e2e-transfers', ['--block', '1s'])
})

afterAll(async () => {
  await devnet?.stop()
})

async function signedTransfers() {
  const draw = draws(7)
  const transfers: (Transfer & { raw: string; node: number })[] = []
  for (let nonce = 0; nonce < transfersEach; nonce += 1) {
    for (let from = 0; from < accountCount; from += 1) {
      const transfer: Transfer = {
        from,
        to: (from + 1 + draw(accountCount - 1)) % accountCount,
        value: BigInt(1 + draw(1_000_000)),
        nonce,
        maxFeePerGas: 3_000_000_000n,
        maxPriorityFeePerGas: BigInt(1_000_000 + draw(1_000)),
      }
      const raw = signTransfer(devnet.network, transfer)
      transfers.push({ ...transfer, raw, node: draw(devnet.network.nodes.length) })
    }
  }
  for (let index = transfers.length - 1; index > 0; index -= 1) {
    const other = draw(index + 1)
    const [left, right] = [transfers[index], transfers[other]]
    if (left && right) [transfers[index], transfers[other]] = [right, left]
  }
  return transfers
}

const rpcOf = (index: number): string => devnet.network.nodes[index]?.rpc ?? ''
const heads = () => headsOf(devnet.network.nodes)

test('four nodes stand on one head, and all four producers appear within 12 blocks', async () => {
  await until('twelve blocks', async () => Number((await heads())[0]?.number ?? 0) >= 12)
  const blocks = await blocksOn(rpcOf(0), 1, 12)

  expect(new Set(blocks.map(block => block.miner)).size).toBe(4)
  await until('one head', () => onOneHead(devnet.network.nodes), 10_000)
})

test('1,000 transfers sent out of order to random nodes are each mined once, and every wei is accounted for', async () => {
  const { network } = devnet
  const transfers = await signedTransfers()
  const hashes: string[] = []
  for (const [index, node] of network.nodes.entries()) {
    const own = transfers.filter(transfer => transfer.node === index)
    hashes.push(
      ...(await batch<string>(
        node.rpc,
        own.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] })),
      )),
    )
  }
  expect(new Set(hashes).size).toBe(accountCount * transfersEach)

  await until('every transfer has a receipt on every node', async () => {
    for (const node of network.nodes)
      if ((await receiptsOn(node.rpc, hashes)).some(receipt => receipt === null)) return false
    return true
  })
  await until('every pool is empty', async () => {
    const stats = await Promise.all(
      network.nodes.map(node =>
        call<{ pending: string; queued: string }>(node.rpc, 'txpool_status'),
      ),
    )
    return stats.every(each => each.pending === '0x0' && each.queued === '0x0')
  })

  await expectBooksToBalance(network, transfers, hashes)
})

test('after kill -9 of n0 the other three go on with one head', async () => {
  const before = Number((await heads())[1]?.number ?? 0)
  process.kill(devnet.network.nodes[0]?.pid ?? 0, 'SIGKILL')
  const three = devnet.network.nodes.slice(1)

  await until('six more blocks on three nodes', async () =>
    (await headsOf(three)).every(head => Number(head.number) >= before + 6),
  )
  await until('one head on three nodes', () => onOneHead(three), 10_000)
})
