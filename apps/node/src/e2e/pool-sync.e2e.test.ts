import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { batch, call, until } from '../testkit/devnet.ts'
import { scrape } from '../testkit/metrics.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

/*
 * Transactions that gossip has carried once are never carried again. A node that comes later can have them only by asking, and so can one
 * whose neighbour has them from there.
 */

const senderKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const small = 40

const scratch = createScratch()
afterAll(() => scratch.close())

interface Content {
  readonly pending: Readonly<Record<string, Readonly<Record<string, { readonly hash: string }>>>>
}

async function pendingOf({ rpc }: Ports): Promise<string[]> {
  const { pending } = await call<Content>(rpc, 'txpool_content')
  const hashes = Object.values(pending).flatMap(byNonce => Object.values(byNonce))
  return hashes.map(({ hash }) => hash).sort()
}

/** Small transfers, then one too large for gossip, of one account. */
function signed(): Promise<string[]> {
  const account = privateKeyToAccount(senderKey)
  return Promise.all(
    Array.from({ length: small + 1 }, (_, nonce) =>
      account.signTransaction({
        type: 'eip1559',
        chainId: 1337,
        nonce,
        gas: nonce < small ? 21_000n : 2_000_000n,
        maxFeePerGas: 3_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
        to: `0x${'0b'.repeat(20)}`,
        value: 1n,
        ...(nonce === small && { data: `0x${'00'.repeat(70_000)}` as const }),
      }),
    ),
  )
}

test('a node that comes later has within 15 s what the others have, by asking', async () => {
  const genesis = join(scratch.folder('network'), 'genesis.json')
  const producer = privateKeyToAccount(generatePrivateKey()).address
  const time = Math.floor(Date.now() / 1_000) - 60
  writeFileSync(
    genesis,
    JSON.stringify({ 'chain-id': 1337, 'block-time': '1s', time, producers: [producer] }),
  )
  const start = (name: string, neighbour?: Ports) =>
    scratch.run(scratch.path(name), [
      ...[...quietFlags, '--genesis', genesis, '--chain.mining', 'manual'],
      ...(neighbour ? ['--p2p.static', neighbour.p2p[0] ?? ''] : []),
    ])
  const n0 = await start('n0').ready()
  const witness = start('n2', n0)
  const n2 = await witness.ready()
  await until(
    'n0 and n2 are connected',
    async () => Number(await call<string>(n0.rpc, 'net_peerCount')) === 1,
  )
  const raws = await signed()
  const hashes = await batch<string>(
    n0.rpc,
    raws.map(raw => ({ method: 'eth_sendRawTransaction', params: [raw] })),
  )
  hashes.sort()
  await until('n2 has heard them', async () => (await pendingOf(n2)).join() === hashes.join())
  await witness.kill('SIGKILL')

  const n1 = await start('n1', n0).ready()
  await until('n1 has them', async () => (await pendingOf(n1)).join() === hashes.join(), 15_000)

  const took = async () => {
    const text = await (await fetch(`${n1.ops}/metrics`)).text()
    return Number(/^rockpool_p2p_sync_txs_total (\d+)$/m.exec(text)?.[1])
  }
  await until('n1 has counted them', async () => (await took()) === raws.length, 5_000)
  const charges = await scrape(n1.ops, 'rockpool_p2p_charges_total', 'reason')
  expect([...charges]).toEqual([])
  expect(await pendingOf(n0)).toEqual(hashes)
})
