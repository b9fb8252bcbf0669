import { getAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import {
  alice,
  aliceAddress,
  bobAddress,
  chainId,
  createTestNode,
  gwei,
  transferOf,
} from '../test-node.ts'

describe('the pool', () => {
  test('empty has both halves', async () => {
    const { call } = await createTestNode()

    expect(await call('txpool_status')).toMatchObject({ result: { pending: '0x0', queued: '0x0' } })
    for (const method of ['txpool_content', 'txpool_inspect'])
      expect(await call(method)).toMatchObject({ result: { pending: {}, queued: {} } })
    expect(await call('txpool_contentFrom', bobAddress)).toMatchObject({
      result: { pending: {}, queued: {} },
    })
  })

  test('is shown by checksummed sender and decimal nonce', async () => {
    const { call } = await createTestNode()
    await call('eth_sendRawTransaction', await transferOf(5))
    await call('eth_sendRawTransaction', await transferOf(6))

    expect(await call('txpool_status')).toMatchObject({ result: { pending: '0x2' } })
    expect(await call('txpool_content')).toMatchObject({
      result: { pending: { [alice.address]: { 5: { nonce: '0x5', blockHash: null }, 6: {} } } },
    })
    expect(await call('txpool_contentFrom', aliceAddress)).toMatchObject({
      result: { pending: { 5: { from: aliceAddress }, 6: {} }, queued: {} },
    })
    expect(await call('txpool_inspect')).toMatchObject({
      result: {
        pending: {
          [alice.address]: { 5: `${getAddress(bobAddress)}: 1 wei + 21000 gas × 2000000000 wei` },
        },
      },
    })
    expect(await call('eth_pendingTransactions')).toMatchObject({ result: [{ nonce: '0x5' }, {}] })
  })

  test('lists own transactions with why they wait and when they were tried', async () => {
    const { call } = await createTestNode()
    const first = await call('eth_sendRawTransaction', await transferOf(5))
    await call('eth_sendRawTransaction', await transferOf(6))

    expect(await call('txpool_tracked')).toMatchObject({
      result: [
        {
          ...{ hash: (first as { result: string }).result, from: alice.address, nonce: '0x5' },
          ...{ state: 'pooled', reason: null, tries: '0x0', lastTry: null },
        },
        { nonce: '0x6', state: 'waiting', reason: 'pool/full', tries: '0x1', lastTry: '0x1000' },
      ],
    })
  })

  test('shows a creation as one', async () => {
    const { call } = await createTestNode()
    const raw = await alice.signTransaction({
      ...{ type: 'legacy', chainId, nonce: 5, gas: 53_000n, gasPrice: gwei, value: 3n },
    })
    await call('eth_sendRawTransaction', raw)

    expect(await call('txpool_inspect')).toMatchObject({
      result: {
        pending: {
          [alice.address]: { 5: 'contract creation: 3 wei + 53000 gas × 1000000000 wei' },
        },
      },
    })
  })
})
