import { describe, expect, test } from 'vitest'
import {
  aliceAddress,
  blockOf,
  bobAddress,
  createTestNode,
  gwei,
  headFact,
  transferOf,
} from '../test-node.ts'

const send = { from: aliceAddress, to: bobAddress, value: '0x1' }
const domain = (message: string) => ({ error: { code: -32000, message } })

describe('eth_sendRawTransactionSync', () => {
  test('answers the receipt as soon as a block has the transaction', async () => {
    const { call, pooled, blocks, emit } = await createTestNode()
    const answer = call('eth_sendRawTransactionSync', await transferOf(5), 5_000)
    while (pooled.length === 0) await new Promise(resolve => setImmediate(resolve))

    const block = blockOf(3, [...pooled])
    blocks.push(block)
    emit(headFact([block]))

    expect((await answer).result).toMatchObject({
      transactionHash: pooled[0]?.hash,
      blockNumber: '0x3',
      status: '0x1',
    })
  })

  test('says in geth’s words and with the hash that no block came in time', async () => {
    const { call, pooled } = await createTestNode({ syncWaitMs: { standard: 30, max: 40 } })

    const standard = await call('eth_sendRawTransactionSync', await transferOf(5))
    const clamped = await call('eth_sendRawTransactionSync', await transferOf(6), 60_000)

    const text = "The transaction was added to the transaction pool but wasn't processed in"
    expect(standard.error).toEqual({ code: 4, message: `${text} 30ms`, data: pooled[0]?.hash })
    expect(clamped.error).toEqual({ code: 4, message: `${text} 40ms`, data: pooled[1]?.hash })
  })

  test('returns the refusals of the pool at once', async () => {
    const { call } = await createTestNode()
    expect(await call('eth_sendRawTransactionSync', await transferOf(4))).toMatchObject(
      domain('nonce too low: next nonce 5, tx nonce 4'),
    )
  })
})

describe('eth_resend', () => {
  const first = {
    ...{ ...send, nonce: '0x5', gas: '0x5208' },
    ...{ maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x3b9aca00' },
  }

  test('signs the pending transaction anew with another price', async () => {
    const { call, pooled } = await createTestNode()
    await call('eth_sendTransaction', first)

    const { result } = await call('eth_resend', first, '0xee6b2800', '0x7530')

    expect(pooled[1]).toMatchObject({
      ...{ hash: result, type: 0, nonce: 5n, gas: 30_000n, feeCap: 4n * gwei },
    })
  })

  test('wants a nonce, and a transaction that is pending as described', async () => {
    const { call } = await createTestNode()
    await call('eth_sendTransaction', first)

    expect(await call('eth_resend', send)).toMatchObject(
      domain('missing transaction nonce in transaction spec'),
    )
    expect((await call('eth_resend', { ...first, value: '0x2' })).error?.message).toMatch(
      /^transaction 0x[0-9a-f]{64} not found$/,
    )
  })
})

test('a creation sent for an account is logged with the address of its contract', async () => {
  const { call, logged } = await createTestNode()

  await call('eth_sendTransaction', { from: aliceAddress, data: '0x00', gas: '0x186a0' })

  expect(logged).toContainEqual([
    'rpc/creation-submitted',
    expect.objectContaining({ contract: expect.stringMatching(/^0x[0-9a-f]{40}$/), nonce: 5 }),
  ])
})
