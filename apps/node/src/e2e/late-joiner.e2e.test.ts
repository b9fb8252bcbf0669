import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOfKey } from '@rockpool/adapters/crypto'
import { devGenesis, genesisToPlain } from '@rockpool/chain'
import { fromHex } from '@rockpool/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'
import { type Member, startStaticNetwork } from '../testkit/static-network.ts'

/* A node with an empty directory joins a network that has been running, over real processes, sockets and disks. */

const scratch = createScratch()
const producerKey = `0x${'11'.repeat(32)}` as const
const directorKey = `0x${'22'.repeat(32)}` as const
const height = 512
let old: Member
let late: Ports

interface BlockJson {
  readonly number: string
  readonly hash: string
  readonly stateRoot: string
}

const head = (rpc: string) => call<BlockJson>(rpc, 'eth_getBlockByNumber', ['latest', false])
const cli = async (datadir: string, args: readonly string[]) => {
  const ended = await scratch.rockpool(['chain', ...args, '--datadir', datadir, '--json'])
  if (ended.code !== 0) throw new Error(ended.stderr)
  return JSON.parse(ended.stdout)
}

beforeAll(async () => {
  const genesis = devGenesis({
    producers: [addressOfKey(fromHex(producerKey))],
    director: addressOfKey(fromHex(directorKey)),
    blockTimeMs: 1_000,
    timeSeconds: 1_700_000_000,
  })
  mkdirSync(join(scratch.path('n0'), 'keys'), { recursive: true, mode: 0o700 })
  writeFileSync(join(scratch.path('n0'), 'keys', 'director.key'), directorKey.slice(2), {
    mode: 0o600,
  })
  const [member] = await startStaticNetwork(scratch, {
    genesis: genesisToPlain(genesis),
    producerKeys: [producerKey],
    flags: ['--devnet.control', 'true', '--chain.mining', 'manual'],
  })
  if (member === undefined) throw new Error('no node')
  old = member
  const accounts = await call<string[]>(old.ports.rpc, 'eth_accounts')
  const [from, to] = accounts
  for (let index = 0; index < 20; index++) {
    await call(old.ports.rpc, 'eth_sendTransaction', [{ from, to, value: '0x1' }])
  }
  // In portions that a loaded machine makes within the deadline of a call.
  for (let mined = 0; mined < height; mined += 64) await call(old.ports.rpc, 'devnet_mine', [64])
}, 60_000)

afterAll(() => scratch.close())

test('reaches the head and the state root of a network that does not speak', async () => {
  const datadir = scratch.path('late')
  const process = scratch.run(datadir, [
    ...quietFlags,
    ...['--genesis', scratch.path('network/genesis.json')],
    ...['--p2p.static', old.ports.p2p[0] ?? ''],
  ])
  late = await process.ready()
  const target = await head(old.ports.rpc)
  expect(Number(target.number)).toBe(height)

  await until('the late one is there', async () => (await head(late.rpc)).hash === target.hash)

  expect(await head(late.rpc)).toMatchObject({ stateRoot: target.stateRoot })
  expect(await call(late.rpc, 'eth_syncing')).toBe(false)
  expect(await cli(datadir, ['head'])).toMatchObject({
    state: 'following',
    head: { number: height, hash: target.hash },
  })
  const ready = await fetch(`${late.ops}/readyz`)
  expect(ready.status).toBe(200)
})

test('follows a reorg that the director forces, and shows it', async () => {
  const { removed, added, ancestor } = await call<{
    removed: string[]
    added: string[]
    ancestor: { number: string }
  }>(old.ports.rpc, 'devnet_reorg', [3, { keepTxs: 0 }])

  expect(removed).toHaveLength(3)
  expect(Number(ancestor.number)).toBe(height - 3)
  await until('the late one has followed', async () => (await head(late.rpc)).hash === added.at(-1))
  const { reorgs } = await cli(scratch.path('late'), ['reorgs'])
  expect(reorgs[0]).toMatchObject({ removed, ancestor: { number: height - 3 } })
  expect(await cli(scratch.path('late'), ['block', `${removed[0]}`])).toMatchObject({
    number: height,
    canonical: false,
  })
})
