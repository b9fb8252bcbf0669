import { getContractAddress } from 'viem'
import { expect, test } from 'vitest'
import { keccak256 } from '../testkit/crypto.ts'
import type { Address } from '../values/bytes.ts'
import { createdAddress } from './created-address.ts'

test('a created contract lies where viem says', () => {
  const from = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f' as Address
  for (const nonce of [0n, 1n, 127n, 128n, 2n ** 53n])
    expect(createdAddress(from, nonce, keccak256)).toBe(
      getContractAddress({ from, nonce }).toLowerCase(),
    )
})
