import { describe, expect, test } from 'vitest'
import {
  addressOfKey,
  createTestCrypto,
  keccak256,
  keyOf,
  signAuthorization,
  signTx,
} from '../testkit/crypto.ts'
import { vectors } from '../testkit/vectors.ts'
import { type Address, concatBytes, fromHex, type Hash, toHex } from '../values/bytes.ts'
import { decodeTx } from './decode.ts'
import type { TxFields } from './encode.ts'
import { floorGas, intrinsicGas } from './gas.ts'
import type { DecodedTx } from './record.ts'
import { createRecovery } from './recovery.ts'
import { devForks, rulesAt } from './rules.ts'
import { checkStatic } from './static.ts'

const recipient = `0x${'35'.repeat(20)}` as Address
const sender = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'
const authority = '0xe0da1edcea030875cd0f199d96eb70f6ab78faf2'
const gwei = 1_000_000_000n
const ether = gwei * gwei
const rules = rulesAt(devForks, { number: 0, timeSeconds: 0, merged: true })

function decoded(hex: string): DecodedTx {
  const answer = decodeTx(fromHex(hex), keccak256)
  if (!answer.ok) throw new Error(answer.message)
  return answer.value
}

function refusal(raw: Uint8Array): string {
  const answer = decodeTx(raw, keccak256)
  if (answer.ok) return 'accepted'
  return `${answer.code}: ${answer.message}`
}

async function judged(raw: Uint8Array, chainId: bigint) {
  const answer = decodeTx(raw, keccak256)
  if (!answer.ok) return answer
  const [recovered] = await createRecovery(createTestCrypto(), chainId).recover([answer.value])
  if (recovered === undefined) throw new Error('no answer')
  const context = { rules, chainId, gasLimit: 30_000_000, minTip: 1n }
  return checkStatic(answer.value, context, recovered) ?? recovered
}

const bumped = (fee: bigint) => (fee * 110n) / 100n
const dynamic = { type: 2, chainId: 1337n, tip: gwei, feeCap: 2n * gwei, gas: 21_000n } as const
const dynamicTx: TxFields = { ...dynamic, nonce: 0n, to: recipient, value: ether }
const legacyTx: TxFields = {
  type: 0,
  nonce: 9n,
  feeCap: 20n * gwei,
  gas: 21_000n,
  to: recipient,
  value: ether,
}
const key = keyOf(0x46)
const authorization = signAuthorization(
  { chainId: 1337n, address: `0x${'11'.repeat(20)}` as Address, nonce: 0n },
  keyOf(0x45),
)

/** Fields, bytes, hash, and facts that follow. */
const table: readonly [string, TxFields, string, string, Partial<DecodedTx>][] = [
  [
    'the example of EIP-155',
    { ...legacyTx, chainId: 1n },
    vectors.protectedLegacy,
    '0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788',
    { nonce: 9n, cost: 1_000_420_000_000_000_000n, chainId: 1n, slots: 1 },
  ],
  [
    'an unprotected legacy transfer',
    legacyTx,
    vectors.unprotectedLegacy,
    '0x9eb247ec381302e0ac0c3c8d8d14969bb49d31ae3d266274d3112e1a86585d94',
    { chainId: undefined, v: 27n },
  ],
  [
    'an access list',
    {
      type: 1,
      chainId: 1337n,
      nonce: 0n,
      feeCap: 2n * gwei,
      gas: 60_000n,
      to: recipient,
      value: 1n,
      data: fromHex('0x00ff'),
      accessList: [
        {
          address: recipient,
          storageKeys: [1, 2].map(n => `0x${n.toString(16).padStart(64, '0')}` as Hash),
        },
      ],
    },
    vectors.accessList,
    '0x39cd19aeaff2b2a11770f02d2dc6c68f322b75f658f7a8795c0475d07c31688c',
    { zeroBytes: 1, nonZeroBytes: 1, accessAddressCount: 1, accessKeyCount: 2 },
  ],
  [
    'a dynamic fee transfer',
    dynamicTx,
    vectors.dynamicFee,
    '0x43e4f52d726089bd2fc9b396573596af30b3451fde19a9183db44ed84dc4dd64',
    { nonce: 0n, tip: gwei, feeCap: 2n * gwei },
  ],
  [
    'its replacement at exactly ten percent more',
    { ...dynamicTx, tip: bumped(gwei), feeCap: bumped(2n * gwei) },
    vectors.bumped,
    '0x95ef72ea91290bf5aa5967c10810c474650df84498c90b2fb314aef50ff4fdfc',
    { tip: 1_100_000_000n, feeCap: 2_200_000_000n },
  ],
  [
    'a creation',
    { ...dynamic, nonce: 1n, gas: 100_000n, to: null, value: 0n, data: fromHex('0x600160005500') },
    vectors.creation,
    '0x1fb58761a036939627031c7a4e3177b6c0bb35e95aa0532965269ece815a8d0c',
    { to: null },
  ],
  [
    'a delegation',
    {
      ...dynamic,
      type: 4,
      nonce: 2n,
      gas: 100_000n,
      to: recipient,
      value: 0n,
      authorizations: [authorization],
    },
    vectors.setCode,
    '0x1554d7fda9b9d7ebab44821885b6e1556becd3e0065846e4c899a25ac8781883',
    { authorizations: [authorization] },
  ],
  [
    'the highest legal nonce',
    { ...dynamic, nonce: (1n << 64n) - 2n, to: recipient, value: 1n },
    vectors.nonceAlmostMax,
    '0x699a9386c19b4e22bbbfe21f1a05e02af96fcf3c5ac8367e11110254a2386a3d',
    { nonce: (1n << 64n) - 2n },
  ],
]

