import { type ChainHead, type Hash, limits, type PoolChanged } from '@rockpool/protocol'
import { createSeen } from './seen.ts'

/** Transactions the pool has, or had until they were mined, by `keyOf` their hash. */
export function createKnown<K extends string>(keyOf: (hash: Hash) => K) {
  const seen = createSeen<true, K>(limits.knownTxsMax)

  function remember({ added, dropped }: PoolChanged): void {
    for (const hash of added) set(hash)
    for (const { hash, reason } of dropped) if (reason !== 'mined') seen.forget(keyOf(hash))
  }

  /** The transactions of the new blocks. */
  function follow({ removed, added }: ChainHead): ReadonlySet<Hash> {
    for (const { txs } of removed) for (const { hash } of txs) seen.forget(keyOf(hash))
    const mined = new Set(added.flatMap(({ txs }) => txs.map(({ hash }) => hash)))
    for (const hash of mined) set(hash)
    return mined
  }

  function set(hash: Hash): void {
    seen.set(keyOf(hash), true)
  }

  return {
    get: (hash: Hash): true | undefined => seen.get(keyOf(hash)),
    has: (key: K): boolean => seen.get(key) === true,
    set,
    remember,
    follow,
  }
}
