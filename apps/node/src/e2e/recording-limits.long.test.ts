import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call, checkout, until } from '../testkit/devnet.ts'
import { createScratch, type NodeProcess, quietFlags } from '../testkit/scratch.ts'

/* A recording that can go no further ends; its node does not. */

const scratch = createScratch()
const account = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)
const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control', '--record.enabled']

afterAll(() => scratch.close())

interface Status {
  readonly ready: boolean
  readonly recording: { path: string; bytes: number; turns: number; stopped?: string } | null
}

async function statusOf(node: NodeProcess): Promise<Status> {
  const { stdout } = await scratch.rockpool(['status', '--json', '--datadir', node.datadir])
  return JSON.parse(stdout) as Status
}

/** Submits transactions with random data of that size, in order, until the condition holds. */
async function submitUntil(
  { rpc, chainId }: { rpc: string; chainId: number },
  dataBytes: number,
  holds: () => Promise<boolean>,
): Promise<number> {
  for (let nonce = 0; nonce < 400; nonce += 1) {
    if (nonce % 5 === 0 && (await holds())) return nonce
    const raw = await account.signTransaction({
      ...{ type: 'eip1559', chainId, nonce, to: account.address, value: 1n },
      ...{
        gas: 21_000n + 40n * BigInt(dataBytes),
        data: `0x${randomBytes(dataBytes).toString('hex')}`,
      },
      ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
    })
    await call(rpc, 'eth_sendRawTransaction', [raw])
  }
  throw new Error('the recording never stopped')
}

const metricsOf = async (ops: string) => (await fetch(`${ops}/metrics`)).text()

async function goesOn(node: NodeProcess, rpc: string, ops: string, why: string, nonce: number) {
  const { ready, recording } = await statusOf(node)
  expect(ready).toBe(true)
  expect(recording).toMatchObject({ stopped: `record/${why}` })
  expect(node.output()).toContain(`record/${why}`)
  expect(await metricsOf(ops)).toContain(`rockpool_record_state{state="${why}"} 1`)
  const before = Number(await call(rpc, 'eth_blockNumber'))
  await call(rpc, 'devnet_mine', [1])
  await until('blocks are made', async () => Number(await call(rpc, 'eth_blockNumber')) > before)
  expect(Number(await call(rpc, 'eth_getTransactionCount', [account.address, 'pending']))).toBe(
    nonce,
  )
  const refused = await scratch.rockpool(['record', 'mark', 'too late', '--datadir', node.datadir])
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toContain(`the recording has stopped (record/${why})`)
  expect(await node.kill('SIGTERM')).toMatchObject({ code: 0 })

  const folder = join(node.datadir, 'recordings')
  const file = join(folder, readdirSync(folder)[0] ?? '')
  expect(statSync(file).size).toBe(recording?.bytes)
  const replay = await scratch.rockpool(['replay', file, '--json'])
  expect(replay).toMatchObject({ code: 0, stderr: '' })
  const { turns, stoppedAt } = JSON.parse(replay.stdout) as { turns: number; stoppedAt: string }
  expect(stoppedAt).toBe('cut')
  expect(turns).toBeGreaterThan(10)
  expect(turns).toBeLessThanOrEqual(recording?.turns ?? 0)
}

test('a recording that reached its size ends: the node says so, goes on, and what was written replays', async () => {
  const node = scratch.run(scratch.path('full'), [...flags, '--record.max-bytes', '256KiB'])
  const ports = await node.ready()
  expect(node.output()).toContain('record/began')
  const begun = await statusOf(node)
  expect(begun.recording?.turns).toBeGreaterThan(0)
  expect(begun.recording?.stopped).toBeUndefined()
  expect(await metricsOf(ports.ops)).toContain('rockpool_record_state{state="recording"} 1')

  const nonce = await submitUntil(
    ports,
    10_000,
    async () => (await statusOf(node)).recording?.stopped !== undefined,
  )
  await goesOn(node, ports.rpc, ports.ops, 'full', nonce)
}, 60_000)

test('a disk that cannot follow ends the recording: the node goes on, and what was written replays', async () => {
  const gate = scratch.path('disk-is-slow')
  const node = scratch.run(scratch.path('overrun'), flags, {
    nodeArgs: ['--import', join(checkout, 'apps/node/dist/testkit/slow-disk.js')],
    env: { SLOW_DISK: gate },
  })
  const ports = await node.ready()
  await new Promise(resolve => setTimeout(resolve, 600))
  writeFileSync(gate, '')

  const nonce = await submitUntil(
    ports,
    100_000,
    async () => (await statusOf(node)).recording?.stopped !== undefined,
  )
  expect(await metricsOf(ports.ops)).toContain('rockpool_record_overruns_total 1')
  rmSync(gate)
  await goesOn(node, ports.rpc, ports.ops, 'overrun', nonce)
}, 120_000)

test('a node that does not record says so', async () => {
  const node = scratch.run(scratch.path('none'), quietFlags)
  const { ops } = await node.ready()

  expect((await statusOf(node)).recording).toBeNull()
  expect(await metricsOf(ops)).toContain('rockpool_record_state{state="off"} 1')
  await node.kill('SIGTERM')
}, 30_000)
