import type { AccessEntry, Address, Header, TxRecord } from '@rockpool/protocol'
import {
  addressOf,
  encodeRlp,
  fromHex,
  quantityToBytes,
  zeroAddress,
  zeroHash,
} from '@rockpool/protocol'
import { buildBlock, envOn } from '../dev/block.ts'
import { execute } from '../dev/execute.ts'
import type { Genesis } from '../dev/genesis.ts'
import { genesisBlock } from '../dev/genesis.ts'
import type { Account, StateView } from '../dev/state.ts'
import { State } from '../dev/state.ts'
import { aGenesis, ether, gwei } from './chains.ts'
import type { Chance } from './chance.ts'
import { chanceOf } from './chance.ts'
import { keccak256 } from './keccak.ts'
import type { SignedAuthorization, TxWish, Wallet } from './wallets.ts'
import { addressAt, testChainId, walletOf } from './wallets.ts'

/** One block of a made-up history, and every transaction that was tried for it, in order. */
export interface StoryBlock {
  readonly parent: Header
  readonly header: Header
  readonly encodedHeader: Uint8Array
  readonly tried: readonly TxRecord[]
  readonly included: readonly TxRecord[]
  readonly receipts: ReturnType<typeof buildBlock>['receipts']
  readonly changes: ReturnType<typeof buildBlock>['changes']
  readonly undo: ReturnType<typeof buildBlock>['undo']
}

const curveOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/**
 * A chain of random transactions of every type under one seed: transfers to oneself, to strangers and to delegated accounts, data and
 * access lists, empty creations (some at taken addresses), authorizations good and bad, and about one in ten that must be refused.
 * Small gas limit, so that the base fee moves.
 */
export class Story {
  readonly genesis: Genesis
  readonly state: State
  readonly wallets: readonly Wallet[]
  readonly accounts: ReadonlyMap<Address, Account>
  head: Header
  readonly #chance: Chance
  readonly #strangers: Address[] = []

  constructor(seed: number, wish: Partial<Genesis> = {}) {
    this.#chance = chanceOf(seed)
    this.wallets = Array.from({ length: 24 }, (_, index) => walletOf(index))
    const alloc = new Map<Address, { balance: bigint; nonce: bigint }>()
    for (const [index, { address }] of this.wallets.entries()) {
      if (index >= 20) continue
      alloc.set(address, { balance: index < 14 ? 1_000n * ether : ether / 50n, nonce: 0n })
      for (const nonce of [2, 5, 8]) {
        const taken = { balance: index % 2 === 0 ? 7n : 0n, nonce: index % 3 === 0 ? 0n : 1n }
        if (taken.balance + taken.nonce > 0n) alloc.set(createdBy(address, nonce), taken)
      }
    }
    this.genesis = aGenesis({
      gasLimit: 500_000,
      alloc,
      producers: [this.wallets[0], this.wallets[1]].flatMap(wallet => wallet?.address ?? []),
      ...wish,
    })
    const { header, accounts } = genesisBlock(this.genesis, keccak256)
    this.head = header
    this.accounts = accounts
    this.state = new State(accounts, keccak256)
  }

  /** Makes the next block and commits it. */
  next(): StoryBlock {
    const parent = this.head
    const chance = this.#chance
    const producer = chance.pick(this.genesis.producers)
    const env = envOn(
      parent,
      this.genesis,
      { producer, timeMs: parent.timeMs + 2_000 + chance.below(999) },
      keccak256,
    )
    const tried: TxRecord[] = []
    const taken: TxRecord[] = []
    const now = this.state.overlay()
    for (let left = 4 + chance.below(10); left > 0; left--) {
      const tx = this.#tx(now, env.baseFee)
      const result = execute(this.state, env, [...taken, tx])
      // The virtual machine does not look at the gas left in the block, so it has no opinion on these.
      if (!result.ok && result.check === 'block-gas') continue
      tried.push(tx)
      if (!result.ok) continue
      taken.push(tx)
      now.apply(result.changes)
    }
    const built = buildBlock(parent, this.state, env, tried)
    this.state.commit(built.changes)
    this.head = built.header
    return { parent, tried, ...built }
  }

