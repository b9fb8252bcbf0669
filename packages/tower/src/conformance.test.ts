import { towerCryptoSuite } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { aKey, testCrypto } from './testkit/crypto.ts'

describe('the hashes and keys of the tests', () => {
  towerCryptoSuite({ test, expect }, async () => ({ crypto: testCrypto, keyOf: aKey }))
})
