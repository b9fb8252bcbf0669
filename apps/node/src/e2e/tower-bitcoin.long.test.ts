import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createTowerClient,
  hex,
  locatorOf,
  pay,
  shownId,
  type TowerAddress,
  towerAddress,
} from '@rockpool/tower/testkit/outside'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../testkit/devnet.ts'
import { bitcoindRegtest, facadeRegtest, findBitcoind, type Regtest } from '../testkit/regtest.ts'
import { createScratch, type NodeProcess, quietFlags, type Scratch } from '../testkit/scratch.ts'

const real = findBitcoind()
const cheater = new Uint8Array(32).fill(0x61)
const victim = new Uint8Array(32).fill(0x62)
const fee = 1_000

let scratch: Scratch
beforeEach(() => {
  scratch = createScratch()
})
afterEach(() => scratch.close())

/** How this tower reaches that node, as an operator would write it. */
function bitcoinFlags({ host, port, login, zmq }: Regtest, pollingMs: number): string[] {
  const flags = [
    ...['--tower.enabled', '--tower.api_port', '0', '--tower.btc_network', 'regtest'],
    ...['--tower.bitcoind', `http://${host}:${port}`, '--tower.zmq-hashblock', zmq],
    ...['--tower.polling_delta', `${pollingMs}ms`],
  ]
  if ('cookie' in login) return [...flags, '--tower.btc_rpc_cookie', login.cookie]
  const file = scratch.path('password')
  writeFileSync(file, `${login.password}\n`, { mode: 0o600 })
  return [...flags, '--tower.btc_rpc_user', login.user, '--tower.btc_rpc_password-file', file]
}

async function aTower(node: Regtest, more: readonly string[] = [], pollingMs = 200) {
  const flags = [...quietFlags, ...bitcoinFlags(node, pollingMs), ...more]
  const process = scratch.run(scratch.folder('tower'), flags)
  const { tower = '' } = await process.ready()
  return { process, address: towerAddress(tower) }
}

/** A client with a subscription, and a channel whose other side may cheat. */
async function aChannel(node: Regtest, address: TowerAddress, feePaid = fee) {
  const client = createTowerClient(victim)
  // The tower opens its door when it knows where the chain is.
  await until('the tower registers', () =>
    client.register(address).then(
      () => true,
      () => false,
    ),
  )
  const dispute = pay(await node.coin(), { to: cheater, fee })
  const penalty = pay(dispute.coin, { to: victim, fee: feePaid })
  const locator = hex(locatorOf(dispute.txid))
  const status = async (): Promise<unknown> => {
    try {
      return (await client.getAppointment(address, locator)).status
    } catch (error) {
      return (error as Error).message
    }
  }
  await client.revoke({ disputeTxid: dispute.txid, penalty: penalty.raw })
  expect(client.towers.get(address.id)?.status).toBe('reachable')
  return { client, dispute, penalty, locator, status }
}

const send = (node: Regtest, raw: Uint8Array) => node.call('sendrawtransaction', [hex(raw), 0])
const waits = async (node: Regtest, txid: Uint8Array): Promise<boolean> =>
  ((await node.call('getrawmempool')) as readonly string[]).includes(shownId(txid))

async function ended(process: NodeProcess): Promise<void> {
  expect((await process.kill('SIGTERM')).code).toBe(0)
}

function onEvery(open: () => Promise<Regtest>): void {
  test('tower B218: a mined dispute is answered, confirmed, and forgotten a hundred blocks later', async () => {
    const node = await open()
    const { process, address } = await aTower(node)
    const { dispute, penalty, status } = await aChannel(node, address)

    await send(node, dispute.raw)
    expect(await status()).toBe('being_watched')
    await node.mine(1)
    await until('the penalty waits', () => waits(node, penalty.txid))
    expect(await status()).toBe('dispute_responded')
    await node.mine(1)
    expect(await waits(node, penalty.txid)).toBe(false)
    await node.mine(99)
    expect(await status()).toBe('dispute_responded')
    await node.mine(1)
    await until('it is forgotten', async () => (await status()) === 'Appointment not found')

    const kept = await node.call('gettxout', [shownId(penalty.txid), 0])
    expect(kept).toMatchObject({ confirmations: 101 })
    await ended(process)
    await node.close()
  })

  test('tower B284: after a fork that drops dispute and penalty both are in the chain again', async () => {
    const node = await open()
    const { process, address } = await aTower(node)
    const { dispute, penalty, status } = await aChannel(node, address)
    await send(node, dispute.raw)
    await node.mine(1)
    await until('the penalty waits', () => waits(node, penalty.txid))
    await node.mine(1)

    await node.reorg(2)
    await until('both wait', async () => {
      return (await waits(node, dispute.txid)) && (await waits(node, penalty.txid))
    })
    await node.mine(1)

    expect(await status()).toBe('dispute_responded')
    const kept = await node.call('gettxout', [shownId(penalty.txid), 0])
    expect(kept).toMatchObject({ confirmations: 1 })
    await ended(process)
    await node.close()
  })
}

