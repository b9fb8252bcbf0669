import type { TxRecord } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import {
  aliceAddress,
  bobAddress,
  createTestNode,
  gwei,
  headerOf,
  transferOf,
} from '../test-node.ts'
import { clientsOf } from '../test-wallet.ts'

const unknownHash = `0x${'99'.repeat(32)}`
const domain = (message: string, data?: unknown) => ({
  error: { code: -32000, message, ...(data !== undefined && { data }) },
})

describe('accounts', () => {
  test('have balance, nonce, code and empty storage', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_getBalance', bobAddress, 'latest')).toMatchObject({ result: '0x6' })
    expect(await call('eth_getBalance', bobAddress, '0x1')).toMatchObject({ result: '0x6' })
    expect(await call('eth_getTransactionCount', aliceAddress, 'latest')).toMatchObject({
      result: '0x5',
    })
    expect(await call('eth_getCode', aliceAddress, 'latest')).toMatchObject({ result: '0x' })
    expect(await call('eth_getCode', bobAddress, 'latest')).toMatchObject({
      result: `0xef0100${bobAddress.slice(2)}`,
    })
    expect(await call('eth_getStorageAt', bobAddress, '0x0', 'latest')).toMatchObject({
      result: `0x${'00'.repeat(32)}`,
    })
    expect(await call('eth_getProof', bobAddress, [], 'latest')).toMatchObject({
      error: { code: -32601, message: 'this chain has no state trie' },
    })
  })

  test('without a block, or with null for it, are those of the head', async () => {
    const { call } = await createTestNode()

    for (const rest of [[], [null]]) {
      expect(await call('eth_getBalance', bobAddress, ...rest)).toMatchObject({ result: '0x6' })
      expect(await call('eth_getTransactionCount', aliceAddress, ...rest)).toMatchObject({
        result: '0x5',
      })
      expect(await call('eth_getCode', aliceAddress, ...rest)).toMatchObject({ result: '0x' })
      expect(await call('eth_getStorageAt', bobAddress, '0x0', ...rest)).toMatchObject({
        result: `0x${'00'.repeat(32)}`,
      })
    }
    expect(await call('eth_getBalance', bobAddress, {})).toMatchObject(
      domain('invalid arguments; neither block nor hash specified'),
    )
  })

  test('at pending have the nonce of the pool', async () => {
    const { call } = await createTestNode()

    await call('eth_sendRawTransaction', await transferOf(5))

    expect(await call('eth_getTransactionCount', aliceAddress, 'pending')).toMatchObject({
      result: '0x6',
    })
  })

  test('at blocks that are unknown, forgotten or not canonical are refused as geth does', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_getBalance', bobAddress, '0x63')).toMatchObject(
      domain('header not found'),
    )
    expect(await call('eth_getBalance', bobAddress, '0x0')).toMatchObject({
      error: {
        message: expect.stringMatching(/^missing trie node/),
        data: { reason: 'chain/state-missing' },
      },
    })
    const side = { blockHash: headerOf(2).hash }
    expect(await call('eth_getBalance', bobAddress, side)).toMatchObject({ result: '0x6' })
    expect(
      await call('eth_getBalance', bobAddress, { ...side, requireCanonical: true }),
    ).toMatchObject(domain('hash is not currently canonical'))
    expect(
      await call('eth_getBalance', bobAddress, { blockHash: unknownHash, requireCanonical: true }),
    ).toMatchObject(domain('header not found'))
  })
})

