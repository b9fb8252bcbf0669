import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, checkout, until } from '../testkit/devnet.ts'
import type { FromForger, ToForger } from '../testkit/forger.ts'
import type { Flaw } from '../testkit/forgeries.ts'
import { scrape } from '../testkit/metrics.ts'
import { createScratch } from '../testkit/scratch.ts'
import { type Member, startStaticNetwork } from '../testkit/static-network.ts'

/*
 * Four nodes make no blocks by themselves; a program that shares no code with them holds the key of a fifth producer and sends every node
 * blocks that are wrong in one thing each.
 */

const blockTimeMs = 500
const senderKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const recipient = `0x${'0b'.repeat(20)}` as const
const ether = 10n ** 18n

const refusals: readonly (readonly [flaw: Flaw, verdict: 'reject' | 'ignore', code: string])[] = [
  ['transaction signature with high s', 'reject', 'chain/block-undecodable'],
  ['transaction of another chain', 'reject', 'chain/block-undecodable'],
  ['transaction signed by a stranger', 'ignore', 'chain/invalid-body'],
  ['transaction nonce', 'ignore', 'chain/invalid-body'],
  ['overdraft', 'ignore', 'chain/invalid-body'],
  ['base fee', 'reject', 'chain/invalid-header'],
  ['number', 'reject', 'chain/invalid-header'],
  ['gas limit', 'reject', 'chain/invalid-header'],
  ['too early', 'reject', 'chain/too-early'],
  ['gas used', 'ignore', 'chain/invalid-body'],
  ['transactions root', 'reject', 'chain/bad-body-root'],
  ['receipts root', 'ignore', 'chain/invalid-body'],
  ['state root', 'ignore', 'chain/invalid-body'],
  ['unknown producer', 'reject', 'chain/unknown-producer'],
  ['seal with high s', 'reject', 'chain/bad-signature'],
  // Last, so that the true block comes right after its own header under a false seal.
  ['seal of a stranger', 'reject', 'chain/bad-signature'],
]

const scratch = createScratch()
const modules = scratch.path('forger.modules')
let nodes: readonly Member[] = []
let forger: ChildProcess | undefined

interface RpcBlock {
  readonly hash: `0x${string}`
  readonly number: string
  readonly stateRoot: `0x${string}`
  readonly gasLimit: string
  readonly gasUsed: string
  readonly baseFeePerGas: string
  readonly timestamp: string
  readonly transactions: readonly string[]
}

const onAll = <T>(ask: (member: Member) => Promise<T>): Promise<T[]> => Promise.all(nodes.map(ask))
const headOf = ({ ports }: Member) =>
  call<RpcBlock>(ports.rpc, 'eth_getBlockByNumber', ['latest', false])
const verdictsOf = async ({ ports }: Member, label: 'code' | 'verdict') => {
  const name = 'rockpool_p2p_gossip_verdicts_total'
  return scrape(ports.ops, name, label)
}
const balancesOn = ({ ports }: Member) =>
  Promise.all(
    [privateKeyToAccount(senderKey).address, recipient].map(async address =>
      BigInt(await call<string>(ports.rpc, 'eth_getBalance', [address, 'latest'])),
    ),
  )

function tell(message: ToForger): void {
  forger?.send(message)
}

/** Has a block forged and sent; resolves to what the forger says of it. */
function send(flaw: Flaw): Promise<FromForger> {
  return new Promise(resolve => {
    forger?.once('message', message => resolve(message as FromForger))
    tell({ send: flaw })
  })
}

beforeAll(async () => {
  const producerKey = generatePrivateKey()
  const producerKeys = Array.from({ length: 4 }, generatePrivateKey)
  const [first, ...rest] = producerKeys.map(key => privateKeyToAccount(key).address)
  nodes = await startStaticNetwork(scratch, {
    genesis: {
      'chain-id': 1337,
      'block-time': `${blockTimeMs}ms`,
      time: Math.floor(Date.now() / 1_000) - 60,
      // The second of the list is in turn at height 1.
      producers: [first, privateKeyToAccount(producerKey).address, ...rest],
    },
    producerKeys,
    flags: ['--chain.mining', 'manual', '--devnet.control'],
  })
  const [member] = nodes
  if (member === undefined) throw new Error('no node')
  const { chainId, forkDigest } = member.ports
  const genesis = await headOf(member)
  const [senderBalance = 0n] = await balancesOn(member)
  forger = fork(join(checkout, 'apps/node/dist/testkit/forger.js'), {
    serialization: 'advanced',
    execArgv: ['--import', join(checkout, 'apps/node/dist/testkit/module-log.js')],
    env: { ...process.env, MODULE_LOG: modules },
  })
  tell({
    setup: {
      topic: `/rockpool/${chainId}/${forkDigest}/block/1`,
      addresses: nodes.map(({ ports }) => ports.p2p[0] ?? ''),
      ground: {
        ...{ chainId, blockTimeMs, producerKey, senderKey, senderBalance, recipient },
        parent: {
          hash: genesis.hash,
          number: 0,
          stateRoot: genesis.stateRoot,
          gasLimit: Number(genesis.gasLimit),
          gasUsed: Number(genesis.gasUsed),
          baseFee: BigInt(genesis.baseFeePerGas),
          timeMs: Number(genesis.timestamp) * 1_000,
        },
      },
    },
  })
})

