import { expect, test } from 'vitest'
import { requireDevForFaults } from './refusals.ts'

const aReader = (network: string, faults: boolean) => ({ text: () => network, flag: () => faults })

test('faults are refused on every network but dev', () => {
  expect(() => requireDevForFaults(aReader('mainnet', true))).toThrow(
    'devnet.faults is only for network dev, not for mainnet; remove the key',
  )
  expect(() => requireDevForFaults(aReader('mainnet', false))).not.toThrow()
  expect(() => requireDevForFaults(aReader('dev', true))).not.toThrow()
})
