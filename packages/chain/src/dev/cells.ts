import type { Address } from '@rockpool/protocol'
import type { Account, Changes, StateView } from './state.ts'

/** An account while a block runs, and what it was before. */
export interface Cell {
  readonly address: Address
  /** Where the state keeps it; -1 when it did not exist there or the view is no state. */
  readonly slot: number
  readonly nonceBefore: number
  readonly balanceBefore: bigint
  readonly delegationBefore: Address | null
  nonce: number
  balance: bigint
  delegation: Address | null
}

/** The accounts one block touches, each found or made once. */
export interface Cells {
  of(address: Address): Cell
  /** Touched accounts that did not exist; not all of them need exist afterwards. */
  readonly newCount: number
  /** What differs now. Nothing may be touched afterwards. */
  finish(): { readonly changes: CellChanges; readonly undo: CellChanges }
}

export function cellOf(
  address: Address,
  slot: number,
  nonce: number,
  balance: bigint,
  delegation: Address | null,
): Cell {
  return {
    address,
    slot,
    nonceBefore: nonce,
    balanceBefore: balance,
    delegationBefore: delegation,
    nonce,
    balance,
    delegation,
  }
}

export function newCell(address: Address): Cell {
  return {
    address,
    slot: -1,
    nonceBefore: 0,
    balanceBefore: 0n,
    delegationBefore: null,
    nonce: 0,
    balance: 0n,
    delegation: null,
  }
}

/** Whether nothing is left, which is to say that the account does not exist. */
export function isGone({ nonce, balance, delegation }: Account): boolean {
  return nonce === 0 && balance === 0n && delegation === null
}

/** Cells over any view, found by address. */
export class ViewCells implements Cells {
  readonly #view: StateView
  readonly #cells = new Map<Address, Cell>()
  newCount = 0

  constructor(view: StateView) {
    this.#view = view
  }

  of(address: Address): Cell {
    const known = this.#cells.get(address)
    if (known !== undefined) return known
    const before = this.#view.get(address)
    if (before === undefined) this.newCount += 1
    const cell =
      before === undefined
        ? newCell(address)
        : cellOf(address, -1, before.nonce, before.balance, before.delegation)
    this.#cells.set(address, cell)
    return cell
  }

  finish(): { readonly changes: CellChanges; readonly undo: CellChanges } {
    return changesOf([...this.#cells.values()], null)
  }
}

/** What a block did to the cells that differ now. `version` says of which state, and when, the slots of the cells are. */
export function changesOf(
  cells: readonly Cell[],
  version: object | null,
): { readonly changes: CellChanges; readonly undo: CellChanges } {
  const changed: Cell[] = []
  for (const cell of cells) {
    const differs =
      cell.balance !== cell.balanceBefore ||
      cell.nonce !== cell.nonceBefore ||
      cell.delegation !== cell.delegationBefore
    if (differs) changed.push(cell)
  }
  const changes = new CellChanges(changed, { after: true, version })
  return { changes, undo: changes.reversed() }
}

/**
 * Changes read straight from the cells of a block, after it or before it. Maps would cost more than the transfers themselves, and most
 * changes are only hashed and committed once.
 */
export class CellChanges implements Changes {
  readonly cells: readonly Cell[]
  readonly version: object | null
  /** Whether these are the accounts after the block, or before it. */
  readonly after: boolean
  #byAddress: Map<Address, Cell> | undefined

  constructor(
    cells: readonly Cell[],
    side: { readonly after: boolean; readonly version: object | null },
  ) {
    this.cells = cells
    this.version = side.version
    this.after = side.after
  }

  get size(): number {
    return this.cells.length
  }

  has(address: Address): boolean {
    return this.get(address) !== undefined
  }

  get(address: Address): Account | null | undefined {
    this.#byAddress ??= new Map(this.cells.map(cell => [cell.address, cell]))
    const cell = this.#byAddress.get(address)
    return cell === undefined ? undefined : this.#accountOf(cell)
  }

  /** What leads back. */
  reversed(): CellChanges {
    return new CellChanges(this.cells, { after: !this.after, version: null })
  }

  *keys(): Generator<Address> {
    for (const cell of this.cells) yield cell.address
  }

  *[Symbol.iterator](): Generator<[Address, Account | null]> {
    for (const cell of this.cells) yield [cell.address, this.#accountOf(cell)]
  }

  #accountOf(cell: Cell): Account | null {
    const { nonce, balance, delegation } = this.after
      ? cell
      : {
          nonce: cell.nonceBefore,
          balance: cell.balanceBefore,
          delegation: cell.delegationBefore,
        }
    if (isGone({ nonce, balance, delegation })) return null
    return { nonce, balance, delegation }
  }
}
