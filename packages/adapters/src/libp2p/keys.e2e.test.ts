import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterAll, expect, test } from 'vitest'
import { keyFromSeed, loadOrCreateP2pKey, peerIdOf } from './keys.ts'

test('the key of a seed is the one libp2p makes of it', async () => {
  for (let index = 0; index < 16; index++) {
    const seed = new Uint8Array(32).fill(index)
    const theirs = privateKeyToProtobuf(await generateKeyPairFromSeed('Ed25519', seed))

    expect(Buffer.from(await keyFromSeed(seed))).toEqual(Buffer.from(theirs))
  }
})

const key = (index: number) => keyFromSeed(new Uint8Array(32).fill(index))
const made: string[] = []
afterAll(() => Promise.all(made.map(folder => rm(folder, { recursive: true, force: true }))))

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rockpool-key-'))
  made.push(folder)
  return join(folder, 'p2p.key')
}

test('a missing key is made once: 68 bytes in hex, mode 0600, nothing left beside it', async () => {
  const file = await place()

  const made = await loadOrCreateP2pKey(file)

  expect(made.length).toBe(68)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readFile(file, 'utf8')).toBe(`${Buffer.from(made).toString('hex')}\n`)
  expect(await loadOrCreateP2pKey(file)).toEqual(made)
  expect(await readdir(join(file, '..'))).toEqual(['p2p.key'])
  expect(peerIdOf(made)).toMatch(/^12D3Koo/)
})

test('a seed gives one key and one id', async () => {
  expect(peerIdOf(await key(5))).toBe(peerIdOf(await key(5)))
  expect(peerIdOf(await key(5))).not.toBe(peerIdOf(await key(6)))
  expect((await key(5)).length).toBe(68)
})

test('others may not read it', async () => {
  const file = await place()
  await loadOrCreateP2pKey(file)
  await chmod(file, 0o640)

  await expect(loadOrCreateP2pKey(file)).rejects.toThrow(
    `config/key-permissions: run chmod 600 ${file}`,
  )
})

test.each([
  ['no hex', () => 'zz'.repeat(68)],
  ['too short', (hex: string) => hex.slice(2)],
  ['of another type', (hex: string) => `0802${hex.slice(4)}`],
  ['not belonging to its public half', (hex: string) => `${hex.slice(0, -2)}00`],
  ['empty', () => ''],
])('a key that is %s is refused by name', async (_, spoil) => {
  const file = await place()
  await writeFile(file, spoil(Buffer.from(await key(5)).toString('hex')), { mode: 0o600 })

  await expect(loadOrCreateP2pKey(file)).rejects.toMatchObject({
    code: 'config/bad-p2p-key',
    message: `config/bad-p2p-key: ${file}: expected 68 bytes of an Ed25519 key`,
  })
})
