import { expect, test } from 'vitest'
import { createDriftWatch, DRIFT_MS, GRAYLISTED_MS } from './drift.ts'

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
  expect(watch.check(9_000, lost)).toEqual([])
})

test('the third repair says goodbye with a fault', () => {
  const watch = createDriftWatch()
  const actions = [0, 2_000, 2_001, 4_001, 4_002, 6_002].flatMap(now => watch.check(now, lost))

  expect(actions[2]).toMatchObject({ act: 'close', bye: { code: 3 } })
})

test('a peer whose stream overflowed is closed at once, known to the router or not, and once', () => {
  for (const known of [true, false]) {
    const watch = createDriftWatch()
    const overflowed = [{ id: 'a', known, overflowed: true }]

    expect(watch.check(0, overflowed)).toMatchObject([{ act: 'close', bye: { code: 3 } }])
    expect(watch.check(5_000, overflowed)).toEqual([])
  }
})

test('a graylisted peer is closed after a minute, not a millisecond sooner', () => {
  const watch = createDriftWatch()
  const graylisted = [{ id: 'a', known: true, graylisted: true }]
  watch.check(0, graylisted)

  expect(watch.check(GRAYLISTED_MS - 1, graylisted)).toEqual([])
  expect(watch.check(GRAYLISTED_MS, graylisted)).toMatchObject([
    { act: 'close', bye: { code: 250, retryAfterSeconds: 0 } },
  ])
})

test('a peer that has left the graylist is closed once, to come back in a second', () => {
  const watch = createDriftWatch()
  watch.check(0, [{ id: 'a', known: true, graylisted: true }])

  expect(watch.check(1_000, found)).toMatchObject([
    { act: 'close', bye: { code: 250, retryAfterSeconds: 1 } },
  ])
  expect(watch.check(2_000, found)).toEqual([])
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

test('a graylisted peer the router has lost is introduced again, and has not left the graylist', () => {
  const watch = createDriftWatch()
  watch.check(0, [{ id: 'a', known: true, graylisted: true }])
  watch.check(1_000, lost)

  expect(watch.check(3_000, lost)).toEqual([{ id: 'a', act: 'repair' }])
})