describe('on the façade', () => {
  onEvery(facadeRegtest)

  test('tower B126 B130 B134 B235: while bitcoind is away the tower serves, and what happened meanwhile is answered', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node)
    const { client, dispute, penalty, status } = await aChannel(node, address)
    await node.facade.down()

    const second = pay(dispute.coin, { to: cheater, fee: 2 * fee })
    await client.revoke({ disputeTxid: second.txid, penalty: penalty.raw })
    await client.register(address)
    expect(client.towers.get(address.id)?.receipts.size).toBe(2)
    expect(await status()).toBe('being_watched')
    await send(node, dispute.raw)
    await node.mine(3)
    await node.facade.up()

    await until('the penalty waits', () => waits(node, penalty.txid))
    await ended(process)
    await node.close()
  })

  test('tower B233 B234: killed before the dispute and started after it, the tower answers', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node)
    const { dispute, penalty } = await aChannel(node, address)
    await process.kill('SIGKILL')

    await send(node, dispute.raw)
    await node.mine(2)
    const again = await aTower(node)

    await until('the penalty waits', () => waits(node, penalty.txid))
    await ended(again.process)
    await node.close()
  })

  test('tower B297: what bitcoind has thrown away is not skipped: it is asked for until it can be had', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node)
    const { dispute, penalty } = await aChannel(node, address)
    await process.kill('SIGKILL')
    await send(node, dispute.raw)
    await node.mine(5)
    node.facade.prune(node.facade.height - 1)

    const stuck = await aTower(node)
    await until('it says so', () => stuck.process.output().includes('pruned'))
    expect(await waits(node, penalty.txid)).toBe(false)
    node.facade.prune(0)
    await until('the penalty waits', () => waits(node, penalty.txid))
    await ended(stuck.process)
    await node.close()
  })

  test('tower B297: what bitcoind has thrown away is not looked at when the operator says so, and what comes later is', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node)
    await aChannel(node, address)
    await process.kill('SIGKILL')
    await node.mine(20)
    node.facade.prune(node.facade.height - 1)

    const forced = await aTower(node, ['--tower.force_update'])
    const visitor = createTowerClient(cheater)
    await until('the tower goes on', () =>
      visitor.register(forced.address).then(
        () => true,
        () => false,
      ),
    )
    expect(forced.process.output()).not.toContain('backend-lost')
    node.facade.prune(0)
    const { dispute, penalty } = await aChannel(node, forced.address)
    await send(node, dispute.raw)
    await node.mine(1)

    await until('the penalty waits', () => waits(node, penalty.txid))
    await ended(forced.process)
    await node.close()
  })

  test('tower B17 B291: a penalty below the floor of the mempool is kept, and sent when the floor falls without a block', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node)
    const { dispute, penalty } = await aChannel(node, address)
    await send(node, dispute.raw)
    node.facade.setFloor(50)
    await node.mine(1)
    await until('it was refused', () =>
      node.facade.heard.some(({ method }) => method === 'sendrawtransaction'),
    )
    expect(await waits(node, penalty.txid)).toBe(false)

    node.facade.setFloor(1)

    await until('the penalty waits', () => waits(node, penalty.txid))
    const [sent] = node.facade.heard.filter(({ method }) => method === 'sendrawtransaction')
    expect(sent?.params[1]).toBe(0)
    await ended(process)
    await node.close()
  })

  test('tower B100 B298: a notice makes the tower look at once; forged ones change nothing', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node, [], 600_000)
    const { dispute, penalty, status } = await aChannel(node, address)
    for (let count = 0; count < 20; count += 1)
      node.facade.notice(new Uint8Array(count * 40).fill(count))
    await send(node, dispute.raw)
    expect(await status()).toBe('being_watched')

    await node.mine(1)

    await until('the penalty waits', () => waits(node, penalty.txid))
    await ended(process)
    await node.close()
  })

  test('a recorded tower on bitcoin replays, with its breach and while its node is away', async () => {
    const node = await facadeRegtest()
    const { process, address } = await aTower(node, ['--record.enabled'])
    const { dispute, penalty } = await aChannel(node, address)
    await send(node, dispute.raw)
    await node.mine(1)
    await until('the penalty waits', () => waits(node, penalty.txid))
    await node.facade.down()
    await until('it says so', () => process.output().includes('backend-lost'))
    await ended(process)
    await node.close()

    const folder = join(process.datadir, 'recordings')
    const last = readdirSync(folder).sort().at(-1) ?? ''
    const replayed = await scratch.rockpool(['replay', join(folder, last), '--json'])
    expect([replayed.code, replayed.stderr]).toEqual([0, ''])
  })

  test('a bitcoind of another network refuses the start with a sentence', async () => {
    const node = await facadeRegtest()
    const flags = bitcoinFlags(node, 200).map(flag => (flag === 'regtest' ? 'signet' : flag))

    const { code, stderr } = await scratch.run(scratch.folder('tower'), [...quietFlags, ...flags])
      .exited

    expect(code).toBe(2)
    expect(stderr).toContain('tower.btc_network is signet but bitcoind runs regtest')
    await node.close()
  })
})

describe.skipIf(real === undefined)('on bitcoind', () => {
  onEvery(() => bitcoindRegtest(real ?? ''))
})
