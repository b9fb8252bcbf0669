import { expect, test } from 'vitest'
import { compareWithOracle } from '../testkit/comparison.ts'

test('25 random blocks agree with EthereumJS on status, gas, accounts, delegations, base fee and roots', async () => {
  const found = await compareWithOracle({ seed: 7, blocks: 25 })

  expect(found.differences).toEqual([])
  expect(found.included).toBeGreaterThan(60)
  expect(found.refused).toBeGreaterThan(5)
  expect(Object.keys(found.byType).sort()).toEqual(['0', '1', '2', '4', 'creation'])
}, 60_000)
