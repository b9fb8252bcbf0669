import { effectiveTip, type TxRecord } from '@rockpool/protocol'
import { expect } from 'vitest'
import type { PoolConfig } from '../config.ts'
import { checkInvariants, fingerprint } from '../invariants.ts'
import { addressAt, aTx, Bench } from '../testing.ts'

/** How large the attacked pool is. The bounds hold at any size. */
export interface Scale {
  readonly globalSlots: number
  readonly globalQueue: number
}

export const smallScale: Scale = { globalSlots: 320, globalQueue: 64 }
export const fullScale: Scale = { globalSlots: 5_120, globalQueue: 1_024 }

const attackers = 1_000_000
const gasOfTransfer = 21_000n

function benchOf(scale: Scale, config: Partial<PoolConfig> = {}): Bench {
  return new Bench({ config: { ...scale, ...config } })
}

/** A pool with one transaction of 300 wei in every slot, of as many honest senders. */
function fullPool(scale: Scale, config: Partial<PoolConfig> = {}): Bench {
  const bench = benchOf(scale, config)
  const { globalSlots, globalQueue } = scale
  bench.add(...many(globalSlots + globalQueue, index => aTx({ from: index, price: 300 })))
  return bench
}

function many(count: number, make: (index: number) => TxRecord): TxRecord[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** What honest senders would pay a producer: over what is executable and payable, one after the other. */
function honestValue(bench: Bench): bigint {
  let sum = 0n
  for (const txs of bench.pool.pending().values()) {
    for (const tx of payable(bench, txs)) {
      if (BigInt(tx.sender) < attackers) sum += tx.gas * effectiveTip(tx, 7n)
    }
  }
  return sum
}

function payable(bench: Bench, txs: readonly TxRecord[]): TxRecord[] {
  const [first] = txs
  if (first === undefined) return []
  let { balance } = bench.account(Number(BigInt(first.sender)) - 1)
  return txs.filter(({ cost }) => {
    balance -= cost
    return balance >= 0n
  })
}

function unpayableCount(bench: Bench): number {
  let count = 0
  for (const txs of bench.pool.pending().values()) count += txs.length - payable(bench, txs).length
  return count
}

const sound = (bench: Bench) => expect(checkInvariants(bench.pool)).toEqual([])

/** A1: dear transactions behind gaps move nothing that is executable. */
export function futureFlood(scale: Scale): void {
  const bench = fullPool(scale)
  const before = [bench.counts[0], honestValue(bench)]
  for (let round = 0; round < 5; round++) {
    const each = Math.ceil(((round + 1) * (scale.globalSlots + scale.globalQueue)) / 5)
    bench.add(
      ...many(each, index => aTx({ from: attackers + round, nonce: 5 + index, price: 500 })),
    )
    bench.add(
      ...many(each, index => aTx({ from: attackers + 10 + index, nonce: 1 + round, price: 500 })),
    )
  }
  expect([bench.counts[0], honestValue(bench)]).toEqual(before)
  sound(bench)
}

/** A2: a ladder of transactions that each cost everything, behind a cover of futures, gets one rung. */
export function overdraftLadder(scale: Scale): void {
  const bench = fullPool(scale)
  const before = unpayableCount(bench)
  bench.add(
    ...many(scale.globalQueue, index =>
      aTx({ from: attackers + 1 + index, nonce: 1_000, price: 500 }),
    ),
  )
  for (let round = 0; round < 5; round++) {
    const from = 2 * attackers + round
    bench.set(from, { balance: gasOfTransfer * 500n + 100n })
    for (let nonce = 0; nonce < scale.globalSlots; nonce++)
      bench.add(aTx({ from, nonce, price: 500 }))
  }
  expect(unpayableCount(bench)).toBe(before)
  sound(bench)
}

/** A3: one batch may overdraw, as in geth, up to what equalisation leaves one account; with the strict check not at all. */
export function batchOverdraft(scale: Scale): void {
  const cost = gasOfTransfer * 500n + 100n
  const ladder = many(scale.globalSlots, nonce => aTx({ from: attackers, nonce, price: 500 }))
  const bench = fullPool(scale)
  bench.set(attackers, { balance: cost }).add(...ladder)
  const { accountSlots } = bench.pool.inspect().config
  const others = bench.counts[0] - bench.nonces(attackers).pending.length
  const room = Math.max(accountSlots, scale.globalSlots - others)
  expect(bench.nonces(attackers).pending.length).toBeLessThanOrEqual(room)
  sound(bench)

  const strict = benchOf(scale, { strictBalance: true, accountQueue: scale.globalSlots })
  const { results } = strict.set(attackers, { balance: 3n * cost }).add(...ladder)
  expect(results.filter(({ ok }) => ok)).toHaveLength(3)
  sound(strict)
}

/** A4: the head of a chain cannot be replaced by one that makes its followers unpayable. */
export function hammer(scale: Scale): void {
  const bench = benchOf(scale)
  const chain = many(16, nonce => aTx({ from: 1, nonce, price: 100 }))
  const total = chain.reduce((sum, { cost }) => sum + cost, 0n)
  bench.set(1, { balance: total }).add(...chain)
  const before = honestValue(bench)
  const { results } = bench.add(aTx({ from: 1, price: 1_000, value: 1 }))
  expect(results).toMatchObject([
    { code: 'pool/insufficient-funds', message: expect.stringContaining('tx bumped') },
  ])
  expect(honestValue(bench)).toBe(before)
  sound(bench)
}

/** A5: after funds are drained on chain nothing remains that its sender cannot pay by itself; delegated senders hold few. */
export function drain(scale: Scale): void {
  const bench = benchOf(scale)
  const senders = Math.floor(scale.globalSlots / 4)
  bench.add(...many(senders * 4, index => aTx({ from: index >> 2, nonce: index & 3 })))
  for (let from = 0; from < senders; from++) bench.set(from, { balance: 5n })
  bench.reset({})
  expect(bench.counts).toEqual([0, 0])

  const codeHash = aTx({ from: 77 }).hash
  for (let from = 0; from < 100; from++) bench.set(attackers + from, { codeHash })
  bench.add(...many(400, index => aTx({ from: attackers + (index >> 2), nonce: index & 3 })))
  for (let from = 0; from < 100; from++) {
    const { pending, queued } = bench.nonces(attackers + from)
    expect(pending.length + queued.length).toBeLessThanOrEqual(1)
  }
  sound(bench)
}

/** A6: whoever pays more gets in within few turns, however full the pool is of others. */
export function locking(scale: Scale): number {
  const bench = benchOf(scale)
  const places = scale.globalSlots + scale.globalQueue
  bench.add(
    ...many(places, index =>
      aTx({ from: attackers + (index >> 4), nonce: index & 15, price: 100 }),
    ),
  )
  const honest = many(Math.floor(scale.globalSlots / 10), from => aTx({ from, price: 200 }))
  const quarter = Math.floor(scale.globalSlots / 4)
  const turnsMost = Math.ceil((16 * honest.length) / quarter) + 1
  let turns = 0
  let left: readonly TxRecord[] = honest
  while (left.length > 0 && turns < turnsMost) {
    turns++
    bench.add(...left)
    left = left.filter(({ hash }) => bench.pool.status(hash) !== 'pending')
  }
  expect(left).toHaveLength(0)
  sound(bench)
  return turns
}

/** A7: a turn pushes out a quarter of the pool and no more; the next one goes on. */
export function churn(scale: Scale): void {
  const bench = fullPool(scale)
  const quarter = Math.floor(scale.globalSlots / 4)
  const wave = many(quarter + 20, index => aTx({ from: attackers + index, price: 500 }))
  const codes = bench.codes(...wave)
  expect(codes.filter(code => code === 'pending')).toHaveLength(quarter + 1)
  expect(codes.slice(quarter + 1).every(code => code === 'full')).toBe(true)
  expect(bench.codes(aTx({ from: 2 * attackers, price: 500 }))).toEqual(['pending'])
  sound(bench)
}

/** A8: replacements that fail push nobody out. */
export function failingReplacements(scale: Scale): void {
  const bench = fullPool(scale)
  const before = fingerprint(bench.pool)
  for (let from = 0; from < scale.globalSlots; from++) {
    expect(bench.codes(aTx({ from, price: 310 }))).toEqual(['replacement-underpriced'])
  }
  expect(fingerprint(bench.pool)).toBe(before)
}

/** A9: from one wei each wei more is enough as long as it is ten percent. */
export function dustBumps(): void {
  const bench = benchOf(smallScale)
  const taken = many(30, index => aTx({ price: index + 1 })).filter(
    tx => bench.add(tx).results[0]?.ok,
  )
  expect(taken.map(({ tip }) => Number(tip))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26, 28, 30,
  ])
  expect(bench.counts).toEqual([1, 0])
}

