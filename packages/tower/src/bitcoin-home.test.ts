import { type Broadcast, hashOf, type UtxoBackend } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { bitcoinHome } from './bitcoin-home.ts'
import type { TrackerRow } from './rows.ts'
import { aPair } from './testkit/chain.ts'
import { testCrypto } from './testkit/crypto.ts'
import { afterSend, judge, type Sent } from './tracker.ts'

const { penalty, dispute } = aPair(7)
const missing = 'bad-txns-inputs-missingorspent'

/** What the tower makes of an answer of its bitcoin node to a penalty. */
async function after(
  broadcast: Broadcast,
  spender: Awaited<ReturnType<UtxoBackend['spender']>> = 'unspent',
): Promise<Sent> {
  const home = bitcoinHome({
    crypto: testCrypto,
    backend: {
      head: () => Promise.reject(new Error('not asked')),
      block: () => Promise.reject(new Error('not asked')),
      broadcast: async () => broadcast,
      spender: async () => spender,
    },
  })
  let work: Promise<void> | undefined
  let sent: Sent | undefined
  const ctx = {
    ask() {},
    pipe<T>(start: (signal: AbortSignal) => Promise<T>, map: (outcome: never) => unknown) {
      work = start(new AbortController().signal).then(value => {
        map({ ok: true, value } as never)
      })
    },
  }
  home.send(ctx as never, penalty.raw, outcome => {
    sent = outcome
    return { type: 'sent' }
  })
  await work
  if (sent === undefined) throw new Error('nothing came of it')
  return sent
}

const refused = (code: number, message: string): Broadcast => ({ ok: false, code, message })

test('tower B249: refusals that may pass are deferred by their reason, whatever stands around the words', async () => {
  const told: readonly (readonly [string, string])[] = [
    ['min relay fee not met, 0 < 191', 'fee'],
    ['mempool min fee not met, 1 < 2', 'fee'],
    ['insufficient fee, rejecting replacement ab; new feerate 1 <= 2', 'fee'],
    ['mempool full', 'full'],
    ['txn-mempool-conflict', 'conflict'],
    ['too-long-mempool-chain, too many', 'conflict'],
    ['non-final', 'final'],
    ['non-BIP68-final', 'final'],
    ['words of a version to come', 'unknown'],
  ]
  for (const [message, reason] of told)
    expect(await after(refused(-26, message))).toEqual({ class: 'deferred', reason })
  const away: Broadcast = { ok: false, code: 'transport', message: 'nobody' }
  expect(await after(away)).toEqual({ class: 'deferred', reason: 'transport' })
})

test('tower B249 B292: taken, confirmed long ago, and never valid are told apart', async () => {
  expect(await after({ ok: true })).toEqual({ class: 'satisfied' })
  expect(await after(refused(-27, 'Transaction outputs already in utxo set'))).toEqual({
    class: 'satisfied',
    isConfirmed: true,
  })
  expect((await after(refused(-22, 'TX decode failed'))).class).toBe('invalid')
  const script = 'mempool-script-verify-flag-failed (Signature must be zero)'
  expect((await after(refused(-26, script))).class).toBe('invalid')
})

test('tower B249 B293: missing inputs are looked at, because they mean three things', async () => {
  expect(await after(refused(-25, missing), 'mempool')).toMatchObject({ reason: 'conflict' })
  expect(await after(refused(-25, missing), 'unspent')).toMatchObject({ reason: 'missing' })
  for (const spender of ['spent', 'unknown-output'] as const)
    expect(await after(refused(-25, missing), spender)).toMatchObject({ class: 'losing' })
})

const block = { hash: hashOf(new Uint8Array(32).fill(1)), height: 200 }
const row: TrackerRow = {
  ...{ uuid: new Uint8Array(20), state: 'broadcasting', disputeBlock: block },
  ...{ disputeTxid: dispute.txid, penaltyTxid: penalty.txid, penaltyBlock: undefined },
  ...{ since: 200, reason: '', tries: 0 },
}
const always = { rebroadcastDispute: true }

test('tower B88 B292: a penalty that is confirmed in no block that is remembered is final a hundred blocks after its dispute', () => {
  const known = afterSend(row, { class: 'satisfied', isConfirmed: true }, 250)
  expect(known).toMatchObject({ state: 'confirmed', penaltyBlock: block })
  expect(judge(known, 299, always).need).toBe('nothing')
  expect(judge(known, 300, always).need).toBe('resolve')
})

test('tower B249: an output that is taken is tried for again, given up only when that is buried, and never without its dispute', () => {
  const losing = afterSend(row, { class: 'losing', reason: 'missing' }, 201)
  const needs = [202, 206, 207, 213, 300, 301].map(height => judge(losing, height, always).need)
  expect(needs).toEqual(['nothing', 'nothing', 'send', 'send', 'nothing', 'lost'])
  const without = { ...row, disputeBlock: undefined }
  expect(afterSend(without, { class: 'losing', reason: 'missing' }, 201).state).toBe('deferred')
})
