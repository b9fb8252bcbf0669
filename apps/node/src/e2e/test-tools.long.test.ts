import {
  createPublicClient,
  createTestClient,
  defineChain,
  http,
  parseEther,
  publicActions,
  webSocket,
} from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onOneHead } from '../testkit/bookkeeping.ts'
import { call, type Devnet, type NetworkNode, startDevnet, until } from '../testkit/devnet.ts'
import { devnetVerbs } from '../testkit/devnet-verb.ts'
import { poolOf } from '../testkit/load.ts'
import { signTransfer } from '../testkit/transfers.ts'

/* What test suites do to a development chain, by viem's test client: here there are three nodes, and each has to agree. */

let devnet: Devnet

beforeAll(async () => {
  devnet = await startDevnet('e2e-tools', ['--nodes', '3', '--block', '500ms'])
})

afterAll(async () => {
  await devnet?.stop()
})

function clientOf({ rpc }: NetworkNode) {
  const chain = defineChain({
    ...{ id: devnet.network.chainId, name: 'devnet', rpcUrls: { default: { http: [rpc] } } },
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  })
  return createTestClient({ chain, mode: 'anvil', transport: http(rpc) }).extend(publicActions)
}

function first(): NetworkNode {
  const [node] = devnet.network.nodes
  if (node === undefined) throw new Error('no node')
  return node
}

const accountAt = (index: number) => {
  const account = devnet.network.accounts[index]
  if (account === undefined) throw new Error(`no account ${index}`)
  return account.address
}

const fresh = (byte: string) => `0x${byte.repeat(20)}` as const

async function send(node: NetworkNode, from: number, to: number, nonce: number) {
  const fees = { maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
  const raw = signTransfer(devnet.network, { from, to, value: 1_000n, nonce, ...fees })
  return call<`0x${string}`>(node.rpc, 'eth_sendRawTransaction', [raw])
}

const nonceOf = async (node: NetworkNode, index: number) =>
  Number(await call<string>(node.rpc, 'eth_getTransactionCount', [accountAt(index), 'pending']))

test('balances are set to the wei, on every node, and what cannot be set says why', async () => {
  const client = clientOf(first())
  for (const [address, value] of [
    [fresh('a1'), parseEther('12345.6')],
    [accountAt(9), parseEther('5')],
    [accountAt(9), parseEther('7')],
  ] as const) {
    await client.setBalance({ address, value })
    expect(await client.getBalance({ address })).toBe(value)
  }
  await until('one head', () => onOneHead(devnet.network.nodes))
  for (const node of devnet.network.nodes)
    expect(await clientOf(node).getBalance({ address: accountAt(9) })).toBe(parseEther('7'))
  await expect(client.setBalance({ address: fresh('a1'), value: 0n })).rejects.toThrow(
    'this node has no key of it',
  )
})

test('a revert gives every node the balances and nonces of the snapshot, and they stay', async () => {
  const { nodes } = devnet.network
  const client = clientOf(first())
  const id = await client.snapshot()
  const before = await nonceOf(first(), 2)
  const balance = await client.getBalance({ address: accountAt(3) })
  // From every node, so that more than one follows a transaction of its own.
  const hashes: `0x${string}`[] = []
  for (const [index, node] of nodes.entries()) hashes.push(await send(node, 2, 3, before + index))
  for (const hash of hashes) await client.waitForTransactionReceipt({ hash })
  // Waits for a nonce that never comes: it is not of the snapshot either.
  await send(first(), 2, 3, before + 9)

  await client.revert({ id })

  const height = await client.getBlockNumber()
  await until('four more blocks on one head', async () => {
    const grown = (await client.getBlockNumber({ cacheTime: 0 })) >= height + 4n
    return grown && (await onOneHead(nodes))
  })
  for (const node of nodes) {
    const there = clientOf(node)
    expect(await there.getBalance({ address: accountAt(3) })).toBe(balance)
    expect(await nonceOf(node, 2)).toBe(before)
    expect(await poolOf(node.rpc)).toEqual([])
    for (const hash of hashes) {
      await expect(there.getTransaction({ hash })).rejects.toThrow('could not be found')
    }
  }
  expect(await call(first().rpc, 'evm_revert', [id])).toBe(false)
  const again = await send(first(), 2, 3, before)
  await client.waitForTransactionReceipt({ hash: again })
})

test('time goes forward an hour on every node, and for one that comes back', async () => {
  const client = clientOf(first())
  const { timestamp } = await client.getBlock()

  await client.increaseTime({ seconds: 3_600 })

  await until('a block of the new time', async () => {
    const block = await client.getBlock({ blockTag: 'latest' })
    return block.timestamp >= timestamp + 3_600n
  })
  // A clock that begins anew would take every block for one of the future.
  const verb = devnetVerbs('e2e-tools')
  expect(await verb('kill', 'n2')).toMatchObject({ code: 0 })
  expect(await verb('restart', 'n2')).toMatchObject({ code: 0 })
  const { number } = await client.getBlock()
  await client.mine({ blocks: 1 })
  await until('blocks after it', async () => {
    const block = await client.getBlock({ blockTag: 'latest' })
    return block.number >= number + 4n && (await onOneHead(devnet.network.nodes))
  })
})

test('who listens is told of a reorganisation block by block, and of what is pending again', async () => {
  const watcher = createPublicClient({ transport: webSocket(first().ws) })
  const client = clientOf(first())
  const heads: { hash: string; parentHash: string; number: string }[] = []
  const pending: string[] = []
  const logs: unknown[] = []
  const listen = (params: unknown, onData: (data: never) => void) =>
    watcher.transport.subscribe({ params: params as never, onData: onData as never })
  await listen(['newHeads'], ({ result }: { result: (typeof heads)[number] }) => heads.push(result))
  await listen(['newPendingTransactions'], ({ result }: { result: string }) => pending.push(result))
  await listen(['logs', {}], ({ result }: { result: unknown }) => logs.push(result))
  const filter = await call<string>(first().rpc, 'eth_newBlockFilter')
  await until('heads', () => heads.length >= 5)
  const hash = await send(first(), 5, 6, await nonceOf(first(), 5))
  const { blockHash } = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 })

  await call(first().rpc, 'anvil_reorg', [3])
  await until('it is pending again', () => pending.filter(each => each === hash).length === 2)
  const mined = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 })
  await until('heads of the new branch', () => heads.at(-1)?.parentHash === mined.blockHash)
  ;(await watcher.transport.getRpcClient()).close()

  expect(mined.blockHash).not.toBe(blockHash)
  const at = heads.findIndex(({ number }, index) => {
    return index > 0 && Number(number) <= Number(heads[index - 1]?.number)
  })
  expect(at).toBeGreaterThan(0)
  // Each head stands on one that was told before, also the first of the new branch.
  const known = new Set(heads.map(each => each.hash))
  expect(heads.slice(1).filter(({ parentHash }) => !known.has(parentHash))).toEqual([])
  const told = heads.map(each => each.hash)
  const polled = await call<string[]>(first().rpc, 'eth_getFilterChanges', [filter])
  expect(polled.slice(0, told.length - 1)).toEqual(
    told.slice(told.indexOf(polled[0] ?? '')).slice(0, told.length - 1),
  )
  expect(logs).toEqual([])
})
