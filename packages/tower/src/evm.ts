import { decodeTx, fromHex, type TowerCrypto } from '@rockpool/protocol'
import type { OpenBlob } from './blob.ts'
import { keyOf } from './signing.ts'

export interface EvmParts {
  readonly crypto: Pick<TowerCrypto, 'sha256' | 'open'>
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly chainId: bigint
}

/**
 * For a chain of accounts: a transaction signed in advance, answered when one with a hash known in advance is seen. Nothing ties the two
 * together as spending does on Bitcoin, so only what decodes and is for this chain is sent.
 */
export function openEvmBlob({ crypto, keccak256, chainId }: EvmParts): OpenBlob {
  return (blob, disputeTxid) => {
    const penalty = crypto.open(keyOf(crypto.sha256, disputeTxid), blob)
    if (penalty === undefined) return { ok: false, why: 'cannot-decrypt' }
    const tx = decodeTx(penalty, keccak256)
    if (!tx.ok) return { ok: false, why: 'not-a-transaction' }
    if (tx.value.chainId !== chainId) return { ok: false, why: 'cannot-apply' }
    return { ok: true, penalty, txid: fromHex(tx.value.hash) }
  }
}
