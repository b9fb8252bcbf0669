import { type Answer, failed, ok } from '../errors.ts'
import type { DecodedTx } from './record.ts'

/** Order of secp256k1. */
export const curveOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const halfOrder = curveOrder / 2n

/** r and s in range, s in its lower half (EIP-2), parity 0 or 1. */
export function isSignatureInRange(r: bigint, s: bigint, yParity: bigint): boolean {
  return (
    r >= 1n && r < curveOrder && s >= 1n && s <= halfOrder && (yParity === 0n || yParity === 1n)
  )
}

/**
 * The recovery id of a transaction's signature, after what can be said of it without recovering: signed for this chain, then values in
 * range, in that order. A legacy transaction without protection is valid on every chain.
 */
export function signatureParity(
  tx: Pick<DecodedTx, 'type' | 'chainId' | 'v' | 'r' | 's'>,
  chainId: bigint,
): Answer<0 | 1> {
  if (tx.chainId !== chainId && !(tx.type === 0 && tx.chainId === undefined)) {
    return failed(
      'pool/wrong-chain',
      `invalid sender: invalid chain id for signer: have ${tx.chainId} want ${chainId}`,
      { have: tx.chainId ?? 0n, want: chainId },
    )
  }
  const parity = tx.type !== 0 ? tx.v : tx.v - (tx.chainId === undefined ? 27n : 35n + 2n * chainId)
  if (!isSignatureInRange(tx.r, tx.s, parity)) {
    return failed('pool/invalid-sender', 'invalid sender: invalid transaction v, r, s values')
  }
  return ok(parity === 0n ? 0 : 1)
}
