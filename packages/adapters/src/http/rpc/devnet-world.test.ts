import type { Bus } from '@rockpool/actor'
import {
  type Address,
  type ChainMessage,
  emptyCodeHash,
  failed,
  type Hash,
  ok,
  type PoolMessage,
} from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { decodeParams, type Method } from '../method.ts'
import { createBackend, type RpcParts } from '../parts.ts'
import { aliceAddress, bobAddress, gwei, headerOf } from '../test-node.ts'
import { balanceMethods } from './devnet-balance.ts'
import { clockMethods } from './devnet-clock.ts'
import { snapshotMethods } from './devnet-snapshots.ts'

const stranger = `0x${'5e'.repeat(20)}` as Address
const ether = 10n ** 18n

/** A chain that moves money and time, and what was asked of it, in order. */
function aWorld({ refusal }: { refusal?: string } = {}) {
  const balances = new Map<Address, bigint>([
    [aliceAddress, 10n * ether],
    [bobAddress, 5n * ether],
  ])
  const done: string[] = []
  let sent: { hash: Hash; apply: () => void }[] = []
  const mined = new Set<Hash>()
  let height = 7
  let gone = false
  let aheadMs = 0
  const answers: Record<string, (message: never) => unknown> = {
    'chain.getStatus': () => ({ head: headerOf(height) }),
    'chain.getBlock': () => ok({ canonical: !gone }),
    'chain.getAccounts': ({ addresses }: { addresses: readonly Address[] }) =>
      ok({
        at: headerOf(height),
        accounts: addresses.map(each => ({
          ...{ nonce: 0n, balance: balances.get(each) ?? 0n },
          ...{ codeHash: emptyCodeHash, delegation: null },
        })),
      }),
    'chain.getTransaction': ({ hash }: { hash: Hash }) => ok(mined.has(hash) ? {} : null),
    'chain.jump': ({ ms }: { ms: number }) => {
      aheadMs += ms
      return ok({ nowMs: aheadMs, speed: 1, aheadMs })
    },
    'chain.setSpeed': ({ speed }: { speed: number }) =>
      speed > 1_000 ? failed('devnet/clock') : ok({ nowMs: 0, speed, aheadMs }),
    'pool.forget': ({ ancestor }: { ancestor: Hash | null }) => {
      done.push(`forget ${ancestor === headerOf(7).hash ? 'above 7' : ancestor}`)
      return null
    },
  }
  const bus = {
    ask: async (_ref: unknown, make: (reply: never) => ChainMessage | PoolMessage) => {
      const message = make({} as never)
      return { ok: true, value: answers[message.type]?.(message as never) }
    },
  } as unknown as Bus
  const backend = createBackend({
    bus,
    refs: {},
    signer: { accounts: () => [aliceAddress, bobAddress] },
    others: async (method: string, params: readonly unknown[]) => {
      done.push(`others ${method} ${params[0] === null ? null : typeof params[0]}`)
    },
  } as unknown as RpcParts)
  const methods: Method[] = [
    ...clockMethods(backend),
    ...snapshotMethods({
      backend,
      reorg: async depth => {
        if (refusal !== undefined) throw new Error(refusal)
        done.push(`reorg ${depth}`)
        height += 2
      },
    }),
    ...balanceMethods({
      backend,
      async send({ from, to, value, gasPrice }) {
        const hash = headerOf(1_000 + sent.length + mined.size).hash
        const [giver, taker] = [from as Address, to as Address]
        const fee = 21_000n * BigInt(gasPrice ?? 0)
        sent.push({
          hash,
          apply() {
            balances.set(giver, (balances.get(giver) ?? 0n) - BigInt(value ?? 0) - fee)
            balances.set(taker, (balances.get(taker) ?? 0n) + BigInt(value ?? 0))
            mined.add(hash)
          },
        })
        return hash
      },
      async mine() {
        for (const { apply } of sent) apply()
        sent = []
        height += 1
      },
    }),
  ]
  const call = async (name: string, ...params: readonly unknown[]): Promise<unknown> => {
    const found = methods.find(each => each.name === name)
    if (found === undefined) throw new Error(`no ${name}`)
    decodeParams(found.params, params)
    return found.run(params, {})
  }
  return {
    ...{ call, balances, done },
    grow: (blocks: number) => {
      height += blocks
    },
    leave: () => {
      gone = true
    },
  }
}

