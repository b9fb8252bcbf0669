import type { ChainClockSet, ChainHead, ChainSyncing, PeerClosed, PeerOpened } from '../events.ts'
import type { HealthReason } from '../values/health.ts'

/** The composition says how far the start has come. */
export type NodeAdvance = {
  type: 'node.advance'
  to: 'opening' | 'recovering' | 'starting' | 'syncing' | 'failed'
}

/** Something is wrong that an operator should know; raised again it keeps its first instant. */
export type NodeRaise = { type: 'node.raise'; reason: Omit<HealthReason, 'sinceMs'> }

/** It is no longer wrong. */
export type NodeClear = { type: 'node.clear'; code: HealthReason['code'] }

/** The node is asked to stop: it is no longer ready from this turn on. */
export type NodeDrain = { type: 'node.drain' }

export type NodeMessage =
  | NodeAdvance
  | NodeRaise
  | NodeClear
  | NodeDrain
  | ChainHead
  | ChainClockSet
  | ChainSyncing
  | PeerOpened
  | PeerClosed