/** A10: somebody else's old authorizations of a victim limit the victim to one, and never to none. */
export function replayedAuthorizations(scale: Scale): void {
  const bench = benchOf(scale)
  const victim = addressAt(3)
  bench.add(aTx({ from: 3 }))
  const wave = many(100, index => aTx({ from: attackers + index, authorities: [victim] }))
  bench.add(...wave)
  expect(bench.nonces(3).pending).toEqual([0])
  expect(bench.codes(aTx({ from: 3, nonce: 1 }))).toEqual(['delegated-in-flight'])
  expect(bench.codes(aTx({ from: 3, price: 2_000 }))).toEqual(['pending'])
  const two = many(2, nonce => aTx({ from: 4, nonce }))
  bench.add(...two)
  const late = aTx({ from: attackers + 500, authorities: [addressAt(4)] })
  expect(bench.codes(late)).toEqual(['authority-reserved'])
  sound(bench)
}

/** A11: the largest transactions fill the slots and no more. */
export function fatTransactions(count: number, scale: Scale): void {
  const bench = benchOf(scale)
  const size = 131_072
  for (let from = 0; from < count; from++)
    bench.add(aTx({ from, size, slots: 4, price: 100 + from }))
  expect(bench.pool.stats.slots).toBeLessThanOrEqual(scale.globalSlots + scale.globalQueue)
  expect(bench.pool.stats.slots).toBeGreaterThan(scale.globalSlots)
}

