import type { AccountView, Address } from '@rockpool/protocol'
import { emptyCodeHash, zeroHash } from '@rockpool/protocol'
import type { Cell, Cells } from './cells.ts'
import { CellChanges, cellOf, changesOf, isGone, newCell, ViewCells } from './cells.ts'
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

/** Accounts by address as they become; null where the account ceases to exist. A map of them is one. */
export interface Changes extends Iterable<readonly [Address, Account | null]> {
  readonly size: number
  has(address: Address): boolean
  get(address: Address): Account | null | undefined
  keys(): Iterable<Address>
}
/** Changes that lead back: what the touched accounts were before. */
export type Undo = Changes

/** Accounts at one block. */
export interface StateView {
  get(address: Address): Account | undefined
  has(address: Address): boolean
  /** Accounts that exist. */
  readonly size: number
  /** For one block to run on; the view must not change meanwhile. */
  cells(): Cells
}

/** Accounts by slot. */
interface Columns {
  readonly slots: Map<Address, number>
  readonly nonces: number[]
  readonly balances: bigint[]
  /** Rare, so apart. */
  readonly delegations: Map<number, Address>
}

/**
 * All accounts at the head, in memory. Columns instead of objects: an account costs its key, a map entry, a small number, a pointer and
 * the bigint (about 145 bytes), and the garbage collector has few objects to follow.
 */
