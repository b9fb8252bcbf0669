import type { Address, TxRecord } from '@rockpool/protocol'
import { devForks, rulesAt, zeroAddress } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { anAccount, anEnv, aProducer, aState, contentsOf, ether, gwei } from '../testkit/chains.ts'
import { createdBy } from '../testkit/story.ts'
import { addressAt, walletOf } from '../testkit/wallets.ts'
import type { Executed, ExecutionEnv } from './execute.ts'
import { Execution, execute, includable } from './execute.ts'
import type { State } from './state.ts'

const alice = walletOf(1)
const bob = walletOf(2)
const carol = walletOf(3)
const stranger = addressAt(0x5712)
/** Fees of a wallet's default transaction in a block at 1 gwei: base fee burnt, 1 gwei tip. */
const price = 2n * gwei

const rich = (): State =>
  aState({ [alice.address]: { balance: ether }, [bob.address]: { balance: ether } })

function executed(state: State, txs: readonly TxRecord[], env: ExecutionEnv = anEnv()): Executed {
  const result = execute(state, env, txs)
  if (!result.ok) throw new Error(`refused: ${result.check} of ${result.index}`)
  return result
}

/** Runs and keeps the block; what the account is afterwards. */
function after(state: State, txs: readonly TxRecord[], address: Address, env = anEnv()) {
  const result = executed(state, txs, env)
  state.commit(result.changes)
  return state.get(address)
}

describe('a call', () => {
  test('moves value, burns the base fee and pays the tip to the producer', () => {
    const state = rich()
    const result = executed(state, [alice.tx({ nonce: 0, to: bob.address, value: 5n })])

    expect(new Map(result.changes)).toEqual(
      new Map([
        [aProducer, anAccount({ balance: 21_000n * gwei })],
        [alice.address, anAccount({ nonce: 1, balance: ether - 5n - 21_000n * price })],
        [bob.address, anAccount({ balance: ether + 5n })],
      ]),
    )
    expect(result.receipts).toMatchObject([
      {
        status: 1,
        gasUsed: 21_000,
        cumulativeGasUsed: 21_000,
        effectiveGasPrice: price,
        contractAddress: null,
      },
    ])
  })

  test('to an account that does not exist creates it, unless nothing is sent', () => {
    expect(after(rich(), [alice.tx({ nonce: 0, to: stranger, value: 1n })], stranger)).toEqual(
      anAccount({ balance: 1n }),
    )
    expect(
      after(rich(), [alice.tx({ nonce: 0, to: stranger, value: 0n })], stranger),
    ).toBeUndefined()
  })

  test('to oneself costs the fee alone', () => {
    const tx = alice.tx({ nonce: 0, to: alice.address, value: ether / 2n })

    expect(after(rich(), [tx], alice.address)).toEqual(
      anAccount({ nonce: 1, balance: ether - 21_000n * price }),
    )
  })

  test('pays for its data and its access list, and at least the floor', () => {
    const data = Uint8Array.of(0, 1, 2)
    const accessList = [{ address: stranger, storageKeys: [] }]
    const gasUsed = (wish: object): number | undefined =>
      executed(rich(), [alice.tx({ nonce: 0, gas: 100_000n, ...wish })]).receipts[0]?.gasUsed

    expect(gasUsed({ accessList })).toBe(21_000 + 2_400)
    expect(gasUsed({ data, accessList })).toBe(21_000 + 4 + 32 + 2_400)
    expect(gasUsed({ data: new Uint8Array(1_000) })).toBe(31_000)
    expect(gasUsed({ data: new Uint8Array(1_000).fill(1) })).toBe(61_000)
  })

  test('with a tip above what the fee cap leaves pays only that', () => {
    const tx = alice.tx({ nonce: 0, feeCap: gwei + 3n, tip: gwei + 3n })
    const result = executed(rich(), [tx])

    expect(result.receipts[0]?.effectiveGasPrice).toBe(gwei + 3n)
    expect(result.changes.get(aProducer)).toEqual(anAccount({ balance: 3n * 21_000n }))
  })

  test('by the producer itself gets its tip back at once', () => {
    const state = rich()
    const env = anEnv({ producer: alice.address })

    expect(after(state, [alice.tx({ nonce: 0, to: bob.address })], alice.address, env)).toEqual(
      anAccount({ nonce: 1, balance: ether - 1n - 21_000n * gwei }),
    )
  })

  test('spends in one block what arrived earlier in it', () => {
    const state = aState({ [alice.address]: { balance: ether } })
    const txs = [
      alice.tx({ nonce: 0, to: carol.address, value: ether / 2n }),
      carol.tx({ nonce: 0, to: stranger, value: ether / 4n }),
    ]

    expect(after(state, txs, stranger)).toEqual(anAccount({ balance: ether / 4n }))
  })
})

