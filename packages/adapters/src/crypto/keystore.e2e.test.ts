import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { addressOfKey } from './keys.ts'
import { openKeystore } from './keystore.ts'

const root = mkdtempSync(join(tmpdir(), 'rockpool-keystore-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const key = new Uint8Array(32).fill(7)
const made = new Date('2026-08-20T10:58:14.123Z')
const keystoreIn = (name: string) => openKeystore(join(root, name), () => made)

test('a key is stored under geth’s file name, for its owner alone, and comes back with its password', async () => {
  const keystore = keystoreIn('one')

  const { address, file } = await keystore.add(key, 'secret', 'light')

  expect(address).toBe(addressOfKey(key))
  expect(basename(file)).toBe(`UTC--2026-08-20T10-58-14.123000000Z--${address.slice(2)}`)
  expect(lstatSync(file).mode & 0o777).toBe(0o600)
  expect(await keystore.accounts()).toEqual([{ address, file }])
  expect(await keystore.open(address, 'secret')).toEqual(key)
  await expect(keystore.open(address, 'wrong')).rejects.toMatchObject({
    code: 'keys/wrong-password',
  })
  expect(readdirSync(join(root, 'one'))).toEqual([basename(file)])
})

test('an account is stored once, and one that is not there is unknown', async () => {
  const keystore = keystoreIn('twice')
  await keystore.add(key, 'secret', 'light')

  await expect(keystore.add(key, 'other', 'light')).rejects.toMatchObject({
    code: 'keys/exists',
    message: 'account already exists',
  })
  await expect(keystore.find(`0x${'22'.repeat(20)}` as never)).rejects.toThrow('unknown account')
})

test('two files of one account are ambiguous; what is no key file is passed over', async () => {
  const keystore = keystoreIn('many')
  const { address, file } = await keystore.add(key, 'secret', 'light')
  const { readFileSync } = await import('node:fs')
  writeFileSync(join(root, 'many', 'copy'), readFileSync(file))
  for (const name of ['notes.txt', '.hidden', 'backup~'])
    writeFileSync(join(root, 'many', name), 'nothing')

  expect(await keystore.accounts()).toHaveLength(2)
  await expect(keystore.find(address)).rejects.toThrow(
    `multiple keys match address (${file}, ${join(root, 'many', 'copy')})`,
  )
})

test('a keystore that is not there yet is empty, and a new account makes it', async () => {
  const keystore = keystoreIn('fresh')
  expect(await keystore.accounts()).toEqual([])

  const { address } = await keystore.create('secret', 'light')

  expect((await keystore.accounts()).map(account => account.address)).toEqual([address])
})
