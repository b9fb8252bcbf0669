import type { PeerClosed, PeerOpened } from '../events.ts'
import type { Head } from '../values/block.ts'
import type { Hash } from '../values/bytes.ts'
import type { PeerId } from '../values/peer.ts'
import type { Reply } from './reply.ts'

/** The chain met a block whose parent it lacks: fetch what is missing from the peer that sent it. */
export type SyncFetch = {
  type: 'sync.fetch'
  hash: Hash
  parent: Hash
  number: number
  from: PeerId
}

/** Gossip heard an announcement of a block too large to travel whole: fetch its body from who sent it. */
export type SyncBody = { type: 'sync.body'; hash: Hash; from: PeerId }

/** The chain tells where it stands: when it is loaded and after each change of its head. */
export type SyncStands = { type: 'sync.stands'; head: Head; totalWeight: number }

/** A peer asks on the range protocol; the answer is all frames of the response. */
export type SyncServe = {
  type: 'sync.serve'
  from: PeerId
  request: Uint8Array
  reply: Reply<readonly Uint8Array[]>
}

export type SyncMessage = SyncFetch | SyncBody | SyncStands | SyncServe | PeerOpened | PeerClosed
