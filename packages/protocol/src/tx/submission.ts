import { type Failure, failed } from '../errors.ts'
import type { DecodedTx } from './record.ts'

export interface SubmissionRules {
  /** Most that gas x fee cap may come to (`rpc.txfeecap`); absent: no cap. Wei. */
  readonly feeCapWei?: bigint
  /** False refuses transactions without EIP-155 protection; absent: they are taken. */
  readonly allowUnprotected?: boolean
}

/**
 * What RPC asks of a transaction beyond the pool's own rules, in geth's order: the fee cap, then replay protection. It guards the caller
 * against his own typing errors, so it holds for submissions only, never for gossip. Undefined: nothing against it.
 */
export function checkSubmission(
  tx: Pick<DecodedTx, 'gas' | 'feeCap' | 'chainId'>,
  rules: SubmissionRules,
): Failure | undefined {
  const { feeCapWei, allowUnprotected } = rules
  if (feeCapWei !== undefined) {
    const fee = tx.gas * tx.feeCap
    if (fee > feeCapWei) {
      const message = `tx fee (${ether(fee)} ether) exceeds the configured cap (${ether(feeCapWei)} ether)`
      return failed('rpc/fee-over-cap', message, { fee, cap: feeCapWei })
    }
  }
  if (allowUnprotected === false && tx.chainId === undefined) return failed('rpc/unprotected')
  return undefined
}

/** Ether with two decimals, as geth prints it. */
function ether(wei: bigint): string {
  const value = Number(wei) / 1e18
  return value < 1e21 ? value.toFixed(2) : `${wei / 10n ** 18n}.00`
}
