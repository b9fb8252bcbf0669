import type { Header, TxRecord } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aGenesis, ether, gwei } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { addressAt, walletOf } from '../testkit/wallets.ts'
import type { Built } from './block.ts'
import {
  baseFeeAfter,
  bodyMatches,
  buildBlock,
  checkHeader,
  envOn,
  verifyExecution,
} from './block.ts'
import type { Executed } from './execute.ts'
import { execute } from './execute.ts'
import type { Genesis } from './genesis.ts'
import { genesisBlock } from './genesis.ts'
import { decodeHeader } from './header.ts'
import { State } from './state.ts'

const alice = walletOf(1)
const bob = walletOf(2)
const producers = [addressAt(0xa), addressAt(0xb), addressAt(0xc)]
const director = addressAt(0xd)

function aChain(wish: Partial<Genesis> = {}) {
  const alloc = new Map([
    [alice.address, { balance: 100n * ether, nonce: 0n }],
    [bob.address, { balance: 100n * ether, nonce: 0n }],
  ])
  const genesis = aGenesis({ alloc, producers, director, ...wish })
  const { header: parent, accounts } = genesisBlock(genesis, keccak256)
  const state = new State(accounts, keccak256)
  const build = (txs: readonly TxRecord[], timeMs = parent.timeMs + 2_000): Built =>
    buildBlock(
      parent,
      state,
      envOn(parent, genesis, { producer: addressAt(0xb), timeMs }, keccak256),
      txs,
    )
  return { genesis, parent, state, build }
}

const transfers = (count: number): TxRecord[] =>
  Array.from({ length: count }, (_, nonce) => alice.tx({ nonce: BigInt(nonce), to: bob.address }))

describe('base fee', () => {
  const parentWith = (baseFee: bigint, gasLimit: number, gasUsed: number): Header => ({
    ...aChain().parent,
    baseFee,
    gasLimit,
    gasUsed,
  })

  test.each([
    [10n ** 9n, 20_000_000, 10_000_000, 10n ** 9n],
    [10n ** 9n, 20_000_000, 9_000_000, 987_500_000n],
    [10n ** 9n, 20_000_000, 11_000_000, 1_012_500_000n],
    [10n ** 9n, 30_000_000, 30_000_000, 1_125_000_000n],
    [10n ** 9n, 30_000_000, 0, 875_000_000n],
    [7n, 30_000_000, 30_000_000, 8n],
    [7n, 30_000_000, 0, 7n],
    [0n, 30_000_000, 30_000_000, 1n],
  ])('after %s wei with limit %i and %i used it is %s', (base, gasLimit, gasUsed, next) => {
    expect(baseFeeAfter(parentWith(base, gasLimit, gasUsed))).toBe(next)
  })
})

