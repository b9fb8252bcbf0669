import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openDatabase } from './database.ts'

const writer = fileURLToPath(new URL('./kill-writer.ts', import.meta.url))
const flags = ['--import', 'tsx', '--conditions=@rockpool/source']

/** Runs the writer until it has acknowledged `count` batches, kills it at once, and returns what it acknowledged. */
async function killAfter(count: number, path: string, policy: string, first: number) {
  const acknowledged: number[] = []
  const child = spawn(process.execPath, [...flags, writer, path, policy, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(Number(line))
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  return acknowledged
}

test.each([
  { policy: 'put', size: 1 },
  { policy: 'batch', size: 10 },
  { policy: 'group', size: 10 },
])('kill -9 loses no acknowledged $policy and tears no batch', async ({ policy, size }) => {
  const path = await mkdtemp(join(tmpdir(), 'rockpool-kill-'))
  const acknowledged: number[] = []
  for (const round of [1, 2]) {
    const last = acknowledged.at(-1) ?? 0
    acknowledged.push(...(await killAfter(60 * round, path, policy, last + 100)))

    const database = await openDatabase(path)
    const entries = await database.room('kill').scan({ limit: 1_000_000 })
    await database.close()
    const found = new Map<number, number>()
    for (const { key } of entries) {
      const number = Buffer.from(key).readUIntBE(0, 3)
      found.set(number, (found.get(number) ?? 0) + 1)
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(60 * round)
    expect(acknowledged.filter(number => found.get(number) !== size)).toEqual([])
    expect([...found.values()].filter(count => count !== size)).toEqual([])
  }
  await rm(path, { recursive: true, force: true })
})
