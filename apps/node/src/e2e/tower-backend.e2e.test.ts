import { type Bitcoind, createBitcoind } from '@rockpool/adapters/chain'
import { hex, pay, shownId } from '@rockpool/tower/testkit/outside'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bitcoindRegtest, facadeRegtest, findBitcoind, type Regtest } from '../testkit/regtest.ts'

const real = findBitcoind()
const cheater = new Uint8Array(32).fill(0x61)
const victim = new Uint8Array(32).fill(0x62)
const fee = 1_000
const missing = { ok: false, code: -25, message: 'bad-txns-inputs-missingorspent' }
const said = (code: number, words: string) => ({
  ok: false,
  code,
  message: expect.stringContaining(words),
})

/** Every answer a tower builds on, asked through the adapter and its socket. */
function answers(open: () => Promise<Regtest>): void {
  let node: Regtest
  let backend: Bitcoind
  beforeAll(async () => {
    node = await open()
    backend = connectTo(node)
  })
  afterAll(async () => {
    backend?.close()
    await node?.close()
  })

  /** A dispute that is not sent yet, and the penalty that spends it. */
  async function pair() {
    const dispute = pay(await node.coin(), { to: cheater, fee })
    return { dispute, penalty: pay(dispute.coin, { to: victim, fee }) }
  }

  test('a penalty before its dispute has missing inputs', async () => {
    const { penalty } = await pair()
    expect(await backend.broadcast(penalty.raw)).toEqual(missing)
    expect(await backend.spender({ txid: penalty.coin.txid, index: 0 })).toBe('unknown-output')
  })

  test('what waits already is taken again, and both are seen to wait', async () => {
    const { dispute, penalty } = await pair()

    expect(await backend.broadcast(dispute.raw)).toEqual({ ok: true })
    expect(await backend.broadcast(penalty.raw)).toEqual({ ok: true })
    expect(await backend.broadcast(penalty.raw)).toEqual({ ok: true })
    expect(await backend.txStatus(penalty.txid)).toBe('mempool')
    expect(await backend.spender({ txid: dispute.txid, index: 0 })).toBe('mempool')
    expect(await backend.spender({ txid: penalty.txid, index: 0 })).toBe('unspent')
    expect(
      await node.call('gettxspendingprevout', [[{ txid: shownId(dispute.txid), vout: 0 }]]),
    ).toMatchObject([{ spendingtxid: shownId(penalty.txid) }])
    await node.mine(1)
  })

  test('confirmed and unspent it is known; confirmed and spent, or taken by another, its inputs are missing', async () => {
    const { dispute, penalty } = await pair()
    await backend.broadcast(dispute.raw)
    await backend.broadcast(penalty.raw)
    await node.mine(1)
    const rival = pay(dispute.coin, { to: cheater, fee: 3 * fee })
    const later = pay(penalty.coin, { to: victim, fee })

    expect(await backend.broadcast(penalty.raw)).toMatchObject({ ok: false, code: -27 })
    expect(await backend.broadcast(rival.raw)).toEqual(missing)
    await backend.broadcast(later.raw)
    await node.mine(1)
    expect(await backend.broadcast(penalty.raw)).toEqual(missing)
  })

  test('a rival in the mempool gives way to who pays more, and to nobody else', async () => {
    const { dispute, penalty } = await pair()
    await backend.broadcast(dispute.raw)
    await backend.broadcast(pay(dispute.coin, { to: cheater, fee: 5 * fee }).raw)

    expect(await backend.broadcast(penalty.raw)).toEqual(said(-26, 'insufficient fee'))
    const dearer = pay(dispute.coin, { to: victim, fee: 50 * fee })
    expect(await backend.broadcast(dearer.raw)).toEqual({ ok: true })
    await node.mine(1)
  })

  test('no fee, a lock in the future, a relative lock, a wrong signature and garbage are refused in their own words', async () => {
    const coin = await node.coin()

    expect(await backend.broadcast(pay(coin, { to: victim, fee: 0 }).raw)).toEqual(
      said(-26, 'min relay fee not met'),
    )
    const early = pay(coin, { to: victim, fee, lockTime: 1_000_000 })
    expect(await backend.broadcast(early.raw)).toEqual(said(-26, 'non-final'))
    const waiting = pay(coin, { to: victim, fee, sequence: 60_000 })
    expect(await backend.broadcast(waiting.raw)).toEqual(said(-26, 'non-BIP68-final'))
    const forged = pay(coin, { to: victim, fee, forged: true })
    expect(await backend.broadcast(forged.raw)).toEqual(said(-26, 'script-verify-flag'))
    expect(await backend.broadcast(Uint8Array.of(1, 2, 3))).toEqual(said(-22, 'TX decode failed'))
  })

  test('a fee that others cap is taken, because the tower says that there is no cap', async () => {
    const coin = await node.coin()
    const dear = pay(coin, { to: victim, fee: 100_000_000 })

    await expect(node.call('sendrawtransaction', [hex(dear.raw)])).rejects.toMatchObject({
      code: -25,
    })
    expect(await backend.broadcast(dear.raw)).toEqual({ ok: true })
    await node.mine(1)
  })

  test('what is not known is unknown: a transaction, a block, a height', async () => {
    expect(await backend.txStatus(new Uint8Array(32).fill(7))).toBe('unknown')
    expect(await backend.block(1_000_000)).toBeNull()
    const nowhere = 'ab'.repeat(32)
    await expect(node.call('getblockheader', [nowhere])).rejects.toMatchObject({ code: -5 })
    await expect(node.call('getblock', [nowhere, 0])).rejects.toMatchObject({ code: -5 })
    const { penalty } = await pair()
    expect(await node.call('testmempoolaccept', [[hex(penalty.raw)]])).toMatchObject([
      { allowed: false, 'reject-reason': 'missing-inputs' },
    ])
  })

  test('after a fork what it dropped waits again, its blocks are stale, and the heads of the tower are of the new branch', async () => {
    const { dispute, penalty } = await pair()
    await backend.broadcast(dispute.raw)
    await node.mine(1)
    const stale = await backend.head()
    await backend.broadcast(penalty.raw)
    await node.mine(1)

    await node.reorg(2)

    expect(await backend.txStatus(dispute.txid)).toBe('mempool')
    expect(await backend.txStatus(penalty.txid)).toBe('mempool')
    expect(await node.call('getblockheader', [stale.hash.slice(2)])).toMatchObject({
      confirmations: -1,
      bits: expect.stringMatching(/^[0-9a-f]{8}$/),
    })
    const head = await backend.head()
    expect(head.height).toBe(stale.height + 2)
    const block = await backend.block(stale.height)
    expect(block === null || block === 'pruned' ? undefined : block.hash).not.toBe(stale.hash)
    await node.mine(1)
  })
}

function connectTo({ host, port, login }: Regtest): Bitcoind {
  return createBitcoind({ host, port, login, network: 'regtest' })
}

describe('tower B301: on the façade', () => {
  answers(facadeRegtest)

  test('tower B295: a password with +, / and : is sent as it is, and a wrong one is told', async () => {
    const { facade, ...node } = await facadeRegtest()
    const wrong = createBitcoind({
      ...{ host: node.host, port: node.port, network: 'regtest' },
      login: { user: 'tower', password: 'p' },
    })
    const elsewhere = createBitcoind({
      ...{ host: node.host, port: node.port, network: 'mainnet', login: node.login },
    })

    expect(facade.password).toMatch(/[+/:]/)
    await expect(wrong.head()).rejects.toMatchObject({ code: 'tower/backend-lost' })
    await expect(elsewhere.check()).rejects.toMatchObject({
      message: 'tower.btc_network is mainnet but bitcoind runs regtest',
    })
    for (const each of [wrong, elsewhere]) each.close()
    await facade.close()
  })
})

describe.skipIf(real === undefined)('tower B302: on bitcoind', () => {
  answers(() => bitcoindRegtest(real ?? ''))
})
