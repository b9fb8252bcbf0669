import type { Wiring } from '@rockpool/actor'
import type { Fact, Inbox } from '@rockpool/protocol'

/**
 * Who hears which fact, in this order. The pool hears of a head before anybody asks it for transactions on top of it. The reconciler can serve a
 * transaction before gossip announces it. The monitor knows of a peer before anybody speaks with it.
 */
export const wiring = {
  'chain.syncing': ['reconciler', 'node', 'observer'],
  'chain.clockSet': ['producer', 'gossip', 'node'],
  'chain.head': ['pool', 'reconciler', 'gossip', 'producer', 'node', 'observer'],
  'pool.changed': ['reconciler', 'gossip', 'producer', 'observer'],
  'peer.opened': ['monitor', 'reconciler', 'gossip', 'sync', 'producer', 'node', 'observer'],
  'peer.closed': ['monitor', 'reconciler', 'gossip', 'sync', 'producer', 'node', 'observer'],
  'peer.banned': ['observer'],
  'peer.lifted': ['observer'],
} as const satisfies Wiring<Inbox, Fact>