describe('a built block', () => {
  test('passes every check of an import, and its header comes back from its bytes', () => {
    const { genesis, parent, state, build } = aChain()
    const built = build(transfers(20))
    const raws = built.included.map(tx => tx.raw)
    const env = envOn(parent, genesis, built.header, keccak256)
    const result = execute(state, env, built.included)
    if (!result.ok) throw new Error(result.check)

    expect(decodeHeader(built.encodedHeader, keccak256)).toEqual({ ok: true, value: built.header })
    expect(checkHeader(parent, built.header, genesis)).toBeNull()
    expect(bodyMatches(built.header, raws, keccak256)).toBe(true)
    expect(verifyExecution(parent, built.header, built.included, result, keccak256)).toBeNull()
    expect(built.header).toMatchObject({ number: 1, gasUsed: 420_000, parentHash: parent.hash })
  })

  test('leaves out what does not fit and takes what comes after it', () => {
    const { build } = aChain()
    const [first, second, third] = transfers(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error()
    const poor = walletOf(9).tx({ nonce: 0 })
    const built = build([first, third, poor, first, second, third])

    expect(built.included).toEqual([first, second, third])
    expect(built.receipts.map(({ txHash }) => txHash)).toEqual([
      first.hash,
      second.hash,
      third.hash,
    ])
  })

  test('holds exactly as much gas as the limit lets in', () => {
    const { build } = aChain({ gasLimit: 21_000 * 7 + 20_999 })
    const built = build(transfers(9))

    expect(built.included).toHaveLength(7)
    expect(built.header.gasUsed).toBe(21_000 * 7)
  })

  test('holds at most the transaction bytes a producer may put into a block', () => {
    const { build } = aChain({ gasLimit: 2 ** 31 })
    const data = new Uint8Array(130_000)
    const large = Array.from({ length: 30 }, (_, nonce) =>
      alice.tx({ nonce: BigInt(nonce), gas: 1_400_000n, data }),
    )
    const built = build([...large, bob.tx({ nonce: 0 })])
    const bytes = built.included.reduce((sum, tx) => sum + tx.raw.length, 0)

    expect(bytes).toBeLessThanOrEqual(limits.blockTxBytesMax)
    expect(built.included).toHaveLength(Math.floor(limits.blockTxBytesMax / 130_200) + 1)
    expect(built.included.at(-1)?.sender).toBe(bob.address)
  })

  test('takes nothing that could carry the state over its account limit', () => {
    const { genesis, parent, state } = aChain()
    const env = envOn(
      parent,
      genesis,
      { producer: addressAt(0xb), timeMs: parent.timeMs + 2_000 },
      keccak256,
    )
    const full = {
      get: state.get.bind(state),
      has: state.has.bind(state),
      cells: () => state.cells(),
      size: limits.accountsMax - 2,
    }

    // The producer is one new account, the recipient may be another.
    expect(buildBlock(parent, full, env, transfers(1)).included).toHaveLength(1)
    expect(
      buildBlock(parent, { ...full, size: full.size + 1 }, env, transfers(1)).included,
    ).toHaveLength(0)
  })

  test('may be empty', () => {
    const { build } = aChain()

    expect(build([]).header).toMatchObject({
      gasUsed: 0,
      transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
    })
  })
})

describe('a header is refused', () => {
  const { genesis, parent, build } = aChain()
  const good = build([]).header
  const refusal = (wish: Partial<Header>) => checkHeader(parent, { ...good, ...wish }, genesis)

  test.each([
    ['another parent', { parentHash: good.hash }, 'parent'],
    ['a height that is not the next', { number: 2, producer: addressAt(0xc) }, 'number'],
    ['another gas limit', { gasLimit: 30_000_001 }, 'gas-limit'],
    ['more gas used than the limit', { gasUsed: 30_000_001 }, 'gas-used'],
    ['another base fee', { baseFee: 875_000_001n }, 'base-fee'],
  ])('with %s', (_, wish, check) => {
    expect(refusal(wish)).toEqual({ code: 'chain/invalid-header', check })
  })

  test('of a producer the genesis does not name', () => {
    expect(refusal({ producer: addressAt(1) })).toEqual({
      code: 'chain/unknown-producer',
      check: 'producer',
    })
  })

  test('a millisecond before the spacing of its rank is over, not after', () => {
    const early = { code: 'chain/too-early', check: 'spacing' }
    const at = (producer: number, afterMs: number) =>
      refusal({ producer: addressAt(producer), timeMs: parent.timeMs + afterMs })

    expect(at(0xb, 1_999)).toEqual(early)
    expect(at(0xb, 2_000)).toBeNull()
    expect(at(0xc, 3_999)).toEqual(early)
    expect(at(0xc, 4_000)).toBeNull()
    expect(at(0xa, 5_999)).toEqual(early)
    expect(at(0xa, 6_000)).toBeNull()
    expect(at(0xd, 0)).toBeNull()
    expect(at(0xd, -1)).toEqual(early)
  })

  test('the gas used of a full block is its limit', () => {
    expect(refusal({ gasUsed: 30_000_000 })).toBeNull()
  })
})

describe('a body is refused', () => {
  const { genesis, parent, state, build } = aChain()
  const built = build(transfers(3))
  const raws = built.included.map(tx => tx.raw)
  const result = execute(state, envOn(parent, genesis, built.header, keccak256), built.included)

  test('that misses a transaction, has one more, or another order', () => {
    const [first, second, third] = raws
    if (first === undefined || second === undefined || third === undefined) throw new Error()

    expect(bodyMatches(built.header, [first, second, third], keccak256)).toBe(true)
    expect(bodyMatches(built.header, [first, second], keccak256)).toBe(false)
    expect(bodyMatches(built.header, [first, second, third, third], keccak256)).toBe(false)
    expect(bodyMatches(built.header, [second, first, third], keccak256)).toBe(false)
    expect(bodyMatches(built.header, [], keccak256)).toBe(false)
  })

  test.each([
    ['gas used', { gasUsed: 42_000 }, 'gas-used'],
    ['receipts root', { receiptsRoot: parent.receiptsRoot }, 'receipts-root'],
    ['state root', { stateRoot: parent.stateRoot }, 'state-root'],
  ])('whose execution gives another %s', (_, wish, check) => {
    if (!result.ok) throw new Error(result.check)
    const header: Header = { ...built.header, ...wish }

    expect(verifyExecution(parent, header, built.included, result, keccak256)).toEqual({
      code: 'chain/invalid-body',
      check,
    })
  })

  test('whose execution differs in any receipt', () => {
    if (!result.ok) throw new Error(result.check)
    fc.assert(
      fc.property(fc.nat(2), index => {
        const receipts = result.receipts.map((receipt, at) =>
          at === index ? { ...receipt, status: 0 as const } : receipt,
        )
        const other: Executed = { ...result, receipts }

        expect(verifyExecution(parent, built.header, built.included, other, keccak256)?.check).toBe(
          'receipts-root',
        )
      }),
    )
  })
})

test('the surroundings of a block follow from its parent and the genesis', () => {
  const { genesis, parent } = aChain({
    forks: { pragueTime: 0, osakaTime: 1_700_000_002 },
    reward: gwei,
  })
  const env = (timeMs: number) =>
    envOn(parent, genesis, { producer: addressAt(0xb), timeMs }, keccak256)

  expect(env(1_700_000_002_000)).toMatchObject({
    number: 1,
    baseFee: 875_000_000n,
    gasLimit: 30_000_000,
    chainId: 1337,
    reward: gwei,
    rules: { prague: true, osaka: true },
  })
  expect(env(1_700_000_001_999).rules).toMatchObject({ prague: true, osaka: false })
})
