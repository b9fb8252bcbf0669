import { expect, test } from 'vitest'
import * as attack from './testkit/attacks.ts'

const scale = attack.fullScale
const patienceMs = 600_000

test.each([
  ['A1', attack.futureFlood],
  ['A2', attack.overdraftLadder],
  ['A3', attack.batchOverdraft],
  ['A4', attack.hammer],
  ['A5', attack.drain],
  ['A6', attack.locking],
  ['A7', attack.churn],
  ['A8', attack.failingReplacements],
  ['A10', attack.replayedAuthorizations],
] as const)(
  '%s at full size',
  (_, run) => {
    run(scale)
  },
  patienceMs,
)

test(
  'A11: 1,536 of 128 KiB fill 6,144 slots and grow the process by at most 300 MB',
  () => {
    const before = process.memoryUsage().rss
    attack.fatTransactions(1_536, scale)
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThanOrEqual(300)
  },
  patienceMs,
)

test('A12: 10,000 accounts with one behind a gap', () => attack.wideGaps(10_000, scale), patienceMs)

test(
  'A16: 64 deep, 5,000 pooled: the slowest of a hundred resets takes at most 150 ms',
  () => {
    const cpuMs = () => process.cpuUsage().user / 1_000
    const timings = attack.headFlips({ pooled: 5_000, depth: 64, flips: 50 }, cpuMs)
    timings.sort((left, right) => left - right)
    const slow = timings[Math.floor(timings.length * 0.99)] ?? Number.NaN
    process.stdout.write(`A16: p99 ${slow} ms, median ${timings[timings.length >> 1]} ms\n`)
    expect(slow).toBeLessThanOrEqual(150)
  },
  patienceMs,
)

test('A21: a hundred double spends', () => attack.doubleSpends(100), patienceMs)
