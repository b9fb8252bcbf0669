import { keccak256, signDigest } from '@rockpool/adapters/crypto'
import { type Address, encodeSigned, fromHex, toHex, unsignedPayload } from '@rockpool/protocol'
import type { LocalAccount } from 'viem/accounts'
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

/** Its raw bytes as `eth_sendRawTransaction` wants them; a twentieth of a millisecond. */
export function signTransfer(network: Network, transfer: Transfer): `0x${string}` {
  const key = network.accounts[transfer.from]?.privateKey
  if (key === undefined) throw new Error(`the devnet has no account ${transfer.from}`)
  const tx = {
    type: 2,
    chainId: BigInt(network.chainId),
    nonce: BigInt(transfer.nonce),
    feeCap: transfer.maxFeePerGas,
    tip: transfer.maxPriorityFeePerGas,
    gas: 21_000n,
    to: (network.accounts[transfer.to]?.address.toLowerCase() ?? null) as Address | null,
    value: transfer.value,
  } as const
  return toHex(encodeSigned(tx, signDigest(keccak256(unsignedPayload(tx)), fromHex(key))))
}

/** Signed transfers of one wei from an account to itself, with the nonces from 0 on. */
export function signToItself(
  account: Pick<LocalAccount, 'address' | 'signTransaction'>,
  chainId: number,
  count: number,
): Promise<`0x${string}`[]> {
  const signed = Array.from({ length: count }, (_, nonce) =>
    account.signTransaction({
      ...{ type: 'eip1559', chainId, nonce, gas: 21_000n, value: 1n, to: account.address },
      ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
    }),
  )
  return Promise.all(signed)
}
