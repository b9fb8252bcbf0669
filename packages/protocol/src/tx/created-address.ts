import type { Address } from '../values/bytes.ts'
import { addressOf, fromHex, quantityToBytes } from '../values/bytes.ts'
import { encodeRlp } from './rlp.ts'

/** Where a creation by `sender` with `nonce` puts its contract: the last 20 bytes of keccak256(rlp[sender, nonce]) (yellow paper, 7). */
export function createdAddress(
  sender: Address,
  nonce: bigint,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): Address {
  return addressOf(keccak256(encodeRlp([fromHex(sender), quantityToBytes(nonce)])).subarray(12))
}
