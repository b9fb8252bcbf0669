import { expect, test } from 'vitest'
import { timeMs, UsageError, wholeNumber } from './usage.ts'

test('times are read with their unit, without one as seconds', () => {
  expect(timeMs('12.3s', '--until')).toBe(12_300)
  expect(timeMs('250ms', '--until')).toBe(250)
  expect(timeMs('10m', '--until')).toBe(600_000)
  expect(timeMs('24h', '--until')).toBe(86_400_000)
  expect(timeMs('7', '--until')).toBe(7_000)
})

test.each(['', 's', '-1s', '1d', '1.s', '1s2'])('%j is no time', text => {
  expect(() => timeMs(text, '--until')).toThrow(UsageError)
})

test('a number is whole and not negative', () => {
  expect(wholeNumber('0', '--seeds')).toBe(0)
  for (const text of ['-1', '1.5', 'x', '1e400']) {
    expect(() => wholeNumber(text, '--seeds')).toThrow('--seeds takes a whole number')
  }
})
