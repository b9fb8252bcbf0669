import type { ChainHead } from './events.ts'
import { limits } from './limits.ts'
import type { Hash } from './values/bytes.ts'

/** What the walk needs to know of a block. */
export interface PathBlock<T extends { readonly hash: Hash }> {
  readonly hash: Hash
  readonly parent: Hash
  readonly number: number
  readonly txs: readonly T[]
}

export type PathHead = Omit<PathBlock<never>, 'txs'>

export type ReorgPath<T extends { readonly hash: Hash }, B extends PathBlock<T> = PathBlock<T>> =
  | {
      /**
       * `child`: the new head is on the old one. `reorg`: both branches down to the ancestor. `deep`: the heights differ by more than
       * `limits.reinjectDepthMax`, nothing is reinjected. `sethead`: the chain was set back and the old head is gone, nothing is reinjected.
       */
      readonly kind: 'child' | 'reorg' | 'deep' | 'sethead'
      /** Transactions of the old branch: newest block first, each block in its own order. */
      readonly discarded: readonly T[]
      /** Hashes of the transactions of the new branch. */
      readonly included: ReadonlySet<Hash>
      /** Blocks of the old branch, newest first; of the new one, oldest first. Empty where the walk was not made or did not arrive. */
      readonly removed: readonly B[]
      readonly added: readonly B[]
    }
  | { readonly kind: 'missing'; readonly what: 'old' | 'new' }

/**
 * How one head follows another, by geth's rules. `getBlock` answers undefined for a block that is not there. Costs as many look-ups as
 * there are blocks on both branches, at most `limits.reorgDepthMax` on each when the result is `deep`.
 */
export function reorgPath<T extends { readonly hash: Hash }, B extends PathBlock<T> = PathBlock<T>>(
  getBlock: (hash: Hash, number: number) => B | undefined,
  old: PathHead | null,
  next: PathHead,
): ReorgPath<T, B> {
  if (old === null || old.hash === next.parent) {
    const block = getBlock(next.hash, next.number)
    return pathOf('child', [], block === undefined ? [] : [block])
  }
  if (Math.abs(old.number - next.number) > limits.reinjectDepthMax) {
    const walked = walk(getBlock, old, next, limits.reorgDepthMax)
    return walked === undefined ? pathOf('deep', [], []) : pathOf('deep', walked.down, walked.up)
  }
  if (getBlock(old.hash, old.number) === undefined) {
    return next.number >= old.number ? { kind: 'missing', what: 'old' } : pathOf('sethead', [], [])
  }
  const walked = walk(getBlock, old, next, Number.POSITIVE_INFINITY)
  if (walked === undefined) return { kind: 'missing', what: 'new' }
  return pathOf('reorg', walked.down, walked.up)
}

/** Both branches down to their common block, newest first; undefined when a block is missing or a branch is longer than `depthMax`. */
function walk<B extends PathBlock<{ readonly hash: Hash }>>(
  getBlock: (hash: Hash, number: number) => B | undefined,
  old: PathHead,
  next: PathHead,
  depthMax: number,
): { readonly down: readonly B[]; readonly up: readonly B[] } | undefined {
  const down: B[] = []
  const up: B[] = []
  let left = getBlock(old.hash, old.number)
  let right = getBlock(next.hash, next.number)
  while (left !== undefined && right !== undefined && left.hash !== right.hash) {
    if (down.length > depthMax || up.length > depthMax) return undefined
    const { number } = right
    if (left.number >= number) {
      down.push(left)
      right = left.number === number ? stepped(up, right) : right
      left = getBlock(left.parent, left.number - 1)
    } else {
      right = stepped(up, right)
    }
  }
  return left === undefined || right === undefined ? undefined : { down, up }

  function stepped(branch: B[], block: B): B | undefined {
    branch.push(block)
    return getBlock(block.parent, block.number - 1)
  }
}

function pathOf<T extends { readonly hash: Hash }, B extends PathBlock<T>>(
  kind: 'child' | 'reorg' | 'deep' | 'sethead',
  removed: readonly B[],
  addedNewestFirst: readonly B[],
): ReorgPath<T, B> {
  const added = [...addedNewestFirst].reverse()
  return {
    kind,
    discarded: removed.flatMap(block => block.txs),
    included: new Set(added.flatMap(block => block.txs.map(tx => tx.hash))),
    removed,
    added,
  }
}

/** Two head facts that follow each other as one: what left and joined the branch in between is not told. */
export function joinHeads(first: ChainHead, second: ChainHead): ChainHead {
  if (first.new.hash !== second.old.hash) {
    throw new Error(`heads do not follow: ${first.new.hash} then ${second.old.hash}`)
  }
  // Blocks of the first fact's branch leave again from its tip; what the second removes below that was canonical before both.
  let undone = 0
  while (
    undone < first.added.length &&
    undone < second.removed.length &&
    first.added[first.added.length - 1 - undone]?.header.hash ===
      second.removed[undone]?.header.hash
  ) {
    undone += 1
  }
  const removed = [...first.removed, ...second.removed.slice(undone)]
  const added = [...first.added.slice(0, first.added.length - undone), ...second.added]
  // The other way round: a block that left and came back, from the ancestor up.
  let returned = 0
  while (
    returned < removed.length &&
    returned < added.length &&
    removed[removed.length - 1 - returned]?.header.hash === added[returned]?.header.hash
  ) {
    returned += 1
  }
  const removedFor = removed.slice(0, removed.length - returned)
  const addedFor = added.slice(returned)
  const lowest = addedFor[0] ?? removedFor.at(-1)
  const ancestor =
    lowest === undefined
      ? { hash: second.new.hash, number: second.new.number }
      : { hash: lowest.header.parentHash, number: lowest.header.number - 1 }
  return {
    type: 'chain.head',
    old: first.old,
    new: second.new,
    ancestor,
    removed: removedFor,
    added: addedFor,
  }
}
