import { keccak256, signDigest } from '@rockpool/adapters/crypto'
import { type Address, encodeSigned, fromHex, unsignedPayload } from '@rockpool/protocol'

export interface TransferWish {
  readonly privateKey: string
  readonly chainId: number
  /** Nonce of the first. */
  readonly from: number
  readonly count: number
}

const recipient = '0x00000000000000000000000000000000000b0a7d' as Address
const gwei = 1_000_000_000n

/** Signed EIP-1559 transfers of 1 wei with rising nonces, payable at any early base fee of a devnet. Signs about 20,000 a second. */
export function signTransfers({ privateKey, chainId, from, count }: TransferWish): Uint8Array[] {
  const key = fromHex(privateKey)
  return Array.from({ length: count }, (_, index) => {
    const tx = {
      type: 2,
      chainId: BigInt(chainId),
      nonce: BigInt(from + index),
      feeCap: 10n * gwei,
      tip: gwei,
      gas: 21_000n,
      to: recipient,
      value: 1n,
    } as const
    return encodeSigned(tx, signDigest(keccak256(unsignedPayload(tx)), key))
  })
}
