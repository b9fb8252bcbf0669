import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { limits, type RecoveryJob } from '@rockpool/protocol'
import { cryptoSuite, towerCryptoSuite } from '@rockpool/protocol/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { createCrypto } from './crypto.ts'
import { towerKeyOf } from './keys.ts'
import { startRecoveryPool } from './pool.ts'
import { type Backend, nativeSecp } from './secp.ts'
import { startThread } from './thread.ts'

const run = promisify(execFile)
const source = fileURLToPath(new URL('./index.ts', import.meta.url))
const compiled = fileURLToPath(new URL('../../dist/crypto/index.js', import.meta.url))
const worker = new URL('../../dist/crypto/worker.js', import.meta.url)
const known = {
  digest: new Uint8Array(32).fill(2),
  r: Buffer.from('97ef30233ead25d10f7bb2bf9eaf571a16f2deb33a75f20819284f0cb8ff3cc1', 'hex'),
  s: Buffer.from('4870ca05940199c113b4dc77866f001702691cde269f6835581e7aea1ead2660', 'hex'),
  id: 0,
}
const address = '0x1a642f0e3c3af545e7acbd38b07251b3990914f1'

describe('crypto, native in two threads', () => {
  const opened = createCrypto({ workers: 2, force: 'native' })
  const secp = nativeSecp()
  afterAll(async () => (await opened).close())
  cryptoSuite({ test, expect }, async () => ({
    crypto: await opened,
    sign: secp.sign,
    publicKey: key => secp.publicKey(key) ?? new Uint8Array(65),
  }))
  towerCryptoSuite({ test, expect }, async () => ({ crypto: await opened, keyOf: towerKeyOf }))
})

/** Compiled where there is a build: a thread from source takes ten times as long to start. */
const begin = (backend: Backend): Worker =>
  existsSync(worker)
    ? new Worker(worker, { workerData: { backend }, execArgv: [] })
    : startThread(backend)

/** A pool whose threads the test can end; `ends` says how they did. */
async function poolWith(workers: number) {
  const threads: Worker[] = []
  const ends: number[] = []
  const fallbacks: string[] = []
  const recovery = await startRecoveryPool({
    workers,
    backend: 'native',
    start(backend) {
      const thread = begin(backend)
      threads.push(thread)
      thread.once('exit', code => ends.push(code))
      return thread
    },
    onFallback: (from, to) => fallbacks.push(`${from} to ${to}`),
  })
  const pool = {
    close: recovery.close,
    get backend() {
      return recovery.backend
    },
    recover: async (jobs: readonly RecoveryJob[]) =>
      (await recovery.recover(jobs)).map(answer => answer?.address),
  }
  return { pool, threads, ends, fallbacks }
}

/** Throws in the thread. To interrupt it inside the native binding would end this process as well. */
const poison = { type: 'jobs', id: -1, jobs: -1 }

test('many small calls and one large one share batches and come back whole and in order', async () => {
  const { pool } = await poolWith(2)
  const bad = { ...known, id: 3 }
  const pattern = Array.from({ length: 1_000 }, (_, index) => (index % 3 === 0 ? bad : known))

  const small = Array.from({ length: 200 }, (_, index) => pool.recover([index % 2 ? known : bad]))
  const large = await pool.recover(pattern)

  expect(large).toEqual(pattern.map(job => (job === bad ? undefined : address)))
  expect((await Promise.all(small)).map(([answer]) => answer)).toEqual(
    Array.from({ length: 200 }, (_, index) => (index % 2 ? address : undefined)),
  )
  await pool.close()
})

test('a second thread is started when the first has all it may hold and a whole batch more waits', async () => {
  const { pool, threads } = await poolWith(2)
  const held = limits.recoveryBatchMax * limits.recoveryBatchesPerWorker

  await pool.recover(new Array(held + limits.recoveryBatchMax - 1).fill(known))
  expect(threads).toHaveLength(1)
  const answers = await pool.recover(new Array(held + limits.recoveryBatchMax).fill(known))

  expect(threads).toHaveLength(2)
  expect(new Set(answers)).toEqual(new Set([address]))
  await pool.close()
})

