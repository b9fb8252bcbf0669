import type { Wiring } from '@rockpool/actor'
import type { Fact, Inbox } from '@rockpool/protocol'

/** Who hears which fact, in this order. The pool hears of a head before anybody asks it for transactions on top of it. */
export const wiring = {
  'chain.head': ['pool', 'gossip', 'producer', 'node', 'observer'],
  'chain.syncing': ['node', 'observer'],
  'pool.changed': ['gossip', 'producer', 'observer'],
  'peer.opened': ['gossip', 'sync', 'producer', 'node', 'observer'],
  'peer.closed': ['gossip', 'sync', 'producer', 'node', 'observer'],
} as const satisfies Wiring<Inbox, Fact>
