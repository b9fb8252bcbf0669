import type { Wiring } from '@rockpool/actor'
import type { Fact, Inbox } from '@rockpool/protocol'

/**
 * Who hears which fact, in this order. The pool hears of a head before anybody asks it for transactions on top of it. The reconciler can serve a
 * transaction before gossip announces it. The monitor knows of a peer before anybody speaks with it.
 */
export const wiring = {
  'chain.syncing': ['reconciler', 'node', 'observer'],
  'chain.clockSet': ['producer', 'gossip', 'node'],
  'chain.head': [
    'pool',
    'watcher',
    'responder',
    'reconciler',
    'gossip',
    'producer',
    'node',
    'observer',
  ],
  'pool.changed': ['reconciler', 'gossip', 'producer', 'observer'],
  'peer.opened': ['monitor', 'reconciler', 'gossip', 'sync', 'producer', 'node', 'observer'],
  'peer.closed': ['monitor', 'reconciler', 'gossip', 'sync', 'producer', 'node', 'observer'],
  'peer.banned': ['observer'],
  'peer.lifted': ['observer'],
  'breach.seen': ['observer'],
  'breach.answered': ['observer'],
  'breach.resolved': ['observer'],
  'peer.quarantined': ['observer'],
  'peer.released': ['observer'],
  'node.suspect': ['observer'],
  'node.trusted': ['observer'],
} as const satisfies Wiring<Inbox, Fact>

const towerActors: readonly string[] = ['watcher', 'responder']

/** The table of a node: where there is no watchtower nobody tells it anything. */
export function wiringOf(hasTower: boolean): Readonly<Record<string, readonly string[]>> {
  if (hasTower) return wiring
  return Object.fromEntries(
    Object.entries(wiring).map(([fact, names]) => [
      fact,
      names.filter(name => !towerActors.includes(name)),
    ]),
  )
}
