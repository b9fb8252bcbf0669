import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { batch, call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'
import { signToItself } from '../testkit/transfers.ts'

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
  const raws = await signToItself(account, chainId, count)
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

test('after kill -9 the whole pool is what it was, what nobody submitted here too', async () => {
  const [left, right] = [scratch.path('left'), scratch.path('right')]
  const genesis = join(scratch.folder('network'), 'genesis.json')
  const producer = privateKeyToAccount(generatePrivateKey()).address
  const time = Math.floor(Date.now() / 1_000) - 60
  const network = { 'chain-id': 1337, 'block-time': '1s', time, producers: [producer] }
  writeFileSync(genesis, JSON.stringify(network))
  const shared = [...quietFlags, '--genesis', genesis, '--chain.mining', 'manual']
  const one = scratch.run(left, shared)
  const { rpc, chainId, p2p } = await one.ready()
  const two = scratch.run(right, [...shared, '--p2p.static', p2p[0] ?? ''])
  const other = await two.ready()
  const nonces = [0, 1, 2, 5, 6, 9]
  const raws = await Promise.all(
    nonces.map(nonce =>
      account.signTransaction({
        ...{ type: 'eip1559', chainId, nonce, gas: 21_000n, value: 2n, to: account.address },
        ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
      }),
    ),
  )
  await until(
    'they are connected',
    async () => Number(await call<string>(rpc, 'net_peerCount')) === 1,
  )
  await batch<string>(
    other.rpc,
    raws.map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] })),
  )
  const content = (url: string) => call(url, 'txpool_content')
  await until('the executable ones have spread', async () => {
    const { pending } = await call<{ pending: string }>(rpc, 'txpool_status')
    return Number(pending) === 3
  })
  await two.kill('SIGKILL')
  const before = await content(rpc)
  expect(await call<unknown[]>(rpc, 'txpool_tracked')).toEqual([])
  await one.kill('SIGKILL')

  const again = scratch.run(left, shared)
  const third = (await again.ready()).rpc
  await until('the pool is loaded', async () => {
    const { pending } = await call<{ pending: string }>(third, 'txpool_status')
    return Number(pending) === 3
  })
  expect(await content(third)).toEqual(before)
  expect(await again.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 60_000)
