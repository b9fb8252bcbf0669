import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../testkit/devnet.ts'
import { createPlainPeer, type PlainPeer } from '../testkit/plain-peer.ts'
import { createScratch, type NodeProcess, type Ports, quietFlags } from '../testkit/scratch.ts'

/*
 * A libp2p program that shares no code with the node sends it transactions that are wrong for everyone; another one behaves. Each test goes
 * on where the one before ended.
 */

const senderKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const banSeconds = 20

const scratch = createScratch()
const datadir = scratch.path('n0')
let node: NodeProcess
let ports: Ports
let evil: PlainPeer
let honest: PlainPeer
let flags: readonly string[] = []

interface Why {
  readonly state: string
  readonly reason: string
  readonly why: string
  readonly until?: number
  readonly story: readonly {
    readonly event: string
    readonly fields: { readonly detail?: string }
  }[]
  readonly score: {
    readonly total: number
    readonly debit: number
    readonly credit: number
    readonly gossip: number
  }
}

const topic = () => `/rockpool/${ports.chainId}/${ports.forkDigest}/tx/1`
const address = () => ports.p2p[0] ?? ''
const rockpool = (...words: readonly string[]) =>
  scratch.rockpool(['peers', ...words, '--datadir', datadir])

async function answer<T>(...words: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await rockpool(...words, '--json')
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

const whyOf = ({ id }: PlainPeer) => answer<Why>('why', id)

/** A batch of one transaction, as the wire has it. */
async function frameOf(chainId: number, nonce: number): Promise<Uint8Array> {
  const raw = await privateKeyToAccount(senderKey).signTransaction({
    type: 'eip1559',
    ...{ chainId, nonce, gas: 21_000n, value: 1n, to: `0x${'0b'.repeat(20)}` },
    maxFeePerGas: 3_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  })
  const bytes = Buffer.from(raw.slice(2), 'hex')
  return Buffer.concat([Buffer.from([0x94, 1, 1, 0, 0x91, 0xc4, bytes.length]), bytes])
}

async function start(): Promise<void> {
  node = scratch.run(datadir, flags)
  ports = await node.ready()
}

beforeAll(async () => {
  const genesis = join(scratch.folder('network'), 'genesis.json')
  const producer = privateKeyToAccount(generatePrivateKey()).address
  const time = Math.floor(Date.now() / 1_000) - 60
  writeFileSync(
    genesis,
    JSON.stringify({ 'chain-id': 1337, 'block-time': '1s', time, producers: [producer] }),
  )
  flags = [
    ...[...quietFlags, '--genesis', genesis, '--chain.mining', 'manual'],
    ...['--p2p.ban.duration', `${banSeconds}s`],
  ]
  await start()
  evil = await createPlainPeer()
  honest = await createPlainPeer()
  await Promise.all([evil, honest].map(peer => peer.meet(topic(), [address()])))
})

afterAll(async () => {
  await Promise.all([evil, honest].map(peer => peer.stop()))
  await scratch.close()
})

test('three invalid transactions: out within two seconds of the third, with goodbye 251', async () => {
  await honest.publish(topic(), await frameOf(1_337, 0))
  for (const nonce of [0, 1, 2]) await evil.publish(topic(), await frameOf(1, nonce))
  const third = performance.now()

  await until('the evil peer is out', () => evil.connections() === 0)

  expect(performance.now() - third).toBeLessThan(2_000)
  const [bye, ...others] = evil.byes.map(bytes => Buffer.from(bytes).subarray(4))
  expect(others).toEqual([])
  // Version 1, code 251, seconds to wait, the reason.
  expect(bye?.subarray(0, 4).toString('hex')).toBe('9401ccfb')
  expect(bye?.at(4)).toBeLessThanOrEqual(banSeconds)
  expect(bye?.toString('latin1')).toContain('gossip/invalid-tx')
})

test('peers why explains it, and the sum adds up', async () => {
  const why = await whyOf(evil)

  expect(why).toMatchObject({ state: 'banned', reason: 'gossip/invalid-tx' })
  expect(why.why).toContain('3 x gossip/invalid-tx')
  expect(why.story.map(({ event }) => event)).toEqual(['charged', 'charged', 'charged', 'banned'])
  expect(why.story[0]?.fields.detail).toBe('pool/wrong-chain')
  const { total, debit, credit, gossip } = why.score
  expect(debit + credit + gossip).toBe(total)
  expect(debit).toBeLessThan(-119)

  const { stdout } = await rockpool('why', evil.id.slice(-8))
  expect(stdout).toContain('Banned until')
  expect(stdout).toContain('rockpool peers unban')
})

test('the honest peer is untouched', async () => {
  expect(honest.connections()).toBe(1)
  expect(honest.byes).toEqual([])
  expect(await whyOf(honest)).toMatchObject({ state: 'good', story: [] })
  expect((await rockpool('ls')).stdout).toContain(honest.id)
})

test('the ban survives a restart, and ends at its end', async () => {
  const before = await whyOf(evil)
  await node.kill('SIGTERM')
  await start()

  expect(await evil.knock(address())).toBe(false)
  expect(await honest.knock(address())).toBe(true)
  expect((await whyOf(evil)).until).toBe(before.until)

  const leftMs = (before.until ?? 0) - Date.now()
  await new Promise(resolve => setTimeout(resolve, Math.max(0, leftMs) + 100))

  expect(await evil.knock(address())).toBe(true)
  const after = await whyOf(evil)
  expect(after).toMatchObject({ state: 'good', score: { credit: 0 } })
  expect(after.score.debit).toBeCloseTo(-50, 0)
})

test('an operator bans by the end of an id and lets in again', async () => {
  const short = evil.id.slice(-8)
  expect((await rockpool('ban', short, '--for', '1h', '--reason', 'noise')).code).toBe(0)
  await until('the evil peer is out', () => evil.connections() === 0)
  expect(await evil.knock(address())).toBe(false)
  expect((await rockpool('ls', '--all')).stdout).toContain('operator')

  expect((await rockpool('unban', short)).code).toBe(0)
  expect(await evil.knock(address())).toBe(true)
})

test('other rules are tried on what was recorded, and a peer is shown in numbers', async () => {
  const strict = await rockpool('try', '--ban.threshold', '-200', '--since', '1h')
  expect(strict.stdout).toContain('charges since')
  expect(strict.stdout).toMatch(new RegExp(`${evil.id}\\s+-1\\d\\d\\.\\d\\s+-\\s+\\d{4}-`))

  const shown = JSON.parse((await rockpool('show', honest.id.slice(-8))).stdout)
  expect(shown).toMatchObject({
    peerID: honest.id,
    connectedness: 1,
    quarantined: false,
    ban: null,
  })
  expect(JSON.parse((await rockpool('gossip')).stdout)).toMatchObject({
    banBudgetLeft: expect.any(Number),
    guard: expect.any(String),
  })
})

test('the book is copied, and taken in again once its ban was lifted', async () => {
  expect((await rockpool('ban', '203.0.113.9', '--for', '1h')).code).toBe(0)
  const book = join(scratch.folder('book'), 'book.json')
  writeFileSync(book, (await rockpool('export')).stdout)
  expect((await rockpool('import', book)).stdout).toContain('0 taken in, 1 left out')
  expect((await rockpool('unban', '203.0.113.9')).code).toBe(0)
  expect((await rockpool('import', book)).stdout).toContain('1 taken in, 0 left out')
  expect((await rockpool('bans')).stdout).toContain('203.0.113.9')
})

test('a peer is dialled, made static and no longer, and sent away without a ban', async () => {
  const elsewhere = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
  expect((await rockpool('connect', elsewhere)).stderr).toContain('p2p/dial-failed')
  expect((await rockpool('connect', 'somewhere')).stderr).toContain('p2p/bad-multiaddr')
  expect((await rockpool('add', elsewhere)).code).toBe(0)
  const static1 = await rockpool('ban', '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5')
  expect(static1.stderr).toContain('p2p/peer-is-static')
  expect((await rockpool('remove', elsewhere)).code).toBe(0)

  expect((await rockpool('disconnect', honest.id.slice(-8))).code).toBe(0)
  await until('the honest peer is away', () => honest.connections() === 0)
  expect(await honest.knock(address())).toBe(true)
})

test.each([
  [['unban', '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'], 1, 'p2p/not-banned: '],
  [['ban', 'nobody'], 1, 'p2p/bad-subject: nobody'],
  [['ban', '203.0.113.7', '--for', '0'], 1, 'p2p/until-in-past: '],
  [['ban', '203.0.113.7', '--for', 'soon'], 2, '--for: expected a duration'],
  [['ban'], 2, 'peers ban wants a subject'],
  [['why'], 2, 'peers why wants an id'],
  [['dance'], 2, 'rockpool peers ls'],
])('peers %j is answered with exit %d and %s', async (words, code, text) => {
  const ended = await rockpool(...words)

  expect(ended.stderr).toContain(text)
  expect(ended.code).toBe(code)
})

test('this node itself cannot be banned', async () => {
  expect((await rockpool('ban', ports.peerId)).stderr).toContain('p2p/peer-is-self')
})
