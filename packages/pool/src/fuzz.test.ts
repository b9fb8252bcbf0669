import { describe, expect, test } from 'vitest'
import { fuzz } from './testkit/fuzz.ts'

describe.each(['fixed', 'geth'] as const)('ten thousand random operations in mode %s', compat => {
  test.each([1, 2, 3, 4, 5])(
    'break no invariant and replay to the same pool, seed %i',
    seed => {
      const { operations, offered, accepted } = fuzz(
        seed,
        compat === 'fixed' ? 10_000 : 2_000,
        compat,
      )
      expect(operations).toBeGreaterThanOrEqual(2_000)
      expect(accepted / offered).toBeGreaterThan(0.4)
    },
    60_000,
  )
})
