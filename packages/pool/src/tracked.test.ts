import { expect, test } from 'vitest'
import { Followed } from './followed.ts'
import { aTx } from './testing.ts'
import { type Entry, final, mayPass, temporary } from './tracked.ts'

const anEntry = (trackedAtMs: number, waitsFor?: string): Entry => ({
  ...{ tx: aTx({ nonce: trackedAtMs }), origin: 'local', seq: 1, isRanked: false },
  ...{ firstSeenMs: trackedAtMs, trackedAtMs, waitsFor, isJournaled: true, tries: 0 },
  ...{ lastTryMs: undefined, publishAtMs: Number.POSITIVE_INFINITY },
})

test('six refusals are temporary: a submission refused so is followed and called a success', () => {
  expect([...temporary].sort()).toEqual([
    'pool/authority-reserved',
    'pool/delegated-gap',
    'pool/delegated-in-flight',
    'pool/full',
    'pool/future-replaces-pending',
    'pool/underpriced',
  ])
})

test('what may pass holds everything temporary, and no way to leave for good', () => {
  for (const code of temporary) expect(mayPass).toContain(code)
  for (const code of ['pool/tip-below-minimum', 'pool/insufficient-funds'] as const)
    expect(mayPass).toContain(code)
  expect(mayPass.has('pool/nonce-too-low')).toBe(false)
  expect([...final].sort()).toEqual(['cleared', 'mined', 'nonce-used', 'removed-by-operator'])
})

test('an own transaction is given up when its lifetime is over, to the millisecond; 0 is for ever', () => {
  const followed = new Followed({ localLifetimeMs: 1_000 })
  followed.insert(anEntry(0))
  followed.insert(anEntry(1, 'pool/full'))
  expect(followed.look(999)).toMatchObject({ expired: [], waiting: [{ trackedAtMs: 1 }] })
  expect(followed.look(1_000).expired.map(({ trackedAtMs }) => trackedAtMs)).toEqual([0])
  expect(followed.wantsLook(1_000)).toBe(true)

  const forEver = new Followed({ localLifetimeMs: 0 })
  forEver.insert(anEntry(0))
  expect(forEver.look(1e12).expired).toEqual([])
  expect(forEver.wantsLook(1e12)).toBe(false)
})
