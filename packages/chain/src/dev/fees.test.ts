import { describe, expect, test } from 'vitest'
import { aGenesis, aProducer, gwei } from '../testkit/chains.ts'
import { Forge } from '../testkit/forge.ts'
import { walletOf } from '../testkit/wallets.ts'
import { feeHistory, feeRowOf, oracle, suggestTip, tipSamplesOf } from './fees.ts'

const { header } = new Forge(aGenesis(), []).root
const payer = { sender: walletOf(1).address }

/** Receipts of transactions that paid these tips above a base fee of 1 gwei. */
function paid(...tips: readonly bigint[]) {
  return tips.map(tip => ({ gasUsed: 21_000, effectiveGasPrice: gwei + tip }))
}

function row(number: number, gasUsed: number, ...tips: readonly bigint[]) {
  return feeRowOf({ ...header, number, gasUsed, baseFee: gwei }, paid(...tips))
}

describe('fee history', () => {
  test('has one base fee more than blocks, the last being that of the next block', () => {
    const rows = [row(7, 0), row(8, 30_000_000)]

    expect(feeHistory(rows, [])).toEqual({
      oldest: 7,
      baseFees: [gwei, gwei, 1_125_000_000n],
      gasUsedRatios: [0, 1],
    })
  })

  test('a percentile is the tip at which that share of the gas is reached, by ascending tip', () => {
    const rows = [row(1, 84_000, 4n, 1n, 3n, 2n), row(2, 0)]

    expect(feeHistory(rows, [0, 25, 26, 50, 99, 100]).rewards).toEqual([
      [1n, 1n, 2n, 2n, 4n, 4n],
      [0n, 0n, 0n, 0n, 0n, 0n],
    ])
  })
})

describe('the suggested tip', () => {
  test('is the 60th percentile of the three lowest tips of each block', () => {
    const samples = [
      tipSamplesOf(header, [payer, payer, payer, payer], paid(9n, 50n, 7n, 8n)),
      tipSamplesOf(header, [payer], paid(20n)),
    ]

    expect(samples).toEqual([[7n, 8n, 9n], [20n]])
    // 7 8 9 20: index floor(3 x 60 / 100) = 1.
    expect(suggestTip(samples, 1n)).toBe(8n)
  })

  test('does not count dust, nor what a producer pays itself', () => {
    const own = { sender: aProducer }
    const at = { ...header, producer: aProducer }

    expect(tipSamplesOf(at, [payer, payer, own], paid(2n, 3n, 4n))).toEqual([3n])
  })

  test('stays what it was on an idle chain, and never exceeds 500 gwei', () => {
    expect(suggestTip([[], [], []], 77n)).toBe(77n)
    expect(suggestTip([], oracle.tipDefault)).toBe(1_000_000n)
    expect(suggestTip([[501n * gwei]], 1n)).toBe(500n * gwei)
    expect(suggestTip([[500n * gwei]], 1n)).toBe(500n * gwei)
  })

  test('looks at twenty blocks and no further', () => {
    const samples = [...Array.from({ length: 20 }, () => [5n]), [900n], [900n], [900n]]

    expect(suggestTip(samples, 1n)).toBe(5n)
  })
})
