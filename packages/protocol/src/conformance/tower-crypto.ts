import type { TowerCrypto, TowerKey } from '../ports.ts'
import { fromHex, toHex } from '../values/bytes.ts'
import { rejectionCode, type TestKit } from './kit.ts'

export interface TowerCryptoUnderTest {
  readonly crypto: TowerCrypto
  /** A tower's key of this secret. */
  keyOf(secret: Uint8Array): TowerKey
  close?(): Promise<void>
}

/** The zero nonce, a key of 32 x 07 and "penalty"; from another implementation (noble). */
const sealed = {
  key: new Uint8Array(32).fill(7),
  plain: new TextEncoder().encode('penalty'),
  bytes: '0x47e1476d0c1f7d2c0d8f7e5d799f81c1c2cea51a8db570',
}

/** What every `TowerCrypto` answers, whichever library is behind it. */
export function towerCryptoSuite(
  { test, expect }: TestKit,
  make: () => Promise<TowerCryptoUnderTest>,
): void {
  async function using(run: (under: TowerCryptoUnderTest) => Promise<void>): Promise<void> {
    const under = await make()
    await run(under)
    await under.close?.()
  }

  test('ripemd160 gives the published values', () =>
    using(async ({ crypto }) => {
      expect(toHex(crypto.ripemd160(fromHex('')))).toBe(
        '0x9c1185a5c5e9fc54612808977ee8f548b2258d31',
      )
      expect(toHex(crypto.ripemd160(fromHex('616263')))).toBe(
        '0x8eb208f7e05d987a9b044a8e98c6b087f15a0bfc',
      )
    }))

  test('what is sealed has known bytes and opens again, with its key alone and unchanged', () =>
    using(async ({ crypto }) => {
      const { key, plain, bytes } = sealed
      const made = crypto.seal(key, plain)
      expect(toHex(made)).toBe(bytes)
      expect(toHex(crypto.open(key, made) ?? new Uint8Array(0))).toBe(toHex(plain))
      expect(crypto.open(new Uint8Array(32).fill(8), made)).toBe(undefined)
      for (let at = 0; at < made.length; at += 1) {
        const changed = made.slice()
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(crypto.open(key, changed)).toBe(undefined)
      }
      for (let length = 0; length < made.length; length += 1) {
        expect(crypto.open(key, made.subarray(0, length))).toBe(undefined)
      }
      expect(toHex(crypto.open(key, crypto.seal(key, new Uint8Array(0))) ?? plain)).toBe('0x')
    }))

  test('a signature recovers to the compressed key that made it', () =>
    using(async ({ crypto, keyOf }) => {
      const key = keyOf(new Uint8Array(32).fill(0x22))
      expect(toHex(key.id)).toBe(
        '0x02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27',
      )
      const digests = Array.from({ length: 20 }, (_, index) => new Uint8Array(32).fill(index + 1))
      const jobs = digests.map(digest => {
        const signed = key.sign(digest)
        expect(signed.length).toBe(65)
        const [first = 0] = signed
        return { digest, r: signed.slice(1, 33), s: signed.slice(33), id: first - 31 }
      })
      const wrong = { ...(jobs[0] ?? { r: key.id, s: key.id, id: 0 }), digest: new Uint8Array(32) }
      const answers = await crypto.recoverKeys([...jobs, { ...wrong, id: 9 }])
      expect(answers.map(answer => answer && toHex(answer))).toEqual([
        ...digests.map(() => toHex(key.id)),
        undefined,
      ])
      expect(await crypto.recoverKeys([])).toEqual([])
    }))

  test('a job of another width is a bug, not an answer', () =>
    using(async ({ crypto }) => {
      const word = new Uint8Array(32)
      const short = { digest: new Uint8Array(31), r: word, s: word, id: 0 }
      const outcome = await rejectionCode(Promise.resolve().then(() => crypto.recoverKeys([short])))
      expect(outcome).toBe('no code')
    }))

  test('only points of the curve in 33 bytes are public keys', () =>
    using(async ({ crypto, keyOf }) => {
      const { id } = keyOf(new Uint8Array(32).fill(0x11))
      expect(crypto.isPublicKey(id)).toBe(true)
      const other = id.slice()
      other[0] = 5
      expect(crypto.isPublicKey(other)).toBe(false)
      expect(crypto.isPublicKey(id.subarray(0, 32))).toBe(false)
      expect(crypto.isPublicKey(new Uint8Array(33))).toBe(false)
      // x = 5 is on no point of the curve.
      const none = new Uint8Array(33)
      none[0] = 2
      none[32] = 5
      expect(crypto.isPublicKey(none)).toBe(false)
    }))
}
