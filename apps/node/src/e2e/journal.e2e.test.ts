import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { batch, call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/* What a user was told is taken is still there after the process was killed without a word. */

const scratch = createScratch()
const datadir = scratch.path('node')
const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
const count = 200
/** The first account of the well-known test mnemonic. */
const account = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)

afterAll(() => scratch.close())

test('200 submitted transactions are pending again after kill -9, and mined', async () => {
  const first = scratch.run(datadir, flags)
  const { rpc, chainId } = await first.ready()
  const raws = await Promise.all(
    Array.from({ length: count }, (_, nonce) =>
      account.signTransaction({
        ...{ type: 'eip1559', chainId, nonce, gas: 21_000n, value: 1n, to: account.address },
        ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
      }),
    ),
  )
  const hashes = await batch<string>(
    rpc,
    raws.map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] })),
  )
  await first.kill('SIGKILL')

  const second = scratch.run(datadir, flags)
  const again = (await second.ready()).rpc
  await until('all are pending', async () => {
    const { pending } = await call<{ pending: string }>(again, 'txpool_status')
    return Number(pending) === count
  })
  expect(await call<unknown[]>(again, 'txpool_tracked')).toHaveLength(count)

  await call(again, 'devnet_mine', [1])
  const receipts = await batch<{ status: string } | null>(
    again,
    hashes.map(hash => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
  )
  expect(receipts.map(receipt => receipt?.status)).toEqual(Array(count).fill('0x1'))
  await until('nothing is followed', async () => {
    const tracked = await call<unknown[]>(again, 'txpool_tracked')
    return tracked.length === 0
  })
  expect(await second.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 25_000)
