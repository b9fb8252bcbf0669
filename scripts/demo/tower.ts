/**
 * A watchtower at work, told line by line: a bitcoin node in this process, a real node process as tower, and a client that shares no line with
 * it. A channel's other side publishes a state it had revoked, and the tower takes its money back while the client is away.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BitcoinFacade, startBitcoinFacade } from '@rockpool/adapters/testkit'
import {
  type Coin,
  createTowerClient,
  hex,
  keyHash,
  locatorOf,
  type Payment,
  pay,
  shownId,
  towerAddress,
  unhex,
} from '@rockpool/tower/testkit/outside'

const program = fileURLToPath(new URL('../../apps/node/bin/rockpool.mjs', import.meta.url))
const alice = new Uint8Array(32).fill(0x0a)
const bob = new Uint8Array(32).fill(0x0b)
const began = performance.now()
const satoshi = 100_000_000

function say(who: string, text: string): void {
  const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${who.padEnd(8)} ${text}`)
}

const root = mkdtempSync(join(tmpdir(), 'rockpool-demo-'))
let tower: ChildProcess | undefined
let facade: BitcoinFacade | undefined
try {
  facade = await startBitcoinFacade()
  await story(facade)
} finally {
  await ended(tower)
  await facade?.close()
  rmSync(root, { recursive: true, force: true })
}

async function story(bitcoin: BitcoinFacade): Promise<void> {
  say('bitcoin', `a regtest chain of ${bitcoin.height} blocks, JSON-RPC on port ${bitcoin.port}`)
  const funding = await coinOf(bitcoin)
  say('bitcoin', `${shownId(funding.txid)} is the money of a channel of Alice and Bob`)
  const address = towerAddress(await startTower(bitcoin))
  say('tower', `${address.id.slice(0, 16)}… listens on ${address.host}:${address.port}`)

  const client = createTowerClient(alice)
  await until('the tower knows where its chain is', async () => {
    try {
      await client.register(address)
      return true
    } catch {
      return false
    }
  })
  const registered = client.towers.get(address.id)
  const { slots, expiry } = registered ?? { slots: 0, expiry: 0 }
  say('alice', `registers: ${slots} slots until block ${expiry}, signed by the tower`)
  const dispute = pay(funding, { to: bob, fee: 1_000 })
  const penalty = pay(dispute.coin, { to: alice, fee: 1_000 })
  await client.revoke({ disputeTxid: dispute.txid, penalty: penalty.raw })
  const locator = hex(locatorOf(dispute.txid))
  const receipt = client.towers.get(address.id)?.receipts.get(locator)
  if (receipt === undefined) throw new Error('the tower gave no receipt')
  say('alice', `hands over appointment ${locator}, sealed; receipt of block ${receipt.startBlock}`)
  say('alice', `asks for it: ${String((await client.getAppointment(address, locator)).status)}`)
  await breach(bitcoin, { dispute, penalty })
  const answered = await client.getAppointment(address, locator)
  say('alice', `comes back and asks: ${String(answered.status)}`)
  await bitcoin.mine(keyHash(alice))
  const output = (await bitcoin.call('gettxout', [shownId(penalty.txid), 0])) as { value: number }
  say('bitcoin', `${output.value} BTC are Alice's again, in block ${bitcoin.height}`)
  console.log('\nthe breach was answered')
}

async function breach(
  bitcoin: BitcoinFacade,
  { dispute, penalty }: { readonly dispute: Payment; readonly penalty: Payment },
): Promise<void> {
  say('alice', 'goes to sleep')
  await bitcoin.call('sendrawtransaction', [hex(dispute.raw), 0])
  say('bob', `publishes the state he had revoked: ${shownId(dispute.txid)}`)
  await bitcoin.mine(keyHash(bob))
  say('bitcoin', `it is in block ${bitcoin.height}`)
  await until('the penalty is sent', async () => {
    const waiting = (await bitcoin.call('getrawmempool')) as readonly string[]
    return waiting.includes(shownId(penalty.txid))
  })
  say('tower', `opens the appointment and sends ${shownId(penalty.txid)}`)
}

/** What the first block of ours pays, ripe to be spent. */
async function coinOf(bitcoin: BitcoinFacade): Promise<Coin> {
  const [hash] = await bitcoin.mine(keyHash(alice), 1)
  await bitcoin.mine(keyHash(bob), 100)
  const { tx } = (await bitcoin.call('getblock', [hash, 1])) as { tx: readonly string[] }
  const [txid = ''] = tx
  const { value } = (await bitcoin.call('gettxout', [txid, 0])) as { value: number }
  return {
    ...{ txid: unhex(txid).reverse(), index: 0, secret: alice },
    value: Math.round(value * satoshi),
  }
}

async function startTower({ host, port, user, password, zmq }: BitcoinFacade): Promise<string> {
  const datadir = join(root, 'tower')
  mkdirSync(datadir, { mode: 0o700 })
  const secret = join(root, 'password')
  writeFileSync(secret, `${password}\n`, { mode: 0o600 })
  tower = spawn(
    process.execPath,
    [
      ...[program, 'run', '--datadir', datadir, '--p2p.listen.ip', '127.0.0.1'],
      ...['--rpc.port', '0', '--ops.port', '0', '--p2p.listen.tcp', '0'],
      ...['--tower.enabled', '--tower.api_port', '0', '--tower.btc_network', 'regtest'],
      ...['--tower.bitcoind', `http://${host}:${port}`, '--tower.zmq-hashblock', zmq],
      ...['--tower.btc_rpc_user', user, '--tower.btc_rpc_password-file', secret],
    ],
    { stdio: 'ignore' },
  )
  const file = join(datadir, 'ports.json')
  await until('the tower is ready', () => existsSync(file) && tower?.exitCode === null)
  const ports = JSON.parse(readFileSync(file, 'utf8')) as { tower: string }
  return ports.tower
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within a minute: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return
  const gone = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGTERM')
  await gone
}
