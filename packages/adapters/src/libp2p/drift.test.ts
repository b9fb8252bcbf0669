import { expect, test } from 'vitest'
import { createDriftWatch, DRIFT_MS } from './drift.ts'

const lost = [{ id: 'a', known: false }]
const found = [{ id: 'a', known: true }]

test('a peer the router has lost for two seconds is introduced again, not a millisecond sooner', () => {
  const watch = createDriftWatch()
  watch.check(0, lost)

  expect(watch.check(DRIFT_MS - 1, lost)).toEqual([])
  expect(watch.check(DRIFT_MS, lost)).toEqual([{ id: 'a', act: 'repair' }])
})

test('one that comes back by itself is left alone', () => {
  const watch = createDriftWatch()
  watch.check(0, lost)
  watch.check(1_000, found)

  expect(watch.check(2_500, lost)).toEqual([])
})

test('the third repair within ten minutes closes the connection', () => {
  const watch = createDriftWatch()
  const acts: string[] = []
  for (let now = 0; now <= 8_000; now += 1_000)
    for (const { act } of watch.check(now, lost)) acts.push(act)

  expect(acts).toEqual(['repair', 'repair', 'close'])
})

test('repairs older than ten minutes do not count', () => {
  const watch = createDriftWatch()
  const acts: string[] = []
  for (const start of [0, 300_000, 900_000, 1_600_000]) {
    watch.check(start, lost)
    for (const { act } of watch.check(start + DRIFT_MS, lost)) acts.push(act)
    watch.check(start + DRIFT_MS + 1, found)
  }

  expect(acts).toEqual(['repair', 'repair', 'repair', 'repair'])
})

test('a peer that left is forgotten with its repairs', () => {
  const watch = createDriftWatch()
  for (let now = 0; now <= 5_000; now += 1_000) watch.check(now, lost)
  watch.check(6_000, [])
  watch.check(7_000, lost)

  expect(watch.check(9_000, lost)).toEqual([{ id: 'a', act: 'repair' }])
})
