import { limits } from '@rockpool/protocol'
import { getAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { aliceAddress, bobAddress, createTestNode, gwei } from '../test-node.ts'
import { clientsOf } from '../test-wallet.ts'

const unknownHash = `0x${'99'.repeat(32)}`
const domain = (message: string, data?: unknown) => ({
  error: { code: -32000, message, ...(data !== undefined && { data }) },
})

describe('calls and estimates', () => {
  const transfer = { from: aliceAddress, to: bobAddress, value: '0x1' }

  test('a call runs nothing', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_call', transfer, 'latest')).toMatchObject({ result: '0x' })
    expect(await call('eth_call', { to: bobAddress, data: '0x1234' })).toMatchObject({
      result: '0x',
    })
  })

  test('a call that moves more than there is fails as in geth', async () => {
    const { call } = await createTestNode()

    expect(
      await call('eth_call', { ...transfer, from: bobAddress, value: '0x7' }, 'latest'),
    ).toMatchObject(
      domain(
        `err: insufficient funds for gas * price + value: address ${getAddress(bobAddress)} have 6 want 7 (supplied gas 50000000)`,
      ),
    )
  })

  test('init code is refused by a sentence that names the remedy', async () => {
    const { call } = await createTestNode()
    const refusal = domain('this chain runs no contracts; start it with --evm', {
      reason: 'rpc/no-contracts',
      details: {},
    })

    expect(await call('eth_call', { from: aliceAddress, data: '0x6000' }, 'latest')).toMatchObject(
      refusal,
    )
    expect(await call('eth_estimateGas', { from: aliceAddress, data: '0x6000' })).toMatchObject(
      refusal,
    )
    expect(await call('eth_sendTransaction', { from: aliceAddress, data: '0x6000' })).toMatchObject(
      refusal,
    )
  })

  test('an estimate is what is used: the larger of intrinsic and floor gas', async () => {
    const { call } = await createTestNode()
    const estimate = async (args: object) => Number((await call('eth_estimateGas', args)).result)

    expect(await estimate(transfer)).toBe(21_000)
    expect(await estimate({ from: aliceAddress, value: '0x1' })).toBe(53_000)
    expect(await estimate({ ...transfer, data: `0x${'00'.repeat(1000)}` })).toBe(31_000)
    expect(await estimate({ ...transfer, data: `0x${'01'.repeat(1000)}` })).toBe(61_000)
    expect(
      await estimate({
        ...transfer,
        accessList: [{ address: bobAddress, storageKeys: [unknownHash] }],
      }),
    ).toBe(25_300)
  })

  test('an estimate looks at the balance as geth does', async () => {
    const { call } = await createTestNode()
    const poor = { ...transfer, from: bobAddress }

    expect(await call('eth_estimateGas', { ...poor, value: '0x6' })).toMatchObject({
      result: '0x5208',
    })
    expect(await call('eth_estimateGas', { ...poor, value: '0x7' })).toMatchObject(
      domain(
        `failed with 16777216 gas: insufficient funds for gas * price + value: address ${getAddress(bobAddress)} have 6 want 7`,
      ),
    )
    expect(await call('eth_estimateGas', { ...poor, value: '0x6', gasPrice: '0x1' })).toMatchObject(
      domain('insufficient funds for transfer'),
    )
    expect(await call('eth_estimateGas', { ...poor, value: '0x1', gasPrice: '0x1' })).toMatchObject(
      domain('gas required exceeds allowance (5)'),
    )
  })

  test('overrides are refused, not ignored', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_call', transfer, 'latest', {})).toMatchObject({ result: '0x' })
    expect(
      await call('eth_call', transfer, 'latest', { [bobAddress]: { balance: '0x1' } }),
    ).toMatchObject({ error: { code: -32000 } })
  })
})

describe('fees', () => {
  test('suggestions are the tip, and tip plus base fee', async () => {
    const { call } = await createTestNode()

    expect(await call('eth_maxPriorityFeePerGas')).toMatchObject({ result: '0x3b9aca00' })
    expect(await call('eth_gasPrice')).toMatchObject({ result: '0x77359400' })
  })

  test('history is read by viem', async () => {
    const { reader } = clientsOf(await createTestNode())

    const history = await reader.getFeeHistory({ blockCount: 1, rewardPercentiles: [25, 75] })

    expect(history).toEqual({
      ...{ oldestBlock: 2n, baseFeePerGas: [gwei, 875_000_000n], gasUsedRatio: [0.5] },
      reward: [[gwei, gwei]],
    })
  })

  test('history refuses what geth refuses', async () => {
    const { call } = await createTestNode()
    const percentiles = (count: number) => Array.from({ length: count }, (_, index) => index)
    const history = (...params: unknown[]) => call('eth_feeHistory', ...params)

    expect(await history('0x0', 'latest', [])).toMatchObject({
      result: { oldestBlock: '0x0', gasUsedRatio: null },
    })
    expect(await history(1, '0x63', [])).toMatchObject(
      domain('request beyond head block: requested 99, head 2'),
    )
    expect(await history(1, 'latest', [101])).toMatchObject(
      domain('invalid reward percentile: 101.000000'),
    )
    expect(await history(1, 'latest', [50, 50])).toMatchObject(
      domain('invalid reward percentile: #0:50.000000 >= #1:50.000000'),
    )
    expect(await history(1, 'latest', percentiles(limits.feeHistoryPercentilesMax))).toHaveProperty(
      'result',
    )
    expect(
      await history(1, 'latest', percentiles(limits.feeHistoryPercentilesMax + 1)),
    ).toMatchObject(domain('invalid reward percentile: over the query limit 100'))
  })
})
