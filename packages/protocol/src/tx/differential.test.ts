import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createTxFromRLP } from '@ethereumjs/tx'
import {
  parseTransaction,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerialized,
} from 'viem'
import { expect, test } from 'vitest'
import { createTestCrypto, keccak256, recoverKey } from '../testkit/crypto.ts'
import { malformed, ruleBreakers, type Sample, valid } from '../testkit/hostile.ts'
import { createDice } from '../testkit/txs.ts'
import { concatBytes, toHex } from '../values/bytes.ts'
import { decodeTx } from './decode.ts'
import type { TxRecord } from './record.ts'
import { createRecovery, type Recovery } from './recovery.ts'
import { checkStatic } from './static.ts'

/** Where another library takes what we refuse, and why we refuse it. There is no row for the other way round: we take nothing they refuse. */
const differences: readonly { where: 'ethereumjs' | 'viem'; ours: RegExp; reason: string }[] = [
  ...(['ethereumjs', 'viem'] as const).flatMap(where => [
    { where, ours: /^pool\/oversized/, reason: 'the size limit is that of the pool' },
    {
      where,
      ours: /^pool\/(intrinsic|floor)-gas: .* minimum/,
      reason: 'gas is for the pool to check',
    },
    { where, ours: /^pool\/tip-below-minimum/, reason: 'the minimum is that of the pool' },
    { where, ours: /^pool\/type-not-enabled/, reason: 'was told of no fork, or of all of them' },
    {
      where,
      ours: /rlp: accessList (is bytes|storageKeys is bytes)/,
      reason: 'takes empty bytes for an empty list',
    },
  ]),
  {
    where: 'viem',
    ours: /^pool\/(gas-cap|gas-over-block|initcode-too-big|floor-gas: .* floor:)/,
    reason: 'only parses; limits of blocks and gas are not its business',
  },
  {
    where: 'viem',
    ours: /^pool\/(invalid-sender|wrong-chain|empty-authorizations|value-too-wide)/,
    reason: 'only parses; neither signature nor chain nor amounts are judged',
  },
  {
    where: 'viem',
    ours: /exceeds N bits$|rlp: (gas|value) is wider than N bits/,
    reason: 'integers have no width',
  },
  { where: 'viem', ours: /has a leading zero byte/, reason: 'integers may begin with zeros' },
  { where: 'viem', ours: /has a non-minimal length/, reason: 'lengths may be longer than needed' },
  {
    where: 'viem',
    ours: /(storageKey|accessList storageKey|to) has N bytes/,
    reason: 'fixed sizes are not checked everywhere',
  },
  {
    where: 'viem',
    ours: /is a list, expected bytes/,
    reason: 'an empty list is taken for empty bytes',
  },
  {
    where: 'viem',
    ours: /authorizationList is bytes/,
    reason: 'takes empty bytes for an empty list',
  },
  {
    where: 'viem',
    ours: /(accessList entry|authorization) has too many elements/,
    reason: 'further elements of an entry are ignored',
  },
  {
    where: 'viem',
    ours: /rlp: (v|yParity) is missing/,
    reason: 'unsigned transactions are transactions too',
  },
]

/** Every reason a transaction can be refused for without state, as far as bytes can reach it. */
const staticCodes = [
  'oversized',
  'type-not-enabled',
  'initcode-too-big',
  'gas-cap',
  'gas-over-block',
  'fee-cap-too-wide',
  'tip-too-wide',
  'tip-above-fee-cap',
  'invalid-sender',
  'wrong-chain',
  'nonce-max',
  'value-too-wide',
  'intrinsic-gas',
  'floor-gas',
  'tip-below-minimum',
  'empty-authorizations',
  'type-unsupported',
  'undecodable',
]

interface Verdict {
  readonly text: string
  readonly record?: TxRecord
}

async function ourVerdict({ raw, context }: Sample, recovery: Recovery): Promise<Verdict> {
  const decoded = decodeTx(raw, keccak256)
  if (!decoded.ok) return { text: `${decoded.code}: ${decoded.message.replace(/\d+/g, 'N')}` }
  const [recovered] = await recovery.recover([decoded.value])
  if (recovered === undefined) throw new Error('no answer')
  const failure = checkStatic(decoded.value, context, recovered)
  if (failure !== undefined) {
    return { text: `${failure.code}: ${failure.message.replace(/\d+/g, 'N')}` }
  }
  return recovered.ok ? { text: 'accepted', record: recovered.value } : { text: 'none' }
}

const common = createCustomCommon({ chainId: 1337, name: 'dev' }, Mainnet, {
  hardfork: 'osaka',
  customCrypto: {
    keccak256,
    ecrecover(digest, v, r, s) {
      // r and s come without their leading zeros, v as 0 or 1 for typed transactions.
      const word = (bytes: Uint8Array) => concatBytes(new Uint8Array(32 - bytes.length), bytes)
      const id = v <= 1n ? Number(v) : Number((v + 1n) % 2n)
      return recoverKey(digest, word(r), word(s), id)
    },
  },
})

