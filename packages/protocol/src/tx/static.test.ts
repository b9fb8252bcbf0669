import { describe, expect, test } from 'vitest'
import { failed, ok } from '../errors.ts'
import type { Address } from '../values/bytes.ts'
import type { Authorization, DecodedTx, TxRecord } from './record.ts'
import { devForks, type Forks, rulesAt } from './rules.ts'
import { curveOrder } from './signature.ts'
import {
  checkGossip,
  checkGossipBeforeRecovery,
  checkStatic,
  type StaticContext,
} from './static.ts'

const sender = `0x${'aa'.repeat(20)}` as Address
const wide = 1n << 256n

function aTx(over: Partial<DecodedTx> = {}): TxRecord {
  const data = over.data ?? new Uint8Array(0)
  const tx: DecodedTx = {
    raw: new Uint8Array(110),
    hash: `0x${'01'.repeat(32)}` as DecodedTx['hash'],
    type: 2,
    chainId: 1337n,
    nonce: 0n,
    feeCap: 10n,
    tip: 5n,
    gas: 100_000n,
    to: `0x${'bb'.repeat(20)}` as Address,
    value: 0n,
    data,
    accessList: [],
    authorizations: [],
    v: 0n,
    r: 1n,
    s: 1n,
    signingPayload: new Uint8Array(0),
    cost: 0n,
    slots: 1,
    zeroBytes: data.length,
    nonZeroBytes: 0,
    accessAddressCount: 0,
    accessKeyCount: 0,
    ...over,
  }
  return { ...tx, sender, authorities: [], authoritySlots: [] }
}

function aContext(forks: Forks = {}, over: Partial<StaticContext> = {}): StaticContext {
  const rules = rulesAt({ ...devForks, ...forks }, { number: 1, timeSeconds: 1, merged: true })
  return { rules, chainId: 1337n, gasLimit: 30_000_000, minTip: 1n, ...over }
}

const verdict = (over: Partial<DecodedTx>, context = aContext()) => {
  const tx = aTx(over)
  const failure = checkStatic(tx, context, ok(tx))
  return failure === undefined ? 'passes' : `${failure.code}: ${failure.message}`
}

type Row = readonly [string, Partial<DecodedTx>, Partial<DecodedTx>, string, StaticContext]

