import { type Hex, parseTransaction, recoverMessageAddress, recoverTransactionAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { alice, aliceAddress, bobAddress, createTestNode, gwei, transferOf } from '../test-node.ts'

const unknownHash = `0x${'99'.repeat(32)}`
const domain = (message: string, data?: unknown) => ({
  error: { code: -32000, message, ...(data !== undefined && { data }) },
})

describe('submitting', () => {
  test('answers the hash, and refusals of the pool with code and details', async () => {
    const { call, pooled } = await createTestNode()
    const raw = await transferOf(5)

    const { result } = await call('eth_sendRawTransaction', raw)

    expect(result).toBe(pooled[0]?.hash)
    expect(await call('eth_sendRawTransaction', raw)).toMatchObject(
      domain('already known', { reason: 'pool/known', details: {} }),
    )
    expect(await call('eth_sendRawTransaction', await transferOf(4))).toMatchObject(
      domain('nonce too low: next nonce 5, tx nonce 4', {
        reason: 'pool/nonce-too-low',
        details: { next: '0x5' },
      }),
    )
    expect(await call('eth_sendRawTransaction', '0x02')).toMatchObject(
      domain('typed transaction too short'),
    )
  })

  test('guards the caller: fee cap, then replay protection', async () => {
    const { call } = await createTestNode()
    const fee = { gas: 21_000n, nonce: 5, to: bobAddress } as const
    const unprotected = await alice.signTransaction({ type: 'legacy', gasPrice: gwei, ...fee })
    const dear = await transferOf(5, { gasPrice: 58_571_428_571_429n })

    expect(await call('eth_sendRawTransaction', dear)).toMatchObject(
      domain('tx fee (1.23 ether) exceeds the configured cap (1.00 ether)'),
    )
    expect(await call('eth_sendRawTransaction', unprotected)).toMatchObject(
      domain('only replay-protected (EIP-155) transactions allowed over RPC'),
    )
  })

  test('neither guard holds where the operator has lifted it', async () => {
    const { call } = await createTestNode({ txFeeCapWei: 0n, allowUnprotected: true })
    const unprotected = await alice.signTransaction({
      ...{ type: 'legacy', gasPrice: 10n ** 15n, gas: 21_000n, nonce: 5, to: bobAddress },
    })

    expect(await call('eth_sendRawTransaction', unprotected)).toHaveProperty('result')
  })
})

describe('eth_sendTransaction', () => {
  const send = { from: aliceAddress, to: bobAddress, value: '0x1' }
  const sendError = async (args: object) => {
    const { call } = await createTestNode()
    return (await call('eth_sendTransaction', args)).error
  }

  test('fills everything in, signs and submits', async () => {
    const { call, pooled } = await createTestNode()

    const { result } = await call('eth_sendTransaction', send)

    expect(pooled).toMatchObject([
      {
        ...{
          hash: result,
          type: 2,
          nonce: 5n,
          gas: 21_000n,
          tip: gwei,
          feeCap: 3n * gwei,
          value: 1n,
        },
      },
    ])
    const raw: Hex = `0x${Buffer.from(pooled[0]?.raw ?? []).toString('hex')}`
    const serializedTransaction = raw as Parameters<
      typeof recoverTransactionAddress
    >[0]['serializedTransaction']
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(alice.address)
  })

  test('a hundred at once get consecutive nonces', async () => {
    const { call, pooled } = await createTestNode()

    const answers = await Promise.all(
      Array.from({ length: 100 }, () => call('eth_sendTransaction', send)),
    )

    expect(answers.filter(({ error }) => error !== undefined)).toEqual([])
    expect(pooled.map(({ nonce }) => Number(nonce))).toEqual(
      Array.from({ length: 100 }, (_, index) => 5 + index),
    )
  })

  test('a failed submission frees its nonce', async () => {
    const { call, pooled } = await createTestNode()

    const answers = await Promise.all([
      call('eth_sendTransaction', { ...send, gas: '0x5208', gasPrice: '0xffffffffffff' }),
      call('eth_sendTransaction', send),
    ])

    expect(answers[0]).toMatchObject({ error: { data: { reason: 'rpc/fee-over-cap' } } })
    expect(answers[1]?.result).toMatch(/^0x/)
    expect(pooled).toMatchObject([{ nonce: 5n }])
  })

  test('chooses the type the caller described', async () => {
    const { call, pooled } = await createTestNode()
    const accessList = [{ address: bobAddress, storageKeys: [] }]
    const authorization = {
      chainId: '0x539',
      address: bobAddress,
      nonce: '0x0',
      yParity: '0x0',
      r: '0x1',
      s: '0x1',
    }

    await call('eth_sendTransaction', { ...send, gasPrice: '0x77359400' })
    await call('eth_sendTransaction', { ...send, gasPrice: '0x77359400', accessList })
    await call('eth_sendTransaction', { ...send, accessList })
    await call('eth_sendTransaction', { ...send, authorizationList: [authorization] })

    expect(pooled.map(({ type }) => type)).toEqual([0, 1, 2, 4])
    expect(pooled.map(({ chainId }) => chainId)).toEqual([1337n, 1337n, 1337n, 1337n])
  })

  test('names what is wrong in geth’s words', async () => {
    const fees = (maxFeePerGas: string, maxPriorityFeePerGas: string) => ({
      ...send,
      maxFeePerGas,
      maxPriorityFeePerGas,
    })
    for (const [args, message] of [
      [{ ...send, from: bobAddress }, 'unknown account'],
      [{ to: bobAddress }, 'unknown account'],
      [{ ...send, blobVersionedHashes: [unknownHash] }, 'signing blob transactions not supported'],
      [{ ...send, blobs: [] }, '"blobs" is not supported for this RPC method'],
      [
        { ...send, gasPrice: '0x1', maxFeePerGas: '0x1' },
        'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
      ],
      [
        { ...send, gasPrice: '0x1', authorizationList: [] },
        'both gasPrice and authorizationList specified',
      ],
      [fees('0x0', '0x0'), 'maxFeePerGas must be non-zero'],
      [fees('0x7', '0x2a'), 'maxFeePerGas (0x7) < maxPriorityFeePerGas (0x2a)'],
      [{ ...send, maxFeePerGas: '0x7' }, 'maxFeePerGas (0x7) < maxPriorityFeePerGas (0x3b9aca00)'],
      [{ ...send, gasPrice: '0x0' }, 'gasPrice must be non-zero after london fork'],
      [
        { ...send, data: '0x01', input: '0x02' },
        'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
      ],
      [{ from: aliceAddress }, 'contract creation without any data provided'],
      [
        { from: aliceAddress, authorizationList: [], data: '0x01' },
        'authorizationList provided for contract creation, but "to" field is missing',
      ],
      [{ ...send, chainId: '0x1' }, "chainId does not match node's (have=1, want=1337)"],
    ] as const)
      expect(await sendError(args)).toMatchObject({ code: -32000, message })
  })
})

describe('signing', () => {
  const complete = {
    ...{ from: aliceAddress, to: bobAddress, value: '0x1', gas: '0x5208', nonce: '0x9' },
    ...{ maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x1' },
  }

  test('eth_signTransaction returns the raw bytes and what they say', async () => {
    const { call, pooled } = await createTestNode()

    const { result } = await call('eth_signTransaction', complete)

    const { raw, tx } = result as { raw: Hex; tx: { hash: Hex } }
    expect(parseTransaction(raw)).toMatchObject({ type: 'eip1559', nonce: 9, value: 1n })
    expect(tx).toMatchObject({
      type: '0x2',
      nonce: '0x9',
      gasPrice: null,
      yParity: expect.any(String),
    })
    expect(pooled).toEqual([])
  })

  test('eth_signTransaction fills in nothing that decides what is paid', async () => {
    const { call } = await createTestNode()
    const without = (...names: string[]) =>
      Object.fromEntries(Object.entries(complete).filter(([name]) => !names.includes(name)))

    expect(await call('eth_signTransaction', without('gas'))).toMatchObject(
      domain('gas not specified'),
    )
    expect(await call('eth_signTransaction', without('maxFeePerGas'))).toMatchObject(
      domain('missing gasPrice or maxFeePerGas/maxPriorityFeePerGas'),
    )
    expect(await call('eth_signTransaction', without('nonce'))).toMatchObject(
      domain('nonce not specified'),
    )
    expect(
      await call('eth_signTransaction', { ...complete, maxFeePerGas: '0xffffffffffff' }),
    ).toMatchObject({
      error: { data: { reason: 'rpc/fee-over-cap' } },
    })
  })

  test('eth_fillTransaction returns it unsigned', async () => {
    const { call } = await createTestNode()

    const { result } = await call('eth_fillTransaction', { from: aliceAddress, to: bobAddress })

    const { raw, tx } = result as { raw: Hex; tx: unknown }
    expect(parseTransaction(raw)).toMatchObject({ nonce: 5, gas: 21_000n, maxFeePerGas: 3n * gwei })
    expect(tx).toMatchObject({ nonce: '0x5', gas: '0x5208', r: '0x0', s: '0x0' })
  })

  test('eth_fillTransaction leaves the whole signature of a legacy one at zero, as geth does', async () => {
    const { call } = await createTestNode()
    const wish = { from: aliceAddress, to: `0x${'11'.repeat(20)}`, value: '0x1', nonce: '0x3' }

    const { result } = await call('eth_fillTransaction', {
      ...{ ...wish, gas: '0x5208', gasPrice: '0x77359400' },
    })

    const { raw, tx } = result as { raw: Hex; tx: object }
    expect(raw).toBe(
      `0xe3038477359400825208941111111111111111111111111111111111111111${'0180808080'}`,
    )
    expect(tx).toMatchObject({ type: '0x0', v: '0x0', r: '0x0', s: '0x0' })
    expect(tx).not.toHaveProperty('chainId')
  })

  test('eth_sign signs a personal message', async () => {
    const { call } = await createTestNode()

    const { result } = await call('eth_sign', aliceAddress, '0x68656c6c6f')

    expect(await recoverMessageAddress({ message: 'hello', signature: result as Hex })).toBe(
      alice.address,
    )
    expect(await call('eth_sign', bobAddress, '0x68656c6c6f')).toMatchObject(
      domain('unknown account'),
    )
    expect(await call('eth_accounts')).toMatchObject({ result: [aliceAddress] })
  })
})
