import { expect, test } from 'vitest'
import type { Address } from '../values/bytes.ts'
import {
  effectiveGasPrice,
  effectiveTip,
  floorGas,
  type GasShape,
  intrinsicGas,
  nextBaseFee,
} from './gas.ts'
import type { Authorization } from './record.ts'
import { devForks, type Forks, rulesAt } from './rules.ts'

const alice = `0x${'aa'.repeat(20)}` as Address
const bob = `0x${'bb'.repeat(20)}` as Address
const call: GasShape = {
  to: bob,
  value: 0n,
  zeroBytes: 0,
  nonZeroBytes: 0,
  accessAddressCount: 0,
  accessKeyCount: 0,
  authorizations: [],
}
const authorization = {} as Authorization
const at = (forks: Forks, merged = true) => rulesAt(forks, { number: 10, timeSeconds: 10, merged })
const osaka = at(devForks)
const amsterdam = at({ ...devForks, amsterdamTime: 0 })

test.each([
  ['nothing but a call', call, 21_000, 21_000],
  ['1,000 zero bytes', { ...call, zeroBytes: 1_000 }, 25_000, 31_000],
  ['1,000 other bytes', { ...call, nonZeroBytes: 1_000 }, 37_000, 61_000],
  ['a creation of 32 bytes', { ...call, to: null, zeroBytes: 32 }, 53_130, 21_320],
  ['a creation of 33 bytes', { ...call, to: null, zeroBytes: 33 }, 53_136, 21_330],
  ['an access list', { ...call, accessAddressCount: 2, accessKeyCount: 3 }, 31_500, 21_000],
  ['authorizations', { ...call, authorizations: [authorization, authorization] }, 71_000, 21_000],
])('%s costs, until Amsterdam', (_name, tx, intrinsic, floor) => {
  expect(intrinsicGas(tx, osaka, alice)).toBe(intrinsic)
  expect(floorGas(tx, osaka, alice)).toBe(floor)
})

test.each([
  ['a call', call, 15_000, 15_000],
  ['a transfer', { ...call, value: 1n }, 21_000, 21_000],
  ['a transfer to oneself', { ...call, to: alice, value: 1n }, 12_000, 12_000],
  ['a creation with value', { ...call, to: null, value: 1n }, 24_000, 24_000],
  ['ten zero and ten other bytes', { ...call, zeroBytes: 10, nonZeroBytes: 10 }, 15_200, 16_280],
  ['an access list', { ...call, accessAddressCount: 1, accessKeyCount: 1 }, 23_228, 18_328],
  ['an authorization', { ...call, authorizations: [authorization] }, 22_816, 15_000],
])('%s costs, from Amsterdam on', (_name, tx, intrinsic, floor) => {
  expect(intrinsicGas(tx, amsterdam, alice)).toBe(intrinsic)
  expect(floorGas(tx, amsterdam, alice)).toBe(floor)
})

test('each fork changes what it changed', () => {
  const data = { ...call, nonZeroBytes: 10 }
  const creation = { ...call, to: null, zeroBytes: 32 }

  expect(intrinsicGas(data, at({ ...devForks, istanbulBlock: null }))).toBe(21_680)
  expect(intrinsicGas(data, osaka)).toBe(21_160)
  expect(intrinsicGas(creation, at({ ...devForks, shanghaiTime: null }))).toBe(53_128)
  expect(intrinsicGas(creation, at({ ...devForks, homesteadBlock: null }))).toBe(21_130)
  expect(floorGas(data, at({ ...devForks, pragueTime: null }))).toBe(0)
})

test('a fork holds from its block or time on, a time fork only on a merged chain', () => {
  const forks: Forks = { berlinBlock: 5, shanghaiTime: 5 }
  const point = (number: number, timeSeconds: number, merged: boolean) =>
    rulesAt(forks, { number, timeSeconds, merged })

  expect(point(4, 4, true)).toMatchObject({ berlin: false, london: true, shanghai: false })
  expect(point(5, 5, true)).toMatchObject({ berlin: true, shanghai: true, cancun: false })
  expect(point(5, 5, false)).toMatchObject({ berlin: true, shanghai: false })
  expect(
    rulesAt({ londonBlock: null, shanghaiTime: 0 }, { number: 1, timeSeconds: 1, merged: true }),
  ).toMatchObject({ homestead: true, london: false, shanghai: false })
})

test.each([
  [1_000_000_000n, 20_000_000, 10_000_000, 1_000_000_000n],
  [1_000_000_000n, 20_000_000, 9_000_000, 987_500_000n],
  [1_000_000_000n, 20_000_000, 11_000_000, 1_012_500_000n],
  [1_000_000_000n, 30_000_000, 30_000_000, 1_125_000_000n],
  [1_000_000_000n, 30_000_000, 0, 875_000_000n],
  [7n, 30_000_000, 30_000_000, 8n],
  [7n, 30_000_000, 0, 7n],
  [0n, 30_000_000, 30_000_000, 1n],
  [null, 30_000_000, 30_000_000, 1_000_000_000n],
])('base fee %s after a block of %d gas with %d used is %s', (baseFee, gasLimit, gasUsed, next) => {
  expect(nextBaseFee({ baseFee, gasLimit, gasUsed })).toBe(next)
})

test('the tip is what the fee cap leaves above the base fee', () => {
  const fees = { feeCap: 100n, tip: 10n }

  expect(effectiveTip(fees, null)).toBe(10n)
  expect(effectiveTip(fees, 90n)).toBe(10n)
  expect(effectiveTip(fees, 91n)).toBe(9n)
  expect(effectiveTip(fees, 101n)).toBe(-1n)
  expect(effectiveGasPrice(fees, null)).toBe(100n)
  expect(effectiveGasPrice(fees, 50n)).toBe(60n)
  expect(effectiveGasPrice(fees, 95n)).toBe(100n)
})