/** What, the last that passes, the first that does not, and what it is told. */
const written: readonly (Row | readonly [Row[0], Row[1], Row[2], Row[3]])[] = [
  [
    'size',
    { raw: new Uint8Array(131_072) },
    { raw: new Uint8Array(131_073) },
    'pool/oversized: oversized data: transaction size 131073, limit 131072',
  ],
  [
    'type before Berlin',
    { type: 0, chainId: undefined, v: 27n },
    { type: 1 },
    'pool/type-not-enabled: transaction type not supported: type 1 rejected, pool not yet in Berlin',
    aContext({ berlinBlock: null, londonBlock: null }),
  ],
  [
    'type before London',
    { type: 1 },
    { type: 2 },
    'pool/type-not-enabled: transaction type not supported: type 2 rejected, pool not yet in London',
    aContext({ londonBlock: null }),
  ],
  [
    'type before Prague',
    { type: 2 },
    { type: 4 },
    'pool/type-not-enabled: transaction type not supported: type 4 rejected, pool not yet in Prague',
    aContext({ pragueTime: null, osakaTime: null }),
  ],
  [
    'init code',
    { to: null, data: new Uint8Array(49_152), gas: 1_000_000n },
    { to: null, data: new Uint8Array(49_153), gas: 1_000_000n },
    'pool/initcode-too-big: max initcode size exceeded: code size 49153 limit 49152',
  ],
  [
    'init code from Amsterdam on',
    { to: null, data: new Uint8Array(131_072), gas: 10_000_000n },
    { to: null, data: new Uint8Array(131_073), gas: 10_000_000n },
    'pool/initcode-too-big: max initcode size exceeded: code size 131073 limit 131072',
    aContext({ amsterdamTime: 0 }),
  ],
  [
    'gas cap',
    { gas: 16_777_216n },
    { gas: 16_777_217n },
    'pool/gas-cap: transaction gas limit too high (cap: 16777216, tx: 16777217)',
  ],
  [
    'gas cap from Amsterdam on',
    { gas: 4_294_967_295n },
    { gas: 4_294_967_296n },
    'pool/gas-cap: transaction gas limit too high (cap: 4294967295, tx: 4294967296)',
    aContext({ amsterdamTime: 0 }, { gasLimit: 5_000_000_000 }),
  ],
  ['sign of the value', { value: 0n }, { value: -1n }, 'pool/negative-value: negative value'],
  [
    'gas of the block',
    { gas: 100_000n },
    { gas: 100_001n },
    'pool/gas-over-block: exceeds block gas limit',
    aContext({}, { gasLimit: 100_000 }),
  ],
  [
    'width of the fee cap',
    { feeCap: wide - 1n },
    { feeCap: wide },
    'pool/fee-cap-too-wide: max fee per gas higher than 2^256-1',
  ],
  [
    'width of the tip',
    { feeCap: wide - 1n, tip: wide - 1n },
    { feeCap: wide - 1n, tip: wide },
    'pool/tip-too-wide: max priority fee per gas higher than 2^256-1',
  ],
  [
    'tip against fee cap',
    { feeCap: 10n, tip: 10n },
    { feeCap: 10n, tip: 11n },
    'pool/tip-above-fee-cap: max priority fee per gas higher than max fee per gas',
  ],
  [
    'chain id',
    { chainId: 1337n },
    { chainId: 0n },
    'pool/wrong-chain: invalid sender: invalid chain id for signer: have 0 want 1337',
  ],
  [
    'parity',
    { v: 1n },
    { v: 2n },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'v without protection',
    { type: 0, chainId: undefined, v: 28n },
    { type: 0, chainId: undefined, v: 1n },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'zero r',
    { r: 1n },
    { r: 0n },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'r below the order',
    { r: curveOrder - 1n },
    { r: curveOrder },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'zero s',
    { s: 1n },
    { s: 0n },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'low s',
    { s: curveOrder / 2n },
    { s: curveOrder / 2n + 1n },
    'pool/invalid-sender: invalid sender: invalid transaction v, r, s values',
  ],
  [
    'nonce',
    { nonce: (1n << 64n) - 2n },
    { nonce: (1n << 64n) - 1n },
    'pool/nonce-max: nonce has max value',
  ],
  [
    'width of the value',
    { value: wide - 1n },
    { value: wide },
    'pool/value-too-wide: insufficient funds for gas * price + value',
  ],
  [
    'intrinsic gas',
    { gas: 21_000n },
    { gas: 20_999n },
    'pool/intrinsic-gas: intrinsic gas too low: gas 20999, minimum needed 21000',
  ],
  [
    'floor gas',
    { zeroBytes: 1_000, gas: 31_000n },
    { zeroBytes: 1_000, gas: 30_999n },
    'pool/floor-gas: insufficient gas for floor data gas cost: gas 30999, minimum needed 31000',
  ],
  [
    'what Amsterdam allows before execution',
    { zeroBytes: 261_909, gas: 17_000_000n },
    { zeroBytes: 261_910, gas: 17_000_000n },
    'pool/floor-gas: insufficient gas for floor data gas cost: intrinsic cost 1062640, floor: 16777240',
    aContext({ amsterdamTime: 0 }),
  ],
  [
    'the minimum tip',
    { tip: 7n },
    { tip: 6n },
    'pool/tip-below-minimum: transaction gas price below minimum: gas tip cap 6, minimum needed 7',
    aContext({}, { minTip: 7n }),
  ],
  [
    'authorizations',
    { type: 4, authorizations: [{} as Authorization] },
    { type: 4, authorizations: [] },
    'pool/empty-authorizations: set code tx must have at least one authorization tuple',
  ],
]
const rows = written.map(([what, good, bad, told, context = aContext()]): Row => {
  return [what, good, bad, told, context]
})

test.each(rows)(
  '%s: the last that fits passes, the first beyond is told why',
  (_, good, bad, told, context) => {
    expect(verdict(good, context)).toBe('passes')
    expect(verdict(bad, context)).toBe(told)
  },
)

test.each(rows)('%s: gossip comes to the same end', (_, good, bad, told, context) => {
  const judge = (over: Partial<DecodedTx>) => checkGossip(aTx(over), context, ok(aTx(over)))

  expect(judge(good)).toBeUndefined()
  expect(told).toContain(judge(bad)?.message)
})

test('a creation may be of any size before Shanghai', () => {
  const forks = { shanghaiTime: null, cancunTime: null, pragueTime: null, osakaTime: null }
  const creation = { to: null, data: new Uint8Array(120_000), gas: 2_000_000n }

  expect(verdict(creation, aContext(forks))).toBe('passes')
})