  #tx(now: StateView, baseFee: bigint): TxRecord {
    const chance = this.#chance
    const wallet = chance.pick(this.wallets)
    const nonce = now.get(wallet.address)?.nonce ?? 0
    const type = chance.pick([0, 0, 1, 2, 2, 2, 4, 4] as const)
    const authorizations = type === 4 ? this.#authorizations(now, wallet) : []
    const creates = type !== 4 && chance.once(6)
    const data = creates ? new Uint8Array(0) : this.#data()
    const accessList = type === 0 || chance.once(2) ? [] : this.#accessList()
    const feeCap = baseFee + BigInt(chance.below(3)) * gwei + 1n
    const wish: TxWish = {
      type,
      nonce: BigInt(chance.once(20) ? Math.abs(nonce + chance.pick([-1, 1])) : nonce),
      ...(type === 0 && chance.once(3) ? { chainId: undefined } : {}),
      feeCap: chance.once(30) ? baseFee - 1n : feeCap,
      tip: chance.once(4) ? 0n : BigInt(chance.below(2_000_000_000)) % feeCap,
      gas: BigInt(chance.once(10) ? 20_000 + chance.below(60_000) : 100_000 + chance.below(10_000)),
      to: creates ? null : this.#recipient(),
      value: chance.once(25) ? 100_000n * ether : BigInt(chance.below(3)) * (ether / 1000n),
      data,
      accessList,
      authorizations,
    }
    return wallet.tx(wish)
  }

  #recipient(): Address {
    const chance = this.#chance
    if (chance.once(6)) {
      const stranger = addressAt(0x10_0000 + chance.below(1_000_000))
      this.#strangers.push(stranger)
      return stranger
    }
    if (this.#strangers.length > 0 && chance.once(6)) return chance.pick(this.#strangers)
    return chance.pick(this.wallets).address
  }

  #data(): Uint8Array {
    const chance = this.#chance
    if (!chance.once(3)) return new Uint8Array(0)
    return Uint8Array.from({ length: chance.below(900) }, () =>
      chance.once(2) ? 0 : chance.below(256),
    )
  }

  #accessList(): readonly AccessEntry[] {
    const chance = this.#chance
    return Array.from({ length: chance.below(3) }, () => ({
      address: this.#recipient(),
      storageKeys: Array.from({ length: chance.below(3) }, () => zeroHash),
    }))
  }

  #authorizations(now: StateView, sender: Wallet): readonly SignedAuthorization[] {
    const chance = this.#chance
    const nonces = new Map<Address, number>()
    return Array.from({ length: 1 + chance.below(3) }, () => {
      const authority = chance.once(4) ? sender : chance.pick(this.wallets)
      const own = authority === sender ? 1 : 0
      const nonce = nonces.get(authority.address) ?? (now.get(authority.address)?.nonce ?? 0) + own
      nonces.set(authority.address, nonce + 1)
      const good = authority.authorize({
        address: chance.once(4)
          ? zeroAddress
          : chance.once(2)
            ? chance.pick(this.wallets).address
            : addressAt(chance.once(4) ? 4 : 0x20_0000 + chance.below(9)),
        nonce: BigInt(nonce + (chance.once(8) ? 1 : 0)),
        chainId: chance.pick([
          0n,
          testChainId,
          testChainId,
          testChainId + (chance.once(4) ? 1n : 0n),
        ]),
      })
      if (!chance.once(10)) return good
      return { ...good, s: curveOrder - good.s, yParity: 1n - good.yParity }
    })
  }
}

/** Address of the contract that `sender` creates at `nonce`. */
export function createdBy(sender: Address, nonce: number): Address {
  const encoded = encodeRlp([fromHex(sender), quantityToBytes(BigInt(nonce))])
  return addressOf(keccak256(encoded).subarray(12))
}
