import type { Ban } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { type JudgeParts, judge } from './judge.ts'

const ban = { untilMs: 9 } as Ban

const ruled = (total: number, parts: Partial<JudgeParts> = {}) =>
  judge('mallory', 1_000, {
    minScore: -100,
    total: () => total,
    isExempt: () => false,
    activeBan: () => undefined,
    endMs: () => 500,
    ...parts,
  })

test('a total of exactly the minimum is healthy, anything below is banned', () => {
  expect(ruled(-100).kind).toBe('healthy')
  expect(ruled(-100.0001).kind).toBe('ban')
})

test.each([Number.NaN, Number.NEGATIVE_INFINITY])('a total of %s is an error', total => {
  expect(ruled(total).kind).toBe('error')
})

test('a static or protected peer is kept, also when a ban of it is on record', () => {
  expect(ruled(-200, { isExempt: () => true, activeBan: () => ban }).kind).toBe('kept')
})

test('who is banned already is stale, not banned again', () => {
  expect(ruled(-200, { activeBan: () => ban })).toEqual({ kind: 'stale', ban })
})

test('of the two ends the later one counts', () => {
  expect(ruled(-200)).toMatchObject({ untilMs: 1_000 })
  expect(ruled(-200, { endMs: () => 6_000 })).toMatchObject({ untilMs: 6_000 })
})
