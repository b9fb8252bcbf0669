import { parseTransaction, serializeTransaction, type TransactionSerializableEIP1559 } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batch, until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

/* One caller sends rubbish and gets geth's answers; another one's transactions are mined meanwhile as if he were alone. */

const scratch = createScratch()
const honest = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)
const rude = privateKeyToAccount(
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
)
const nobody = `0x${'0b'.repeat(20)}` as const
const transfers = 30
let ports: Ports
let sent: Promise<string[]>

beforeAll(async () => {
  ports = await scratch
    .run(scratch.path('node'), [...quietFlags, '--chain.block-time', '500ms'])
    .ready()
  sent = sendSlowly()
})

afterAll(() => scratch.close())

function transferOf(account: PrivateKeyAccount, fields: Partial<TransactionSerializableEIP1559>) {
  return account.signTransaction({
    ...{ type: 'eip1559', chainId: 1337, nonce: 0, gas: 21_000n, value: 1n, to: nobody },
    ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
    ...fields,
  })
}

/** The honest caller's transactions, one every 50 ms, while everything else goes on. */
async function sendSlowly(): Promise<string[]> {
  const hashes: string[] = []
  for (let nonce = 0; nonce < transfers; nonce += 1) {
    const raw = await transferOf(honest, { nonce })
    hashes.push(
      ...(await batch<string>(ports.rpc, [{ method: 'eth_sendRawTransaction', params: [raw] }])),
    )
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return hashes
}

async function post(body: string, contentType = 'application/json') {
  const headers = { 'content-type': contentType }
  const response = await fetch(ports.rpc, { method: 'POST', headers, body })
  return { status: response.status, text: await response.text() }
}

async function errorOf(body: unknown): Promise<unknown> {
  const { status, text } = await post(typeof body === 'string' ? body : JSON.stringify(body))
  expect(status).toBe(200)
  return (JSON.parse(text) as { error?: unknown }).error
}

const send = (raw: string) =>
  errorOf({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] })

test('what is no JSON-RPC gets the codes of JSON-RPC', async () => {
  const call = { jsonrpc: '2.0', id: 1 }
  const cases: readonly (readonly [unknown, number, string])[] = [
    ['{"jsonrpc":', -32_700, 'parse error'],
    ['['.repeat(33), -32_700, 'parse error'],
    ['7', -32_600, 'invalid request'],
    [call, -32_600, 'invalid request'],
    [[], -32_600, 'empty batch'],
    [
      { ...call, method: 'eth_nope' },
      -32_601,
      'the method eth_nope does not exist/is not available',
    ],
    [
      { ...call, method: 'devnet_mine' },
      -32_601,
      'the method devnet_mine does not exist/is not available',
    ],
    [
      { ...call, method: 'eth_getBalance', params: [] },
      -32_602,
      'missing value for required argument 0',
    ],
  ]
  for (const [body, code, message] of cases)
    expect(await errorOf(body), JSON.stringify(body)).toMatchObject({ code, message })
})

test('what is too large, too many or no JSON at all is refused by the door', async () => {
  const limit = 5 * 1_048_576
  expect(await post(' '.repeat(limit + 1))).toEqual({
    status: 413,
    text: `content length too large (${limit + 1}>${limit})\n`,
  })
  expect(await post('{}', 'text/plain')).toEqual({
    status: 415,
    text: 'invalid content type, only application/json is supported\n',
  })
  const call = { jsonrpc: '2.0', id: 9, method: 'eth_chainId' }
  expect(JSON.parse((await post(JSON.stringify(Array(1_001).fill(call)))).text)).toEqual([
    { jsonrpc: '2.0', id: 9, error: { code: -32_600, message: 'batch too large' } },
  ])
  const put = await fetch(ports.rpc, { method: 'PUT', body: '{}' })
  expect(put.status).toBe(405)
})

test('transactions that are none get geth’s words', async () => {
  const good = await transferOf(rude, {})
  const { r = '0x1', s: _, yParity = 0, ...tx } = parseTransaction(good as `0x02${string}`)
  const unsigned = { ...tx, type: 'eip1559' } as const
  const highS = `0x${'f'.repeat(64)}` as const
  const cases: readonly (readonly [string, string, string])[] = [
    ['0x', 'typed transaction too short', 'pool/undecodable'],
    ['0x02', 'typed transaction too short', 'pool/undecodable'],
    ['0x05c0', 'transaction type not supported', 'pool/undecodable'],
    ['0xdeadbeef', 'rlp: ', 'pool/undecodable'],
    [good.slice(0, -2), 'rlp: ', 'pool/undecodable'],
    [`${good}00`, 'rlp: ', 'pool/undecodable'],
    [
      await transferOf(rude, { chainId: 5 }),
      'invalid sender: invalid chain id for signer: have 5 want 1337',
      'pool/wrong-chain',
    ],
    [
      serializeTransaction(unsigned, { r, s: highS, yParity }),
      'invalid sender: invalid transaction v, r, s values',
      'pool/invalid-sender',
    ],
    [
      await rude.signTransaction({
        type: 'legacy',
        gas: 21_000n,
        gasPrice: 3_000_000_000n,
        to: rude.address,
      }),
      'only replay-protected (EIP-155) transactions allowed over RPC',
      'rpc/unprotected',
    ],
    [
      await transferOf(rude, { gas: 10_000_000n, maxFeePerGas: 10n ** 12n }),
      'tx fee (10.00 ether) exceeds the configured cap (1.00 ether)',
      'rpc/fee-over-cap',
    ],
    [
      await transferOf(rude, { value: 10n ** 23n }),
      'insufficient funds for gas * price + value: balance 10000000000000000000000',
      'pool/insufficient-funds',
    ],
    [
      await transferOf(rude, { gas: 20_000n }),
      'intrinsic gas too low: gas 20000, minimum needed 21000',
      'pool/intrinsic-gas',
    ],
  ]
  for (const [raw, message, reason] of cases)
    expect(await send(raw), raw).toMatchObject({
      code: -32_000,
      message: expect.stringContaining(message),
      data: { reason },
    })
  expect(await send('0xzz')).toMatchObject({
    code: -32_602,
    message: expect.stringMatching(/^invalid argument 0: /),
  })
})

test('all of the other sender’s transactions are mined, and nothing of the rude one', async () => {
  const hashes = await sent

  await until('every transfer has its receipt', async () =>
    (
      await batch<{ status: string } | null>(
        ports.rpc,
        hashes.map(hash => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
      )
    ).every(receipt => receipt?.status === '0x1'),
  )
  const counts = await batch<string>(
    ports.rpc,
    [honest, rude].map(({ address }) => ({
      method: 'eth_getTransactionCount',
      params: [address, 'pending'],
    })),
  )
  expect(counts.map(Number)).toEqual([transfers, 0])
})
