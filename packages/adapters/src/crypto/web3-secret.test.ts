import { fromHex, toHex } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { addressOfKey } from './keys.ts'
import { addressIn, openKey, sealKey } from './web3-secret.ts'

const key = fromHex('7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d')
const password = 'testpassword'

/** The two published files of the format. */
const published = {
  pbkdf2: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262_144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  scrypt: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262_144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
}

const fileOf = (crypto: object, rest: object = {}) =>
  JSON.stringify({ crypto, id: '3198bc9c-6672-5ab3-d995-4942343ae5b6', version: 3, ...rest })

describe('published files', () => {
  test.each(Object.entries(published))('%s opens with its password', async (_, crypto) => {
    expect(toHex(await openKey(fileOf(crypto), password))).toBe(toHex(key))
  })

  test('a wrong password is told from a damaged file', async () => {
    const { pbkdf2 } = published
    await expect(openKey(fileOf(pbkdf2), 'Testpassword')).rejects.toMatchObject({
      code: 'keys/wrong-password',
      message: 'could not decrypt key with given password',
    })
    await expect(
      openKey(fileOf({ ...pbkdf2, mac: `00${pbkdf2.mac.slice(2)}` }), password),
    ).rejects.toMatchObject({ code: 'keys/wrong-password' })
  })

  test('a file that claims another account is not believed', async () => {
    const address = '11'.repeat(20)
    await expect(openKey(fileOf(published.pbkdf2, { address }), password)).rejects.toThrow(
      `key content mismatch: have account ${addressOfKey(key)}, want 0x${address}`,
    )
  })
})

test('what is sealed opens again, names its account and hides its key', async () => {
  const text = await sealKey(key, password, 'light')

  expect(toHex(await openKey(text, password))).toBe(toHex(key))
  expect(`0x${addressIn(text)}`).toBe(addressOfKey(key))
  expect(text).not.toContain(toHex(key).slice(2))
  expect(JSON.parse(text)).toMatchObject({
    version: 3,
    crypto: { kdf: 'scrypt', kdfparams: { n: 4096, r: 8, p: 6, dklen: 32 } },
  })
})

const { scrypt, pbkdf2 } = published
test.each([
  ['{', 'not JSON'],
  ['7', 'the file: expected an object'],
  [fileOf(pbkdf2, { version: 1 }), 'version not supported: 1'],
  [fileOf({ ...pbkdf2, cipher: 'aes-256-gcm' }), 'cipher not supported: aes-256-gcm'],
  [fileOf({ ...pbkdf2, kdf: 'md5' }), 'kdf not supported: md5'],
  [fileOf({ ...pbkdf2, cipherparams: { iv: 'ab' } }), 'iv: expected 16 bytes'],
  [fileOf({ ...pbkdf2, mac: 'zz' }), 'mac: expected hex digits'],
  [fileOf({ ...scrypt, kdfparams: { ...scrypt.kdfparams, n: 3 } }), 'n: expected a power of two'],
  [
    fileOf({ ...scrypt, kdfparams: { ...scrypt.kdfparams, n: 2 ** 26, r: 8 } }),
    'scrypt would need more than 512 MiB',
  ],
  [
    fileOf({ ...pbkdf2, kdfparams: { ...pbkdf2.kdfparams, c: 1e12 } }),
    'c: expected a whole number between 1 and 10000000',
  ],
])('%#: what is no such file is refused with the place', async (text, message) => {
  await expect(openKey(text, password)).rejects.toMatchObject({ code: 'keys/bad-file', message })
})
