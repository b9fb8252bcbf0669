import { devForks, limits, ok, rulesAt } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { Intake, type Recovering } from './intake.ts'

/** An intake with this many submissions, none of which can be decoded, and who was answered so far. */
function anIntake(count: number) {
  const rules = rulesAt(devForks, { number: 1, timeSeconds: 1, merged: true })
  const intake = new Intake({
    keccak256: () => new Uint8Array(32),
    isPooled: () => false,
    context: () => ({ rules, chainId: 1337n, gasLimit: 30_000_000, minTip: 1n }),
  })
  const answered: number[] = []
  for (let index = 0; index < count; index++)
    intake.push({ raw: new Uint8Array([2]), reply: { tell: () => void answered.push(index) } })
  const finish = (batch: Recovering | undefined) => {
    if (batch === undefined) throw new Error('no such batch')
    for (const job of intake.finish(batch, ok([]))) job.answer([])
  }
  return { intake, answered, finish }
}

test('a batch that is recovered first waits for the one that came first', () => {
  const { intake, answered, finish } = anIntake(limits.poolRecoveringTxsMax + 3)
  const [first, second] = [intake.begin(), intake.begin()]

  finish(second)
  expect(answered).toEqual([])
  expect(intake.size).toBe(limits.poolRecoveringTxsMax + 3)
  finish(first)

  expect(answered).toEqual(Array.from({ length: limits.poolRecoveringTxsMax + 3 }, (_, at) => at))
  expect(intake.size).toBe(0)
})

test('as many batches as may be are under way, and one more when the first is finished', () => {
  const { intake, finish } = anIntake(limits.poolRecoveringTxsMax * (limits.poolRecoveringMax + 1))
  const begun = Array.from({ length: limits.poolRecoveringMax }, () => intake.begin())

  expect(begun.every(batch => batch?.examined.length === limits.poolRecoveringTxsMax)).toBe(true)
  expect(intake.begin()).toBeUndefined()
  finish(begun[0])

  expect(intake.begin()?.examined).toHaveLength(limits.poolRecoveringTxsMax)
  expect(intake.begin()).toBeUndefined()
})
