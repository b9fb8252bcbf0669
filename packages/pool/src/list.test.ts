import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Account, Entry } from './entry.ts'
import { PendingList, QueueList } from './list.ts'
import { addressAt, anAccount, aTx } from './testing.ts'

const account = new Account(addressAt(0), 0, anAccount())
const entryOf = (nonce: number, price = 1) =>
  new Entry(aTx({ nonce, price }), account, nonce, 'gossip', 0)
const noncesOf = (entries: readonly Entry[]) => entries.map(({ tx }) => Number(tx.nonce))
const distinct = fc.uniqueArray(fc.nat(60), { maxLength: 40 })

test('a queue is sorted in whatever order 1,024 transactions come', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(100_000), { minLength: 1_024, maxLength: 1_024 }), nonces => {
      const queue = new QueueList()
      for (const nonce of nonces) queue.put(entryOf(nonce))
      expect(noncesOf(queue.entries)).toEqual([...nonces].sort((left, right) => left - right))
    }),
    { numRuns: 5 },
  )
})

test('every cut of a queue takes exactly what a sorted list of numbers says, and its cost with it', () => {
  const cuts = {
    forward: (queue: QueueList, at: number) => queue.forward(BigInt(at)),
    cap: (queue: QueueList, at: number) => queue.cap(at),
    ready: (queue: QueueList, at: number) => queue.ready(BigInt(at)),
  }
  const said = {
    forward: (nonces: number[], at: number) => nonces.filter(nonce => nonce < at),
    cap: (nonces: number[], at: number) => nonces.slice(at),
    ready: ([first = 61, ...rest]: number[], at: number) =>
      first > at ? [] : [first, ...rest.filter((nonce, index) => nonce === first + index + 1)],
  }
  fc.assert(
    fc.property(
      distinct,
      fc.nat(61),
      fc.constantFrom('forward' as const, 'cap' as const, 'ready' as const),
      (nonces, at, cut) => {
        const queue = new QueueList()
        for (const nonce of nonces) queue.put(entryOf(nonce))
        const sorted = [...nonces].sort((left, right) => left - right)

        const gone = noncesOf(cuts[cut](queue, at))

        expect(gone).toEqual(said[cut](sorted, at).slice(0, gone.length === 0 ? 0 : undefined))
        expect(noncesOf(queue.entries)).toEqual(sorted.filter(nonce => !gone.includes(nonce)))
        expect(queue.totalCost).toBe(queue.entries.reduce((sum, { tx }) => sum + tx.cost, 0n))
      },
    ),
  )
})

test('a queue holds all nonces of a span exactly when none is missing', () => {
  fc.assert(
    fc.property(distinct, fc.nat(60), fc.integer({ min: 1, max: 10 }), (nonces, from, length) => {
      const queue = new QueueList()
      for (const nonce of nonces) queue.put(entryOf(nonce))
      const span = Array.from({ length }, (_, index) => from + index)
      expect(queue.holdsAll(BigInt(from), BigInt(from + length))).toBe(
        span.every(nonce => nonces.includes(nonce)),
      )
    }),
  )
})

test('a pending list joins in front and behind, and filters the unpayable with what stands above it', () => {
  const list = new PendingList()
  list.join([5, 6, 7].map(nonce => entryOf(nonce)))
  list.join([3, 4].map(nonce => entryOf(nonce, nonce)))
  list.join([entryOf(8)])
  expect(noncesOf(list.entries)).toEqual([3, 4, 5, 6, 7, 8])
  expect(list.next()).toBe(9n)
  expect(list.get(2n)).toBeUndefined()
  expect(list.get(9n)).toBeUndefined()

  const { dropped, parked } = list.filter(aTx({ price: 3 }).cost, 30_000n)

  expect(noncesOf(dropped)).toEqual([4])
  expect(noncesOf(parked)).toEqual([5, 6, 7, 8])
  expect(noncesOf(list.entries)).toEqual([3])
  expect(list.totalCost).toBe(aTx({ price: 3 }).cost)
})

test('a total of exactly 2^256-1 is held, one more is not', () => {
  const queue = new QueueList()
  expect(queue.canHold(2n ** 256n - 1n)).toBe(true)
  expect(queue.canHold(2n ** 256n)).toBe(false)
})
