import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchRow } from '@rockpool/protocol/conformance'
import { ClassicLevel } from 'classic-level'
import { openDatabase } from './database.ts'

const valueBytes = 250

/** Measures of this folder; each reference is measured beside ours in the same run, on the same disk. */
export async function rows(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'rockpool-bench-'))
  try {
    return [await groupCommitRow(directory), await getSyncRow(directory)]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A hundred writers, each waiting for its own synced record, against one that syncs every record it appends. */
async function groupCommitRow(directory: string): Promise<BenchRow> {
  const database = await openDatabase(join(directory, 'group'))
  const store = database.room('bench')
  const value = new Uint8Array(valueBytes).fill(7)
  let next = 0
  const ours = await perSecond(6_000, async count => {
    const writer = async () => {
      for (let i = 0; i < count / 100; i++) {
        await store.batch([{ type: 'put', key: keyOf(next++), value }], { sync: true })
      }
    }
    await Promise.all(Array.from({ length: 100 }, writer))
  })
  await database.close()

  const file = await open(join(directory, 'append'), 'a')
  const reference = await perSecond(300, async count => {
    for (let i = 0; i < count; i++) {
      await file.write(value)
      await file.datasync()
    }
  })
  await file.close()
  const ratio = ours / reference
  return {
    row: 'level: synced group commit of 100',
    unit: 'records per s (wall)',
    ours,
    reference: { name: 'file append + fdatasync per record', value: reference },
    ratio,
    target: '≥ 3 ×',
    met: ratio >= 3,
  }
}

async function getSyncRow(directory: string): Promise<BenchRow> {
  const path = join(directory, 'get')
  const database = await openDatabase(path)
  const count = 20_000
  const value = new Uint8Array(valueBytes).fill(7)
  const keys = Array.from({ length: count }, (_, index) => keyOf(index))
  const writes = keys.map(key => ({ type: 'put' as const, key, value }))
  await database.room('bench').batch(writes)
  const store = database.room('bench')
  const ours = await perSecond(count, async () => {
    for (const key of keys) await store.get(key)
  })
  await database.close()

  const view = { keyEncoding: 'view', valueEncoding: 'view' } as const
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, view)
  const part = level.sublevel<Uint8Array, Uint8Array>('bench', view)
  await level.open()
  const reference = await perSecond(count, async () => {
    for (const key of keys) await part.get(key)
  })
  await level.close()
  const ratio = ours / reference
  return {
    row: 'level: getSync',
    unit: 'reads per s (wall)',
    ours,
    reference: { name: 'awaited get of the library', value: reference },
    ratio,
    target: '≥ 5 ×',
    met: ratio >= 5,
  }
}

/** 32 spread-out bytes, the same for the same index. */
function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, Math.imul(index, 2_654_435_761) >>> 0)
  new DataView(key.buffer).setUint32(4, index)
  return key
}

/** Median of three rounds. */
async function perSecond(count: number, run: (count: number) => Promise<void>): Promise<number> {
  const rates: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    await run(count)
    rates.push((count * 1_000) / (performance.now() - start))
  }
  return rates.sort((a, b) => a - b)[1] ?? 0
}
