import type { Address, Hash, Header } from '@rockpool/protocol'
import type { BlockTree } from './fork-choice.ts'
import type { Residents } from './residents.ts'
import type { Account, StateView, Undo } from './state.ts'

/** Accounts at an old head as far as memory reaches; the undo records of `pending`, applied in that order, lead the rest of the way. */
export interface AccountsAt {
  readonly values: Map<Address, Account | null>
  readonly pending: readonly Hash[]
}

/** Accounts at a canonical block, newest undo steps first as far as they are in memory. */
export function accountsAt(
  chain: { readonly state: StateView; readonly tree: BlockTree; readonly residents: Residents },
  addresses: readonly Address[],
  at: Header,
): AccountsAt {
  const { state, tree, residents } = chain
  const values = new Map<Address, Account | null>()
  for (const address of addresses) values.set(address, state.get(address) ?? null)
  const pending: Hash[] = []
  for (let height = tree.head.number; height > at.number; height--) {
    const hash = tree.canonicalAt(height)
    if (hash === undefined) break
    const undo = pending.length === 0 ? residents.get(hash)?.undo : undefined
    if (undo === undefined) pending.push(hash)
    else stepBack(values, undo)
  }
  return { values, pending }
}

/** Takes one block back for the accounts that are asked for. */
export function stepBack(values: Map<Address, Account | null>, undo: Undo): void {
  for (const address of values.keys()) {
    const before = undo.get(address)
    if (before !== undefined) values.set(address, before)
  }
}
