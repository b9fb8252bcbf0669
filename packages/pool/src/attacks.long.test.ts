import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import * as attack from './testkit/attacks.ts'
import * as door from './testkit/door-attacks.ts'

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

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes held after a collection. MB. */
function heldMb(): number {
  collect()
  return process.memoryUsage().heapUsed / 1e6
}

test('A13: 20,000 impossible signatures', () => door.badSignatures(20_000), patienceMs)

test(
  'A14: of 10,000 mutants and the worst bytes none takes 5 ms',
  async () => {
    // Once for the compiler: a first call is not what an attacker gets.
    await door.hostileBytes(2_000, () => 0)
    const cpuMs = () => process.cpuUsage().user / 1_000
    expect(await door.hostileBytes(10_000, cpuMs)).toBeLessThanOrEqual(5)
  },
  patienceMs,
)

test(
  'A15: a million refusals, and memory is flat',
  () => {
    door.refusedByTheMillion(100_000, 32_768)
    const before = heldMb()
    door.refusedByTheMillion(1_000_000, 32_768)
    expect(heldMb() - before).toBeLessThanOrEqual(5)
  },
  patienceMs,
)

test(
  'A15: a million questions after strange accounts, and memory is flat',
  async () => {
    const room = await door.aDoor()
    await door.askNonces(room, 50_000)
    const before = heldMb()
    await door.askNonces(room, 1_000_000)
    expect(heldMb() - before).toBeLessThanOrEqual(5)
  },
  patienceMs,
)
test('A17: 20,000 replays', () => door.replays(20_000), patienceMs)
test('A18: a journal of 60,000 poisoned rows', () => door.poisonedJournal(60_000), patienceMs)
test('A19: a private transaction in a hundred lives', () => door.leakHunt(100), patienceMs)
test(
  'A20: 100,000 that pay nothing, and memory is flat',
  async () => {
    await door.payingNothing(5_000)
    const before = heldMb()
    await door.payingNothing(100_000)
    expect(heldMb() - before).toBeLessThanOrEqual(5)
  },
  patienceMs,
)
