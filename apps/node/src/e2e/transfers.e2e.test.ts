import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batch, call, type Devnet, startDevnet, until } from '../testkit/devnet.ts'

/*
 * A wallet's view of a whole network: four processes, 1,000 signed transfers from twenty accounts, out of nonce order, each to a random
 * node. The sums at the end come from headers and receipts alone.
 */

interface RpcBlock {
  readonly number: string
  readonly hash: string
  readonly miner: string
  readonly baseFeePerGas: string
  readonly gasUsed: string
  readonly transactions: readonly string[]
}

interface RpcReceipt {
  readonly transactionHash: string
  readonly blockHash: string
  readonly status: string
  readonly gasUsed: string
  readonly effectiveGasPrice: string
  readonly from: string
}

const accountCount = 20
const transfersEach = 50
const ether = 10n ** 18n

let devnet: Devnet

beforeAll(async () => {
  devnet = await startDevnet('e2e-transfers', ['--block', '1s'])
})

afterAll(async () => {
  await devnet?.stop()
})

/** A small generator, so that a failure can be run again. */
function draws(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function signedTransfers() {
  const draw = draws(7)
  const accounts = devnet.network.accounts.slice(0, accountCount)
  const transfers: { raw: string; node: number; value: bigint; from: number; to: number }[] = []
  for (let nonce = 0; nonce < transfersEach; nonce += 1) {
    for (const [from, { privateKey }] of accounts.entries()) {
      const to = (from + 1 + draw(accountCount - 1)) % accountCount
      const value = BigInt(1 + draw(1_000_000))
      const raw = await privateKeyToAccount(privateKey).signTransaction({
        type: 'eip1559',
        chainId: devnet.network.chainId,
        nonce,
        gas: 21_000n,
        maxFeePerGas: 3_000_000_000n,
        maxPriorityFeePerGas: BigInt(1_000_000 + draw(1_000)),
        to: accounts[to]?.address ?? null,
        value,
      })
      transfers.push({ raw, node: draw(devnet.network.nodes.length), value, from, to })
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
const heads = () =>
  Promise.all(
    devnet.network.nodes.map(node =>
      call<RpcBlock>(node.rpc, 'eth_getBlockByNumber', ['latest', false]),
    ),
  )

test('four nodes stand on one head, and all four producers appear within 12 blocks', async () => {
  await until('twelve blocks', async () => Number((await heads())[0]?.number ?? 0) >= 12)
  const blocks = await batch<RpcBlock>(
    rpcOf(0),
    Array.from({ length: 12 }, (_, index) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${(index + 1).toString(16)}`, false],
    })),
  )

  expect(new Set(blocks.map(block => block.miner)).size).toBe(4)
  await until(
    'one head',
    async () => new Set((await heads()).map(head => head.hash)).size === 1,
    10_000,
  )
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

  const receiptsOn = (url: string) =>
    batch<RpcReceipt | null>(
      url,
      hashes.map(hash => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
    )
  await until('every transfer has a receipt on every node', async () => {
    for (const node of network.nodes)
      if ((await receiptsOn(node.rpc)).some(receipt => receipt === null)) return false
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

  const all = await Promise.all(network.nodes.map(node => receiptsOn(node.rpc)))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const receipts = (all[0] ?? []) as RpcReceipt[]
  expect(receipts.every(receipt => receipt.status === '0x1')).toBe(true)

  const height = Math.min(...(await heads()).map(head => Number(head.number)))
  const tag = `0x${height.toString(16)}`
  const blocks = await batch<RpcBlock>(
    rpcOf(0),
    Array.from({ length: height + 1 }, (_, number) => ({
      method: 'eth_getBlockByNumber',
      params: [`0x${number.toString(16)}`, false],
    })),
  )
  const mined = blocks.flatMap(block => block.transactions)
  expect(mined.length).toBe(new Set(mined).size)
  expect(hashes.every(hash => mined.includes(hash))).toBe(true)

  const baseFeeOf = new Map(blocks.map(block => [block.hash, BigInt(block.baseFeePerGas)]))
  const minerOf = new Map(blocks.map(block => [block.hash, block.miner]))
  const expected = new Map<string, bigint>()
  const add = (address: string, wei: bigint) =>
    expected.set(address, (expected.get(address) ?? 0n) + wei)
  const addressOf = (index: number) => (network.accounts[index]?.address ?? '').toLowerCase()
  for (const account of network.accounts) add(account.address.toLowerCase(), 10_000n * ether)
  for (const { from, to, value } of transfers) {
    add(addressOf(from), -value)
    add(addressOf(to), value)
  }
  let burnt = 0n
  for (const receipt of receipts) {
    const [gas, price] = [BigInt(receipt.gasUsed), BigInt(receipt.effectiveGasPrice)]
    const baseFee = baseFeeOf.get(receipt.blockHash) ?? 0n
    add(receipt.from, -gas * price)
    add(minerOf.get(receipt.blockHash) ?? '', gas * (price - baseFee))
    burnt += gas * baseFee
  }
  expect(burnt).toBe(
    blocks.reduce((sum, block) => sum + BigInt(block.gasUsed) * BigInt(block.baseFeePerGas), 0n),
  )
  for (const node of network.nodes) {
    const balances = await batch<string>(
      node.rpc,
      [...expected.keys()].map(address => ({ method: 'eth_getBalance', params: [address, tag] })),
    )
    expect(balances.map(BigInt)).toEqual([...expected.values()])
  }
  const total = [...expected.values()].reduce((sum, balance) => sum + balance, 0n)
  expect(total).toBe(10_000n * ether * BigInt(network.accounts.length) - burnt)
})

test('after kill -9 of n0 the other three go on with one head', async () => {
  const before = Number((await heads())[1]?.number ?? 0)
  process.kill(devnet.network.nodes[0]?.pid ?? 0, 'SIGKILL')
  const three = () =>
    Promise.all(
      devnet.network.nodes
        .slice(1)
        .map(node => call<RpcBlock>(node.rpc, 'eth_getBlockByNumber', ['latest', false])),
    )

  await until('six more blocks on three nodes', async () =>
    (await three()).every(head => Number(head.number) >= before + 6),
  )
  await until(
    'one head on three nodes',
    async () => new Set((await three()).map(head => head.hash)).size === 1,
    10_000,
  )
})
