import type { Address } from '../values/bytes.ts'
import type { DecodedTx } from './record.ts'
import type { ForkRules } from './rules.ts'

/** What of a transaction decides its gas. */
export type GasShape = Pick<
  DecodedTx,
  | 'to'
  | 'value'
  | 'zeroBytes'
  | 'nonZeroBytes'
  | 'accessAddressCount'
  | 'accessKeyCount'
  | 'authorizations'
>

/**
 * Gas a transaction uses before anything runs (geth's IntrinsicGas). From Amsterdam on it depends on the sender, because a transfer to
 * oneself is cheaper; without one it counts as a transfer to somebody else.
 */
export function intrinsicGas(tx: GasShape, rules: ForkRules, sender?: Address): number {
  if (rules.amsterdam) return amsterdamIntrinsicGas(tx, sender)
  const creation = tx.to === null
  const bytes = tx.zeroBytes + tx.nonZeroBytes
  return (
    (creation && rules.homestead ? 53_000 : 21_000) +
    25_000 * tx.authorizations.length +
    4 * tx.zeroBytes +
    (rules.istanbul ? 16 : 68) * tx.nonZeroBytes +
    (creation && rules.shanghai ? 2 * Math.ceil(bytes / 32) : 0) +
    2_400 * tx.accessAddressCount +
    1_900 * tx.accessKeyCount
  )
}

/** The least a transaction pays for its data whatever it executes (EIP-7623), from Prague on; 0 before. */
export function floorGas(tx: GasShape, rules: ForkRules, sender?: Address): number {
  if (!rules.prague) return 0
  const bytes = tx.zeroBytes + tx.nonZeroBytes
  if (!rules.amsterdam) return 21_000 + 10 * (tx.zeroBytes + 4 * tx.nonZeroBytes)
  return (
    amsterdamBaseGas(tx, sender) +
    64 * bytes +
    1_280 * tx.accessAddressCount +
    2_048 * tx.accessKeyCount
  )
}

function amsterdamIntrinsicGas(tx: GasShape, sender: Address | undefined): number {
  const creation = tx.to === null
  const bytes = tx.zeroBytes + tx.nonZeroBytes
  return (
    amsterdamBaseGas(tx, sender) +
    7_816 * tx.authorizations.length +
    4 * tx.zeroBytes +
    16 * tx.nonZeroBytes +
    (creation ? 2 * Math.ceil(bytes / 32) : 0) +
    (2_900 + 1_280) * tx.accessAddressCount +
    (2_000 + 2_048) * tx.accessKeyCount
  )
}

function amsterdamBaseGas(tx: GasShape, sender: Address | undefined): number {
  if (tx.to === null) return 12_000 + 12_000
  if (tx.to === sender) return 12_000
  return 12_000 + 3_000 + (tx.value > 0n ? 6_000 : 0)
}

/** What of a header decides the next base fee. A null base fee: the header is older than London. */
export interface BaseFeeParent {
  readonly gasLimit: number
  readonly gasUsed: number
  readonly baseFee: bigint | null
}

/** Base fee of the block after `parent` (EIP-1559). Wei per gas. */
export function nextBaseFee(
  parent: BaseFeeParent,
  { elasticity = 2, denominator = 8 }: { elasticity?: number; denominator?: number } = {},
): bigint {
  const { baseFee, gasUsed } = parent
  if (baseFee === null) return 1_000_000_000n
  const target = Math.floor(parent.gasLimit / elasticity)
  if (gasUsed === target) return baseFee
  const distance = BigInt(Math.abs(gasUsed - target))
  const change = (baseFee * distance) / BigInt(target) / BigInt(denominator)
  if (gasUsed > target) return baseFee + (change > 1n ? change : 1n)
  return change > baseFee ? 0n : baseFee - change
}

type Fees = Pick<DecodedTx, 'feeCap' | 'tip'>

/** What the producer of a block gets per gas; negative when the fee cap is below the base fee. No base fee: the whole tip. Wei. */
export function effectiveTip(tx: Fees, baseFee: bigint | null): bigint {
  if (baseFee === null) return tx.tip
  const room = tx.feeCap - baseFee
  return room < tx.tip ? room : tx.tip
}

/** What the sender pays per gas in a block of that base fee. Wei. */
export function effectiveGasPrice(tx: Fees, baseFee: bigint | null): bigint {
  return baseFee === null ? tx.feeCap : baseFee + effectiveTip(tx, baseFee)
}
