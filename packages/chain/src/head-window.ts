import type { Hash, Head } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'

export type HeadWindow = ReturnType<typeof createHeadWindow>

/** Labels for wallets: what `latest`, `safe` and `finalized` mean is a fixed depth, no promise of finality. */
export type HeadLabel = 'latest' | 'safe' | 'finalized'

const depths: Readonly<Record<HeadLabel, number>> = {
  latest: 0,
  safe: limits.safeDepth,
  finalized: limits.finalizedDepth,
}

/** What moves a head window: a head event, or as much of one as it needs. */
export interface HeadStep {
  readonly removed: readonly { readonly hash: Hash }[]
  readonly added: readonly Head[]
}

/**
 * The last heads of the canonical branch, by hash and by height: at most `limits.headWindow`. Replays head events; what falls out at the
 * lower end is forgotten, so a label that would point there points at the oldest head still known.
 */
export function createHeadWindow(heads: Iterable<Head>) {
  const byHash = new Map<Hash, Head>()
  const byNumber = new Map<number, Head>()
  let lowest = Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  for (const head of heads) push(head)

  /** The head of that hash, if it is canonical and in the window. */
  function find(hash: Hash): Head | undefined {
    return byHash.get(hash)
  }

  function at(number: number): Head | undefined {
    return byNumber.get(number)
  }

  /** Undefined only while the window is empty. */
  function label(name: HeadLabel): Head | undefined {
    return byNumber.get(Math.max(lowest, highest - depths[name]))
  }

  /** Takes removed heads off, newest first, and puts added ones on, oldest first. */
  function advance(step: HeadStep): void {
    for (const { hash } of step.removed) drop(hash)
    for (const head of step.added) push(head)
  }

  function push(head: Head): void {
    if (byNumber.size === 0) lowest = head.number
    byHash.set(head.hash, head)
    byNumber.set(head.number, head)
    highest = head.number
    while (byNumber.size > limits.headWindow) {
      const oldest = byNumber.get(lowest)
      if (oldest !== undefined) byHash.delete(oldest.hash)
      byNumber.delete(lowest)
      lowest += 1
    }
  }

  function drop(hash: Hash): void {
    const head = byHash.get(hash)
    if (head === undefined) return
    byHash.delete(hash)
    byNumber.delete(head.number)
    highest = head.number - 1
  }

  return {
    find,
    at,
    label,
    advance,
    get size() {
      return byNumber.size
    },
  }
}
