import type { TowerCrypto } from '@rockpool/protocol'
import { parseTransaction, spends } from './bitcoin.ts'
import { keyOf } from './signing.ts'

/** Why the blob of an appointment is of no use once its dispute is known. */
type BadBlob = 'cannot-decrypt' | 'not-a-transaction' | 'does-not-spend' | 'cannot-apply'

export type Opened =
  | { readonly ok: true; readonly penalty: Uint8Array; readonly txid: Uint8Array }
  | { readonly ok: false; readonly why: BadBlob }

/** What an appointment of one chain hides, and how it is found out. */
export type OpenBlob = (blob: Uint8Array, disputeTxid: Uint8Array) => Opened

/** For Bitcoin: a transaction that spends the dispute. Without that check a tower would relay anything for anybody. */
export function openBitcoinBlob(crypto: Pick<TowerCrypto, 'sha256' | 'open'>): OpenBlob {
  return (blob, disputeTxid) => {
    const penalty = crypto.open(keyOf(crypto.sha256, disputeTxid), blob)
    if (penalty === undefined) return { ok: false, why: 'cannot-decrypt' }
    const tx = parseTransaction(penalty, crypto.sha256)
    if (tx === undefined) return { ok: false, why: 'not-a-transaction' }
    if (!spends(tx, disputeTxid)) return { ok: false, why: 'does-not-spend' }
    return { ok: true, penalty, txid: tx.txid }
  }
}

/** How many slots a blob takes: one for each 2,048 bytes begun. */
export function slotsOf(blobBytes: number): number {
  return Math.max(1, Math.ceil(blobBytes / 2_048))
}
