import type { Address, FeeHistory, Header, TxReceipt } from '@rockpool/protocol'
import { nextBaseFee } from '@rockpool/protocol'

/** What one block paid: its header's numbers and each transaction's tip and gas, ascending by tip. */
export interface FeeRow {
  readonly header: Header
  readonly paid: readonly { readonly tip: bigint; readonly gasUsed: number }[]
}

/** Constants of geth's gas price oracle. Wei, counts, percent. */
export const oracle = {
  blocks: 20,
  percentile: 60,
  samplesPerBlock: 3,
  /** Tips up to this are noise. */
  ignoreUpTo: 2n,
  tipMax: 500_000_000_000n,
  /** Suggested while no block has told anything: geth's default miner tip. */
  tipDefault: 1_000_000n,
} as const

/** What a block paid, from its receipts: the tip of a transaction is what it paid above the base fee. */
export function feeRowOf(
  header: Header,
  receipts: readonly Pick<TxReceipt, 'gasUsed' | 'effectiveGasPrice'>[],
): FeeRow {
  const paid = receipts.map(({ gasUsed, effectiveGasPrice }) => ({
    tip: effectiveGasPrice - header.baseFee,
    gasUsed,
  }))
  paid.sort((left, right) => compare(left.tip, right.tip))
  return { header, paid }
}

/**
 * What recent blocks paid, oldest first, one more base fee than blocks. `rewards` only when percentiles are asked: of each block the tip at
 * which that share of its gas used is reached; zeros for an empty block. `rows` is not empty and without gaps.
 */
export function feeHistory(rows: readonly FeeRow[], percentiles: readonly number[]): FeeHistory {
  const first = rows[0]
  const last = rows.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a fee history has blocks')
  return {
    oldest: first.header.number,
    baseFees: [...rows.map(row => row.header.baseFee), nextBaseFee(last.header)],
    gasUsedRatios: rows.map(row => row.header.gasUsed / row.header.gasLimit),
    ...(percentiles.length > 0 ? { rewards: rows.map(row => rewardsOf(row, percentiles)) } : {}),
  }
}

function rewardsOf({ header, paid }: FeeRow, percentiles: readonly number[]): readonly bigint[] {
  const first = paid[0]
  if (first === undefined) return percentiles.map(() => 0n)
  let index = 0
  let sumGas = first.gasUsed
  return percentiles.map(percentile => {
    const threshold = Math.floor((header.gasUsed * percentile) / 100)
    while (sumGas < threshold && index < paid.length - 1) {
      index += 1
      sumGas += paid[index]?.gasUsed ?? 0
    }
    return paid[index]?.tip ?? 0n
  })
}

/**
 * A tip likely to be taken soon: the 60th percentile of the three lowest tips of each of the last 20 blocks, as geth suggests. A block that
 * tells nothing counts with the tip suggested before, so an idle chain keeps its last suggestion. `samples`: what `tipSamplesOf` found in
 * each block, newest first.
 */
export function suggestTip(samples: readonly (readonly bigint[])[], lastTip: bigint): bigint {
  const tips: bigint[] = []
  for (const found of samples.slice(0, oracle.blocks)) {
    tips.push(...(found.length > 0 ? found : [lastTip]))
  }
  tips.sort(compare)
  const suggested = tips[Math.floor(((tips.length - 1) * oracle.percentile) / 100)] ?? lastTip
  return suggested > oracle.tipMax ? oracle.tipMax : suggested
}

/** The lowest tips of a block that are worth counting. A producer's own transactions say nothing about what others must pay. */
export function tipSamplesOf(
  header: Header,
  txs: readonly { readonly sender: Address }[],
  receipts: readonly Pick<TxReceipt, 'effectiveGasPrice'>[],
): readonly bigint[] {
  const tips: bigint[] = []
  for (const [index, { effectiveGasPrice }] of receipts.entries()) {
    const tip = effectiveGasPrice - header.baseFee
    if (tip > oracle.ignoreUpTo && txs[index]?.sender !== header.producer) tips.push(tip)
  }
  return tips.sort(compare).slice(0, oracle.samplesPerBlock)
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}
