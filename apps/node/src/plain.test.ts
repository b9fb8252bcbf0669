import { expect, test } from 'vitest'
import { plainOf } from './plain.ts'

test('a message becomes JSON: quantities as text, bytes as hex, refs by their path', () => {
  const message = {
    ...{ type: 'a', value: 10n ** 20n, raw: Uint8Array.of(1, 255), absent: null },
    ...{ by: new Map([['x', 1n]]), reply: { path: '/$reply', tell: () => {} }, then: () => {} },
  }

  expect(plainOf(message)).toEqual({
    ...{ type: 'a', value: '100000000000000000000', raw: '0x01ff', absent: null },
    ...{ by: [['x', '1']], reply: '-> /$reply', then: '(function)' },
  })
})

test('what is long, wide, deep or goes round is cut', () => {
  const round: { self?: unknown } = {}
  round.self = round

  expect(() => JSON.stringify(plainOf(round))).not.toThrow()
  expect(plainOf('x'.repeat(1_000))).toHaveLength(257)
  expect(plainOf(new Uint8Array(1_000))).toMatch(/^0x(?:00){64}… \(1000 bytes\)$/)
  expect(plainOf(Array.from({ length: 40 }, (_, n) => n))).toHaveLength(33)
})