describe('a creation', () => {
  const create = (wish: object = {}) =>
    alice.tx({ nonce: 0, to: null, gas: 60_000n, value: 5n, ...wish })
  const created = createdBy(alice.address, 0)

  test('without code makes an account with nonce 1', () => {
    const state = rich()
    const result = executed(state, [create()])

    expect(result.changes.get(created)).toEqual(anAccount({ nonce: 1, balance: 5n }))
    expect(result.receipts).toMatchObject([
      { status: 1, gasUsed: 53_000, contractAddress: created },
    ])
  })

  test('adds to a balance that waits at its address', () => {
    const state = rich()
    state.commit(new Map([[created, anAccount({ balance: 7n })]]))

    expect(after(state, [create()], created)).toEqual(anAccount({ nonce: 1, balance: 12n }))
  })

  test.each([
    ['a nonce', anAccount({ nonce: 1, balance: 7n })],
    ['a delegation', anAccount({ nonce: 0, delegation: bob.address })],
  ])('at an address with %s fails with all its gas and keeps the value', (_, taken) => {
    const state = rich()
    state.commit(new Map([[created, taken]]))
    const result = executed(state, [create()])

    expect(result.receipts).toMatchObject([{ status: 0, gasUsed: 60_000 }])
    expect(result.changes.has(created)).toBe(false)
    expect(result.changes.get(alice.address)).toEqual(
      anAccount({ nonce: 1, balance: ether - 60_000n * price }),
    )
  })

  test('with init code fails with all its gas: this chain runs no contracts', () => {
    const state = rich()
    const result = executed(state, [create({ data: Uint8Array.of(0x60, 0x01) })])

    expect(result.receipts).toMatchObject([{ status: 0, gasUsed: 60_000 }])
    expect(result.changes.has(created)).toBe(false)
  })
})

describe('an authorization', () => {
  const delegate = addressAt(0xc0de)
  const setCode = (wish: object = {}) =>
    alice.tx({ type: 4, nonce: 0, to: stranger, gas: 100_000n, value: 0n, ...wish })

  test('delegates the signer and advances its nonce; a new account gives no refund', () => {
    const result = executed(rich(), [
      setCode({ authorizations: [carol.authorize({ address: delegate, nonce: 0n })] }),
    ])

    expect(result.changes.get(carol.address)).toEqual(anAccount({ nonce: 1, delegation: delegate }))
    expect(result.receipts[0]?.gasUsed).toBe(46_000)
  })

  test('of an account that existed gives 12,500 back, at most a fifth of the gas', () => {
    const one = bob.authorize({ address: delegate, nonce: 0n })
    const two = bob.authorize({ address: zeroAddress, nonce: 1n })
    const gasUsed = (authorizations: readonly object[], wish: object = {}) =>
      executed(rich(), [setCode({ authorizations, ...wish })]).receipts[0]?.gasUsed

    expect(gasUsed([one])).toBe(46_000 - 9_200)
    expect(gasUsed([one], { data: new Uint8Array(5_000) })).toBe(71_000)
    expect(gasUsed([one, two])).toBe(71_000 - 14_200)
  })

  test('by the sender counts the nonce the transaction itself has used', () => {
    const own = (nonce: bigint) =>
      setCode({ authorizations: [alice.authorize({ address: delegate, nonce })] })

    expect(after(rich(), [own(1n)], alice.address)).toMatchObject({
      nonce: 2,
      delegation: delegate,
    })
    expect(after(rich(), [own(0n)], alice.address)).toMatchObject({ nonce: 1, delegation: null })
  })

  test('for the zero address clears the delegation', () => {
    const state = rich()
    state.commit(
      new Map([[bob.address, anAccount({ nonce: 4, balance: 1n, delegation: delegate })]]),
    )
    const tx = setCode({ authorizations: [bob.authorize({ address: zeroAddress, nonce: 4n })] })

    expect(after(state, [tx], bob.address)).toEqual(anAccount({ nonce: 5, balance: 1n }))
  })

  test('is valid for every chain with chain id 0, for ours with ours, else skipped', () => {
    const result = (chainId: bigint) =>
      after(
        rich(),
        [setCode({ authorizations: [bob.authorize({ address: delegate, nonce: 0n, chainId })] })],
        bob.address,
      )

    expect(result(0n)?.delegation).toBe(delegate)
    expect(result(1_337n)?.delegation).toBe(delegate)
    expect(result(1n)).toEqual(anAccount({ balance: ether }))
  })

  test('with another nonce, a high s or parity 2 is skipped, and those after it are not', () => {
    const good = bob.authorize({ address: delegate, nonce: 0n })
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const bad = [
      bob.authorize({ address: stranger, nonce: 1n }),
      { ...good, s: order - good.s, yParity: 1n - good.yParity },
      { ...good, yParity: 2n },
    ]

    expect(
      after(rich(), [setCode({ gas: 200_000n, authorizations: [...bad, good] })], bob.address),
    ).toEqual(anAccount({ nonce: 1, balance: ether, delegation: delegate }))
  })

  test('stays when the call it comes with fails, and its refund too', () => {
    const state = rich()
    const tx = setCode({
      to: bob.address,
      authorizations: [bob.authorize({ address: bob.address, nonce: 0n })],
    })
    const result = executed(state, [tx])

    expect(result.receipts).toMatchObject([{ status: 0, gasUsed: 87_500 }])
    expect(result.changes.get(bob.address)).toMatchObject({ nonce: 1, delegation: bob.address })
  })
})

