import { devAccounts } from '@rockpool/chain'
import {
  type Address,
  encodeSigned,
  fromHex,
  type Signature,
  type TxFields,
  unsignedPayload,
} from '@rockpool/protocol'

/** What signing takes: a hash and a signature, both pure. */
export interface Signing {
  keccak256(bytes: Uint8Array): Uint8Array
  sign(digest: Uint8Array, key: Uint8Array): Signature
}

interface Transfer {
  readonly nonce: number
  readonly to: Address
  /** Wei. */
  readonly value: bigint
  /** Wei per gas. */
  readonly feeCap: bigint
  readonly tip: bigint
  readonly gas?: bigint
  readonly chainId?: bigint
}

/** An account of the genesis that signs. */
export interface Wallet {
  readonly address: Address
  transfer(wish: Transfer): Uint8Array
}

/** The first accounts of the preset genesis, whose keys everybody knows. */
export function walletsOf(signing: Signing, chainId: bigint): readonly Wallet[] {
  return devAccounts.map(({ address, privateKey }) => {
    const key = fromHex(privateKey)
    return {
      address,
      transfer({ gas = 21_000n, chainId: forChain = chainId, nonce, ...rest }) {
        const fields: TxFields = { type: 2, chainId: forChain, gas, nonce: BigInt(nonce), ...rest }
        const digest = signing.keccak256(unsignedPayload(fields))
        return encodeSigned(fields, signing.sign(digest, key))
      },
    }
  })
}
