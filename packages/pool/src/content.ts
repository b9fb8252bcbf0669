import type { Address, PoolContent, TxRecord } from '@rockpool/protocol'
import type { Account, Entry } from './entry.ts'

/** What accounts hold, by half and sender, nonces ascending. */
export function contentOf(accounts: Iterable<Account>): PoolContent {
  const pending = new Map<Address, readonly TxRecord[]>()
  const queued = new Map<Address, readonly TxRecord[]>()
  for (const account of accounts) {
    const { address } = account
    if (account.pending.length > 0) pending.set(address, account.pending.entries.map(txOf))
    if (account.queue.length > 0) queued.set(address, account.queue.entries.map(txOf))
  }
  return { pending, queued }
}

const txOf = (entry: Entry): TxRecord => entry.tx
