import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, checkout, type Network, until } from '../testkit/devnet.ts'
import { devnetVerbs, runProgram } from '../testkit/devnet-verb.ts'

/* What an operator can do to a running devnet from another terminal. */

const name = 'e2e-verbs'
const folder = join(checkout, '.devnet', name)

const devnet = devnetVerbs(name)

const network = (): Network =>
  JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8')) as Network

const rpcOf = (node: string): string =>
  network().nodes.find(each => each.name === node)?.rpc ?? 'no such node'

const peersOf = async (node: string): Promise<number> =>
  Number(await call(rpcOf(node), 'net_peerCount'))

const headOf = (node: string) =>
  call<{ hash: string; number: string }>(rpcOf(node), 'eth_getBlockByNumber', ['latest', false])

beforeAll(async () => {
  const up = await devnet('up', '--detach', '--nodes', '3', '--block', '500ms')
  expect(up).toMatchObject({ code: 0, said: expect.stringContaining('npm run devnet -- down') })
})

afterAll(async () => {
  await devnet('down', '--wipe')
})

test('the genesis names a director, and n0 alone has its key, readable by its owner only', () => {
  const { director } = JSON.parse(readFileSync(join(folder, 'genesis.json'), 'utf8')) as {
    director: string
  }
  const file = join(folder, 'n0/keys/director.key')

  expect(privateKeyToAddress(`0x${readFileSync(file, 'utf8')}`).toLowerCase()).toBe(director)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(existsSync(join(folder, 'n1/keys/director.key'))).toBe(false)
})

test('a killed node comes back with its data, its ports and its peers, and network.json knows its pid', async () => {
  const before = network()
  expect(await devnet('kill', 'n2')).toEqual({ code: 0, said: 'n2 killed\n' })
  expect((await devnet('status')).said).toMatch(/n0 #\d+ 1 peers .* n2 killed/)

  const { code, said } = await devnet('restart', 'n2')

  const after = network()
  expect({ code, said }).toEqual({
    ...{ code: 0, said: `n2 restarted (pid ${after.nodes[2]?.pid})\n` },
  })
  expect(after.nodes[2]?.pid).not.toBe(before.nodes[2]?.pid)
  expect({ ...after.nodes[2], pid: 0 }).toEqual({ ...before.nodes[2], pid: 0 })
  expect(after.nodes.slice(0, 2)).toEqual(before.nodes.slice(0, 2))
  await until('n2 has its peers', async () => (await peersOf('n2')) === 2, 15_000)
})

test('a paused node is shown as paused, answers nothing, and goes on where it was', async () => {
  await devnet('pause', 'n1')
  expect((await devnet('status')).said).toContain('n1 paused')
  await expect(
    fetch(rpcOf('n1'), { method: 'POST', body: '{}', signal: AbortSignal.timeout(500) }),
  ).rejects.toThrow()

  expect(await devnet('resume', 'n1')).toEqual({ code: 0, said: 'n1 resumed\n' })

  expect(await call(rpcOf('n1'), 'eth_chainId')).toBe('0x539')
})

test('a partition ends the connections between its parts, and healed they have one head again', async () => {
  const parted = await devnet('partition', 'n0,n1|n2')
  expect(parted).toEqual({ code: 0, said: 'parted: n0,n1 | n2\n' })
  await until('n2 is alone', async () => (await peersOf('n2')) === 0, 10_000)
  expect(await peersOf('n0')).toBe(1)

  expect(await devnet('heal')).toEqual({ code: 0, said: 'healed: n0,n1,n2\n' })

  await until('n2 has its peers', async () => (await peersOf('n2')) === 2, 15_000)
  await until(
    'all have one head',
    async () => {
      const heads = await Promise.all(['n0', 'n1', 'n2'].map(headOf))
      return new Set(heads.map(({ hash }) => hash)).size === 1
    },
    15_000,
  )
})

test('a link is faulted both ways, listed by its node, and whole again without options', async () => {
  const peerId = network().nodes[1]?.peerId
  await devnet('link', 'n0', 'n1', '--latency', '50ms')

  expect(await call(rpcOf('n0'), 'devnet_links')).toEqual([{ to: peerId, latencyMs: 50 }])
  expect(await call(rpcOf('n1'), 'devnet_links')).toHaveLength(1)
  expect((await devnet('link', 'n0', 'n1')).said).toBe('n0 -> n1: whole\nn1 -> n0: whole\n')
  expect(await call(rpcOf('n0'), 'devnet_links')).toEqual([])
})

test('ether is sent, and logs of all nodes are merged', async () => {
  const to = '0x00000000000000000000000000000000000000aa'

  const [fund, logs] = await Promise.all([devnet('fund', to, '2.5'), devnet('logs')])

  expect(fund.said).toMatch(/^2\.5 ether to 0x0+aa in block \d+\n$/)
  expect(BigInt(await call(rpcOf('n0'), 'eth_getBalance', [to, 'latest']))).toBe(25n * 10n ** 17n)
  for (const node of ['n0', 'n1', 'n2']) expect(logs.said).toContain(`${node} {"level"`)
})

test('the node itself is found by its name', async () => {
  const { code, said } = await runProgram([
    ...['apps/node/bin/rockpool.mjs', 'status', '--node', 'n1', '--devnet', name, '--json'],
  ])

  expect(code).toBe(0)
  expect(JSON.parse(said)).toMatchObject({ pid: network().nodes[1]?.pid, ready: true })
})

test('what cannot be done is refused with its reason and exit code', async () => {
  const [stopped, unknown, none] = await Promise.all([
    devnet('stop', 'n2').then(() => devnet('pause', 'n2')),
    devnet('kill', 'n9'),
    devnet('fly'),
  ])

  expect(stopped).toEqual({ code: 1, said: 'n2 is not running (stopped); restart it first\n' })
  expect(unknown).toMatchObject({ code: 2, said: expect.stringContaining('there are n0, n1, n2') })
  expect(none).toMatchObject({ code: 2, said: expect.stringContaining('unknown verb "fly"') })
})
