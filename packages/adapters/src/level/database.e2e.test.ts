import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Write } from '@rockpool/protocol'
import { storeSuite } from '@rockpool/protocol/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'

const directories: string[] = []
async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rockpool-level-'))
  directories.push(directory)
  return directory
}
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

const put = (key: number, value: Uint8Array): Write => ({
  type: 'put',
  key: Uint8Array.of(key),
  value,
})

describe('store on disk', () => {
  storeSuite({ test, expect }, async () => {
    const database = await openDatabase(await newDirectory())
    const [store, other] = [database.room('pool'), database.room('poo')]
    return { store, other, close: () => database.close() }
  })
})

test('what was written is there after closing and opening again, and closing twice is fine', async () => {
  const directory = await newDirectory()
  const database = await openDatabase(directory)
  const written = database.room('pool').batch([put(1, Uint8Array.of(7))])
  await database.close()
  await database.close()
  await written

  const again = await openDatabase(directory)
  expect(await again.room('pool').get(Uint8Array.of(1))).toEqual(Uint8Array.of(7))
  expect(await again.bytes()).toBeGreaterThan(0)
  await again.close()
})

test('a directory in use is refused as store/locked and stays usable for its owner', async () => {
  const directory = await newDirectory()
  const database = await openDatabase(directory)

  await expect(openDatabase(directory)).rejects.toMatchObject({ code: 'store/locked' })
  await database.room('pool').batch([put(1, Uint8Array.of(1))])
  await database.close()
})

test('a database whose manifest is damaged is refused as store/corrupt and not repaired', async () => {
  const directory = await newDirectory()
  await (await openDatabase(directory)).close()
  await writeFile(join(directory, 'CURRENT'), 'MANIFEST-999999\n')
  const before = (await readdir(directory)).filter(name => name !== 'LOG' && name !== 'LOG.old')

  await expect(openDatabase(directory)).rejects.toMatchObject({ code: 'store/corrupt' })
  const after = (await readdir(directory)).filter(name => name !== 'LOG' && name !== 'LOG.old')
  expect(after).toEqual(before)
})

test('a log with a torn end loses the batch that was torn, whole, and none before it', async () => {
  const directory = await newDirectory()
  const database = await openDatabase(directory)
  const store = database.room('pool')
  for (let key = 0; key < 20; key += 2) {
    await store.batch([put(key, new Uint8Array(500)), put(key + 1, new Uint8Array(500))])
  }
  await database.close()
  const [log = ''] = (await readdir(directory)).filter(name => name.endsWith('.log'))
  const { size } = await stat(join(directory, log))
  await truncate(join(directory, log), size - 100)

  const again = await openDatabase(directory)
  const keys = (await again.room('pool').scan({})).map(({ key }) => key[0])
  expect(keys).toEqual(Array.from({ length: 18 }, (_, key) => key))
  await again.close()
})

test('reading a damaged table is store/corrupt', async () => {
  const directory = await newDirectory()
  const database = await openDatabase(directory)
  // Random, so that compression keeps the size, and enough to fill tables.
  const value = () => Uint8Array.from({ length: 100_000 }, () => Math.floor(Math.random() * 256))
  const store = database.room('chain')
  for (let key = 0; key < 100; key++) await store.batch([put(key, value())])
  await database.close()
  const tables = (await readdir(directory)).filter(name => name.endsWith('.ldb'))
  expect(tables.length).toBeGreaterThan(0)
  for (const table of tables) await truncate(join(directory, table), 50_000)

  const outcome = await openDatabase(directory)
    .then(async damaged => {
      const part = damaged.room('chain')
      await part.scan({}).finally(() => damaged.close())
    })
    .catch((error: unknown) => error)
  expect(outcome).toMatchObject({ code: 'store/corrupt' })
})
