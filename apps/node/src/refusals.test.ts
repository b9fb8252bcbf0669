import { expect, test } from 'vitest'
import { requireDevForFaults } from './refusals.ts'

const aReader = (network: string, faults: boolean, drift = 0) => ({
  text: () => network,
  flag: () => faults,
  number: (key: string) => (key === 'devnet.clock-drift-ppm' ? drift : 0),
})

test('faults are refused on every network but dev', () => {
  expect(() => requireDevForFaults(aReader('mainnet', true))).toThrow(
    'devnet.faults is only for network dev, not for mainnet; remove the key',
  )
  expect(() => requireDevForFaults(aReader('mainnet', false, -5))).toThrow(
    'clock-drift-ppm is only',
  )
  expect(() => requireDevForFaults(aReader('mainnet', false))).not.toThrow()
  expect(() => requireDevForFaults(aReader('dev', true, 5))).not.toThrow()
})
