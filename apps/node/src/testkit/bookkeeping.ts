import { expect } from 'vitest'
import { batch, call, type Network, type NetworkNode } from './devnet.ts'
import type { Transfer } from './transfers.ts'

const ether = 10n ** 18n
/** Calls of one batch. */
const batchMax = 500

export interface RpcBlock {
  readonly number: string
  readonly hash: string
  readonly stateRoot: string
  readonly miner: string
  readonly baseFeePerGas: string
  readonly gasUsed: string
  readonly transactions: readonly string[]
}

export interface RpcReceipt {
  readonly transactionHash: string
  readonly blockHash: string
  readonly status: string
  readonly gasUsed: string
  readonly effectiveGasPrice: string
  readonly from: string
}

/** As many calls as there are, in batches a node takes. */
export async function askMany<T>(
  rpc: string,
  method: string,
  params: readonly (readonly unknown[])[],
): Promise<T[]> {
  const answers: T[] = []
  for (let at = 0; at < params.length; at += batchMax) {
    const calls = params.slice(at, at + batchMax).map(each => ({ method, params: each }))
    answers.push(...(await batch<T>(rpc, calls)))
  }
  return answers
}

export const receiptsOn = (rpc: string, hashes: readonly string[]) =>
  askMany<RpcReceipt | null>(
    rpc,
    'eth_getTransactionReceipt',
    hashes.map(hash => [hash]),
  )

/** Waits until every node has each in its chain; else fails with what a node lacks and what it knows of it. */
export async function untilMined(
  nodes: readonly NetworkNode[],
  hashes: readonly string[],
  withinMs: number,
): Promise<void> {
  const deadline = Date.now() + withinMs
  for (const { name, rpc } of nodes) {
    for (;;) {
      const height = Number(await call<string>(rpc, 'eth_blockNumber'))
      const blocks = await blocksOn(rpc, 0, height)
      const mined = new Set(blocks.flatMap(block => block.transactions))
      const missing = hashes.filter(hash => !mined.has(hash))
      if (missing.length === 0) break
      if (Date.now() > deadline) {
        const first = await call(rpc, 'eth_getTransactionByHash', [missing[0]])
        const what = `${missing.length} of ${hashes.length}, the first ${missing[0]}`
        throw new Error(`${name} has not mined ${what}, known as ${JSON.stringify(first)}`)
      }
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

/** The canonical blocks from `first` to `last`. */
export const blocksOn = (rpc: string, first: number, last: number) =>
  askMany<RpcBlock>(
    rpc,
    'eth_getBlockByNumber',
    Array.from({ length: last - first + 1 }, (_, index) => [
      `0x${(first + index).toString(16)}`,
      false,
    ]),
  )

export const headsOf = (nodes: readonly NetworkNode[]) =>
  Promise.all(
    nodes.map(node => call<RpcBlock>(node.rpc, 'eth_getBlockByNumber', ['latest', false])),
  )

export async function onOneHead(nodes: readonly NetworkNode[]): Promise<boolean> {
  const heads = await headsOf(nodes)
  return new Set(heads.map(({ hash, stateRoot }) => `${hash} ${stateRoot}`)).size === 1
}

/**
 * Fails unless the chain from genesis to the lowest head holds each of `hashes` once and nothing twice, and every balance on every node is
 * what headers, receipts and `transfers`, which are all that was mined, say. Receipts are asked of `witnesses`, who must agree.
 */
export async function expectBooksToBalance(
  network: Network,
  transfers: readonly Transfer[],
  hashes: readonly string[],
  witnesses: readonly NetworkNode[] = network.nodes,
): Promise<void> {
  const all = await Promise.all(witnesses.map(node => receiptsOn(node.rpc, hashes)))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const receipts = (all[0] ?? []) as RpcReceipt[]
  expect(receipts.filter(receipt => receipt?.status !== '0x1')).toEqual([])

  const height = Math.min(...(await headsOf(network.nodes)).map(head => Number(head.number)))
  const blocks = await blocksOn(network.nodes[0]?.rpc ?? '', 0, height)
  const mined = blocks.flatMap(block => block.transactions)
  const once = new Set(mined)
  expect(mined.length).toBe(once.size)
  expect(hashes.filter(hash => !once.has(hash))).toEqual([])

  const { expected, burnt } = balancesAfter(network, transfers, receipts, blocks)
  expect(burnt).toBe(
    blocks.reduce((sum, block) => sum + BigInt(block.gasUsed) * BigInt(block.baseFeePerGas), 0n),
  )
  const params = [...expected.keys()].map(address => [address, `0x${height.toString(16)}`])
  for (const node of network.nodes) {
    const balances = await askMany<string>(node.rpc, 'eth_getBalance', params)
    expect(balances.map(BigInt)).toEqual([...expected.values()])
  }
  const total = [...expected.values()].reduce((sum, balance) => sum + balance, 0n)
  expect(total).toBe(10_000n * ether * BigInt(network.accounts.length) - burnt)
}

function balancesAfter(
  network: Network,
  transfers: readonly Transfer[],
  receipts: readonly RpcReceipt[],
  blocks: readonly RpcBlock[],
) {
  const blockOf = new Map(blocks.map(block => [block.hash, block]))
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
    const block = blockOf.get(receipt.blockHash)
    const baseFee = BigInt(block?.baseFeePerGas ?? 0)
    add(receipt.from, -gas * price)
    add(block?.miner ?? '', gas * (price - baseFee))
    burnt += gas * baseFee
  }
  return { expected, burnt }
}
