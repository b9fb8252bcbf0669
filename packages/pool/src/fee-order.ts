import type { Entry } from './entry.ts'

const exactMax = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * What one transaction is worth against another. At a base fee: what would reach the producer, then fee cap, then tip. Without one: fee
 * cap, then tip. Numbers where they are exact, bigint elsewhere.
 */
export class FeeOrder {
  private base: bigint | undefined
  private baseNumber = 0
  /** Numbers say it as exactly as bigint would. */
  private isFast = false

  constructor(baseFee: bigint | undefined) {
    this.base = baseFee
    this.mirror()
  }

  get baseFee(): bigint | undefined {
    return this.base
  }

  set baseFee(baseFee: bigint | undefined) {
    this.base = baseFee
    this.mirror()
  }

  /** To be called on whatever enters an order, and on everything when the base fee changes. */
  price(entry: Entry): void {
    const headroom = entry.feeCap - this.baseNumber
    entry.effectiveTip = headroom < entry.tip ? headroom : entry.tip
  }

  /** What reaches the producer; negative when the fee cap does not even cover the base fee. Wei. */
  effectiveTip({ tx }: Entry): bigint {
    const headroom = tx.feeCap - (this.base ?? 0n)
    return headroom < tx.tip ? headroom : tx.tip
  }

  compareAtBaseFee(left: Entry, right: Entry): number {
    if (this.isFast && left.exact && right.exact) {
      const tips = left.effectiveTip - right.effectiveTip
      if (tips !== 0) return tips
      const caps = left.feeCap - right.feeCap
      return caps === 0 ? left.tip - right.tip : caps
    }
    if (this.base === undefined) return compareFees(left, right)
    return compare(this.effectiveTip(left), this.effectiveTip(right)) || compareFees(left, right)
  }

  private mirror(): void {
    this.baseNumber = Number(this.base ?? 0n)
    this.isFast = this.base !== undefined && this.base <= exactMax
  }
}

export function compareFees(left: Entry, right: Entry): number {
  if (left.exact && right.exact) {
    const caps = left.feeCap - right.feeCap
    return caps === 0 ? left.tip - right.tip : caps
  }
  return compare(left.tx.feeCap, right.tx.feeCap) || compare(left.tx.tip, right.tx.tip)
}

/** At equal fees the later nonce is worse. */
export function compareNonces(left: Entry, right: Entry): number {
  return compare(right.tx.nonce, left.tx.nonce)
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}
