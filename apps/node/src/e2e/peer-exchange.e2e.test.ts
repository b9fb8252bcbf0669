import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

const scratch = createScratch()
afterAll(() => scratch.close())

const peersOf = async ({ rpc }: Ports): Promise<number> =>
  Number(await call<string>(rpc, 'net_peerCount'))

test('a newcomer that knows one bootnode finds everybody, and stays in the network without it', async () => {
  const genesis = join(scratch.folder('network'), 'genesis.json')
  const producer = privateKeyToAccount(generatePrivateKey()).address
  const time = Math.floor(Date.now() / 1_000) - 60
  writeFileSync(
    genesis,
    JSON.stringify({ 'chain-id': 1337, 'block-time': '1s', time, producers: [producer] }),
  )
  const start = (name: string, bootnode?: string) =>
    scratch.run(scratch.path(name), [
      ...[...quietFlags, '--genesis', genesis, '--chain.mining', 'manual'],
      ...(bootnode === undefined ? ['--p2p.bootnode', 'true'] : ['--p2p.bootnodes', bootnode]),
    ])
  const boot = start('boot')
  const first = await boot.ready()
  const others = await Promise.all(
    ['n1', 'n2', 'n3'].map(name => start(name, first.p2p[0]).ready()),
  )
  await until('all know the bootnode', async () => (await peersOf(first)) === 3)

  const newcomer = await start('newcomer', first.p2p[0]).ready()

  const all = [first, ...others, newcomer]
  await until('everybody has found everybody', async () =>
    (await Promise.all(all.map(peersOf))).every(count => count === 4),
  )
  await boot.kill('SIGTERM')
  const left = [...others, newcomer]
  await until('the others are still together', async () =>
    (await Promise.all(left.map(peersOf))).every(count => count === 3),
  )
  expect(await peersOf(newcomer)).toBe(3)
})
