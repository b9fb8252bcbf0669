import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createCrypto } from '@rockpool/adapters/crypto'
import { readRecording } from '@rockpool/adapters/recording'
import { replayNode } from '@rockpool/node'
import { afterAll, expect, test } from 'vitest'
import { checkout, startDevnet } from '../testkit/devnet.ts'
import { startLoad } from '../testkit/load.ts'

/* A network of real processes under load; each of them happens again from its file, ten times the same. */

const name = 'e2e-recording'
const seconds = Number(process.env.ROCKPOOL_E2E_RECORD_SECONDS ?? 150)
const rounds = Number(process.env.ROCKPOOL_E2E_RECORD_ROUNDS ?? 10)
/** Of the longest recording of the four. */
const turnsMin = seconds >= 150 ? 50_000 : 1_000

afterAll(() => rmSync(join(checkout, '.devnet', name), { recursive: true, force: true }))

test('four nodes under load are recorded, and every recording replays to its end, with the same pool and head', async () => {
  const devnet = await startDevnet(name, ['--block', '500ms'])
  const load = startLoad(devnet.network, {
    ...{ seed: 5, perSecond: 300, staysPerSecond: 3 },
    groupsOf: () => [[0, 1, 2, 3]],
  })
  await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
  await load.pause()
  load.close()
  devnet.launcher.kill('SIGINT')
  expect(await devnet.exited).toBe(0)

  const crypto = await createCrypto({ workers: 0 })
  let turns = 0
  const kinds = new Set<number>()
  for (const [place, { datadir }] of devnet.network.nodes.entries()) {
    const folder = join(datadir, 'recordings')
    const recording = readRecording(join(folder, readdirSync(folder)[0] ?? ''))
    expect(recording.tornBytes).toBe(0)
    for (const [kind] of recording.edges()) kinds.add(kind)
    const hashes = new Set<string>()
    for (let round = 0; round < (place === 0 ? rounds : 2); round++) {
      const { seed } = recording.header
      const { result, counters } = await replayNode({
        edges: () => recording.edges(),
        seed,
        crypto,
      })
      // The end of a recording says head, pool and a digest over all they went through; a replay that differs throws.
      expect(result.stoppedAt).toBe('ended')
      expect(counters.height).toBeGreaterThan(seconds / 2)
      hashes.add(`${result.turns} ${result.hash} ${counters.digest}`)
      turns = Math.max(turns, result.turns)
    }
    expect(hashes.size).toBe(1)
  }
  await crypto.close()
  expect(turns).toBeGreaterThan(turnsMin)
  for (const kind of [1, 2, 3, 4, 5]) expect(kinds).toContain(kind)
}, 900_000)
