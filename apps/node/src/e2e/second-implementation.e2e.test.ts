import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/*
 * Another program that speaks gossipsub: arguments in, one JSON line for each event out. The one of this repository is npm's libp2p without a
 * line of ours, and shows that the test works; GOSSIPSUB_PEER_BIN may name one in another language.
 */

const named = process.env.GOSSIPSUB_PEER_BIN
const plain = fileURLToPath(new URL('../../dist/testkit/gossip-peer.js', import.meta.url))
const senderKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const scratch = createScratch()
afterAll(() => scratch.close())

interface Event {
  readonly event: string
  readonly topic?: string
  readonly id?: string
  readonly data?: string
  readonly frame?: string
}

/** The program under its arguments, with what it said. */
function startPeer(bin: string, args: readonly string[]) {
  const isScript = /\.[cm]?js$/.test(bin)
  const child: ChildProcess = isScript
    ? spawn(process.execPath, [bin, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    : spawn(bin, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  const events: Event[] = []
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.startsWith('{')) events.push(JSON.parse(line) as Event)
    })
  }
  return {
    events,
    heard: (event: string) => events.filter(each => each.event === event),
    publish: (hex: string) => void child.stdin?.write(`${hex}\n`),
  }
}

/** A signed transfer, and the batch of one in which it travels. */
async function signed(nonce: number) {
  const raw = await privateKeyToAccount(senderKey).signTransaction({
    type: 'eip1559',
    ...{ chainId: 1337, nonce, gas: 21_000n, value: 1n, to: `0x${'0b'.repeat(20)}` },
    maxFeePerGas: 3_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  })
  const bytes = Buffer.from(raw.slice(2), 'hex')
  const head = Buffer.from([0x94, 1, 1, 0, 0x91, 0xc4, bytes.length])
  return { raw, frame: Buffer.concat([head, bytes]) }
}

async function exchange(bin: string): Promise<void> {
  const genesis = join(scratch.folder(`network-${Date.now()}`), 'genesis.json')
  const producer = privateKeyToAccount(generatePrivateKey()).address
  const time = Math.floor(Date.now() / 1_000) - 60
  const fields = { 'chain-id': 1337, 'block-time': '1s', time, producers: [producer] }
  writeFileSync(genesis, JSON.stringify(fields))
  const node = scratch.run(scratch.path(`node-${Date.now()}`), [
    ...[...quietFlags, '--genesis', genesis, '--chain.mining', 'manual'],
  ])
  const { rpc, p2p, chainId, forkDigest } = await node.ready()
  const topic = `/rockpool/${chainId}/${forkDigest}/tx/1`
  const peer = startPeer(bin, [
    ...['--dial', p2p[0] ?? '', '--topic', topic, '--publish-hex', '-', '--json'],
    ...['--duration', '90s', '--profile', 'devnet', '--ask-sync'],
  ])
  await until('it is in the mesh', () => peer.heard('subscribed').length > 0)

  const [ours, theirs] = [await signed(0), await signed(1)]
  const hash = await call<string>(rpc, 'eth_sendRawTransaction', [ours.raw])
  await until('it has our transaction', () =>
    peer.heard('message').some(({ data = '' }) => data.includes(ours.raw.slice(2))),
  )
  const message = peer.heard('message')[0]
  const payload = Buffer.from(message?.data ?? '', 'hex')
  const length = Buffer.from([topic.length >> 8, topic.length & 0xff])
  const digest = createHash('sha256')
    .update(Buffer.concat([Buffer.from('rockpool/gossip/1'), length, Buffer.from(topic), payload]))
    .digest('hex')
  expect(message).toMatchObject({ topic, id: digest.slice(0, 40) })

  peer.publish(theirs.frame.toString('hex'))
  await until('we have its transaction', async () => {
    const { pending } = await call<{ pending: string }>(rpc, 'txpool_status')
    return Number(pending) === 2
  })
  expect(hash).toMatch(/^0x[0-9a-f]{64}$/)
  // An answer to its question: prefixes, or busy.
  await until('it was answered on pool sync', () => peer.heard('sync').length > 0)

  await node.kill('SIGTERM')
  await until('it heard goodbye', () => peer.heard('goodbye').length > 0)
  await until('it saw us leave', () => peer.heard('disconnected').length > 0)
}

describe('a second gossipsub implementation exchanges transactions with us both ways', () => {
  test('npm’s libp2p without our code', () => exchange(plain))

  test.skipIf(named === undefined)('the program named by GOSSIPSUB_PEER_BIN', () =>
    exchange(named ?? ''),
  )
})
