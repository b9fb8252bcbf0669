import { expect, test } from 'vitest'
import { disagreements } from './secp.differential.ts'

test('three implementations agree on 10,000 generated and mutated signatures', {
  timeout: 600_000,
}, async () => {
  expect(await disagreements(10_000)).toEqual([])
})
