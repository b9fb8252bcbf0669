import { createRecovery, decodeTx, type TxRecord } from '@rockpool/protocol'
import { walletsOf } from '../wallets.ts'
import { keccak256, sign, testCrypto } from './crypto.ts'

export const testWallets = walletsOf({ keccak256, sign }, 1337n)
const gwei = 10n ** 9n

/** So many transfers of one account, with nonces from 0. */
export async function signedTransfers(count: number, account = 0): Promise<readonly TxRecord[]> {
  const wallet = testWallets[account]
  const to = testWallets[(account + 1) % testWallets.length]?.address
  if (wallet === undefined || to === undefined) throw new RangeError(`no account ${account}`)
  const raws = Array.from({ length: count }, (_, nonce) =>
    wallet.transfer({ nonce, to, value: 5n, feeCap: 50n * gwei, tip: gwei }),
  )
  return recordsOf(raws)
}

/** Decoded and with their senders. */
export async function recordsOf(raws: readonly Uint8Array[]): Promise<readonly TxRecord[]> {
  const decoded = raws.map(raw => {
    const tx = decodeTx(raw, keccak256)
    if (!tx.ok) throw new Error(tx.message)
    return tx.value
  })
  const recovered = await createRecovery(testCrypto, 1337n).recover(decoded)
  return recovered.map(answer => {
    if (!answer.ok) throw new Error(answer.message)
    return answer.value
  })
}
