import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LocatorCache } from './locator-cache.ts'
import { LocatorIndex } from './locator-index.ts'
import { locatorOf, plainHex, u32 } from './signing.ts'
import { TestChain } from './testkit/chain.ts'
import { sha256 } from './testkit/crypto.ts'
import { TxIndex } from './tx-index.ts'

const locator = (seed: number) => sha256(u32(seed)).slice(0, 16)

test('tower B63 B64 B69 B70: the index counts rows like a map does, whatever comes and goes', () => {
  const act = fc.record({ key: fc.nat({ max: 40 }), isAdd: fc.boolean() })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), fc.nat(), (acts, seed) => {
      const index = new LocatorIndex(seed)
      const model = new Map<number, number>()
      for (const { key, isAdd } of acts) {
        const count = model.get(key) ?? 0
        if (isAdd) index.add(locator(key))
        else expect(index.remove(locator(key))).toBe(count > 0)
        const next = Math.max(0, count + (isAdd ? 1 : -1))
        if (next === 0) model.delete(key)
        else model.set(key, next)
        expect(index.get(locator(key))).toBe(next)
      }
      expect(index.size).toBe(model.size)
      expect(index.count).toBe([...model.values()].reduce((sum, each) => sum + each, 0))
      const ids = Array.from({ length: 42 }, (_, key) => sha256(u32(key)))
      expect(index.match(ids)).toEqual(ids.flatMap((_, key) => (model.has(key) ? [key] : [])))
    }),
  )
})

test('tower B70: 100,000 locators are found while the table grows and shrinks, and no others', () => {
  const index = new LocatorIndex(99)
  const all = Array.from({ length: 101_000 }, (_, seed) => locator(seed))
  const there = all.slice(0, 100_000)
  for (const key of there) index.add(key)

  expect(there.filter(key => index.get(key) !== 1)).toEqual([])
  expect(all.slice(100_000).filter(key => index.get(key) > 0)).toEqual([])
  expect(index.match(all)).toHaveLength(100_000)
  for (const key of there.slice(10)) index.remove(key)
  for (const key of all.slice(100_000)) {
    index.add(key)
    index.remove(key)
  }

  expect(index.size).toBe(10)
  expect(index.match(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('tower B252: 10,000 rows of one locator are one entry', () => {
  const index = new LocatorIndex(1)
  for (let row = 0; row < 10_000; row += 1) index.add(locator(1))

  expect([index.size, index.count, index.get(locator(1))]).toEqual([1, 10_000, 10_000])
})

test('locators chosen for one seed do not meet under another', () => {
  // 2,000 keys whose first word alone differs, as somebody would choose who knows the function.
  const keys = Array.from({ length: 2_000 }, (_, low) => {
    const key = new Uint8Array(16)
    key.set(u32(low << 12))
    return key
  })
  const looks = [1, 2, 3].map(seed => {
    const index = new LocatorIndex(seed)
    for (const key of keys) index.add(key)
    return keys.every(key => index.get(key) === 1)
  })
  expect(looks).toEqual([true, true, true])
})

test('tower B101 B102 B103 B104 B105: transactions are found in the last blocks, by block, and a block that leaves takes only its own', () => {
  const chain = new TestChain(0)
  const index = new TxIndex(3)
  const blocks = Array.from({ length: 5 }, () => {
    chain.mine()
    return chain.tip
  })
  for (const block of blocks) index.connect(block)
  const found = () => blocks.map(block => index.find(block.txs[0]?.txid ?? u32(0))?.height)

  expect(found()).toEqual([undefined, undefined, 3, 4, 5])
  expect(index.size).toBe(3)
  const [, , , fourth] = blocks
  if (fourth === undefined) throw new Error('five blocks')
  index.disconnect(fourth)
  index.disconnect(fourth)
  expect(found()).toEqual([undefined, undefined, 3, undefined, 5])
})

test('tower B21: the cache loses exactly the block that leaves', () => {
  const chain = new TestChain(0)
  const cache = new LocatorCache(2)
  const blocks = Array.from({ length: 3 }, () => {
    chain.mine()
    return chain.tip
  })
  for (const block of blocks) cache.connect(block)
  const found = () =>
    blocks.map(block => cache.find(locatorOf(block.txs[0]?.txid ?? u32(0)))?.block.height)

  expect(found()).toEqual([undefined, 2, 3])
  cache.disconnect(blocks[2] as (typeof blocks)[number])
  expect(found()).toEqual([undefined, 2, undefined])
  expect(
    plainHex(cache.find(locatorOf(blocks[1]?.txs[0]?.txid ?? u32(0)))?.tx.txid ?? u32(0)),
  ).toBe(plainHex(blocks[1]?.txs[0]?.txid ?? u32(1)))
})
