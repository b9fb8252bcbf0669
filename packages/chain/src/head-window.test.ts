import type { Hash, Head } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHeadWindow } from './head-window.ts'

function head(number: number, branch = 0): Head {
  const hash = `0x${branch.toString(16)}-${number}` as Hash
  const parentHash = `0x${branch.toString(16)}-${number - 1}` as Hash
  return { hash, number, parentHash, timeMs: number, gasLimit: 1, gasUsed: 0, baseFee: 1n }
}

const heads = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => head(from + index))

test('labels point 0, 32 and 64 below the head, and never below what is known', () => {
  const window = createHeadWindow(heads(0, 100))
  expect(window.label('latest')?.number).toBe(100)
  expect(window.label('safe')?.number).toBe(68)
  expect(window.label('finalized')?.number).toBe(36)

  const young = createHeadWindow(heads(10, 20))
  expect(young.label('safe')?.number).toBe(10)
  expect(createHeadWindow([]).label('latest')).toBeUndefined()
})

test('the 300 newest heads are kept and the one before them is forgotten', () => {
  const window = createHeadWindow(heads(0, limits.headWindow))

  expect(window.size).toBe(limits.headWindow)
  expect(window.at(0)).toBeUndefined()
  expect(window.find(head(0).hash)).toBeUndefined()
  expect(window.at(1)).toEqual(head(1))
})

test('it agrees with a list that is cut and grown, whatever the reorgs', () => {
  const steps = fc.array(fc.record({ cut: fc.nat(5), grow: fc.integer({ min: 1, max: 8 }) }), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(steps, history => {
      const list = heads(0, 10)
      const window = createHeadWindow(list)
      for (const [branch, { cut, grow }] of history.entries()) {
        const removed = list.splice(Math.max(1, list.length - cut)).reverse()
        const from = list.length
        const added = Array.from({ length: grow }, (_, index) => head(from + index, branch + 1))
        list.push(...added)
        window.advance({ removed, added })

        expect(window.label('latest')).toEqual(list.at(-1))
        for (const known of list.slice(-limits.headWindow)) {
          expect(window.at(known.number)).toEqual(known)
          expect(window.find(known.hash)).toEqual(known)
        }
        for (const { hash } of removed) expect(window.find(hash)).toBeUndefined()
      }
    }),
    { numRuns: 25 },
  )
})