export class State implements StateView {
  readonly #keccak256: Keccak
  readonly #columns: Columns = {
    slots: new Map(),
    nonces: [],
    balances: [],
    delegations: new Map(),
  }
  readonly #freeSlots: number[] = []
  /** Another object after every change, so that slots learned before are not used after. */
  #version: object = {}
  #spareIndex: Int32Array | undefined

  constructor(accounts: Iterable<readonly [Address, Account]>, keccak256: Keccak) {
    this.#keccak256 = keccak256
    for (const [address, account] of accounts) this.#put(address, account)
  }

  get size(): number {
    return this.#columns.slots.size
  }

  get(address: Address): Account | undefined {
    const slot = this.#columns.slots.get(address)
    return slot === undefined ? undefined : accountAt(this.#columns, slot)
  }

  has(address: Address): boolean {
    return this.#columns.slots.has(address)
  }

  /** The account as other rooms see it. */
  view(address: Address): AccountView {
    return accountView(this.get(address), this.#keccak256)
  }

  /** Every account, in no particular order. */
  *entries(): Generator<readonly [Address, Account]> {
    for (const [address, slot] of this.#columns.slots) {
      yield [address, accountAt(this.#columns, slot)]
    }
  }

  cells(): Cells {
    const count = this.#columns.nonces.length
    const spare = this.#spareIndex
    const index =
      spare !== undefined && spare.length >= count
        ? spare
        : new Int32Array(Math.ceil(count * 1.25) + 64)
    this.#spareIndex = undefined
    const release = (): void => {
      this.#spareIndex = index
    }
    return new SlotCells(this.#columns, { index, release, version: this.#version })
  }

  /** Makes the changes of one block; what comes back undoes them. */
  commit(changes: Changes): Undo {
    if (changes instanceof CellChanges && changes.version === this.#version) {
      this.#version = {}
      for (const cell of changes.cells) {
        if (isGone(cell)) this.#drop(cell.address)
        else if (cell.slot >= 0) this.#set(cell.slot, cell)
        else this.#put(cell.address, cell)
      }
      return changes.reversed()
    }
    const undo = new Map<Address, Account | null>()
    for (const address of changes.keys()) undo.set(address, this.get(address) ?? null)
    this.revert(changes)
    return undo
  }

  /** Takes one block back; the newest first. Or makes all that an overlay on this state has gathered. */
  revert(undo: Undo): void {
    this.#version = {}
    for (const [address, account] of undo) this.#write(address, account)
  }

  /** A view that starts here and takes changes without this state noticing; it is void once this state moves. */
  overlay(): Overlay {
    return new Overlay(this, this.#keccak256)
  }

  #write(address: Address, account: Account | null): void {
    if (account === null) this.#drop(address)
    else this.#put(address, account)
  }

  #put(address: Address, account: Account): void {
    const { slots, nonces } = this.#columns
    let slot = slots.get(address)
    if (slot === undefined) {
      slot = this.#freeSlots.pop() ?? nonces.length
      slots.set(ownText(address), slot)
    }
    this.#set(slot, account)
  }

  #set(slot: number, { nonce, balance, delegation }: Account): void {
    const { nonces, balances, delegations } = this.#columns
    nonces[slot] = nonce
    balances[slot] = balance
    if (delegation !== null) delegations.set(slot, ownText(delegation))
    else if (delegations.size > 0) delegations.delete(slot)
  }

  #drop(address: Address): void {
    const { slots, nonces, balances, delegations } = this.#columns
    const slot = slots.get(address)
    if (slot === undefined) return
    slots.delete(address)
    nonces[slot] = 0
    balances[slot] = 0n
    delegations.delete(slot)
    this.#freeSlots.push(slot)
  }
}

/**
 * Cells over the state itself: an address is looked up once per mention and its cell found by slot, without a map of cells. The index is
 * never cleared between blocks: an entry counts only if the cell it points to is of that very slot.
 */
class SlotCells implements Cells {
  readonly #columns: Columns
  readonly #index: Int32Array
  readonly #release: () => void
  readonly #version: object
  readonly #cells: Cell[] = []
  readonly #new = new Map<Address, Cell>()

  constructor(
    columns: Columns,
    lease: { readonly index: Int32Array; readonly release: () => void; readonly version: object },
  ) {
    this.#columns = columns
    this.#index = lease.index
    this.#release = lease.release
    this.#version = lease.version
  }

  get newCount(): number {
    return this.#new.size
  }

  of(address: Address): Cell {
    const slot = this.#columns.slots.get(address)
    if (slot === undefined) return this.#newCell(address)
    const cells = this.#cells
    const known = cells[this.#index[slot] ?? 0]
    if (known !== undefined && known.slot === slot) return known
    const { nonces, balances, delegations } = this.#columns
    const delegation = delegations.size === 0 ? null : (delegations.get(slot) ?? null)
    const cell = cellOf(address, slot, nonces[slot] ?? 0, balances[slot] ?? 0n, delegation)
    this.#index[slot] = cells.length
    cells.push(cell)
    return cell
  }

  finish(): ReturnType<Cells['finish']> {
    this.#release()
    return changesOf(this.#cells, this.#version)
  }

  #newCell(address: Address): Cell {
    const known = this.#new.get(address)
    if (known !== undefined) return known
    const cell = newCell(address)
    this.#new.set(address, cell)
    this.#cells.push(cell)
    return cell
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

  has(address: Address): boolean {
    const changed = this.#changed.get(address)
    return changed === undefined ? this.#base.has(address) : changed !== null
  }

  view(address: Address): AccountView {
    return accountView(this.get(address), this.#keccak256)
  }

  cells(): Cells {
    return new ViewCells(this)
  }

  /** What differs, or did on the way, from the base now. */
  get changes(): Changes {
    return this.#changed
  }

  /** Takes a block's changes, or its undo. */
  apply(changes: Changes): void {
    for (const [address, account] of changes) {
      const existed = this.has(address)
      this.#size += (account === null ? 0 : 1) - (existed ? 1 : 0)
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

function accountAt({ nonces, balances, delegations }: Columns, slot: number): Account {
  return {
    nonce: nonces[slot] ?? 0,
    balance: balances[slot] ?? 0n,
    delegation: delegations.size === 0 ? null : (delegations.get(slot) ?? null),
  }
}

/** A flat copy of its own: text cut from or joined to other text would keep that alive for as long as the account lives. */
function ownText(address: Address): Address {
  return Buffer.from(address, 'latin1').toString('latin1') as Address
}