test('a balance is raised and lowered to the wei by transfers that are mined before the answer', async () => {
  const { call, balances } = aWorld()

  for (const [of, goal] of [
    [stranger, 3n * ether],
    [bobAddress, 1n],
    [aliceAddress, 2n * ether],
    [bobAddress, 9n * ether],
  ] as const) {
    expect(await call('anvil_setBalance', of, `0x${goal.toString(16)}`)).toBeNull()
    expect(balances.get(of)).toBe(goal)
  }
})

test('a balance that one account cannot pay comes from several', async () => {
  const { call, balances } = aWorld()
  await call('anvil_setBalance', stranger, `0x${(14n * ether).toString(16)}`)

  expect(balances.get(stranger)).toBe(14n * ether)
})

test('a balance that no transfer can reach is refused with the reason, and nothing is sent', async () => {
  const { call, balances } = aWorld()
  balances.set(stranger, ether)
  const before = [...balances]

  for (const [of, goal, why] of [
    [stranger, 0n, `only its owner can lower the balance of ${stranger}`],
    [stranger, 100n * ether, 'the accounts of this devnet have only'],
    [aliceAddress, 10n * ether - gwei, 'the difference is smaller than the fee'],
  ] as const)
    await expect(call('anvil_setBalance', of, `0x${goal.toString(16)}`)).rejects.toMatchObject({
      message: expect.stringContaining(why),
      data: { reason: 'devnet/balance' },
    })

  expect([...balances]).toEqual(before)
})

test('a snapshot is reverted to by a reorganisation of which every node knows before', async () => {
  const { call, done, grow } = aWorld()
  const id = await call('evm_snapshot')
  grow(3)

  expect(id).toBe('0x1')
  expect(await call('evm_revert', id)).toBe(true)
  expect(done).toEqual(['others devnet_forget string', 'forget above 7', 'reorg 3'])
})

test('without a block since there is nothing to revert', async () => {
  const { call, done } = aWorld()

  expect(await call('evm_revert', await call('evm_snapshot'))).toBe(true)
  expect(done).toEqual([])
})

test('a snapshot serves once, and those after it are gone with it; one that never was is false', async () => {
  const { call, grow } = aWorld()
  const [first, second, third] = [
    await call('evm_snapshot'),
    await call('evm_snapshot'),
    await call('evm_snapshot'),
  ]
  grow(1)

  expect(await call('evm_revert', second)).toBe(true)
  expect(await call('evm_revert', second)).toBe(false)
  expect(await call('evm_revert', third)).toBe(false)
  expect(await call('evm_revert', first)).toBe(true)
  expect(await call('evm_revert', '0x63')).toBe(false)
})

test('a snapshot whose block has left the chain is refused', async () => {
  const { call, leave } = aWorld()
  const id = await call('evm_snapshot')
  leave()

  await expect(call('evm_revert', id)).rejects.toMatchObject({
    data: { reason: 'devnet/snapshot-gone' },
  })
})

test('a revert that fails lets pools keep what comes later', async () => {
  const { call, done, grow } = aWorld({ refusal: 'only n0 directs' })
  const id = await call('evm_snapshot')
  grow(1)

  await expect(call('evm_revert', id)).rejects.toThrow('only n0 directs')
  expect(done.slice(-2)).toEqual(['others devnet_forget null', 'forget null'])
})

test('time is put forward on every node, and the answer is by how much in all', async () => {
  const { call, done } = aWorld()

  expect(await call('evm_increaseTime', '0x3c')).toBe(60)
  expect(await call('evm_increaseTime', 60)).toBe(120)
  expect(done).toEqual(['others devnet_jump number', 'others devnet_jump number'])
  expect(await call('devnet_jump', 500)).toEqual({ nowMs: 120_500, speed: 1, aheadMs: 120_500 })
  expect(await call('devnet_chainSpeed', 10)).toMatchObject({ speed: 10 })
  await expect(call('devnet_chainSpeed', 1_001)).rejects.toMatchObject({
    data: { reason: 'devnet/clock' },
  })
})
