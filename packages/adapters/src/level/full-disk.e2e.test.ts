import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from './database.ts'

/* A disk that is really full: a small file system of its own, which only root may make. */

const folder = mkdtempSync(join(tmpdir(), 'rockpool-full-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'rockpool-test', folder])
const why = mounted.error?.message ?? mounted.stderr.toString().trim()
const canFill = mounted.status === 0
if (!canFill) console.log(`skipped, a full disk needs a small file system: ${why}`)

afterAll(() => {
  if (canFill) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
})

const filler = join(folder, 'filler')
const keyOf = (number: number) => Uint8Array.of(number >> 8, number & 255)
const value = new Uint8Array(4_096).fill(7)

/** Takes what is left of the disk. */
function fill(): void {
  const piece = Buffer.alloc(65_536, 1)
  try {
    for (;;) writeFileSync(filler, piece, { flag: 'a' })
  } catch {
    // It is full now.
  }
}

test.runIf(canFill).each([{ sync: false }, { sync: true }])(
  'a full disk refuses writes as store/full, reads go on, and with space again so do writes (sync $sync)',
  async ({ sync }) => {
    const path = join(folder, `db-${sync}`)
    const database = await openDatabase(path)
    const store = database.room('full')
    const taken: number[] = []
    const write = async (number: number) => {
      await store.batch([{ type: 'put', key: keyOf(number), value }], { sync })
      taken.push(number)
    }
    for (let number = 0; number < 100; number += 1) await write(number)

    fill()
    let refusal: unknown
    for (let number = 100; number < 200 && refusal === undefined; number += 1) {
      refusal = await write(number).then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    expect(refusal).toMatchObject({ code: 'store/full' })
    await expect(write(200)).rejects.toMatchObject({ code: 'store/full' })
    expect(await store.get(keyOf(1))).toEqual(value)

    rmSync(filler)
    await expect
      .poll(
        () =>
          write(201).then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true)
    for (let number = 300; number < 400; number += 1) await write(number)
    expect(await store.get(keyOf(399))).toEqual(value)
    await database.close()

    const again = await openDatabase(path)
    const found = await again.room('full').getMany(taken.map(keyOf))
    expect(found.filter(each => each === undefined)).toEqual([])
    await again.close()
  },
)