describe('a call to a delegated account', () => {
  const target = addressAt(0x7a)
  const call = alice.tx({ nonce: 0, to: target, value: 5n, gas: 50_000n })
  const state = (accounts: Parameters<typeof aState>[0]) =>
    aState({ [alice.address]: { balance: ether }, ...accounts })

  test.each([
    ['to an account without code', addressAt(0x7b)],
    ['to a precompile', addressAt(4)],
  ])('delegated %s moves the value and runs nothing', (_, delegation) => {
    const it = state({ [target]: { nonce: 1, delegation } })

    expect(after(it, [call], target)).toEqual(anAccount({ nonce: 1, balance: 5n, delegation }))
  })

  test.each([
    ['to an account that is delegated itself', addressAt(0x7c)],
    ['to itself', target],
  ])('delegated %s fails with all its gas and keeps the value', (_, delegation) => {
    const it = state({
      [addressAt(0x7c)]: { nonce: 1, delegation: addressAt(0x7d) },
      [target]: { nonce: 1, delegation },
    })
    const result = executed(it, [call])

    expect(result.receipts).toMatchObject([{ status: 0, gasUsed: 50_000 }])
    expect(result.changes.has(target)).toBe(false)
    expect(result.changes.get(alice.address)?.balance).toBe(ether - 50_000n * price)
  })
})

