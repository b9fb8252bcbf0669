import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpack } from 'msgpackr'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call, checkout, until } from '../testkit/devnet.ts'
import { createPlainPeer } from '../testkit/plain-peer.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

/*
 * The libraries this node is built from are its own dependencies, are loaded by an unmodified run, and do what they are there for: what
 * libp2p carries is read by a peer of another maker, what LevelDB keeps outlives the process.
 */

const loadedByRun = [
  'libp2p',
  '@chainsafe/libp2p-gossipsub',
  '@chainsafe/libp2p-noise',
  '@libp2p/tcp',
  'xstate',
  'msgpackr',
  'classic-level',
] as const

const scratch = createScratch('installed')
const datadir = scratch.path('node')
const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
const senderKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

interface Tree {
  readonly version?: string
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, Tree>>
}

afterAll(() => scratch.close())

test('npm ls finds each library as a dependency of our own', async () => {
  const names = [...loadedByRun, 'vitest']
  const { stdout } = await promisify(execFile)('npm', ['ls', ...names, '--json', '--offline'], {
    cwd: checkout,
    shell: process.platform === 'win32',
  })
  const root = JSON.parse(stdout) as Tree
  const ours = [
    root,
    ...Object.entries(root.dependencies ?? {})
      .filter(([name]) => name === 'rockpool' || name.startsWith('@rockpool/'))
      .map(([, tree]) => tree),
  ]

  for (const name of names) {
    const versions = ours.map(tree => tree.dependencies?.[name]?.version).filter(Boolean)
    expect(versions, name).not.toEqual([])
    expect(new Set(versions).size, `${name} in one version`).toBe(1)
  }
})

test('an unmodified run loads them all, says its state, and speaks to a peer of another maker', async () => {
  const modules = scratch.path('modules')
  const node = scratch.run(datadir, flags, {
    nodeArgs: ['--import', join(checkout, 'apps/node/dist/testkit/module-log.js')],
    env: { MODULE_LOG: modules },
  })
  const ports = await node.ready()

  const urls = readFileSync(modules, 'utf8').split('\n')
  for (const name of loadedByRun)
    expect(urls.filter(url => url.includes(`/node_modules/${name}/`)).length, name).toBeGreaterThan(
      0,
    )

  const readiness = await fetch(`${ports.ops}/readyz`)
  expect(readiness.status).toBe(200)
  expect(await readiness.json()).toMatchObject({ ready: true, state: 'ready' })

  await capturedFrame(ports)

  expect((await node.kill('SIGTERM')).code).toBe(0)
})

/** A transaction handed in by RPC is heard on the topic by a plain gossipsub peer, and its frame is plain MessagePack. */
async function capturedFrame({ rpc, p2p, chainId, forkDigest }: Ports): Promise<void> {
  const topic = `/rockpool/${chainId}/${forkDigest}/tx/1`
  const frames: Uint8Array[] = []
  const peer = await createPlainPeer()
  try {
    peer.listen(topic, bytes => frames.push(bytes))
    await peer.meet(topic, p2p)
    const raw = await privateKeyToAccount(senderKey).signTransaction({
      ...{ type: 'eip1559', chainId, nonce: 0, gas: 21_000n, value: 1n },
      ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
      to: `0x${'0b'.repeat(20)}`,
    })
    await call(rpc, 'eth_sendRawTransaction', [raw])
    await until('the transaction is heard', () => frames.length > 0, 10_000)

    const [version, kind, salt, txs, ...rest] = unpack(frames[0] ?? new Uint8Array()) as unknown[]
    expect([version, kind]).toEqual([1, 1])
    expect(salt).toBeTypeOf('number')
    expect((txs as Uint8Array[]).map(tx => `0x${Buffer.from(tx).toString('hex')}`)).toEqual([raw])
    expect(rest).toEqual([])
  } finally {
    await peer.stop()
  }
}

const headOf = ({ rpc }: Ports) =>
  call<{ number: string; hash: string }>(rpc, 'eth_getBlockByNumber', ['latest', false])

test('the head is there again after SIGTERM, and after kill -9', async () => {
  const first = scratch.run(datadir, flags)
  const mined = await first.ready()
  await call(mined.rpc, 'devnet_mine', ['0x3'])
  const head = await headOf(mined)
  expect(head.number).toBe('0x3')
  expect((await first.kill('SIGTERM')).code).toBe(0)

  const second = scratch.run(datadir, flags)
  const again = await second.ready()
  expect(await headOf(again)).toEqual(head)
  await call(again.rpc, 'devnet_mine', ['0x2'])
  const higher = await headOf(again)
  expect((await second.kill('SIGKILL')).signal).toBe('SIGKILL')

  const third = scratch.run(datadir, flags)
  expect(await headOf(await third.ready())).toEqual(higher)
  expect((await third.kill('SIGTERM')).code).toBe(0)
})
