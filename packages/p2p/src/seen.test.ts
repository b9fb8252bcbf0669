import type { Hash } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createSeen } from './seen.ts'

const hash = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as Hash

test('the hash not asked for longest makes room', () => {
  const seen = createSeen<number>(2)
  seen.set(hash(1), 1)
  seen.set(hash(2), 2)
  seen.get(hash(1))

  seen.set(hash(3), 3)

  expect([1, 2, 3].map(n => seen.get(hash(n)))).toEqual([1, undefined, 3])
  expect(seen.size).toBe(2)
})

test('what is forgotten is unknown', () => {
  const seen = createSeen<true>(2)
  seen.set(hash(1), true)
  seen.forget(hash(1))
  seen.forget(hash(2))

  expect(seen.get(hash(1))).toBeUndefined()
})