describe.each(table)('%s', (_name, fields, hex, hash, facts) => {
  test('is signed to exactly these bytes', () => {
    expect(toHex(signTx(fields, key))).toBe(hex)
  })

  test('decodes to what was signed, with its hash', () => {
    const tx = decoded(hex)

    expect(tx).toMatchObject({ ...facts, hash, nonce: fields.nonce, feeCap: fields.feeCap })
    expect(tx.raw).toEqual(fromHex(hex))
  })

  test('passes every static check on its chain and names its sender', async () => {
    const answer = await judged(fromHex(hex), fields.chainId ?? 1337n)

    expect(answer).toMatchObject({ ok: true, value: { sender } })
  })
})

test('the keys of the vectors have their addresses', () => {
  expect(addressOfKey(key)).toBe(sender)
  expect(addressOfKey(keyOf(0x45))).toBe(authority)
})

test('a delegation names its authority once and by position', async () => {
  expect(await judged(fromHex(vectors.setCode), 1337n)).toMatchObject({
    value: { authorities: [authority], authoritySlots: [authority] },
  })
})

test.each([
  [vectors.accessList, 200, 27_220, 21_050],
  [vectors.dynamicFee, 119, 21_000, 21_000],
  [vectors.creation, 98, 53_074, 21_180],
  [vectors.setCode, 208, 46_000, 21_000],
])('%#: size, intrinsic gas and floor', (hex, size, intrinsic, floor) => {
  const tx = decoded(hex)

  expect(tx.raw.length).toBe(size)
  expect(intrinsicGas(tx, rules)).toBe(intrinsic)
  expect(floorGas(tx, rules)).toBe(floor)
})

test('the nonce after the highest legal one is refused', async () => {
  expect(await judged(fromHex(vectors.nonceMax), 1337n)).toMatchObject({
    code: 'pool/nonce-max',
    message: 'nonce has max value',
  })
})

test('a signature with high s is refused though it recovers', async () => {
  const hex = vectors.dynamicFee
    .replace('c001a08f', 'c080a08f')
    .replace(/.{64}$/, 'c3660ac13c0a89de9282c7b5f447e2d69cb1c80c96755ee85711e1bb7880b379')

  expect(await judged(fromHex(hex), 1337n)).toMatchObject({
    code: 'pool/invalid-sender',
    message: 'invalid sender: invalid transaction v, r, s values',
  })
})

test('a parity of 2 is refused', async () => {
  const hex = vectors.dynamicFee.replace('c001a08f', 'c002a08f')

  expect(await judged(fromHex(hex), 1337n)).toMatchObject({
    message: 'invalid sender: invalid transaction v, r, s values',
  })
})

test('a transaction of another chain is refused by name', async () => {
  expect(await judged(fromHex(vectors.protectedLegacy), 1337n)).toMatchObject({
    code: 'pool/wrong-chain',
    message: 'invalid sender: invalid chain id for signer: have 1 want 1337',
  })
})

test('a nonce written as one zero byte does not decode', () => {
  expect(refusal(fromHex(vectors.dynamicFee.replace('82053980', '82053900')))).toBe(
    'pool/undecodable: rlp: nonce has a leading zero byte',
  )
})

test('a byte too many does not decode', () => {
  const raw = concatBytes(fromHex(vectors.dynamicFee), Uint8Array.of(0))

  expect(refusal(raw)).toBe('pool/undecodable: rlp: input contains more than one value')
})

test.each([
  ['0x', 'typed transaction too short'],
  ['0x00', 'typed transaction too short'],
  ['0x02', 'typed transaction too short'],
  ['0x7f', 'typed transaction too short'],
  ['0x05aa', 'transaction type not supported'],
  ['0x00aa', 'transaction type not supported'],
  ['0x7faa', 'transaction type not supported'],
  ['0xf8', 'rlp: value size exceeds available input length'],
  ['0x02f8', 'rlp: value size exceeds available input length'],
  ['0xc9', 'rlp: value size exceeds available input length'],
  ['0x80', 'rlp: transaction is bytes, expected a list'],
  ['0xc0', 'rlp: nonce is missing'],
  ['0x02c0', 'rlp: chainId is missing'],
  ['0x02c18a', 'rlp: element is larger than containing list'],
  ['0x02c1b8', 'rlp: element is larger than containing list'],
  ['0x02c101c0', 'rlp: nonce is missing'],
  ['0x02c3c00102', 'rlp: chainId is a list, expected bytes'],
  ['0x02c28105', 'rlp: chainId has a non-minimal length'],
  ['0x02f80105', 'rlp: transaction has a non-minimal length'],
  ['0x02f9003805', 'rlp: transaction has a non-minimal length'],
  ['0x03c0', 'rlp: transaction has 0 fields, not 14'],
])('%s does not decode: %s', (hex, message) => {
  expect(refusal(fromHex(hex))).toBe(`pool/undecodable: ${message}`)
})

test('a blob transaction is refused by name, with its blobs or without', () => {
  const fields = `ce${'80'.repeat(14)}`
  const text = 'pool/type-unsupported: transaction type not supported: received type 3'

  expect(refusal(fromHex(`0x03${fields}`))).toBe(text)
  expect(refusal(fromHex(`0x03d2${fields}c0c0c0`))).toBe(text)
  expect(refusal(fromHex(`0x03cd${'80'.repeat(13)}`))).toMatch(/^pool\/undecodable/)
  expect(refusal(fromHex(`0x03${fields}00`))).toMatch(/^pool\/undecodable/)
})
