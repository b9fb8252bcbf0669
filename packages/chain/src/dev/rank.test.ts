import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aGenesis } from '../testkit/chains.ts'
import { addressAt } from '../testkit/wallets.ts'
import { gapMs, rankOf, turnOf, weightOf } from './rank.ts'

const producers = [addressAt(1), addressAt(2), addressAt(3), addressAt(4)]

test('at every height exactly one producer is in turn and every rank is held once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), fc.nat(), (count, height) => {
      const ranks = Array.from({ length: count }, (_, index) => rankOf(index, height, count))

      expect([...ranks].sort((left, right) => left - right)).toEqual([...ranks.keys()])
      expect(ranks[height % count]).toBe(0)
    }),
  )
})

test('the turn goes round: producer h mod n is in turn at height h', () => {
  expect([1, 2, 3, 4, 5].map(height => rankOf(1, height, 4))).toEqual([0, 3, 2, 1, 0])
})

test('a block in turn weighs as many as there are producers, the last in the queue one', () => {
  expect([0, 1, 2, 3].map(rank => weightOf(rank, 4))).toEqual([4, 3, 2, 1])
})

test('each rank waits one block time more, but never less than half a second', () => {
  expect([0, 1, 2].map(rank => gapMs(rank, 2_000))).toEqual([2_000, 4_000, 6_000])
  expect([0, 1, 2].map(rank => gapMs(rank, 100))).toEqual([100, 600, 1_100])
  expect([0, 1, 2].map(rank => gapMs(rank, 0))).toEqual([0, 500, 1_000])
})

test('the director is always in turn and never waits, even if listed as a producer', () => {
  const director = addressAt(2)
  const genesis = aGenesis({ producers, director })

  for (const height of [1, 2, 3, 4]) {
    expect(turnOf(genesis, director, height)).toEqual({
      rank: 0,
      weight: 4,
      gapMs: 0,
      director: true,
    })
  }
})

test('who is not in the genesis has no turn', () => {
  expect(turnOf(aGenesis({ producers }), addressAt(9), 1)).toBeNull()
  expect(turnOf(aGenesis({ producers }), addressAt(3), 1)).toEqual({
    rank: 1,
    weight: 3,
    gapMs: 4_000,
    director: false,
  })
})
