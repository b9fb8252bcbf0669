import type { WorldParts } from '../api.ts'
import { addressOfKey, sign, testCrypto } from './crypto.ts'

/** Parts of a world in a test: real signatures, and nobody who plays or watches. */
export function testParts(given: Partial<WorldParts> = {}): WorldParts {
  return {
    crypto: testCrypto,
    sign,
    addressOf: addressOfKey,
    hop: () => new Promise(resolve => setImmediate(resolve)),
    cpuMs() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1_000
    },
    tripwire: true,
    ...given,
  }
}
