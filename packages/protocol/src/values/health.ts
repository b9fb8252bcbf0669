/** Where the node's life stands; the states of its lifecycle machine. */
export type NodeState =
  | 'booting'
  | 'opening'
  | 'recovering'
  | 'starting'
  | 'syncing'
  | 'ready'
  | 'degraded'
  | 'draining'
  | 'stopped'
  | 'failed'

/** Parts of the node that serve somebody on their own. */
export type Service = 'rpc' | 'p2p'

/** Why a node is not simply ready: a stable code, since when, what it takes down and a sentence. */
export interface HealthReason {
  readonly code:
    | 'no-peers'
    | 'stale-head'
    | 'crypto-fallback'
    | 'store-failed'
    | 'journal-failed'
    | 'bans-failed'
    | 'tower-backend'
    | 'self-suspect'
    | 'minority-view'
  readonly sinceMs: number
  /** Services that do not serve because of it; empty for a warning. */
  readonly services: readonly Service[]
  readonly text: string
}

/** What health endpoints answer from memory. Times are epoch ms. */
export interface HealthView {
  readonly state: NodeState
  readonly sinceMs: number
  /** True once the node has started, whatever came later. */
  readonly started: boolean
  /** False only once the node has failed. */
  readonly live: boolean
  readonly ready: boolean
  readonly version: string
  readonly reasons: readonly HealthReason[]
  readonly services: Readonly<Record<Service, boolean>>
}
