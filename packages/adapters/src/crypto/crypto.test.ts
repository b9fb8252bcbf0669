import { cryptoSuite, towerCryptoSuite } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { createCrypto } from './crypto.ts'
import { towerKeyOf } from './keys.ts'
import { type Backend, nativeSecp } from './secp.ts'

for (const backend of ['native', 'wasm', 'noble'] satisfies Backend[]) {
  describe(`crypto, ${backend} in the calling thread`, () => {
    cryptoSuite(
      { test, expect },
      async () => {
        const crypto = await createCrypto({ workers: 0, force: backend })
        const secp = nativeSecp()
        return {
          crypto,
          sign: secp.sign,
          publicKey: key => secp.publicKey(key) ?? new Uint8Array(65),
          close: crypto.close,
        }
      },
      backend === 'noble' ? 250 : 500,
    )
    towerCryptoSuite({ test, expect }, async () => {
      const crypto = await createCrypto({ workers: 0, force: backend })
      return { crypto, keyOf: towerKeyOf, close: crypto.close }
    })
  })
}

test('the implementation in use is named for people', async () => {
  const crypto = await createCrypto({ workers: 0 })

  expect(crypto.describe()).toBe('secp256k1 native, in the calling thread')
  expect(crypto.fallbackReason).toBeUndefined()
})

test('after close recovery is refused, and closing twice is fine', async () => {
  const crypto = await createCrypto({ workers: 0 })
  await crypto.close()
  await crypto.close()

  const job = { digest: new Uint8Array(32), r: new Uint8Array(32), s: new Uint8Array(32), id: 0 }
  await expect(crypto.recover([job])).rejects.toMatchObject({ code: 'crypto/closed' })
})
