import type { PeerClosed, PeerOpened } from '../events.ts'
import type { PeerId } from '../values/peer.ts'
import type { Reply } from './reply.ts'

/** A peer asks whom else it may dial; the answer is one frame, or none when the request was no request or came too soon. */
export type ConnectorServe = {
  type: 'connector.serve'
  from: PeerId
  request: Uint8Array
  reply: Reply<readonly Uint8Array[]>
}

/** The node is stopping: dial nobody, send nobody away. */
export type ConnectorDrain = { type: 'connector.drain' }

/** Where a peer stands with us. `good`, `suspect` and `quarantined` are connected. */
export type PeerPhase = 'known' | 'dialling' | 'good' | 'suspect' | 'quarantined' | 'banned'

export interface ConnectorStats {
  /** `dialled`, `failed`, `pruned`, `irrelevant`, `asked`, `named`, `served`, `refused`. */
  readonly counts: ReadonlyMap<string, number>
  readonly phases: ReadonlyMap<PeerPhase, number>
  /** Of the connected peers those this node dialled; 0 without peers. */
  readonly outboundShare: number
}

export type ConnectorGetStats = { type: 'connector.getStats'; reply: Reply<ConnectorStats> }

export type ConnectorMessage =
  | ConnectorServe
  | ConnectorDrain
  | ConnectorGetStats
  | PeerOpened
  | PeerClosed
