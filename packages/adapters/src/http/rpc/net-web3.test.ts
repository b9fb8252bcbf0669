import { type Address, limits } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { bobAddress, createTestNode } from '../test-node.ts'
import { clientsOf } from '../test-wallet.ts'

describe('the node', () => {
  test('names itself, its network and its methods', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_chainId')).toMatchObject({ result: '0x539' })
    expect(await call('net_version')).toMatchObject({ result: '1337' })
    expect(await call('net_listening')).toMatchObject({ result: true })
    expect(await call('net_peerCount')).toMatchObject({ result: '0x3' })
    expect(await call('web3_sha3', '0x')).toMatchObject({
      result: '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    })
    expect((await call('web3_clientVersion')).result).toMatch(
      /^Rockpool\/v0\.1\.0\/\w+-\w+\/nodev\d+/,
    )
    expect(await call('rockpool_version')).toMatchObject({ result: { version: '0.1.0' } })
    expect(await call('rpc_modules')).toMatchObject({
      result: { eth: '1.0', txpool: '1.0', rpc: '1.0' },
    })
    expect((await call('rpc_methods')).result).toContainEqual({
      ...{ name: 'eth_call', params: ['transaction', 'block?', 'overrides?', 'block overrides?'] },
      ...{ scope: 'public', cost: 1 },
    })
  })

  test('describes every method it answers as an OpenRPC document', async () => {
    const { call } = await createTestNode()
    const { result: listed } = await call('rpc_methods')

    const { result } = await call('rpc.discover')

    const document = result as { methods: { name: string; params: unknown[] }[] }
    expect(document).toMatchObject({ openrpc: '1.3.2', info: { version: '0.1.0' } })
    expect(document.methods.map(({ name }) => name)).toEqual(
      (listed as { name: string }[]).map(({ name }) => name),
    )
    expect(document.methods.find(({ name }) => name === 'eth_getBalance')).toEqual({
      name: 'eth_getBalance',
      tags: [{ name: 'public' }],
      paramStructure: 'by-position',
      params: [
        { name: 'address', required: true, schema: {} },
        { name: 'block', required: false, schema: {} },
      ],
      result: { name: 'result', schema: {} },
    })
  })

  test('makes blocks on demand only where that is allowed', async () => {
    const open = await createTestNode()
    const closed = await createTestNode({ devnetControl: false })

    expect(await open.call('devnet_mine', 2)).toMatchObject({
      result: [expect.any(String), expect.any(String)],
    })
    expect(await open.call('evm_mine')).toMatchObject({ result: '0x0' })
    expect(await open.call('eth_blockNumber')).toMatchObject({ result: '0x5' })
    for (const count of [0, limits.mineBlocksMax + 1])
      expect(await open.call('devnet_mine', count)).toMatchObject({ error: { code: -32602 } })
    expect(await open.call('devnet_mine', limits.mineBlocksMax)).toHaveProperty('result')
    for (const method of ['devnet_mine', 'devnet_reorg', 'evm_mine'])
      expect(await closed.call(method)).toMatchObject({
        error: { code: -32601, message: `the method ${method} does not exist/is not available` },
      })
  })

  test('forces a reorg of a depth, and keeps a share of its transactions', async () => {
    const { call } = await createTestNode()

    expect(await call('devnet_reorg', 1)).toMatchObject({
      result: { ancestor: { number: '0x1' }, removed: [expect.any(String)], reinjected: [] },
    })
    expect(await call('devnet_reorg', 2, { keepTxs: 1 })).toMatchObject({
      result: { ancestor: { number: '0x0' }, reinjected: [expect.any(String), expect.any(String)] },
    })
    expect(await call('devnet_reorg', 3)).toMatchObject({
      error: {
        ...{ code: -32000, message: 'the chain is only 2 blocks high' },
        data: { reason: 'devnet/too-shallow' },
      },
    })
    for (const params of [[0], [limits.reorgDepthMax + 1], [1, { keepTxs: 1.1 }], [1, 'all']])
      expect(await call('devnet_reorg', ...params)).toMatchObject({ error: { code: -32602 } })
  })

  test('without an answering actor says that it is not there', async () => {
    const { call, bus } = await createTestNode()
    bus.stopAll('dead')

    expect(await call('eth_blockNumber')).toMatchObject({
      error: { code: -32005, data: { reason: 'load/draining' } },
    })
  })
})

test('a wallet session by viem: send, wait, read', async () => {
  const node = await createTestNode()
  const { reader, wallet } = clientsOf(node)

  const hash = await wallet.sendTransaction({ to: bobAddress as Address, value: 1n })
  await node.call('devnet_mine')
  const receipt = await reader.waitForTransactionReceipt({ hash, timeout: 5_000 })

  expect(receipt).toMatchObject({ status: 'success', transactionHash: hash, blockNumber: 3n })
  expect(await reader.getTransaction({ hash })).toMatchObject({ nonce: 5, blockNumber: 3n })
  expect(node.bugs).toEqual([])
})
