import type { ChainHead, Reorg } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'

/** What left the canonical branch since the node started: the last `limits.reorgsKept` times, newest first. */
export function createReorgLog() {
  const reorgs: Reorg[] = []

  function hear({ old, new: next, ancestor, removed, added }: ChainHead, atMs: number): void {
    if (removed.length === 0) return
    reorgs.unshift({
      atMs,
      ancestor,
      old: { hash: old.hash, number: old.number },
      new: { hash: next.hash, number: next.number },
      removedCount: removed.length,
      addedCount: added.length,
      removed: removed.slice(0, limits.reorgHashesKept).map(({ header }) => header.hash),
      added: added.slice(0, limits.reorgHashesKept).map(({ header }) => header.hash),
    })
    reorgs.length = Math.min(reorgs.length, limits.reorgsKept)
  }

  return { hear, list: (): readonly Reorg[] => [...reorgs] }
}