afterAll(async () => {
  forger?.kill('SIGKILL')
  await scratch.close()
})

test('every forged block is refused by all four nodes for what is wrong with it, and changes nothing', async () => {
  const heads = await onAll(headOf)
  const balances = await onAll(balancesOn)
  const expected = new Map<string, number>()

  for (const [flaw, , code] of refusals) {
    const sent = await send(flaw)
    expect(sent, flaw).toMatchObject({ flaw, recipients: 4 })
    expected.set(code, (expected.get(code) ?? 0) + 1)
    let seen: ReadonlyMap<string, number>[] = []
    await until(`verdict ${code} on "${flaw}" by all four`, async () => {
      seen = await onAll(member => verdictsOf(member, 'code'))
      return seen.every(codes => codes.get(code) === expected.get(code))
    }).catch((error: Error) => {
      throw new Error(`${error.message}; seen ${JSON.stringify(seen.map(codes => [...codes]))}`)
    })
    expect(seen, flaw).toEqual(nodes.map(() => expected))
  }

  const ofVerdict = (wanted: string) => refusals.filter(([, verdict]) => verdict === wanted).length
  const wanted = new Map([
    ['reject', ofVerdict('reject')],
    ['ignore', ofVerdict('ignore')],
  ])
  expect(await onAll(member => verdictsOf(member, 'verdict'))).toEqual(nodes.map(() => wanted))
  expect(await onAll(headOf)).toEqual(heads)
  expect(await onAll(balancesOn)).toEqual(balances)
})

test('the true twin, whose header came before under a false seal, becomes the head of all four', async () => {
  const before = await onAll(balancesOn)

  const { hash } = await send('nothing')

  await until('the twin is the head of all four', async () =>
    (await onAll(headOf)).every(head => head.hash === hash),
  )
  const [head] = await onAll(headOf)
  expect(head).toMatchObject({ number: '0x1', gasUsed: '0x5208' })
  const receipt = await call<{ status: string; effectiveGasPrice: string }>(
    nodes[0]?.ports.rpc ?? '',
    'eth_getTransactionReceipt',
    [head?.transactions[0]],
  )
  expect(receipt.status).toBe('0x1')
  const cost = ether + 21_000n * BigInt(receipt.effectiveGasPrice)
  expect(await onAll(balancesOn)).toEqual(
    before.map(([sender = 0n, other = 0n]) => [sender - cost, other + ether]),
  )
  await until('each node has relayed or taken it as a block of its own', async () =>
    (await onAll(member => verdictsOf(member, 'code'))).every(
      codes => codes.get('chain/imported') === 1,
    ),
  )
})

test('the chain goes on from the twin: the next block of a node is the head of all', async () => {
  const [mined] = await call<string[]>(nodes[0]?.ports.rpc ?? '', 'devnet_mine', ['0x1'])

  await until('one head at height 2', async () =>
    (await onAll(headOf)).every(head => head.hash === mined && head.number === '0x2'),
  )
})

test('the forger has loaded nothing of the node', () => {
  const own = readFileSync(modules, 'utf8')
    .split('\n')
    .filter(url => url !== '' && !url.includes('/node_modules/') && !url.startsWith('node:'))

  expect(own.map(url => url.slice(url.lastIndexOf('/dist/'))).sort()).toEqual([
    '/dist/testkit/foreign-block.js',
    '/dist/testkit/forger.js',
    '/dist/testkit/forgeries.js',
    '/dist/testkit/plain-peer.js',
    '/dist/testkit/with-resolvers.js',
  ])
})
