import { mnemonicToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { batch, call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'
import { signToItself } from '../testkit/transfers.ts'

/* A large pool comes back after kill -9 as quickly as its signatures can be checked, on the threads a node has by default. */

const scratch = createScratch()
const datadir = scratch.path('node')
const perAccount = 500
const accounts = Array.from({ length: 20 }, (_, addressIndex) =>
  mnemonicToAccount('test test test test test test test test test test test junk', {
    addressIndex,
  }),
)
const count = perAccount * accounts.length
/** A bound for what hangs, not a measure: the machine may be shared. */
const withinMs = 30_000
const threads = quietFlags.slice(0, quietFlags.indexOf('--crypto.workers'))
const flags = [
  ...[...threads, '--chain.mining', 'manual', '--txpool.globalslots', '20000'],
  ...['--txpool.accountslots', String(perAccount)],
]

afterAll(() => scratch.close())

test(`${count} journalled transactions are pending again after kill -9`, async () => {
  const first = scratch.run(datadir, flags)
  const { rpc, chainId } = await first.ready()
  for (const account of accounts) {
    const raws = await signToItself(account, chainId, perAccount)
    await batch<string>(
      rpc,
      raws.map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] })),
    )
  }
  await first.kill('SIGKILL')

  const second = scratch.run(datadir, flags)
  const again = (await second.ready()).rpc
  await until('all are pending', async () => {
    const { pending } = await call<{ pending: string }>(again, 'txpool_status')
    return Number(pending) === count
  })
  await until('it says so', () => second.output().includes('pool/journal-loaded'))
  const line = second
    .output()
    .split('\n')
    .find(each => each.includes('pool/journal-loaded'))
  console.log(line)
  expect(Number(/\bms\W+(\d+)/.exec(line ?? '')?.[1])).toBeLessThanOrEqual(withinMs)
  expect(await second.kill('SIGTERM')).toMatchObject({ code: 0 })
}, 180_000)
