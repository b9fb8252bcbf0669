import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantText } from './instant.ts'

test('an instant reads as the calendar says, leap years included', () => {
  const instants = fc.oneof(
    fc.integer({ min: 0, max: 253_402_300_799_999 }),
    fc.constantFrom(951_782_400_000, 4_107_542_399_999, 1_709_164_800_000),
  )
  fc.assert(
    fc.property(instants, ms => {
      const iso = new Date(ms).toISOString()
      expect(instantText(ms)).toBe(`${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`)
    }),
  )
})
