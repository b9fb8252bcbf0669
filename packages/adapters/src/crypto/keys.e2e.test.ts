import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { loadOrCreateKey } from './keys.ts'

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rockpool-keys-'))
  await run(directory).finally(() => rm(directory, { recursive: true, force: true }))
}

test('a missing key file is created for the owner alone and read back the same', () =>
  inDirectory(async directory => {
    const file = join(directory, 'producer.key')

    const { key, created } = await loadOrCreateKey(file)

    expect(created).toBe(true)
    expect(await loadOrCreateKey(file)).toEqual({ key, created: false })
    expect((await readFile(file, 'utf8')).trim()).toBe(toHex(key).slice(2))
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['producer.key'])
  }))

test.skipIf(process.platform === 'win32')(
  'a key file others can read is refused with the command',
  () =>
    inDirectory(async directory => {
      const file = join(directory, 'producer.key')
      await loadOrCreateKey(file)
      await chmod(file, 0o640)

      await expect(loadOrCreateKey(file)).rejects.toMatchObject({
        code: 'config/key-permissions',
        message: `run chmod 600 ${file}`,
      })
    }),
)

test('a file that holds no key is refused without showing what it holds', () =>
  inDirectory(async directory => {
    const file = join(directory, 'producer.key')
    for (const text of ['', 'secret words', '00'.repeat(32), 'ff'.repeat(32), '11'.repeat(31)]) {
      await writeFile(file, text, { mode: 0o600 })

      const refusal = await loadOrCreateKey(file).catch((error: unknown) => error)

      expect(refusal).toMatchObject({ code: 'config/key-invalid' })
      if (text) expect(String(refusal)).not.toContain(text)
      expect(await readFile(file, 'utf8')).toBe(text)
    }
  }))
