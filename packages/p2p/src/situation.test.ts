import { devForks, type Head, zeroHash } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { situationOf } from './situation.ts'

const aHead = (number: number, timeMs: number): Head => ({
  hash: zeroHash,
  parentHash: zeroHash,
  number,
  timeMs,
  gasLimit: 30_000_000,
  gasUsed: 0,
  baseFee: 1n,
})

function nearFork(number: number, timeMs: number): boolean {
  const forks = { londonBlock: 100, pragueTime: 1_000, osakaTime: null }
  const head = aHead(number, timeMs)
  return situationOf({ head, forks, blockTimeMs: 2_000, wallMs: timeMs }).fork
}

test('a head is near a fork within two blocks or two block times of it', () => {
  expect([97, 98, 100, 102, 103].map(number => nearFork(number, 0))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ])
  expect([995_999, 996_000, 1_004_000, 1_004_001].map(timeMs => nearFork(500, timeMs))).toEqual([
    false,
    true,
    true,
    false,
  ])
})

test('forks of genesis have no margin', () => {
  const situation = situationOf({
    head: aHead(0, 0),
    forks: devForks,
    blockTimeMs: 2_000,
    wallMs: 0,
  })

  expect(situation).toEqual({ fork: false, stale: false })
})

test('a head is stale after three block times, and never where blocks come on demand', () => {
  const stale = (wallMs: number, blockTimeMs: number) =>
    situationOf({ head: aHead(5, 10_000), forks: devForks, blockTimeMs, wallMs }).stale

  expect(stale(16_000, 2_000)).toBe(false)
  expect(stale(16_001, 2_000)).toBe(true)
  expect(stale(1_000_000, 0)).toBe(false)
})
