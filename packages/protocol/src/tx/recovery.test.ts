import { expect, test } from 'vitest'
import type { Crypto, RecoveryJob } from '../ports.ts'
import {
  addressOfKey,
  createTestCrypto,
  keccak256,
  keyOf,
  signAuthorization,
  signTx,
} from '../testkit/crypto.ts'
import { vectors } from '../testkit/vectors.ts'
import { type Address, fromHex } from '../values/bytes.ts'
import { decodeTx } from './decode.ts'
import type { DecodedTx } from './record.ts'
import { createRecovery } from './recovery.ts'
import { curveOrder } from './signature.ts'

const sender = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'
const recipient = `0x${'35'.repeat(20)}` as Address

function decoded(raw: Uint8Array): DecodedTx {
  const answer = decodeTx(raw, keccak256)
  if (!answer.ok) throw new Error(answer.message)
  return answer.value
}

const aTransfer = (nonce: bigint, key = keyOf(0x46)) =>
  decoded(
    signTx(
      {
        type: 2,
        chainId: 1337n,
        nonce,
        tip: 1n,
        feeCap: 2n,
        gas: 21_000n,
        to: recipient,
        value: 0n,
      },
      key,
    ),
  )

/** Crypto that answers when told. */
function heldCrypto() {
  const calls: { jobs: number; settle: (error?: unknown) => void }[] = []
  const inner = createTestCrypto()
  const crypto: Crypto = {
    ...inner,
    recover: (batch: readonly RecoveryJob[]) =>
      new Promise((resolve, reject) => {
        const settle = (error?: unknown) =>
          error === undefined ? resolve(inner.recover(batch)) : reject(error)
        calls.push({ jobs: batch.length, settle })
      }),
  }
  return { crypto, calls }
}

test('answers come in the order asked, good and bad mixed', async () => {
  const recovery = createRecovery(createTestCrypto(), 1337n)
  const [a, foreign, b] = [
    aTransfer(0n),
    decoded(fromHex(vectors.protectedLegacy)),
    aTransfer(1n, keyOf(7)),
  ]

  const answers = await recovery.recover([a, foreign, b])

  expect(answers).toMatchObject([
    { ok: true, value: { sender, hash: a.hash } },
    { ok: false, code: 'pool/wrong-chain' },
    { ok: true, value: { sender: addressOfKey(keyOf(7)), hash: b.hash } },
  ])
})

test('what was recovered is not recovered again', async () => {
  const crypto = createTestCrypto()
  const recovery = createRecovery(crypto, 1337n)
  const tx = aTransfer(0n)

  const [first] = await recovery.recover([tx])
  const [second] = await recovery.recover([tx])

  expect(crypto.recovered()).toBe(1)
  expect(second).toEqual(first)
  expect(recovery.known(tx.hash)).toMatchObject({ sender })
  expect(recovery.known(aTransfer(1n).hash)).toBeUndefined()
})

test('what is on its way is waited for, in one call and in two', async () => {
  const { crypto, calls } = heldCrypto()
  const recovery = createRecovery(crypto, 1337n)
  const tx = aTransfer(0n)

  const first = recovery.recover([tx, tx])
  const second = recovery.recover([tx, aTransfer(1n)])

  expect(calls.map(call => call.jobs)).toEqual([1, 1])
  for (const call of calls) call.settle()
  const answers = [...(await first), ...(await second)]
  expect(answers.map(answer => answer.ok && answer.value.sender)).toEqual(Array(4).fill(sender))
})

test('a dead worker is not held against the transaction, which may come again', async () => {
  const { crypto, calls } = heldCrypto()
  const recovery = createRecovery(crypto, 1337n)
  const tx = aTransfer(0n)

  const dead = recovery.recover([tx])
  calls[0]?.settle(Object.assign(new Error('worker died'), { code: 'crypto/crashed' }))

  expect(await dead).toMatchObject([{ ok: false, code: 'load/internal' }])
  const again = recovery.recover([tx])
  calls[1]?.settle()
  expect(await again).toMatchObject([{ ok: true }])
})

test('any other rejection is a bug and stays one', async () => {
  const { crypto, calls } = heldCrypto()
  const bug = new TypeError('bug')

  const answers = createRecovery(crypto, 1337n).recover([aTransfer(0n)])
  calls[0]?.settle(bug)

  await expect(answers).rejects.toBe(bug)
})

test('nothing out of range reaches the library', async () => {
  const crypto = createTestCrypto()
  const tx = aTransfer(0n)
  const bad = [
    { r: 0n },
    { s: 0n },
    { r: curveOrder },
    { s: curveOrder - 1n },
    { v: 2n },
    { chainId: 0n },
  ]

  const answers = await createRecovery(crypto, 1337n).recover(bad.map(over => ({ ...tx, ...over })))

  expect(crypto.recovered()).toBe(0)
  expect(answers.every(answer => !answer.ok)).toBe(true)
})

test('an r that is on no point of the curve fails by name', async () => {
  const tx = { ...aTransfer(0n), r: 5n }

  expect(await createRecovery(createTestCrypto(), 1337n).recover([tx])).toMatchObject([
    { code: 'pool/invalid-sender', message: 'invalid sender: recovery failed' },
  ])
})

test('authorities are named once, in order; bad signatures leave an empty place', async () => {
  const first = signAuthorization({ chainId: 0n, address: recipient, nonce: 0n }, keyOf(1))
  const second = signAuthorization({ chainId: 9n, address: recipient, nonce: 5n }, keyOf(2))
  const highS = { ...first, s: curveOrder - first.s, yParity: 1n - first.yParity }
  const offCurve = { ...first, r: 5n }
  const tx = decoded(
    signTx(
      {
        type: 4,
        chainId: 1337n,
        nonce: 0n,
        tip: 1n,
        feeCap: 2n,
        gas: 200_000n,
        to: recipient,
        value: 0n,
        authorizations: [second, highS, first, offCurve, second, { ...first, yParity: 2n }],
      },
      keyOf(0x46),
    ),
  )
  const [one, two] = [addressOfKey(keyOf(1)), addressOfKey(keyOf(2))]

  const crypto = createTestCrypto()
  const answers = await createRecovery(crypto, 1337n).recover([tx])

  expect(answers).toMatchObject([
    { value: { authorities: [two, one], authoritySlots: [two, null, one, null, two, null] } },
  ])
  expect(crypto.recovered()).toBe(5)
})

test('the memory is bounded, and the record used longest ago goes first', async () => {
  const recovery = createRecovery(createTestCrypto(), 1337n, 3)
  const txs = [0n, 1n, 2n].map(nonce => aTransfer(nonce))
  const [first, second, third] = txs as [DecodedTx, DecodedTx, DecodedTx]

  await recovery.recover(txs)
  recovery.known(first.hash)
  await recovery.recover([aTransfer(3n)])

  expect(recovery.known(first.hash)).toBeDefined()
  expect(recovery.known(second.hash)).toBeUndefined()
  expect(recovery.known(third.hash)).toBeDefined()
})