test('from Amsterdam on a transfer to oneself is cheaper, and only the sender tells', () => {
  const context = aContext({ amsterdamTime: 0 })

  expect(verdict({ to: sender, value: 1n, gas: 12_000n }, context)).toBe('passes')
  expect(verdict({ to: sender, value: 1n, gas: 11_999n }, context)).toBe(
    'pool/intrinsic-gas: intrinsic gas too low: gas 11999, minimum needed 12000',
  )
  expect(checkGossipBeforeRecovery(aTx({ gas: 1n }), context)).toBeUndefined()
})

describe('order', () => {
  /** Every check failed at once; the next in order shows when the one before is repaired. */
  const broken: readonly [string, Partial<DecodedTx>][] = [
    ['pool/oversized', { raw: new Uint8Array(110) }],
    ['pool/initcode-too-big', { data: new Uint8Array(0) }],
    ['pool/gas-cap', { gas: 20_999n }],
    ['pool/negative-value', { value: wide }],
    ['pool/fee-cap-too-wide', { feeCap: 10n }],
    ['pool/tip-too-wide', { tip: 11n }],
    ['pool/tip-above-fee-cap', { tip: 0n }],
    ['pool/wrong-chain', { chainId: 1337n }],
    ['pool/invalid-sender', { v: 0n }],
    ['pool/nonce-max', { nonce: 0n }],
    ['pool/value-too-wide', { value: 0n }],
    ['pool/intrinsic-gas', { gas: 100_000n }],
    ['pool/tip-below-minimum', { tip: 5n }],
  ]
  const worst: Partial<DecodedTx> = {
    raw: new Uint8Array(131_073),
    to: null,
    data: new Uint8Array(49_153),
    zeroBytes: 0,
    gas: 16_777_217n,
    value: -1n,
    feeCap: wide,
    tip: wide,
    chainId: 1n,
    v: 2n,
    nonce: (1n << 64n) - 1n,
  }

  test('locally is that of geth', () => {
    let tx = worst
    const seen = broken.map(([, repair]) => {
      const code = checkStatic(aTx(tx), aContext(), ok(aTx(tx)))?.code
      tx = { ...tx, ...repair }
      if (repair.data !== undefined) tx = { ...tx, to: sender }
      return code
    })

    expect(seen).toEqual(broken.map(([code]) => code))
    expect(verdict(tx)).toBe('passes')
  })

  test('on gossip puts nonce, value, gas and authorizations before the sender', () => {
    const unsent = failed('pool/invalid-sender', 'invalid sender: recovery failed')
    const judge = (over: Partial<DecodedTx>) =>
      checkGossip(aTx({ chainId: 1n, ...over }), aContext({}, { minTip: 7n }), unsent)?.code

    expect(judge({ nonce: (1n << 64n) - 1n })).toBe('pool/nonce-max')
    expect(judge({ value: wide })).toBe('pool/value-too-wide')
    expect(judge({ gas: 1n })).toBe('pool/intrinsic-gas')
    expect(judge({ type: 4 })).toBe('pool/empty-authorizations')
    expect(judge({})).toBe('pool/wrong-chain')
    expect(judge({ chainId: 1337n, tip: 7n })).toBe('pool/invalid-sender')
    // What this node would not take is not worth a recovery.
    expect(judge({ chainId: 1337n, tip: 6n })).toBe('pool/tip-below-minimum')
  })

  test('on gossip leaves to the end what is wrong only for this node', () => {
    const context = aContext({}, { gasLimit: 50_000, minTip: 7n })
    const bad = aTx({ v: 9n })
    const fine = aTx({})

    expect(checkGossip(bad, context, ok(bad))?.code).toBe('pool/invalid-sender')
    expect(checkGossip(fine, context, ok(fine))?.code).toBe('pool/gas-over-block')
    expect(checkGossip(aTx({ gas: 50_000n }), context, ok(fine))?.code).toBe(
      'pool/tip-below-minimum',
    )
  })
})

describe('the chain id of a legacy signature', () => {
  test('is checked before its values', () => {
    expect(verdict({ type: 0, chainId: 5n, v: 45n, r: 0n })).toMatch(/^pool\/wrong-chain/)
  })

  test('leaves a parity of 0 or 1', () => {
    const zero = { type: 0, chainId: 1337n, v: 35n + 2674n } as const

    expect(verdict(zero)).toBe('passes')
    expect(verdict({ ...zero, v: zero.v + 1n })).toBe('passes')
    expect(verdict({ ...zero, v: zero.v + 2n })).toMatch(/values$/)
  })
})
