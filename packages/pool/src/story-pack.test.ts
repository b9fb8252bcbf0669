import { addressOf, hashOf, limits, type TxType } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Stories } from './stories.ts'
import { cellsOfEvent, packStory, unpackStory } from './story-pack.ts'
import { aTx } from './testing.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const amount = fc.oneof(fc.bigInt(0n, 2n ** 64n), fc.bigInt(0n, 2n ** 384n - 1n))
const cell = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const gists = fc
  .record({
    hash: bytes(32).map(hashOf),
    ...{ nonce: amount, feeCap: amount, tip: amount, gas: amount, cost: amount },
    type: fc.constantFrom<TxType>(0, 1, 2, 4),
    ...{ slots: fc.nat(4), size: fc.nat(limits.txBytesMax) },
    sender: fc.option(bytes(20).map(addressOf), { nil: undefined }),
  })
  .map(({ sender, ...gist }) => (sender === undefined ? gist : { ...gist, sender }))

test('what is packed comes back, with every event', () => {
  const cells = fc.array(cell, { maxLength: limits.storyEventsMax * cellsOfEvent })
  fc.assert(
    fc.property(gists, cells, (gist, told) => {
      expect(unpackStory(gist.hash, packStory(gist, told))).toEqual({ gist, cells: told })
    }),
  )
})

test('an amount of a hundred kilobytes is kept as the widest there is, so that nobody can fill the memory with refusals', () => {
  const tx = { ...aTx(), feeCap: 2n ** 800_000n, cost: 2n ** 800_100n }
  const packed = packStory(tx, [1, 2, 3])
  expect(packed.length).toBeLessThan(200)
  const { gist } = unpackStory(tx.hash, packed)
  expect(gist).toMatchObject({ feeCap: 2n ** 384n - 1n, cost: 2n ** 384n - 1n, tip: tx.tip })
})

test('a story that goes on after its transaction left keeps what it was and what happened', () => {
  const stories = new Stories({ max: 64, isOwn: () => false })
  const tx = aTx({ nonce: 3 })
  stories.added(tx, 'queued', 'gossip', { now: 10, cause: 1, block: 7 })
  stories.left(tx.hash, 'expired', { now: 20, cause: 2, block: 8 })
  stories.happened(tx.hash, 'mined', { now: 30, cause: 3, block: 9 }, 'mined')
  const story = stories.find(tx.hash)
  if (story === undefined) throw new Error('gone')
  expect(story.tx).toMatchObject({ nonce: 3n, sender: tx.sender, size: tx.raw.length })
  expect(stories.eventsOf(story).map(({ at, event }) => [at, event])).toEqual([
    [10, 'received'],
    [10, 'queued'],
    [20, 'dropped'],
    [30, 'mined'],
  ])
  expect([story.lastAt, story.lastCause]).toEqual([30, 3])
})
