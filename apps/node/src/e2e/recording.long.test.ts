import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createCrypto } from '@rockpool/adapters/crypto'
import { readRecording } from '@rockpool/adapters/recording'
import { replayNode } from '@rockpool/node'
import { afterAll, expect, test } from 'vitest'
import { batch, call, checkout, startDevnet, until } from '../testkit/devnet.ts'
import { startLoad } from '../testkit/load.ts'
import { poison } from '../testkit/poison.ts'
import { createScratch } from '../testkit/scratch.ts'

/*
 * A network of real processes under load, of which one is stopped so long that its questions run out of time, and in the end crashes; each
 * of them happens again from its file, ten times the same.
 */

const name = 'e2e-recording'
const isShort = process.env.ROCKPOOL_E2E_CI === '1'
const seconds = Number(process.env.ROCKPOOL_E2E_RECORD_SECONDS ?? (isShort ? 16 : 90))
const rounds = Number(process.env.ROCKPOOL_E2E_RECORD_ROUNDS ?? (isShort ? 2 : 10))
/** Of the node that crashes. */
const turnsMin = seconds >= 90 ? 50_000 : 1_000
/** Longer than a judged message may take. */
const pauseMs = 3_000
/** Between two looks of a wallet at all accounts. */
const readMs = 50
/** The same bug for the nodes and for replays of them. */
const bug = pathToFileURL(join(checkout, 'apps/node/dist/testkit/poisoned-pool.js')).href

const scratch = createScratch('installed')
const crypto = await createCrypto({ workers: 0 })

afterAll(async () => {
  await crypto.close()
  await scratch.close()
  rmSync(join(checkout, '.devnet', name), { recursive: true, force: true })
})

/** What `rockpool replay --json` says. */
interface Report {
  readonly turns: number
  readonly trace: string
  readonly stoppedAt: string
  readonly edges: Readonly<Record<string, number>>
  readonly counters: Readonly<Record<string, number>>
  readonly deadLetters: readonly { readonly reason: string; readonly type: string }[]
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** A wallet that looks at accounts all the time, until told to stop. */
function startReader(rpc: string, accounts: readonly { readonly address: string }[]) {
  let isOn = true
  const calls = accounts.flatMap(({ address }) => [
    { method: 'eth_getBalance', params: [address, 'latest'] },
    { method: 'eth_getTransactionCount', params: [address, 'pending'] },
  ])
  const running = (async () => {
    while (isOn) {
      // While the node is stopped its answers are errors: it ran out of time.
      await batch(rpc, calls).catch(() => {})
      await pause(readMs)
    }
  })()
  return () => {
    isOn = false
    return running
  }
}

/** Another process with the same bug. */
async function replayed(file: string): Promise<Report> {
  const ended = await scratch.rockpool(['replay', file, '--json'], { nodeArgs: ['--import', bug] })
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(ended.stdout) as Report
}

test('four nodes under load are recorded, one times out and crashes, and every recording replays to its end, with the same pool and head', async () => {
  const env = { NODE_OPTIONS: `--import ${bug}` }
  const devnet = await startDevnet(name, ['--block', '500ms'], env, 'installed')
  const [first] = devnet.network.nodes
  if (first === undefined) throw new Error('a devnet without nodes')
  const load = startLoad(devnet.network, {
    ...{ seed: 5, perSecond: 300, staysPerSecond: 3 },
    groupsOf: () => [[0, 1, 2, 3]],
  })
  const stopReading = startReader(first.rpc, devnet.network.accounts)
  for (let quarter = 0; quarter < 4; quarter++) {
    await pause(seconds * 250)
    if (quarter === 3) break
    process.kill(first.pid, 'SIGSTOP')
    await pause(pauseMs)
    process.kill(first.pid, 'SIGCONT')
  }
  await stopReading()
  await load.pause()
  load.close()
  await expect(call(first.rpc, 'eth_getTransactionCount', [poison, 'pending'])).rejects.toThrow()
  await until('the crash is noticed', () => devnet.output().includes('n0 ended with code'))
  devnet.launcher.kill('SIGINT')
  expect(await devnet.exited).toBe(1)

  const fileOf = (datadir: string) => {
    const folder = join(datadir, 'recordings')
    return join(folder, readdirSync(folder)[0] ?? '')
  }
  const crashed = fileOf(first.datadir)
  const once = await replayed(crashed)
  expect(once.stoppedAt).toBe('ended')
  expect(once.turns).toBeGreaterThan(turnsMin)
  expect(once.counters.height).toBeGreaterThan(seconds / 2)
  for (const kind of ['slice', 'sweep', 'input', 'ask', 'pipe', 'mark', 'drain'])
    expect(once.edges[kind], kind).toBeGreaterThan(0)
  const reasons = (types: readonly string[]) =>
    once.deadLetters.filter(({ reason }) => types.includes(reason))
  expect(reasons(['crashed'])).toMatchObject([{ type: 'pool.getNonce', count: 1 }])
  // Whoever asked had given up: before the question was taken, or before it was answered.
  expect(reasons(['expired', 'late-reply'])).not.toEqual([])
  const { seconds: _, ...result } = once as Report & { seconds: number }
  for (let round = 1; round < rounds; round++) expect(await replayed(crashed)).toMatchObject(result)

  // Without the bug it is another node.
  const { header } = readRecording(crashed)
  const healthy = { edges: () => readRecording(crashed).edges(), seed: header.seed, crypto }
  await expect(replayNode(healthy)).rejects.toThrow(/^diverged at turn \d+ \(agreed at \d+\)/)

  for (const { datadir } of devnet.network.nodes.slice(1)) {
    const recording = readRecording(fileOf(datadir))
    expect(recording.tornBytes).toBe(0)
    const { seed } = recording.header
    // The end of a recording says head, pool and a digest over all they went through; a replay that differs throws.
    const { result } = await replayNode({ edges: () => recording.edges(), seed, crypto })
    expect(result.stoppedAt).toBe('ended')
  }
}, 900_000)
