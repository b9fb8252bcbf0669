import { type Fact, type Hash, limits, type TxRecord } from '@rockpool/protocol'
import { pendingTxJson } from './rpc/encode.ts'
import { plain, tooMany } from './rpc-error.ts'
import { newId } from './subscriptions.ts'

export type FilterKind = 'logs' | 'blocks' | 'pending' | 'pendingFull'

interface Filter {
  readonly kind: FilterKind
  /** What happened since the last look. */
  items: (Hash | TxRecord)[]
  readAtMs: number
}

export type Filters = ReturnType<typeof createFilters>

/**
 * Filters a caller polls. They live in memory without a connection behind them, so everything about them is bounded: their number, what an
 * unread one holds, and how long it goes unread. A removed filter answers `filter not found`, which tells its reader to start anew; one that
 * silently lost entries would not.
 */
export function createFilters(
  observe: (listener: (fact: Fact) => void) => () => void,
  now: () => number = () => performance.now(),
) {
  const filters = new Map<string, Filter>()
  const stop = observe(fact => {
    if (filters.size === 0) return
    if (fact.type === 'chain.head') for (const { header } of fact.added) add('blocks', header.hash)
    if (fact.type === 'pool.changed')
      for (const { tx, origin } of fact.events) {
        if (origin === 'private') continue
        add('pending', tx.hash)
        add('pendingFull', tx)
      }
  })

  function add(kind: FilterKind, item: Hash | TxRecord): void {
    for (const [id, filter] of filters) {
      if (filter.kind !== kind) continue
      if (filter.items.length >= limits.rpcFilterItemsMax || isOld(filter)) filters.delete(id)
      else filter.items.push(item)
    }
  }

  function isOld({ readAtMs }: Filter): boolean {
    return now() - readAtMs > limits.rpcFilterMs
  }

  function create(kind: FilterKind): string {
    if (filters.size >= limits.rpcFiltersMax) removeOld()
    if (filters.size >= limits.rpcFiltersMax)
      throw tooMany(
        `too many filters, at most ${limits.rpcFiltersMax}; eth_uninstallFilter frees one`,
      )
    const id = newId()
    filters.set(id, { kind, items: [], readAtMs: now() })
    return id
  }

  function removeOld(): void {
    for (const [id, filter] of filters) if (isOld(filter)) filters.delete(id)
  }

  function find(id: string): Filter {
    const filter = filters.get(id)
    if (filter === undefined || isOld(filter)) {
      filters.delete(id)
      throw plain('filter not found')
    }
    filter.readAtMs = now()
    return filter
  }

  /** What came since the last call, oldest first. */
  function changes(id: string): unknown[] {
    const filter = find(id)
    const { items } = filter
    filter.items = []
    return items.map(item => (typeof item === 'string' ? item : pendingTxJson(item)))
  }

  /** All logs of a log filter: none on this chain. */
  function logs(id: string): unknown[] {
    if (find(id).kind !== 'logs') throw plain('filter not found')
    return []
  }

  return {
    create,
    changes,
    logs,
    remove: (id: string): boolean => filters.delete(id),
    stop,
    get size() {
      return filters.size
    },
  }
}
