import { limits } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createBuckets } from './buckets.ts'
import { createToll, tolls } from './toll.ts'

/** A toll whose charges are kept, for a peer that counts as new only when told. */
function lab() {
  const charges: string[] = []
  return {
    toll: createToll(2_000, (peer, detail) => void charges.push(`${peer} ${detail}`)),
    charges,
  }
}

/** How many one-byte messages are let through at this instant. */
const passed = (toll: ReturnType<typeof createToll>, topic: 'tx' | 'block', nowMs: number) => {
  let count = 0
  while (toll.admits(topic, 'alice', 1, nowMs)) count += 1
  return count
}

test.each(['tx', 'block'] as const)(
  'of %s messages the burst passes at once, and then what a second brings back',
  topic => {
    const { toll } = lab()
    const { perSecond, burst } = tolls[topic].messages

    expect(passed(toll, topic, 0)).toBe(burst)
    expect(passed(toll, topic, 1_000)).toBe(perSecond)
    expect(passed(toll, topic, 1_000 + 1_000 / perSecond - 1)).toBe(0)
  },
)

test('a chain that runs a thousand times as fast has that many times the blocks', () => {
  const { toll } = lab()
  toll.pace(1_000)

  expect(passed(toll, 'block', 0)).toBe(tolls.block.messages.burst)
  expect(passed(toll, 'block', 1_000)).toBe(200 * tolls.block.messages.perSecond)
  expect(passed(toll, 'tx', 1_000)).toBe(tolls.tx.messages.burst)
})

test('bytes are bounded like messages: the last that fits passes, one more does not', () => {
  const { toll } = lab()
  const { burst, perSecond } = tolls.tx.bytes

  expect(toll.admits('tx', 'alice', burst, 0)).toBe(true)
  expect(toll.admits('tx', 'alice', 1, 0)).toBe(false)
  expect(toll.admits('tx', 'bob', burst, 0)).toBe(true)
  expect(toll.admits('tx', 'alice', perSecond, 1_000)).toBe(true)
  expect(toll.admits('tx', 'alice', 1, 1_000)).toBe(false)
})

test('transactions are bounded, 4,096 at once and 2,000 a second', () => {
  const { toll } = lab()

  expect(toll.admitsTxs('alice', 4_096, 0)).toBe(true)
  expect(toll.admitsTxs('alice', 1, 0)).toBe(false)
  expect(toll.admitsTxs('alice', 2_000, 1_000)).toBe(true)
  expect(toll.admitsTxs('alice', 1, 1_000)).toBe(false)
})

test('what was refused takes nothing', () => {
  const buckets = createBuckets({ a: { perSecond: 1, burst: 10 }, b: { perSecond: 1, burst: 1 } })

  expect(buckets.take('alice', { a: 5, b: 2 }, 0)).toBe(false)
  expect(buckets.take('alice', { a: 10, b: 1 }, 0)).toBe(true)
})

test('of more peers than are remembered the one that came longest ago starts anew', () => {
  const buckets = createBuckets({ a: { perSecond: 0, burst: 1 } })
  for (let index = 0; index <= limits.ratePeersMax; index++) {
    expect(buckets.take(`peer${index}`, { a: 1 }, 0)).toBe(true)
  }

  expect(buckets.size).toBe(limits.ratePeersMax)
  expect(buckets.take(`peer${limits.ratePeersMax}`, { a: 1 }, 0)).toBe(false)
  expect(buckets.take('peer0', { a: 1 }, 0)).toBe(true)
})

describe('a newcomer', () => {
  test('has half of everything until it brings something', () => {
    const { toll } = lab()
    toll.opened('alice', 0)
    expect(passed(toll, 'tx', 0)).toBe(tolls.tx.messages.burst / 2)
    expect(toll.admitsTxs('alice', 2_049, 0)).toBe(false)
    expect(passed(toll, 'tx', 1_000)).toBe(tolls.tx.messages.perSecond / 2)

    toll.brought('alice')

    expect(passed(toll, 'tx', 2_000)).toBe(tolls.tx.messages.perSecond)
  })

  test('is none any more after ten minutes', () => {
    const { toll } = lab()
    toll.opened('alice', 0)

    expect(passed(toll, 'tx', 599_999)).toBe(tolls.tx.messages.burst / 2)
    expect(passed(toll, 'tx', 700_000)).toBe(tolls.tx.messages.burst)
  })
})

describe('soft outcomes', () => {
  /** Whether 2,001 transactions pass after a long rest: they do unless tokens are halved. */
  const isSlow = (toll: ReturnType<typeof createToll>, nowMs: number) =>
    !toll.admitsTxs('alice', 2_049, nowMs)

  test.each([
    [60, 15, false],
    [63, 16, true],
    [64, 16, false],
    [17, 16, true],
  ])('of %i transactions %i soft ones halve the tokens: %s', (txs, soft, slow) => {
    const { toll } = lab()
    toll.judged('alice', txs, soft, 0)

    expect(isSlow(toll, 1)).toBe(slow)
    expect(isSlow(toll, 10_000)).toBe(false)
  })

  test('are charged when six windows in a row are a flood, not before, and not with a pause', () => {
    const { toll, charges } = lab()
    const flood = (windows: readonly number[]) => {
      for (const window of windows) toll.judged('alice', 20, 20, window * 10_000)
    }

    flood([0, 1, 2, 3, 4])
    expect(charges).toEqual([])
    flood([6, 7, 8, 9, 10])
    expect(charges).toEqual([])
    flood([11])

    expect(charges).toEqual(['alice 20 of 20'])
  })

  test('are counted anew in each window of ten seconds', () => {
    const { toll } = lab()
    toll.judged('alice', 15, 15, 0)
    toll.judged('alice', 15, 15, 10_000)

    expect(isSlow(toll, 10_001)).toBe(false)
  })
})