describe('blocks and transactions', () => {
  test('are read by viem by number, hash and tag', async () => {
    const node = await createTestNode()
    const { reader } = clientsOf(node)

    expect(await reader.getBlockNumber()).toBe(2n)
    expect(await reader.getBlock({ blockNumber: 1n, includeTransactions: true })).toMatchObject({
      ...{ number: 1n, baseFeePerGas: gwei },
      transactions: [
        { type: 'legacy' },
        { type: 'eip2930' },
        { type: 'eip1559' },
        { type: 'eip7702' },
        {},
      ],
    })
    expect(await reader.getBlock({ blockHash: headerOf(1).hash })).toMatchObject({ number: 1n })
    expect(await reader.getBlock({ blockTag: 'earliest' })).toMatchObject({ number: 0n })
    expect(await reader.getBlock({ blockTag: 'pending' })).toMatchObject({ number: 3n, hash: null })
    expect(await reader.getBlockTransactionCount({ blockNumber: 1n })).toBe(5)
  })

  test('that are not there are null', async () => {
    const { call } = await createTestNode()

    for (const [method, ...params] of [
      ['eth_getBlockByNumber', '0x63', false],
      ['eth_getBlockByHash', unknownHash, false],
      ['eth_getHeaderByNumber', '0x63'],
      ['eth_getBlockTransactionCountByNumber', '0x63'],
      ['eth_getBlockTransactionCountByHash', unknownHash],
      ['eth_getTransactionByHash', unknownHash],
      ['eth_getRawTransactionByHash', unknownHash],
      ['eth_getTransactionReceipt', unknownHash],
      ['eth_getBlockReceipts', '0x63'],
      ['eth_getTransactionByBlockNumberAndIndex', '0x1', '0x5'],
      ['eth_getTransactionByBlockHashAndIndex', unknownHash, '0x0'],
      ['eth_getUncleCountByBlockNumber', '0x63'],
    ] as const)
      expect(await call(method, ...params)).toMatchObject({ result: null })
  })

  test('are found by index, by hash, raw and as receipts', async () => {
    const node = await createTestNode()
    const { call } = node
    const { reader } = clientsOf(node)
    const tx = node.blocks[1]?.txs[2] as TxRecord

    expect(await reader.getTransaction({ hash: tx.hash })).toMatchObject({
      blockNumber: 1n,
      nonce: 2,
    })
    expect(await reader.getTransaction({ blockNumber: 1n, index: 2 })).toMatchObject({
      hash: tx.hash,
    })
    expect(await reader.getTransactionReceipt({ hash: tx.hash })).toMatchObject({
      status: 'success',
    })
    expect(await call('eth_getRawTransactionByHash', tx.hash)).toMatchObject({
      result: `0x${Buffer.from(tx.raw).toString('hex')}`,
    })
    expect(await call('eth_getBlockReceipts', '0x1')).toMatchObject({
      result: [{}, {}, { transactionHash: tx.hash, transactionIndex: '0x2' }, {}, {}],
    })
    expect(await call('eth_getTransactionByBlockNumberAndIndex', '0x1', '0x2')).toMatchObject({
      result: { hash: tx.hash },
    })
    expect(await call('eth_getUncleCountByBlockHash', headerOf(1).hash)).toMatchObject({
      result: '0x0',
    })
  })

  test('that wait are found without a block', async () => {
    const { call } = await createTestNode()
    const raw = await transferOf(5)
    const { result: hash } = await call('eth_sendRawTransaction', raw)

    expect(await call('eth_getTransactionByHash', hash)).toMatchObject({
      result: { hash, blockHash: null, blockNumber: null, transactionIndex: null },
    })
    expect(await call('eth_getRawTransactionByHash', hash)).toMatchObject({ result: raw })
    expect(await call('eth_getTransactionReceipt', hash)).toMatchObject({ result: null })
    expect(await call('eth_getBlockByNumber', 'pending', false)).toMatchObject({
      result: { transactions: [hash], number: '0x3' },
    })
  })

  test('have no logs, within a range that is one', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' })).toMatchObject({
      result: [],
    })
    expect(await call('eth_getLogs', { blockHash: headerOf(1).hash })).toMatchObject({ result: [] })
    expect(await call('eth_getLogs', { blockHash: unknownHash })).toMatchObject(
      domain('unknown block'),
    )
    expect(await call('eth_getLogs', { fromBlock: '0x2', toBlock: '0x1' })).toMatchObject({
      error: { code: -32602, message: 'invalid block range params' },
    })
    expect(
      await call('eth_getLogs', { blockHash: headerOf(1).hash, toBlock: '0x1' }),
    ).toMatchObject({
      error: { code: -32602, message: expect.stringContaining('cannot specify both BlockHash') },
    })
  })

  test('syncing is false, or says from where to where', async () => {
    const { call, state } = await createTestNode()

    expect(await call('eth_syncing')).toMatchObject({ result: false })
    state.syncing = true
    expect(await call('eth_syncing')).toMatchObject({
      result: { startingBlock: '0x0', currentBlock: '0x2', highestBlock: '0x63' },
    })
  })
})
