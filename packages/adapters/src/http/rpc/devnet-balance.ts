import {
  type AccountsAnswer,
  type Address,
  type Answer,
  failed,
  type Hash,
  type Head,
  nextBaseFee,
} from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { failureError } from '../rpc-error.ts'
import { quantity } from './encode.ts'
import { address, intoType, param, readQuantity } from './params.ts'

export interface BalanceParts {
  readonly backend: Backend
  /** `eth_sendTransaction` and `devnet_mine`. */
  readonly send: (tx: Readonly<Record<string, string>>) => Promise<Hash>
  readonly mine: () => Promise<unknown>
}

interface Funds {
  readonly head: Head
  readonly balances: ReadonlyMap<Address, bigint>
}

const transferGas = 21_000n
/** Blocks until a transfer is given up, and rounds until an account that others use meanwhile is. */
const blocksMax = 8
const roundsMax = 3
const wei = param('balance', value => readQuantity(value, intoType('hexutil.Big')))

/**
 * A balance of one's choice without a write past the chain: real transfers from the accounts this node holds keys of raise it, a transfer of
 * its own lowers it, and it is mined before the answer. What no transfer can reach is refused with the reason.
 */
export function balanceMethods({ backend, send, mine }: BalanceParts): Method[] {
  const own = backend.parts.signer.accounts()

  async function setBalance(of: Address, goal: bigint): Promise<null> {
    for (let round = 0; round < roundsMax; round += 1) {
      const funds = await look(of)
      const present = funds.balances.get(of) ?? 0n
      if (present === goal) return null
      // A legacy transaction pays exactly its price, so that what is left is known before.
      const gasPrice = 2n * nextBaseFee(funds.head)
      const fee = transferGas * gasPrice
      const hashes =
        present < goal
          ? await raise(of, goal - present, funds, gasPrice)
          : [await lower(of, present - goal - fee, gasPrice)]
      await untilMined(hashes)
    }
    throw impossible(`${of} is in use: its balance changed meanwhile`)
  }

  async function raise(
    to: Address,
    missing: bigint,
    { balances }: Funds,
    gasPrice: bigint,
  ): Promise<Hash[]> {
    const fee = transferGas * gasPrice
    const givers = own
      .filter(giver => giver !== to)
      .map(giver => ({ giver, has: (balances.get(giver) ?? 0n) - fee }))
      .filter(({ has }) => has > 0n)
      .sort((left, right) => (left.has < right.has ? 1 : -1))
    const all = givers.reduce((sum, { has }) => sum + has, 0n)
    if (all < missing) throw impossible(`the accounts of this devnet have only ${all} wei to give`)
    const hashes: Hash[] = []
    let left = missing
    for (const { giver, has } of givers) {
      if (left === 0n) break
      const value = has < left ? has : left
      hashes.push(await transfer(giver, to, value, gasPrice))
      left -= value
    }
    return hashes
  }

  async function lower(from: Address, value: bigint, gasPrice: bigint): Promise<Hash> {
    if (!own.includes(from))
      throw impossible(
        `only its owner can lower the balance of ${from}: this node has no key of it`,
      )
    if (value < 0n)
      throw impossible('the difference is smaller than the fee of the transfer that lowers it')
    const to = own.find(other => other !== from)
    if (to === undefined) throw impossible('there is no other account to send it to')
    return transfer(from, to, value, gasPrice)
  }

  const transfer = (from: Address, to: Address, value: bigint, gasPrice: bigint): Promise<Hash> =>
    send({
      ...{ from, to, value: quantity(value) },
      ...{ gas: quantity(transferGas), gasPrice: quantity(gasPrice) },
    })

  async function look(of: Address): Promise<Funds> {
    const addresses = [...new Set([of, ...own])]
    const { at, accounts } = valueOf(
      await backend.chain.ask<Answer<AccountsAnswer>>(reply => ({
        type: 'chain.getAccounts',
        addresses,
        reply,
      })),
    )
    const balances = new Map(accounts.map((view, index) => [addresses[index] ?? of, view.balance]))
    return { head: at, balances }
  }

  async function untilMined(hashes: readonly Hash[]): Promise<void> {
    for (let blocks = 0; blocks < blocksMax; blocks += 1) {
      await mine()
      const found = await Promise.all(
        hashes.map(hash =>
          backend.chain.ask<Answer<object | null>>(reply => ({
            type: 'chain.getTransaction',
            hash,
            reply,
          })),
        ),
      )
      if (found.every(answer => valueOf(answer) !== null)) return
    }
    throw impossible('the transfer for it is sent but in no block yet')
  }

  return [
    method('anvil_setBalance', [address, wei], ([of, goal]) => setBalance(of, goal), {
      scope: 'devnet',
    }),
  ]
}

const impossible = (why: string) =>
  failureError(failed('devnet/balance', `this balance cannot be reached by transfers: ${why}`))