/** A12: one transaction behind a gap from each of many accounts stays within the queue. */
export function wideGaps(accounts: number, scale: Scale): void {
  const bench = benchOf(scale)
  for (let from = 0; from < accounts; from += 500) {
    bench.now = from
    bench.add(...many(500, index => aTx({ from: from + index, nonce: 1 })))
    expect(bench.counts[1]).toBeLessThanOrEqual(scale.globalQueue)
  }
  expect(bench.counts).toEqual([0, scale.globalQueue])
  sound(bench)
}

/** A16: flips between two branches. Returns how long each took, by `clock`. */
export function headFlips(
  { pooled, depth, flips }: { pooled: number; depth: number; flips: number },
  clock: () => number,
): number[] {
  const bench = benchOf(fullScale)
  const perBlock = 20
  const mined = depth * perBlock
  bench.add(...many(pooled, from => aTx({ from })))
  const branch = many(mined, from => aTx({ from }))
  const hashes = new Set(branch.map(({ hash }) => hash))
  const timings: number[] = []
  let pools: [string, string] | undefined
  for (let flip = 0; flip < flips; flip++) {
    for (let from = 0; from < mined; from++) bench.set(from, { nonce: 1n })
    let started = clock()
    bench.reset({ kind: 'reorg', included: hashes })
    timings.push(clock() - started)
    const without = fingerprint(bench.pool)
    for (let from = 0; from < mined; from++) bench.set(from, { nonce: 0n })
    started = clock()
    const { events } = bench.reset({ kind: 'reorg', discarded: branch })
    timings.push(clock() - started)
    expect(events).toHaveLength(mined)
    const whole = fingerprint(bench.pool)
    pools ??= [without, whole]
    expect([without, whole]).toEqual(pools)
  }
  sound(bench)
  return timings
}

/** A21: of each double spend that two pools hold, a block takes one; the other leaves with its reason. */
export function doubleSpends(count: number): void {
  const [left, right] = [benchOf(fullScale), benchOf(fullScale)]
  const ours = many(count, from => aTx({ from, salt: 1 }))
  const theirs = many(count, from => aTx({ from, salt: 2 }))
  left.add(...ours)
  right.add(...theirs)
  const block = ours.map((tx, index) => (index % 2 === 0 ? tx : (theirs[index] ?? tx)))
  const included = new Set(block.map(({ hash }) => hash))
  for (const [bench, held] of [
    [left, ours],
    [right, theirs],
  ] as const) {
    for (let from = 0; from < count; from++) bench.set(from, { nonce: 1n })
    const { dropped } = bench.reset({ included })
    const reasons = new Map<string, string>(dropped.map(({ hash, reason }) => [hash, reason]))
    for (const { hash } of held) {
      expect(reasons.get(hash)).toBe(included.has(hash) ? 'mined' : 'nonce-used')
    }
    expect(bench.counts).toEqual([0, 0])
  }
}
