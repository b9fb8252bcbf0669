import { describe, expect, test } from 'vitest'
import * as attack from './testkit/attacks.ts'

const scale = attack.smallScale

describe('attacks on a pool of 384 slots (5,120 and more in the long run)', () => {
  test('A1: a flood of dear futures moves nothing that is executable', () =>
    attack.futureFlood(scale))
  test('A2: an overdraft ladder gets one rung', () => attack.overdraftLadder(scale))
  test('A3: a batch that overdraws is bounded by equalisation, and by the strict check', () =>
    attack.batchOverdraft(scale))
  test('A4: a replacement that makes its followers unpayable is refused', () =>
    attack.hammer(scale))
  test('A5: what a drain on chain made unpayable leaves', () => attack.drain(scale))
  test('A6: whoever pays more gets into a locked pool within few turns', () => {
    expect(attack.locking(scale)).toBeLessThanOrEqual(8)
  })
  test('A7: a turn pushes out a quarter and no more', () => attack.churn(scale))
  test('A8: replacements that fail push nobody out', () => attack.failingReplacements(scale))
  test('A9: dust is bumped as the rule says', () => attack.dustBumps())
  test('A10: old authorizations leave their victim one in flight', () =>
    attack.replayedAuthorizations(scale))
  test('A11: the largest transactions stay within the slots', () =>
    attack.fatTransactions(120, scale))
  test('A12: one behind a gap from each of many accounts stays within the queue', () =>
    attack.wideGaps(1_000, scale))
  test('A16: head flips give the identical pool after each pair, and one event each', () => {
    attack.headFlips({ pooled: 300, depth: 8, flips: 3 }, () => 0)
  })
  test('A21: of a double spend one is mined, the other leaves with its reason', () =>
    attack.doubleSpends(100))
})
