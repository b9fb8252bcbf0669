import { describe, expect, test } from 'vitest'
import * as attack from './testkit/attacks.ts'
import * as door from './testkit/door-attacks.ts'

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

describe('attacks on what lies in front of the pool', () => {
  test('A13: impossible signatures cost no recovery, and who submits among them is served', () =>
    door.badSignatures(150))
  test('A14: no bytes make the decoder throw', async () => {
    await door.hostileBytes(300, () => 0)
  })
  test('A15: stories of refusals push out each other only', () =>
    door.refusedByTheMillion(600, 128))
  test('A15: questions after strange accounts leave nothing behind', () => door.nonceQuestions(64))
  test('A17: replays change nothing, and what is pooled is not recovered again', () =>
    door.replays(100))
  test('A18: of a poisoned journal what is good comes back and nothing else', () =>
    door.poisonedJournal(100))
  test('A19: a private transaction is told of nowhere in its whole life', () => door.leakHunt(2))
  test('A20: what pays nothing is refused and leaves nothing', () => door.payingNothing(150))
})
