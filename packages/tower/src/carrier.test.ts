import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { Carrier, type Job } from './carrier.ts'
import { u32 } from './signing.ts'

const aJob = (name: number, height = 100, withDispute = false): Job => ({
  ...{ penaltyTxid: u32(name), uuid: u32(name), withDispute, height },
})
const names = (jobs: readonly (Job | undefined)[]) => jobs.map(job => job && job.penaltyTxid[3])

test('tower B83 B85: one transaction goes out once a block, and again with the next', () => {
  const carrier = new Carrier()
  carrier.push(aJob(1))
  const first = carrier.take()
  carrier.push(aJob(1))
  const flying = carrier.take()
  if (first !== undefined) carrier.done(first)
  carrier.push(aJob(1))
  const sent = carrier.take()
  carrier.newBlock()
  carrier.push(aJob(1))

  expect(names([first, flying, sent, carrier.take()])).toEqual([1, undefined, undefined, 1])
})

test('the oldest dispute goes first, and a bounded number is under way', () => {
  const carrier = new Carrier()
  for (const [name, height] of [
    [1, 105],
    [2, 101],
    [3, 103],
  ] as const)
    carrier.push(aJob(name, height))

  expect(names([carrier.take(), carrier.take(), carrier.take()])).toEqual([2, 3, 1])
  for (let name = 10; name < 20; name += 1) carrier.push(aJob(name))
  expect(names([carrier.take(), carrier.take()])).toEqual([10, undefined])
  expect(limits.towerSendsMax).toBe(4)
  carrier.done(aJob(2))
  expect(names([carrier.take()])).toEqual([11])
})

test('what waits goes out with its dispute as soon as one asks for that', () => {
  const carrier = new Carrier()
  carrier.push(aJob(1))
  carrier.push(aJob(1, 100, true))
  carrier.push(aJob(1))

  expect(carrier.take()?.withDispute).toBe(true)
  expect(carrier.take()).toBeUndefined()
})