function ethereumjsVerdict(raw: Uint8Array) {
  try {
    const tx = createTxFromRLP(raw, { common, freeze: false })
    return { hash: toHex(tx.hash()), sender: tx.getSenderAddress().toString() }
  } catch {
    return undefined
  }
}

function viemVerdict(raw: Uint8Array) {
  try {
    return parseTransaction(toHex(raw))
  } catch {
    return undefined
  }
}

/** What viem read, in our words; amounts of zero are absent there. */
function viemFields(parsed: NonNullable<ReturnType<typeof viemVerdict>>) {
  return {
    nonce: BigInt(parsed.nonce ?? 0),
    gas: parsed.gas ?? 0n,
    value: parsed.value ?? 0n,
    to: parsed.to?.toLowerCase() ?? null,
    data: parsed.data ?? '0x',
    chainId: parsed.chainId === undefined ? undefined : BigInt(parsed.chainId),
    feeCap: parsed.maxFeePerGas ?? parsed.gasPrice ?? 0n,
    tip: parsed.maxPriorityFeePerGas ?? parsed.gasPrice ?? 0n,
  }
}

const ourFields = ({ nonce, gas, value, to, data, chainId, feeCap, tip }: TxRecord) => ({
  nonce,
  gas,
  value,
  to,
  data: toHex(data),
  chainId,
  feeCap,
  tip,
})

test('two other libraries agree on every transaction, but for differences we name', {
  timeout: 120_000,
}, async () => {
  const dice = createDice(1_337)
  const recovery = createRecovery(createTestCrypto(), 1337n)
  const texts = new Map<string, number>()
  const accepted = new Map<number, number>()
  const met = new Set<(typeof differences)[number]>()
  const unlisted: string[] = []
  let count = 0
  let sendersByViem = 0

  const differ = (where: 'ethereumjs' | 'viem', ours: string, theirs: boolean, raw: Uint8Array) => {
    if (theirs === (ours === 'accepted')) return
    const row = theirs
      ? differences.find(one => one.where === where && one.ours.test(ours))
      : undefined
    if (row === undefined)
      unlisted.push(`${where} ${theirs ? 'takes' : 'refuses'} ${ours} ${toHex(raw)}`)
    else met.add(row)
  }

  for (const samples of [valid(dice, 3_000), ruleBreakers(dice, 25), malformed(dice, 20)]) {
    for (const sample of samples) {
      const { raw } = sample
      const { text, record } = await ourVerdict(sample, recovery)
      const ethereumjs = ethereumjsVerdict(raw)
      const viem = viemVerdict(raw)

      count += 1
      texts.set(text, (texts.get(text) ?? 0) + 1)
      differ('ethereumjs', text, ethereumjs !== undefined, raw)
      differ('viem', text, viem !== undefined, raw)
      if (record === undefined || viem === undefined) continue
      accepted.set(record.type, (accepted.get(record.type) ?? 0) + 1)
      expect(ethereumjs).toEqual({ hash: record.hash, sender: record.sender })
      expect(viemFields(viem)).toEqual(ourFields(record))
      expect(serializeTransaction(viem, viem as never)).toBe(toHex(raw))
      if (count % 10 !== 0 || sendersByViem === 300) continue
      sendersByViem += 1
      const serializedTransaction = toHex(raw) as TransactionSerialized
      const sender = await recoverTransactionAddress({ serializedTransaction })
      expect(sender.toLowerCase()).toBe(record.sender)
    }
  }

  const rare = [...texts].filter(([, times]) => times < 20)
  const total = [...accepted.values()].reduce((sum, times) => sum + times, 0)
  console.log(
    `${count} transactions, ${total} accepted ${JSON.stringify([...accepted].sort(([left], [right]) => left - right))}, ${texts.size - 1} error texts, ${sendersByViem} senders by viem`,
  )
  expect(unlisted).toEqual([])
  expect(differences.filter(row => !met.has(row))).toEqual([])
  expect(rare).toEqual([])
  expect(count).toBeGreaterThanOrEqual(10_000)
  expect(total).toBeGreaterThanOrEqual(3_000)
  expect([...accepted.keys()].sort((left, right) => left - right)).toEqual([0, 1, 2, 4])
  expect(Math.min(...accepted.values())).toBeGreaterThanOrEqual(500)
  expect(texts.size).toBeGreaterThan(120)
  const codes = new Set([...texts.keys()].map(text => text.split(':')[0]?.slice('pool/'.length)))
  expect(staticCodes.filter(code => !codes.has(code))).toEqual([])
})
