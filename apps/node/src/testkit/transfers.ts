import { privateKeyToAccount } from 'viem/accounts'
import type { Network } from './devnet.ts'

/** A small generator, so that a failure can be run again. */
export function draws(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A plain transfer between two accounts of the devnet, by their places. Wei. */
export interface Transfer {
  readonly from: number
  readonly to: number
  readonly value: bigint
  readonly nonce: number
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Its raw bytes as `eth_sendRawTransaction` wants them. */
export async function signTransfer(network: Network, transfer: Transfer): Promise<`0x${string}`> {
  const { from, to, ...fields } = transfer
  const key = network.accounts[from]?.privateKey
  if (key === undefined) throw new Error(`the devnet has no account ${from}`)
  return privateKeyToAccount(key).signTransaction({
    type: 'eip1559',
    chainId: network.chainId,
    gas: 21_000n,
    to: network.accounts[to]?.address ?? null,
    ...fields,
  })
}
