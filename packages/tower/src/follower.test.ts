import { limits } from '@rockpool/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Follower } from './follower.ts'
import type { HomeBlock, Place } from './home.ts'

/** A chain of blocks by name; a branch is the names above genesis. */
function aBlock(branch: readonly number[], height: number): HomeBlock {
  const name = (upTo: number) => `0x${[0, ...branch.slice(0, upTo)].join('-')}` as HomeBlock['hash']
  return { hash: name(height), parent: name(height - 1), height, txs: [] }
}

/** Lets the follower walk to the tip of this branch; what it removed and added, in order. */
function walk(follower: Follower, branch: readonly number[]): void {
  follower.aim(aBlock(branch, branch.length))
  for (let guard = 0; guard < 10_000; guard += 1) {
    if (follower.due() !== undefined) continue
    const height = follower.next()
    if (height === undefined) {
      if (follower.due() === undefined) return
      continue
    }
    follower.take(height > branch.length ? null : aBlock(branch, height))
  }
  throw new Error('it walks for ever')
}

test('tower B96 B97 B98 B99: whatever the chain does, the follower ends on its branch, block by block', () => {
  const change = fc.record({ undo: fc.nat({ max: 8 }), grow: fc.nat({ max: 9 }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), changes => {
      const follower = new Follower([aBlock([], 0)])
      let branch: number[] = []
      let made = 0
      for (const { undo, grow } of changes) {
        branch = branch.slice(0, Math.max(0, branch.length - undo))
        for (let count = 0; count < grow; count += 1) branch.push((made += 1))
        walk(follower, branch)
        expect(follower.tip?.hash).toBe(aBlock(branch, branch.length).hash)
        const wanted = branch.map((_, at) => aBlock(branch, at + 1).hash)
        expect(follower.places.slice(1).map(({ hash }) => hash)).toEqual(
          wanted.slice(-(limits.towerHashesKept - 1)),
        )
        expect(follower.behind).toBe(0)
      }
    }),
  )
})

test('the same tip again asks for nothing', () => {
  const follower = new Follower([aBlock([], 0)])
  walk(follower, [1, 2])
  follower.aim(aBlock([1, 2], 2))

  expect(follower.next()).toBeUndefined()
  expect(follower.due()).toBeUndefined()
})

test('a reorg is one step: what left, newest first, and what joined, oldest first', () => {
  const follower = new Follower([aBlock([], 0)])
  walk(follower, [1, 2, 3])
  const other = [1, 8, 9, 10]
  follower.aim(aBlock(other, 4))
  let step: ReturnType<Follower['take']>
  for (let height = follower.next(); height !== undefined; height = follower.next())
    step = follower.take(aBlock(other, height)) ?? step

  const names = (places: readonly Place[] | undefined) => places?.map(({ height }) => height)
  expect(names(step?.removed)).toEqual([3, 2])
  expect(names(step?.added)).toEqual([2, 3, 4])
})

test('a fork below everything remembered is told, not followed', () => {
  const follower = new Follower([aBlock([1, 2, 3], 3)])
  walk(follower, [7, 8, 9, 10])

  expect(follower.isLost).toBe(true)
})
