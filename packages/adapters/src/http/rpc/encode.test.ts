import { formatBlock, formatTransaction, formatTransactionReceipt, getAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import {
  aliceAddress,
  blockOf,
  bobAddress,
  gwei,
  keccak256,
  oneOfEachType,
  receiptsOf,
} from '../test-node.ts'
import {
  blockJson,
  checksumAddress,
  headerJson,
  minedTxJson,
  pendingBlockJson,
  pendingTxJson,
  quantity,
  receiptJson,
} from './encode.ts'

type RpcTransaction = Parameters<typeof formatTransaction>[0]

/** What JSON keeps of a value: the shape that travels. */
const sent = (value: object) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

const block = blockOf(1, await oneOfEachType())
const [legacy, listed, capped, delegating, creating] = block.txs.map((tx, position) =>
  sent(minedTxJson(tx, block.header, position)),
)

test('quantities have no leading zeros', () => {
  expect([0, 1, 16, 2n ** 64n - 2n].map(quantity)).toEqual([
    '0x0',
    '0x1',
    '0x10',
    '0xfffffffffffffffe',
  ])
})

describe('a mined transaction', () => {
  const place = ['blockHash', 'blockNumber', 'blockTimestamp', 'from', 'gas', 'gasPrice']
  const caps = ['maxFeePerGas', 'maxPriorityFeePerGas']
  const rest = ['hash', 'input', 'nonce', 'to', 'transactionIndex', 'value', 'type']
  const sealed = ['v', 'r', 's']

  test('has geth’s fields in geth’s order, each type its own', () => {
    expect(Object.keys(legacy ?? {})).toEqual([...place, ...rest, 'chainId', ...sealed])
    expect(Object.keys(listed ?? {})).toEqual([
      ...[...place, ...rest, 'accessList', 'chainId', ...sealed, 'yParity'],
    ])
    expect(Object.keys(capped ?? {})).toEqual([
      ...[...place, ...caps, ...rest, 'accessList', 'chainId', ...sealed, 'yParity'],
    ])
    expect(Object.keys(delegating ?? {})).toEqual([
      ...[...place, ...caps, ...rest, 'accessList', 'chainId', 'authorizationList'],
      ...[...sealed, 'yParity'],
    ])
  })

  test('of a capped type says what it paid, not what it would have', () => {
    expect(capped).toMatchObject({
      gasPrice: quantity(2n * gwei),
      maxFeePerGas: quantity(3n * gwei),
      maxPriorityFeePerGas: quantity(gwei),
    })
    expect(legacy).toMatchObject({ gasPrice: quantity(2n * gwei) })
  })

  test('is decoded by viem with every value', () => {
    const decode = (tx: unknown) => formatTransaction(tx as RpcTransaction)

    expect(decode(legacy)).toMatchObject({
      ...{ type: 'legacy', chainId: 1337, nonce: 0, gas: 100_000n, gasPrice: 2n * gwei, value: 1n },
      ...{ from: aliceAddress, to: bobAddress, input: '0x', transactionIndex: 0 },
      ...{ blockHash: block.header.hash, blockNumber: 1n },
    })
    expect(decode(listed)).toMatchObject({ type: 'eip2930', accessList: [{ address: bobAddress }] })
    expect(decode(capped)).toMatchObject({
      type: 'eip1559',
      input: '0x00ff',
      maxFeePerGas: 3n * gwei,
    })
    expect(decode(delegating)).toMatchObject({
      type: 'eip7702',
      authorizationList: [{ address: bobAddress, chainId: 1337, nonce: 7 }],
    })
    expect(decode(creating)).toMatchObject({ to: null, value: 5n })
    expect([0n, 1n]).toContain(decode(capped).v)
    expect([0, 1]).toContain(decode(capped).yParity)
    expect([2709n, 2710n]).toContain(decode(legacy).v)
  })
})

test('a waiting transaction is nowhere and would pay its cap', () => {
  const [, , tx] = block.txs
  if (tx === undefined) throw new Error('no transaction')

  const json = pendingTxJson(tx)

  expect(json).toMatchObject({
    ...{ blockHash: null, blockNumber: null, blockTimestamp: null, transactionIndex: null },
    gasPrice: quantity(3n * gwei),
  })
  expect(formatTransaction(sent(json) as unknown as RpcTransaction)).toMatchObject({
    blockNumber: null,
  })
})

describe('a block', () => {
  type RpcBlock = Parameters<typeof formatBlock>[0]

  test('is decoded by viem with every value', () => {
    expect(formatBlock(sent(blockJson(block, true)) as unknown as RpcBlock)).toMatchObject({
      ...{ number: 1n, hash: block.header.hash, parentHash: block.header.parentHash },
      ...{ timestamp: 1_700_000_002n, gasLimit: 30_000_000n, gasUsed: 0n, baseFeePerGas: gwei },
      ...{ miner: bobAddress, nonce: '0x0000000000000000', difficulty: 0n, size: 600n },
      ...{ uncles: [], withdrawals: [], extraData: '0x726f636b706f6f6c' },
      ...{ blobGasUsed: 0n, excessBlobGas: 0n, totalDifficulty: null },
      transactions: [{ nonce: 0 }, { nonce: 1 }, { nonce: 2 }, { nonce: 3 }, { nonce: 4 }],
    })
  })

  test('without full transactions lists their hashes, and has no total difficulty', () => {
    const json = blockJson(block, false)

    expect(json.transactions).toEqual(block.txs.map(({ hash }) => hash))
    expect(json).not.toHaveProperty('totalDifficulty')
    expect(json.logsBloom).toHaveLength(514)
  })

  test('that is pending has no hash, nonce and miner, but always a number', () => {
    const json = sent(pendingBlockJson(block, true))

    expect(json).toMatchObject({ hash: null, nonce: null, miner: null, number: '0x1' })
    expect(formatBlock(json as unknown as RpcBlock)).toMatchObject({ number: 1n, hash: null })
  })

  test('as a header has neither size nor body', () => {
    const header = headerJson(block.header)

    for (const name of ['size', 'transactions', 'uncles', 'withdrawals'])
      expect(header).not.toHaveProperty(name)
  })
})

test('a receipt is decoded by viem with every value', () => {
  type RpcReceipt = Parameters<typeof formatTransactionReceipt>[0]
  const receipts = receiptsOf(block).map((receipt, position) => {
    const tx = block.txs[position]
    if (tx === undefined) throw new Error('no transaction')
    return formatTransactionReceipt(
      sent(receiptJson(tx, receipt, block.header, position)) as unknown as RpcReceipt,
    )
  })

  expect(receipts[2]).toMatchObject({
    ...{ status: 'success', type: 'eip1559', gasUsed: 21_000n, cumulativeGasUsed: 63_000n },
    ...{ effectiveGasPrice: 2n * gwei, blockNumber: 1n, transactionIndex: 2, logs: [] },
    ...{ from: aliceAddress, to: bobAddress, contractAddress: null },
    transactionHash: block.txs[2]?.hash,
  })
  expect(receipts[4]).toMatchObject({ to: null, contractAddress: bobAddress })
})

test('checksummed addresses are those of EIP-55', () => {
  for (const address of [aliceAddress, bobAddress, block.header.producer])
    expect(checksumAddress(address, keccak256)).toBe(getAddress(address))
})
