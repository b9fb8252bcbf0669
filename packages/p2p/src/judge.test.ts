import type { Ban } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { type JudgeParts, judge } from './judge.ts'

const ban = { untilMs: 9 } as Ban

const ruled = (total: number, parts: Partial<JudgeParts> = {}) =>
  judge('mallory', 1_000, {
    minScore: -100,
    total: () => total,
    isExempt: () => false,
    proven: () => total,
    activeBan: () => undefined,
    isSuspect: () => false,
    withheld: () => undefined,
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

test('while this node is suspect only what is proved bans', () => {
  const suspect = { isSuspect: () => true }
  expect(ruled(-150, { ...suspect, proven: () => -100 })).toMatchObject({
    kind: 'withheld',
    why: 'self-suspect',
  })
  expect(ruled(-150, { ...suspect, proven: () => -100.1 }).kind).toBe('ban')
})

test('a spent budget or a reached floor means quarantine; where most are called bad, nothing', () => {
  expect(ruled(-150, { withheld: () => 'budget' })).toMatchObject({ kind: 'quarantine' })
  expect(ruled(-150, { withheld: () => 'floor' })).toMatchObject({ kind: 'quarantine' })
  expect(ruled(-150, { withheld: () => 'minority-view' })).toMatchObject({ kind: 'withheld' })
})
