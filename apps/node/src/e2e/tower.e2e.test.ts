import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { devAccounts } from '@rockpool/chain'
import { fromHex } from '@rockpool/protocol'
import {
  appointmentMessage,
  getMessage,
  locatorOf,
  messageDigest,
  plainHex,
  toZbase32,
} from '@rockpool/tower'
import { aKey, sha256, testCrypto } from '@rockpool/tower/testkit'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { askSocket } from '../socket.ts'
import { until } from '../testkit/devnet.ts'
import { createScratch, type Ports, quietFlags } from '../testkit/scratch.ts'

const scratch = createScratch()
afterAll(() => scratch.close())

const flags: readonly string[] = [
  ...quietFlags,
  ...['--tower.enabled', '--tower.api_port', '0', '--chain.block-time', '100ms'],
  '--record.enabled',
]
const user = aKey(0x11)
const sign = (message: Uint8Array) => toZbase32(user.sign(messageDigest(sha256, message)))

/** The tower's address as a client is given it. */
function doorOf({ tower = '' }: Ports): string {
  return `http://${tower.split('@')[1]}`
}

async function post(ports: Ports, path: string, body: unknown) {
  const response = await fetch(`${doorOf(ports)}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function rpc(ports: Ports, method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(ports.rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown }
  if (error !== undefined) throw new Error(JSON.stringify(error))
  return result
}

/** A method of the control socket, which the data directory's owner may call. */
async function callControl({ control }: Ports, method: string, ...params: unknown[]) {
  const { result, error } = await askSocket(control, method, params)
  if (error) throw new Error(error.message)
  return result
}

/** A transfer signed in advance by one of the funded accounts. */
async function signed(ports: Ports, from: number, nonce: number) {
  const account = privateKeyToAccount(devAccounts[from]?.privateKey as `0x${string}`)
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: ports.chainId,
    nonce,
    to: '0x00000000000000000000000000000000000000aa',
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: 100_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  })
  const { keccak256 } = await import('viem')
  return { raw: fromHex(raw), hash: keccak256(raw) }
}

async function pairOf(ports: Ports, from: number) {
  const dispute = await signed(ports, from, 0)
  const penalty = await signed(ports, from + 1, 0)
  const txid = fromHex(dispute.hash)
  const locator = locatorOf(txid)
  const blob = testCrypto.seal(sha256(txid), penalty.raw)
  return { dispute, penalty, locator, blob }
}

function addition({ locator, blob }: { locator: Uint8Array; blob: Uint8Array }) {
  return {
    appointment: {
      locator: plainHex(locator),
      encrypted_blob: plainHex(blob),
      to_self_delay: 42,
    },
    signature: sign(appointmentMessage(locator, blob, 42)),
  }
}

test('tower B316 B138-B149 B233 B321 B323: a node takes an appointment over HTTP, keeps it through kill -9, answers the breach through its pool and tells why', async () => {
  const datadir = scratch.path('tower')
  const first = scratch.run(datadir, flags)
  let ports = await first.ready()
  const towerId = ports.tower?.split('@')[0]
  const ask = async (...args: string[]) => {
    const { stdout, stderr } = await scratch.rockpool(['tower', ...args, '--datadir', datadir])
    return stdout + stderr
  }
  const json = async (...args: string[]) => JSON.parse(await ask(...args, '--json'))

  expect(first.output()).toContain(towerId)
  expect(await json('info')).toMatchObject({
    tower_id: towerId,
    asleep: true,
    addresses: [ports.tower],
  })
  expect([await json('users'), await json('appointments')]).toEqual([[], []])
  expect(await ask('user', plainHex(user.id))).toContain('User not found')

  const registered = await post(ports, 'register', { user_id: plainHex(user.id) })
  expect(registered).toMatchObject({ status: 200, body: { available_slots: 10_000 } })
  const pair = await pairOf(ports, 0)
  const other = await pairOf(ports, 2)
  const taken = await post(ports, 'add_appointment', addition(pair))
  expect(taken.status).toBe(200)
  await post(ports, 'add_appointment', addition(other))
  const shortLived = await pairOf(ports, 4)
  const given = addition(shortLived)
  const ended = await callControl(
    ports,
    'tower_addAppointment',
    given.appointment,
    given.signature,
    4_000,
  )
  expect(ended).toMatchObject({ locator: given.appointment.locator })
  const receipt = scratch.path('receipt.json')
  const user_signature = addition(pair).signature
  writeFileSync(receipt, JSON.stringify({ tower_id: towerId, user_signature, ...taken.body }))
  expect(await ask('verify-receipt', receipt)).toContain(`signed by ${towerId}`)

  await first.kill('SIGKILL')
  const second = scratch.run(datadir, flags)
  ports = await second.ready()
  expect(await json('info')).toMatchObject({ n_watcher_appointments: 3, n_registered_users: 1 })
  expect(await json('user', plainHex(user.id))).toMatchObject({ available_slots: 9_997 })
  expect(await json('appointments', plainHex(pair.locator))).toMatchObject([{ phase: 'watched' }])

  await rpc(ports, 'eth_sendRawTransaction', `0x${plainHex(pair.dispute.raw)}`)
  await until('the penalty is in the pool or a block', async () =>
    JSON.stringify(await rpc(ports, 'eth_getTransactionByHash', pair.penalty.hash)).includes('0x'),
  )
  const signature = sign(getMessage(pair.locator))
  const read = await post(ports, 'get_appointment', { locator: plainHex(pair.locator), signature })
  expect(read.body).toEqual({
    appointment: {
      dispute_txid: pair.dispute.hash.slice(2),
      penalty_txid: pair.penalty.hash.slice(2),
      penalty_rawtx: plainHex(pair.penalty.raw),
    },
    status: 'dispute_responded',
  })
  await until('the penalty is confirmed', async () =>
    (await ask('why', pair.penalty.hash)).includes('confirmed'),
  )
  expect(await json('breaches')).toMatchObject([
    { disputeTxid: pair.dispute.hash.slice(2), tracked: 1 },
  ])
  // Numbers of the actors are those of the scrape before.
  const scrape = async () => (await fetch(`${ports.ops}/metrics`)).text()
  await until('the tower is measured', async () =>
    (await scrape()).includes('rockpool_tower_appointments{phase="tracked"} 1'),
  )
  await until('it is final', async () => (await json('info')).n_responder_trackers === 0)
  expect(await json('user', plainHex(user.id))).toMatchObject({ available_slots: 9_998 })
  expect(await ask('why', plainHex(pair.locator))).toContain('Appointment not found')
  expect(await ask('why', plainHex(other.locator))).toContain('watched')
  const { code } = await second.kill('SIGTERM')
  expect(code).toBe(0)
  const secret = readFileSync(join(datadir, 'keys/tower.key'), 'utf8').trim()
  for (const hidden of [user_signature, plainHex(other.penalty.raw), secret])
    expect(second.output()).not.toContain(hidden)
  const folder = join(datadir, 'recordings')
  const [, last = ''] = readdirSync(folder).sort()
  const replayed = await scratch.rockpool(['replay', join(folder, last), '--json'])
  expect(replayed.stderr).toBe('')
  expect(replayed.code).toBe(0)
})
