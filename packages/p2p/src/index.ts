/** Who we talk to and what we relay. Not here: libp2p, and what a valid transaction is. */

export { createBudget } from './budget.ts'
export {
  type ConnectionWish,
  connectionPolicy,
} from './connection-policy.ts'
export { connector } from './connector.actor.ts'
export { gossip } from './gossip.actor.ts'
export { createGuard, defaultGuard, type GuardOptions } from './guard.ts'
export type { MonitorFact } from './monitor.actor.ts'
export { monitorMailbox } from './monitor-mailbox.ts'
export type { GossipParts } from './parts.ts'
export type { StoredPeers } from './peer-store.ts'
export { createPeers, defaultPolicy, type Peers, type PeersMade, readPeers } from './peers.ts'
export type { MonitorPolicy } from './policy.ts'
export { type ReconcilerParts, reconciler } from './reconciler.actor.ts'
export { createReputation } from './reputation.ts'
export { createRotation, type RotationParts, type Step } from './rotation.ts'
export { createStanding } from './standing.ts'
export {
  batchVerdict,
  type JudgedCode,
  type Judgement,
  type Situation,
  verdictOf,
} from './verdict.ts'
