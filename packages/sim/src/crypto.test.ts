import type { Crypto, RecoveryJob } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { sharedRecovery } from './crypto.ts'
import { addressOfKey, keccak256, sign, testCrypto } from './testkit/crypto.ts'

const keyOf = (byte: number) => new Uint8Array(32).fill(byte)

function jobOf(text: string, byte: number): RecoveryJob {
  const digest = keccak256(Buffer.from(text))
  const { r, s, yParity } = sign(digest, keyOf(byte))
  return { digest, r, s, id: yParity }
}

test('a signature is recovered once for all nodes, and takes each of them its time', async () => {
  let asked = 0
  const counting: Crypto = {
    ...testCrypto,
    recover: batch => {
      asked += batch.length
      return testCrypto.recover(batch)
    },
  }
  const waits: number[] = []
  const recovery = sharedRecovery(counting)
  const port = recovery.of((ms, act) => {
    waits.push(ms)
    act()
  })
  const jobs = [jobOf('a', 1), jobOf('a', 2), jobOf('b', 1)]

  for (let node = 0; node < 3; node++)
    expect(await port.recover(jobs)).toEqual([1, 2, 1].map(byte => addressOfKey(keyOf(byte))))
  // A book keeps its own account and asks for itself, but nobody recovers twice, and for it no time passes.
  expect(await recovery.outside.recover(jobs)).toEqual(await port.recover(jobs))
  waits.pop()

  expect(asked).toBe(3)
  expect(waits).toHaveLength(3)
  expect(Math.min(...waits)).toBeGreaterThan(0)
})

test('signatures that differ in one byte only are not taken for each other', async () => {
  const port = sharedRecovery(testCrypto).of((_, act) => act())
  const job = jobOf('a', 1)
  const changes: readonly RecoveryJob[] = [
    { ...job, id: 1 - job.id },
    { ...job, digest: keccak256(Buffer.from('other')) },
    { ...job, s: job.s.map((byte, index) => (index === 31 ? byte ^ 1 : byte)) },
    { ...job, r: job.r.map((byte, index) => (index === 31 ? byte ^ 1 : byte)) },
  ]
  const [right] = await port.recover([job])
  for (const changed of changes) {
    const [found] = await port.recover([changed])
    expect(found).not.toBe(right)
    expect([found]).toEqual(await testCrypto.recover([changed]))
  }
})