describe('a transaction that may not stand in a block makes the block invalid:', () => {
  const state = rich()
  const before = contentsOf(state)
  const osaka = rulesAt(devForks, { number: 1, timeSeconds: 1, merged: true })
  const refused = (tx: TxRecord, wish: Partial<ExecutionEnv> = {}) => {
    const fine = bob.tx({ nonce: 0, type: 0, feeCap: gwei })
    const result = execute(state, anEnv(wish), [fine, tx])
    const execution = new Execution(state, anEnv(wish))
    execution.apply(fine)

    expect(contentsOf(state)).toEqual(before)
    expect(includable(execution, tx)).toBe(result.ok ? null : result.check)
    if (!result.ok) expect(result).toMatchObject({ code: 'chain/invalid-body', index: 1 })
    return result.ok ? 'nothing' : result.check
  }

  test('a nonce that is not next', () => {
    expect(refused(alice.tx({ nonce: 0 }))).toBe('nothing')
    expect(refused(alice.tx({ nonce: 1 }))).toBe('nonce')
    expect(refused(bob.tx({ nonce: 0 }))).toBe('nonce')
    expect(refused(alice.tx({ nonce: 2n ** 64n - 1n }))).toBe('nonce-max')
    expect(refused(alice.tx({ nonce: 2n ** 53n - 1n }))).toBe('nonce-max')
  })

  test('more gas than the block has left', () => {
    expect(refused(alice.tx({ nonce: 0, gas: 79_000n }), { gasLimit: 100_000 })).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, gas: 79_001n }), { gasLimit: 100_000 })).toBe('block-gas')
    expect(refused(alice.tx({ nonce: 0, gas: 2n ** 64n - 1n }))).toBe('block-gas')
  })

  test('from Osaka on more than 2^24 gas', () => {
    const feeCap = gwei
    const tip = 0n
    const tx = (gas: bigint) => alice.tx({ nonce: 0, gas, feeCap, tip })

    expect(refused(tx(16_777_216n))).toBe('nothing')
    expect(refused(tx(16_777_217n))).toBe('gas-cap')
    expect(refused(tx(16_777_217n), { rules: { ...osaka, osaka: false } })).toBe('nothing')
  })

  test('a fee cap below the base fee, a tip above the fee cap', () => {
    expect(refused(alice.tx({ nonce: 0, feeCap: gwei, tip: gwei }))).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, feeCap: gwei - 1n, tip: 0n }))).toBe('fee-cap')
    expect(refused(alice.tx({ nonce: 0, feeCap: gwei, tip: gwei + 1n }))).toBe('tip')
  })

  test('gas below what it needs', () => {
    const data = new Uint8Array(1_000)

    expect(refused(alice.tx({ nonce: 0, gas: 20_999n }))).toBe('intrinsic-gas')
    expect(refused(alice.tx({ nonce: 0, data, gas: 24_999n }))).toBe('intrinsic-gas')
    expect(refused(alice.tx({ nonce: 0, data, gas: 30_999n }))).toBe('floor-gas')
    expect(refused(alice.tx({ nonce: 0, data, gas: 31_000n }))).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, to: null, gas: 52_999n }))).toBe('intrinsic-gas')
  })

  test('more than the balance, counted at the fee cap', () => {
    const value = ether - 21_000n * 100n * gwei

    expect(refused(alice.tx({ nonce: 0, value }))).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, value: value + 1n }))).toBe('funds')
    expect(refused(carol.tx({ nonce: 0, value: 0n }))).toBe('funds')
    expect(refused(carol.tx({ nonce: 0, value: 2n ** 300n }))).toBe('funds')
  })

  test('init code above 49,152 bytes', () => {
    const tx = (length: number) =>
      alice.tx({ nonce: 0, to: null, gas: 3_000_000n, data: new Uint8Array(length) })

    expect(refused(tx(49_152))).toBe('nothing')
    expect(refused(tx(49_153))).toBe('initcode')
  })

  test('another chain id; none at all is a legacy transaction for every chain', () => {
    expect(refused(alice.tx({ nonce: 0, chainId: 1n }))).toBe('chain-id')
    expect(refused(alice.tx({ nonce: 0, type: 0, chainId: undefined }))).toBe('nothing')
  })

  test('a type whose fork has not come, and a type 4 without authorizations', () => {
    const rules = { ...osaka, berlin: false, london: false, prague: false }
    const authorizations = [bob.authorize({ address: stranger, nonce: 1n })]

    expect(refused(alice.tx({ nonce: 0, type: 0 }), { rules })).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, type: 1 }), { rules })).toBe('type')
    expect(refused(alice.tx({ nonce: 0, type: 2 }), { rules })).toBe('type')
    expect(refused(alice.tx({ nonce: 0, type: 4, gas: 99_000n, authorizations }), { rules })).toBe(
      'type',
    )
    expect(refused(alice.tx({ nonce: 0, type: 4, gas: 99_000n, authorizations }))).toBe('nothing')
    expect(refused(alice.tx({ nonce: 0, type: 4, gas: 99_000n }))).toBe('authorizations')
  })
})

test('the reward is paid after the last transaction, so that it cannot be spent in its block', () => {
  const state = aState({})
  const env = anEnv({ producer: alice.address, reward: ether })

  expect(execute(state, env, [alice.tx({ nonce: 0 })])).toMatchObject({ check: 'funds' })
  expect(after(state, [], alice.address, env)).toEqual(anAccount({ balance: ether }))
})

test('a block without transactions and reward changes nothing', () => {
  const result = executed(rich(), [])

  expect([result.changes.size, result.undo.size, result.gasUsed]).toEqual([0, 0, 0])
})
