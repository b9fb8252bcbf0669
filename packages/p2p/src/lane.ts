import type { PeerId } from '@rockpool/protocol'
import { createIngress } from './ingress.ts'

export type Lane<T> = ReturnType<typeof createLane<T>>

/** A bounded queue with a bounded number of its items under way. Whoever begins one says when it is done. */
export function createLane<T>(options: {
  readonly total: number
  readonly perPeer: number
  /** Items under way at once. */
  readonly atOnce: number
  /** True for an item that need not begin any more. */
  isOver(item: T): boolean
  begin(item: T): void
}) {
  const queue = createIngress<T>(options)
  let underWay = 0

  /** Begins up to `max` items; true when more could have begun. */
  function advance(max: number): boolean {
    for (let begun = 0; begun < max; begun++) {
      if (underWay >= options.atOnce) return false
      const item = queue.take()
      if (item === undefined) return false
      if (options.isOver(item)) continue
      underWay += 1
      options.begin(item)
    }
    return queue.size > 0 && underWay < options.atOnce
  }

  return {
    offer: (from: PeerId, item: T): boolean => queue.offer(from, item),
    advance,
    done(): void {
      underWay -= 1
    },
    /** Takes everything that has not begun. */
    clear(): readonly T[] {
      const left: T[] = []
      for (let item = queue.take(); item !== undefined; item = queue.take()) left.push(item)
      return left
    },
    get waiting() {
      return queue.size
    },
  }
}
