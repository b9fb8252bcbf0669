import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aProducer, contentsOf, ether, sorted, sumOf } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { Story } from '../testkit/story.ts'
import { envOn, verifyExecution } from './block.ts'
import { execute } from './execute.ts'

const runs = { numRuns: 12 }
const anySeed = fc.integer({ min: 0, max: 2 ** 31 })

test('undoing every block of a random chain gives its genesis back', () => {
  fc.assert(
    fc.property(anySeed, seed => {
      const story = new Story(seed)
      const states = [contentsOf(story.state)]
      const undos = Array.from({ length: 8 }, () => {
        const { undo } = story.next()
        states.push(contentsOf(story.state))
        return undo
      })
      for (const undo of undos.reverse()) {
        expect(contentsOf(story.state)).toEqual(states.pop())
        story.state.revert(undo)
      }

      expect(contentsOf(story.state)).toEqual(states.pop())
    }),
    runs,
  )
})

test('balances add up to alloc and rewards less burnt fees at every head', () => {
  fc.assert(
    fc.property(anySeed, seed => {
      const reward = ether / 3n
      const story = new Story(seed, { reward })
      let expected = sumOf(story.state)
      for (let left = 8; left > 0; left--) {
        const { header } = story.next()
        expected += reward - BigInt(header.gasUsed) * header.baseFee

        expect(sumOf(story.state)).toBe(expected)
      }
    }),
    runs,
  )
})

test('a block gives the same on a state, on an overlay of it and again after its undo, and keeps its roots', () => {
  fc.assert(
    fc.property(anySeed, seed => {
      const story = new Story(seed)
      for (let left = 5; left > 0; left--) {
        const block = story.next()
        story.state.revert(block.undo)
        const env = envOn(block.parent, story.genesis, block.header, keccak256)
        const onOverlay = execute(story.state.overlay(), env, block.included)
        const onState = execute(story.state, env, block.included)
        if (!onOverlay.ok || !onState.ok) throw new Error('refused')

        expect(sorted(onState.changes)).toEqual(sorted(block.changes))
        expect(sorted(onOverlay.changes)).toEqual(sorted(block.changes))
        expect(sorted(onOverlay.undo)).toEqual(sorted(block.undo))
        expect(onOverlay.receipts).toEqual(block.receipts)
        expect(
          verifyExecution(block.parent, block.header, block.included, onOverlay, keccak256),
        ).toBeNull()
        story.state.commit(onState.changes)
      }
    }),
    runs,
  )
})

test('a sender advances by one nonce for each of its transactions and each of its authorizations, and by nothing else', () => {
  fc.assert(
    fc.property(anySeed, seed => {
      const story = new Story(seed, { producers: [aProducer] })
      for (let left = 6; left > 0; left--) {
        const { included, changes, undo, receipts } = story.next()
        const sum = (of: typeof changes) =>
          [...of].reduce((total, [, account]) => total + (account?.nonce ?? 0), 0)
        const created = receipts.filter(
          ({ contractAddress, status }) => contractAddress !== null && status === 1,
        )
        const authorizations = included.reduce((total, tx) => total + tx.authorizations.length, 0)
        const advanced = sum(changes) - sum(undo) - created.length - included.length

        expect(advanced).toBeGreaterThanOrEqual(0)
        expect(advanced).toBeLessThanOrEqual(authorizations)
      }
    }),
    runs,
  )
})

test('a commit of changes that were made on an older state is still right', () => {
  const story = new Story(5)
  const first = story.next()
  const second = story.next()
  const after = contentsOf(story.state)
  story.state.revert(second.undo)
  story.state.revert(first.undo)
  story.state.commit(first.changes)
  const undo = story.state.commit(second.changes)

  expect(contentsOf(story.state)).toEqual(after)
  expect(sorted(undo)).toEqual(sorted(second.undo))
})
