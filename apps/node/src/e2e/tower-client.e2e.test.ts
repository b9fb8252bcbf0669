import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  createTowerClient,
  type Refusal,
  type TowerAddress,
  type TowerClient,
  towerAddress,
} from '@rockpool/tower/testkit/outside'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../testkit/devnet.ts'
import { freePorts } from '../testkit/free-ports.ts'
import { findPlugin, startPlugin } from '../testkit/lightning-plugin.ts'
import { createScratch, quietFlags, type Scratch } from '../testkit/scratch.ts'

const secret = new Uint8Array(32).fill(0x41)
const plugin = findPlugin()
const revocation = (salt: number, size = 100) => ({
  disputeTxid: new Uint8Array(32).fill(salt),
  penalty: new Uint8Array(size).fill(salt),
})

let scratch: Scratch
beforeEach(() => {
  scratch = createScratch()
})
afterEach(() => scratch.close())

async function aTower(port: number) {
  const flags = [...quietFlags, '--tower.enabled', '--tower.api_port', String(port)]
  const process = scratch.run(scratch.folder('tower'), flags)
  const { tower = '' } = await process.ready()
  const address = towerAddress(tower)
  const visitor = createTowerClient(new Uint8Array(32).fill(0x77))
  await until('the tower knows where its chain is', () =>
    visitor.register(address).then(
      () => true,
      () => false,
    ),
  )
  return { process, address }
}

function towerOf(client: TowerClient, { id }: TowerAddress) {
  const tower = client.towers.get(id)
  if (tower === undefined) throw new Error('not registered')
  return tower
}

test('tower B223 B224: a client of another hand goes through a whole session', async () => {
  const [port = 0] = await freePorts(1)
  const { process, address } = await aTower(port)
  const client = createTowerClient(secret)
  const first = await client.register(address)
  const again = { ...(await client.register(address)) }
  expect([again.slots > first.slots, again.expiry > first.expiry]).toEqual([true, true])

  for (const salt of [1, 2, 3]) await client.revoke(revocation(salt))
  await client.revoke(revocation(2, 3_000))
  const { status, receipts, slots } = towerOf(client, address)
  expect([status, receipts.size, again.slots - slots]).toEqual(['reachable', 3, 4])
  const held = await client.getSubscription(address)
  expect(held).toMatchObject({
    available_slots: slots,
    subscription_expiry: again.expiry,
    locators: ['01', '02', '03'].map(byte => byte.repeat(16)),
  })
  const newest = client.signedOf(revocation(2, 3_000))
  expect(await client.getAppointment(address, newest.locator)).toEqual({
    appointment: { locator: newest.locator, encrypted_blob: newest.blob, to_self_delay: 42 },
    status: 'being_watched',
  })

  const height = [...receipts.values()][0]?.startBlock ?? 0
  await client.takeBack(address, newest.locator, height + 100)
  const code = (error: unknown) => (error as Refusal).code
  expect(await client.getAppointment(address, newest.locator).catch(code)).toBe(36)
  const stranger = createTowerClient(new Uint8Array(32).fill(0x42))
  expect(await stranger.getSubscription(address).catch(code)).toBe(7)
  expect((await process.kill('SIGTERM')).code).toBe(0)
})

test('tower B219 B220 B222: what a tower that is away could not take is taken when it is back, and a tower with another key is found out', async () => {
  const [port = 0] = await freePorts(1)
  const { process, address } = await aTower(port)
  const client = createTowerClient(secret)
  await client.register(address)
  await process.kill('SIGKILL')

  await client.revoke(revocation(1))
  await client.revoke(revocation(2))
  expect(towerOf(client, address)).toMatchObject({ status: 'temporary_unreachable' })
  const retrying = client.retry(towerOf(client, address), { withinMs: 60_000 })
  const second = await aTower(port)
  expect(await retrying).toBe('reachable')
  expect([towerOf(client, address).receipts.size, towerOf(client, address).pending.size]).toEqual([
    2, 0,
  ])

  await second.process.kill('SIGTERM')
  rmSync(join(second.process.datadir, 'keys', 'tower.key'))
  const third = await aTower(port)
  expect(third.address.id).not.toBe(address.id)
  await client.revoke(revocation(3))
  expect(towerOf(client, address)).toMatchObject({
    status: 'misbehaving',
    proof: { recovered: third.address.id },
  })
  await third.process.kill('SIGTERM')
})

test.skipIf(plugin === undefined)(
  'tower B218 B223: the plugin of Core Lightning registers and hands a revoked state over',
  async () => {
    const [port = 0] = await freePorts(1)
    const { process, address } = await aTower(port)
    const lightning = startPlugin(plugin ?? '', scratch.folder('plugin'))
    await lightning.ask('getmanifest', {})
    await lightning.init()
    await lightning.ask('registertower', [`${address.id}@${address.host}:${address.port}`])
    await lightning.ask('commitment_revocation', {
      channel_id: 'aa'.repeat(32),
      commitnum: 1,
      commitment_txid: '11'.repeat(32),
      penalty_tx: 'ab'.repeat(120),
    })

    await until('the tower has it', async () => {
      const info = await lightning.ask('gettowerinfo', [address.id])
      return JSON.stringify(info).includes('11'.repeat(16))
    })
    lightning.close()
    await process.kill('SIGTERM')
  },
)
