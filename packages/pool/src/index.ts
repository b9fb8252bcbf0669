/** The transaction pool: a pure core (`Pool`) and the actor around it. Not here: recovery, the chain, gossip and RPC. */
export { defaultPoolConfig, type PoolConfig, sanitizePoolConfig } from './config.ts'
export type { PoolAccountView } from './entry.ts'
export { checkInvariants, fingerprint } from './invariants.ts'
export type { Accounts, DropReason, Op, Outcome, ResetPath } from './op.ts'
export { type PoolActorParts, poolActor, poolMailbox } from './pool.actor.ts'
export { Pool, type PoolParts, type Wish } from './pool.ts'
export { resetPath } from './reorg.ts'
export type { PendingFilter, SelectLimits } from './select.ts'
