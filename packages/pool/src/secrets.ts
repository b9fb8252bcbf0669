import type { Hash, PoolChanged } from '@rockpool/protocol'
import type { Op, Outcome } from './op.ts'

/**
 * Private transactions in the pool, so that facts do not name them. Their events stay, marked as private: whoever makes blocks needs them,
 * and whoever publishes leaves them out.
 */
export function createSecrets() {
  const hashes = new Set<Hash>()
  let leaving: readonly Hash[] = []

  /** An operation was applied. */
  function hear(op: Op, { results, added, dropped }: Outcome): void {
    for (const hash of leaving) hashes.delete(hash)
    leaving = []
    if (op.op === 'add' && (op.origin === 'private' || op.privates !== undefined)) {
      for (const [index, { hash }] of op.txs.entries()) {
        const isPrivate = op.origin === 'private' || op.privates?.has(hash) === true
        if (isPrivate && results[index]?.ok === true) hashes.add(hash)
      }
    }
    if (op.op === 'reset' && op.privates !== undefined) {
      for (const hash of added) if (op.privates.has(hash)) hashes.add(hash)
    }
    if (hashes.size === 0) return
    leaving = dropped.flatMap(({ hash }) => (hashes.has(hash) ? hash : []))
  }

  function without(fact: PoolChanged): PoolChanged {
    if (hashes.size === 0) return fact
    const isPublic = (hash: Hash) => !hashes.has(hash)
    const { added, promoted, demoted, dropped } = fact
    return {
      ...fact,
      added: added.filter(isPublic),
      promoted: promoted.filter(isPublic),
      demoted: demoted.filter(isPublic),
      dropped: dropped
        .filter(({ hash }) => isPublic(hash))
        .map(({ by, ...drop }) => (by === undefined || !isPublic(by) ? drop : { ...drop, by })),
    }
  }

  return { hear, without }
}
