import type { AccountView, Address } from '@rockpool/protocol'
import { emptyCodeHash, zeroHash } from '@rockpool/protocol'
import type { Keccak } from './keccak.ts'
import { codeHashOf } from './roots.ts'

/** An account that exists: at least one of the three is not empty. */
export interface Account {
  /** Always below 2^53: `execute` refuses what would lead there. */
  readonly nonce: number
  /** Wei. */
  readonly balance: bigint
  /** Where an EIP-7702 account sends calls. */
  readonly delegation: Address | null
}

/** Accounts by address as they become; null where the account ceases to exist. */
export type Changes = ReadonlyMap<Address, Account | null>
/** Changes that lead back: what the touched accounts were before. */
export type Undo = Changes

/** Accounts at one block. */
export interface StateView {
  get(address: Address): Account | undefined
  /** Accounts that exist. */
  readonly size: number
}

/**
 * All accounts at the head, in memory. Columns instead of objects: an account costs its key, a map entry, a small number, a pointer and
 * the bigint (about 150 bytes), and a million of them give the garbage collector four things to look at instead of millions.
 */
export class State implements StateView {
  readonly #keccak256: Keccak
  readonly #slots = new Map<Address, number>()
  readonly #nonces: number[] = []
  readonly #balances: bigint[] = []
  /** Rare, so apart. */
  readonly #delegations = new Map<number, Address>()
  readonly #freeSlots: number[] = []

  constructor(accounts: Iterable<readonly [Address, Account]>, keccak256: Keccak) {
    this.#keccak256 = keccak256
    for (const [address, account] of accounts) this.#put(address, account)
  }

  get size(): number {
    return this.#slots.size
  }

  get(address: Address): Account | undefined {
    const slot = this.#slots.get(address)
    return slot === undefined ? undefined : this.#read(slot)
  }

  /** The account as other rooms see it. */
  view(address: Address): AccountView {
    return accountView(this.get(address), this.#keccak256)
  }

  /** Every account, in no particular order. */
  *entries(): Generator<readonly [Address, Account]> {
    for (const [address, slot] of this.#slots) yield [address, this.#read(slot)]
  }

  /** Makes the changes of one block; what comes back undoes them. */
  commit(changes: Changes): Undo {
    const undo = new Map<Address, Account | null>()
    for (const [address, account] of changes) {
      undo.set(address, this.get(address) ?? null)
      if (account === null) this.#drop(address)
      else this.#put(address, account)
    }
    return undo
  }

  /** Takes one block back; the newest first. */
  revert(undo: Undo): void {
    for (const [address, account] of undo) {
      if (account === null) this.#drop(address)
      else this.#put(address, account)
    }
  }

  /** A view that starts here and takes changes without this state noticing; it is void once this state moves. */
  overlay(): Overlay {
    return new Overlay(this, this.#keccak256)
  }

  #read(slot: number): Account {
    return {
      nonce: this.#nonces[slot] ?? 0,
      balance: this.#balances[slot] ?? 0n,
      delegation: this.#delegations.size === 0 ? null : (this.#delegations.get(slot) ?? null),
    }
  }

  #put(address: Address, account: Account): void {
    let slot = this.#slots.get(address)
    if (slot === undefined) {
      slot = this.#freeSlots.pop() ?? this.#nonces.length
      this.#slots.set(ownText(address), slot)
    }
    this.#nonces[slot] = account.nonce
    this.#balances[slot] = account.balance
    if (account.delegation !== null) this.#delegations.set(slot, ownText(account.delegation))
    else if (this.#delegations.size > 0) this.#delegations.delete(slot)
  }

  #drop(address: Address): void {
    const slot = this.#slots.get(address)
    if (slot === undefined) return
    this.#slots.delete(address)
    this.#delegations.delete(slot)
    this.#balances[slot] = 0n
    this.#nonces[slot] = 0
    this.#freeSlots.push(slot)
  }
}

/** Changes laid over another view: a side branch while it is tried, or an old head while it is read. */
export class Overlay implements StateView {
  readonly #base: StateView
  readonly #keccak256: Keccak
  readonly #changed = new Map<Address, Account | null>()
  #size: number

  constructor(base: StateView, keccak256: Keccak) {
    this.#base = base
    this.#keccak256 = keccak256
    this.#size = base.size
  }

  get size(): number {
    return this.#size
  }

  get(address: Address): Account | undefined {
    const changed = this.#changed.get(address)
    if (changed !== undefined) return changed ?? undefined
    return this.#base.get(address)
  }

  view(address: Address): AccountView {
    return accountView(this.get(address), this.#keccak256)
  }

  /** Takes a block's changes, or its undo. */
  apply(changes: Changes): void {
    for (const [address, account] of changes) {
      if (account === null) {
        if (this.get(address) !== undefined) this.#size -= 1
      } else if (this.get(address) === undefined) this.#size += 1
      this.#changed.set(address, account)
    }
  }
}

/** How other rooms see an account; a missing one has the zero code hash. */
export function accountView(account: Account | undefined, keccak256: Keccak): AccountView {
  if (account === undefined) return { nonce: 0n, balance: 0n, codeHash: zeroHash, delegation: null }
  const { nonce, balance, delegation } = account
  const codeHash = delegation === null ? emptyCodeHash : codeHashOf(delegation, keccak256)
  return { nonce: BigInt(nonce), balance, codeHash, delegation }
}

/** A flat copy of its own: text cut from or joined to other text would keep that alive for as long as the account lives. */
function ownText(address: Address): Address {
  return Buffer.from(address, 'latin1').toString('latin1') as Address
}