test('closing waits for a thread that is only being started, which ends by itself', async () => {
  const { pool, threads, ends } = await poolWith(2)
  const refused = expect(pool.recover(new Array(1_000).fill(known))).rejects.toMatchObject({
    code: 'crypto/closed',
  })
  expect(threads).toHaveLength(2)

  await pool.close()

  await refused
  expect(ends).toEqual([0, 0])
})

test('closing in the middle of work refuses what is asked, and every thread ends by itself', async () => {
  const { pool, ends } = await poolWith(2)
  await pool.recover(new Array(1_000).fill(known))
  const asked = [1, 64, 2_000].map(count => pool.recover(new Array(count).fill(known)))
  const refused = Promise.all(
    asked.map(ask => expect(ask).rejects.toMatchObject({ code: 'crypto/closed' })),
  )

  await pool.close()

  await refused
  // 1 would be the code of a thread that was interrupted.
  expect(ends).toEqual([0, 0])
})

test('a thread that dies fails its batches as crypto/crashed and is replaced', async () => {
  const { pool, threads } = await poolWith(1)
  threads[0]?.postMessage(poison)
  const lost = pool.recover(new Array(256).fill(known))

  await expect(lost).rejects.toMatchObject({ code: 'crypto/crashed' })
  expect(await pool.recover([known])).toEqual([address])
  expect(threads).toHaveLength(2)
  await pool.close()
})

test('three deaths within a minute fall back one implementation and say so', async () => {
  const { pool, threads, fallbacks } = await poolWith(1)
  for (let death = 0; death < 3; death++) {
    const died = new Promise(resolve => threads[death]?.once('exit', resolve))
    threads[death]?.postMessage(poison)
    await died
    expect(await pool.recover([known])).toEqual([address])
  }

  expect(fallbacks).toEqual(['native to wasm'])
  expect(pool.backend).toBe('wasm')
  await pool.close()
})

test('closing refuses what waits, ends the threads, and may be repeated', async () => {
  const { pool } = await poolWith(1)
  const waiting = pool.recover([known])
  const refused = expect(waiting).rejects.toMatchObject({ code: 'crypto/closed' })

  await pool.close()
  await pool.close()

  await refused
  await expect(pool.recover([known])).rejects.toMatchObject({ code: 'crypto/closed' })
})

/** Prints what is in use, from a process of its own. */
const probe = `
  const { createRequire } = await import('node:module')
  const { createCrypto, signDigest } = await import(process.argv[1])
  const crypto = await createCrypto({ workers: 1 })
  const digest = new Uint8Array(32).fill(2)
  const { r, s, yParity } = signDigest(digest, new Uint8Array(32).fill(1))
  const [signer] = await crypto.recover([{ digest, r, s, id: yParity }])
  const elliptic = Object.keys(createRequire(process.argv[1]).cache).some(path => path.includes('elliptic'))
  console.log(JSON.stringify({ is: crypto.describe(), reason: crypto.fallbackReason, signer, elliptic }))
  await crypto.close()
`
const fromSource = ['--import', 'tsx', '--conditions=@rockpool/source']

async function probed(entry: string, flags: readonly string[], env: Record<string, string> = {}) {
  const { stdout } = await run(
    process.execPath,
    [...flags, '--input-type=module', '-e', probe, entry],
    { env: { ...process.env, ...env } },
  )
  return JSON.parse(stdout) as { is: string; reason?: string; signer: string; elliptic: boolean }
}

test('a process run from source starts native threads and never loads elliptic', async () => {
  expect(await probed(source, fromSource)).toEqual({
    is: 'secp256k1 native, 1 worker',
    signer: address,
    elliptic: false,
  })
})

test('where the binary does not exist for the platform the wasm is used, never elliptic', async () => {
  const found = await probed(source, fromSource, { npm_config_arch: 'none' })

  expect(found).toMatchObject({ is: 'secp256k1 wasm, 1 worker', signer: address, elliptic: false })
  expect(found.reason).toContain('native: No native build was found')
})

test.skipIf(!existsSync(compiled))(
  'a process run from compiled code starts native threads',
  async () => {
    expect(await probed(compiled, [])).toMatchObject({
      is: 'secp256k1 native, 1 worker',
      signer: address,
      elliptic: false,
    })
  },
)
