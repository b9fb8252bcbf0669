import type { Rng } from '@rockpool/actor'
import { decodeTxFrame, encodeTxBatch } from '@rockpool/protocol'
import type { WorldView } from '../api.ts'
import { ACCOUNTS } from '../plan.ts'
import { type Wallet, walletsOf } from '../wallets.ts'
import type { Voice } from './voice.ts'

const gwei = 10n ** 9n
/** First nonce of a flood: nobody ever fills the gap. */
const farNonce = 1_000
const floodTxs = 16

/** Accounts that no workload uses. */
export interface EvilPurse {
  readonly wallets: readonly Wallet[]
  /** Another number each time. */
  next(): number
}

export function evilPurse(
  world: Pick<WorldView, 'sign'> & {
    readonly genesis: Pick<WorldView['genesis'], 'chainId'>
    readonly crypto: Pick<WorldView['crypto'], 'keccak256'>
  },
): EvilPurse {
  const signing = {
    keccak256: (bytes: Uint8Array) => world.crypto.keccak256(bytes),
    sign: (digest: Uint8Array, key: Uint8Array) => world.sign(digest, key),
  }
  let count = 0
  return {
    wallets: walletsOf(signing, BigInt(world.genesis.chainId)).slice(ACCOUNTS, -2),
    next: () => {
      count += 1
      return count
    },
  }
}

function walletOf({ wallets }: EvilPurse, index: number): Wallet {
  const wallet = wallets[index % wallets.length]
  if (wallet === undefined) throw new RangeError('evil has accounts')
  return wallet
}

/** A transaction that is wrong for everyone: signed for another chain. Another one each time. */
export function invalidBatch(purse: EvilPurse): Uint8Array {
  const nonce = purse.next()
  const wallet = walletOf(purse, nonce)
  const raw = wallet.transfer({
    ...{ nonce, to: wallet.address, value: 1n },
    ...{ feeCap: 20n * gwei, tip: gwei, chainId: 1n },
  })
  return encodeTxBatch({ salt: 0, txs: [raw] })
}

/** Transactions that nobody can execute, for more than anybody pays. */
export function futureBatch(purse: EvilPurse): Uint8Array {
  const txs = Array.from({ length: floodTxs }, () => {
    const number = purse.next()
    const wallet = walletOf(purse, number)
    const tip = 500n * gwei
    const nonce = farNonce + number
    return wallet.transfer({ nonce, to: wallet.address, value: 1n, feeCap: 2n * tip, tip })
  })
  return encodeTxBatch({ salt: 0, txs })
}

/** Says an old message again: the bytes themselves, or the same transactions under another salt, which is a new message. */
export function sayAgain(voice: Voice, rng: Rng, world: WorldView): void {
  const message = rng.pick(voice.heard)
  if (message === undefined) return
  const decoded = message.topic === world.names.tx ? decodeTxFrame(message.bytes) : undefined
  if (decoded?.ok === true && decoded.value.kind === 'batch' && rng.chance(0.5)) {
    const { txs } = decoded.value
    return voice.pushAll(message.topic, encodeTxBatch({ salt: rng.u32(), txs }))
  }
  voice.pushAll(message.topic, message.bytes)
}
