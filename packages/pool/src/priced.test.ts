import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Account, Entry } from './entry.ts'
import { PriceIndex } from './priced.ts'
import { addressAt, anAccount, aTx, type TxWish } from './testing.ts'

const account = new Account(addressAt(0), 0, anAccount())
const entryOf = (wish: TxWish, seq = 0) => new Entry(aTx(wish), account, seq, 'gossip', 0)

test('with a base fee of 0 to 3 the order is (2,1), (1,2), (1,1), (1,0) of fee cap and tip', () => {
  for (const baseFee of [0n, 1n, 2n, 3n]) {
    const index = new PriceIndex(baseFee)
    const fees = [
      [2, 1],
      [1, 2],
      [1, 1],
      [1, 0],
    ] as const
    for (const [feeCap, tip] of fees) index.put(entryOf({ feeCap, tip }))
    const worstFirst = Array.from({ length: 4 }, () => index.discard(1)?.[0]?.tx)
    expect(worstFirst.map(tx => [Number(tx?.feeCap), Number(tx?.tip)])).toEqual([...fees].reverse())
  }
})

test('at equal fees the higher nonce goes first, then the younger', () => {
  const index = new PriceIndex(0n)
  const entries = [
    entryOf({ nonce: 1 }, 0),
    entryOf({ nonce: 2 }, 1),
    entryOf({ nonce: 2, salt: 1 }, 2),
    entryOf({ nonce: 0 }, 3),
  ]
  for (const entry of entries) index.put(entry)

  const victims = [1, 2, 3, 4].map(() => index.discard(1)?.[0]?.seq)

  expect(victims).toEqual([2, 1, 0, 3])
})

test('equal to the worst is underpriced, better in either fee than one of both worsts is not', () => {
  const index = new PriceIndex(10n)
  expect(index.underpriced(entryOf({ price: 0 }))).toBe(false)
  index.put(entryOf({ feeCap: 100, tip: 5 }))

  expect(index.underpriced(entryOf({ feeCap: 100, tip: 5, nonce: 9 }))).toBe(true)
  expect(index.underpriced(entryOf({ feeCap: 100, tip: 6 }))).toBe(false)
  expect(index.underpriced(entryOf({ feeCap: 101, tip: 5 }))).toBe(false)
  expect(index.underpriced(entryOf({ feeCap: 12, tip: 5 }))).toBe(true)
})

test('equal to the worst of both heaps is underpriced; what beats either worst is not', () => {
  const index = new PriceIndex(10n)
  for (let nonce = 0; nonce < 5; nonce++) index.put(entryOf({ feeCap: 100, tip: 5, nonce }))
  index.reheap()
  expect(index.layout().floating).toHaveLength(1)

  expect(index.underpriced(entryOf({ feeCap: 100, tip: 5, nonce: 9 }))).toBe(true)
  expect(index.underpriced(entryOf({ feeCap: 100, tip: 4 }))).toBe(true)
  expect(index.underpriced(entryOf({ feeCap: 100, tip: 6 }))).toBe(false)
  expect(index.underpriced(entryOf({ feeCap: 101, tip: 5 }))).toBe(false)
})

test('when not enough can be freed nothing is taken', () => {
  const index = new PriceIndex(0n)
  for (let nonce = 0; nonce < 3; nonce++) index.put(entryOf({ nonce }))
  expect(index.discard(4)).toBeUndefined()
  expect(index.length).toBe(3)
  expect(index.discard(3)).toHaveLength(3)
})

test('fees beyond 2^53 are compared exactly', () => {
  const index = new PriceIndex(2n ** 60n)
  const [low, high] = [2n ** 70n, 2n ** 70n + 1n].map((feeCap, seq) =>
    entryOf({ feeCap, tip: 2n ** 69n }, seq),
  )
  if (low === undefined || high === undefined) throw new Error('two entries')
  index.put(high)
  index.put(low)
  expect(index.discard(1)).toEqual([low])
})

test('whatever leaves and however the base fee moves, the worst by the order of its heap goes next', () => {
  const act = fc.oneof(
    fc.record({ put: fc.record({ feeCap: fc.nat(60), tip: fc.nat(30), nonce: fc.nat(3) }) }),
    fc.record({ remove: fc.nat(50) }),
    fc.record({ baseFee: fc.nat(60) }),
    fc.record({ discard: fc.constant(1) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 120 }), acts => {
      const index = new PriceIndex(0n)
      const held = new Set<Entry>()
      let seq = 0
      for (const step of acts) {
        if ('put' in step) {
          const entry = entryOf({ ...step.put, salt: seq }, seq++)
          held.add(entry)
          index.put(entry)
        } else if ('baseFee' in step) {
          index.setBaseFee(BigInt(step.baseFee))
        } else if ('remove' in step) {
          const entry = [...held][step.remove]
          if (entry === undefined) continue
          index.remove(entry)
          held.delete(entry)
        } else {
          const floating = [...held].filter(({ place }) => place === 'floating')
          const victim = index.discard(1)?.[0]
          expect(victim === undefined).toBe(held.size === 0)
          if (victim === undefined) continue
          held.delete(victim)
          for (const other of floating) {
            const { feeCap, tip } = victim.tx
            expect(
              feeCap < other.tx.feeCap || (feeCap === other.tx.feeCap && tip <= other.tx.tip),
            ).toBe(true)
          }
        }
        expect(new Set(index.entries())).toEqual(held)
        const { urgent } = index.worst()
        for (const other of held) {
          if (urgent === undefined || other.place !== 'urgent') continue
          expect(index.effectiveTip(urgent) <= index.effectiveTip(other)).toBe(true)
        }
      }
    }),
    { numRuns: 150 },
  )
})
