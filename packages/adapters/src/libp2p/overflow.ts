import type { StreamCloseEvent } from '@libp2p/interface'
import type { PeerId } from '@rockpool/protocol'
import type { Router } from './router.ts'

/**
 * Which peers' gossip streams this node aborted because they took more than it keeps for them. The router hears only that a stream has
 * closed, so the error is read where the stream says it.
 */
export function createOverflowWatch(router: Pick<Router, 'streamsOutbound'>) {
  const watched = new WeakSet<object>()
  const overflowed = new Set<PeerId>()

  /** Listens to a peer's present stream. To be called often: a stream that overflows before counts as lost. */
  function watch(id: PeerId): void {
    const stream = router.streamsOutbound.get(id)?.rawStream
    if (stream === undefined || watched.has(stream)) return
    watched.add(stream)
    stream.addEventListener('close', (event: StreamCloseEvent) => {
      if (event.error?.name === 'StreamBufferError') overflowed.add(id)
    })
  }

  return {
    watch,
    has: (id: PeerId): boolean => overflowed.has(id),
    /** The peer has left. */
    forget: (id: PeerId): void => void overflowed.delete(id),
  }
}
