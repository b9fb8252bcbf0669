import type { PeerId } from '@rockpool/protocol'

/**
 * Deliveries of one topic that wait to be decoded. Bounded as a whole and per peer, and served one peer after the other: whoever floods
 * waits behind itself, not before the others.
 */
export function createIngress<T>(bounds: { readonly total: number; readonly perPeer: number }) {
  /** In the order in which peers are served next. No entry is empty. */
  const byPeer = new Map<PeerId, T[]>()
  let size = 0

  /** False when the topic or this peer has no room left. */
  function offer(from: PeerId, item: T): boolean {
    const queue = byPeer.get(from)
    if (size >= bounds.total || (queue && queue.length >= bounds.perPeer)) return false
    if (queue) queue.push(item)
    else byPeer.set(from, [item])
    size += 1
    return true
  }

  /** The oldest delivery of the peer whose turn it is; its next one waits until all others had theirs. */
  function take(): T | undefined {
    for (const [from, queue] of byPeer) {
      const item = queue.shift()
      byPeer.delete(from)
      if (queue.length > 0) byPeer.set(from, queue)
      size -= 1
      return item
    }
    return undefined
  }

  return {
    offer,
    take,
    get size() {
      return size
    },
  }
}
