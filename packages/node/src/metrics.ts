import type { ActorReading, Bus } from '@rockpool/actor'
import type {
  ConnectorStats,
  GossipStats,
  Labels,
  MonitorStats,
  PeerView,
  PoolStats,
  ReconcilerStats,
  ResponderStats,
  Series,
  TrackerStats,
  WatcherStats,
} from '@rockpool/protocol'

/** Plain numbers of the rooms at this moment; whoever scrapes turns them into text. */
export interface Readings {
  readonly chain: { readonly height: number; readonly blocks: number; readonly reorgs: number }
  readonly pool: PoolStats
  /** Running totals since the start. */
  readonly txs: {
    readonly added: number
    readonly promoted: number
    readonly demoted: number
    readonly dropped: ReadonlyMap<string, number>
  }
  readonly peers: readonly PeerView[]
  readonly gossip: GossipStats
  readonly monitor: MonitorStats
  readonly sync: ReconcilerStats
  readonly tracker: TrackerStats
  readonly connector: ConnectorStats
  readonly meshes: readonly { readonly topic: string; readonly size: number }[]
}

type Sample = { readonly labels?: Labels; readonly value: number }

const gauge = (name: string, help: string, ...samples: readonly Sample[]): Series => ({
  name,
  help,
  kind: 'gauge',
  samples,
})
const counter = (name: string, help: string, ...samples: readonly Sample[]): Series => ({
  name,
  help,
  kind: 'counter',
  samples,
})
const sampled = (label: string, counts: ReadonlyMap<string, number>): Sample[] =>
  [...counts].map(([name, value]) => ({ labels: { [label]: name }, value }))

/** Series of the bus and its actors. */
export function busSeries(bus: Bus): Series[] {
  const reading = bus.meters()
  const total = (name: string, help: string, value: number) =>
    counter(`rockpool_bus_${name}_total`, help, { value })
  const now = (name: string, help: string, value: number) =>
    gauge(`rockpool_bus_${name}`, help, { value })
  return [
    total('sent', 'Messages taken by the bus.', reading.sent),
    total('handled', 'Messages handled.', reading.handled),
    total('dead', 'Messages nobody handled.', reading.dead),
    total('merged', 'Messages replaced by a newer one of their key.', reading.merged),
    total('refused', 'Messages refused because a mailbox was full.', reading.refused),
    total('slice_overruns', 'Slices that ran over twice their time.', reading.sliceOverruns),
    now('queued', 'Messages waiting.', reading.queued),
    now('balanced', 'One while sent = handled + dead + merged + queued.', reading.balanced ? 1 : 0),
    now('ready_actors', 'Actors with something to do.', reading.readyActors),
    now('asks_in_flight', 'Questions not answered yet.', reading.asks),
    now('pipes_in_flight', 'Promises actors wait for.', reading.pipes),
    now('timers', 'Armed timers.', reading.timers),
    gauge('rockpool_event_loop_lag_seconds', 'Delay of the last slice.', {
      value: reading.loopLagMs / 1_000,
    }),
    counter(
      'rockpool_dead_letters_total',
      'Dead letters by reason, actor and message type.',
      ...reading.deadLetters.map(({ reason, actor, type, count }) => ({
        labels: { reason, actor, type },
        value: count,
      })),
    ),
    ...actorSeries(reading.actors),
  ]
}

function actorSeries(actors: readonly ActorReading[]): Series[] {
  const each = (read: (actor: ActorReading) => number): Sample[] =>
    actors.map(actor => ({ labels: { actor: actor.actor }, value: read(actor) }))
  const name = (suffix: string) => `rockpool_actor_${suffix}`
  return [
    gauge(
      name('mailbox_depth'),
      'Messages waiting in a mailbox, by lane.',
      ...actors.flatMap(({ actor, depth }) =>
        Object.entries(depth).map(([lane, value]) => ({ labels: { actor, lane }, value })),
      ),
    ),
    gauge(
      name('mailbox_high_water'),
      'Most messages that ever waited.',
      ...each(actor => actor.highWater),
    ),
    gauge(
      name('oldest_seconds'),
      'Age of the oldest waiting message.',
      ...each(actor => actor.oldestMs / 1_000),
    ),
    counter(name('handled_total'), 'Messages handled.', ...each(actor => actor.handled)),
    counter(name('restarts_total'), 'Restarts by supervision.', ...each(actor => actor.restarts)),
    counter(name('stale_total'), 'Outcomes for an earlier life.', ...each(actor => actor.stale)),
    {
      name: name('handler_seconds'),
      help: 'Sampled time of one handler.',
      kind: 'histogram',
      samples: actors
        .filter(actor => actor.handlerBuckets.length > 0)
        .map(({ actor, handlerBuckets }) => ({
          labels: { actor },
          bounds: handlerBuckets.slice(0, -1).map((_, power) => 2 ** power / 1_000_000),
          counts: handlerBuckets,
          sum: handlerBuckets.reduce(
            (sum, count, power) => sum + (count * 2 ** power) / 1_000_000,
            0,
          ),
        })),
    },
  ]
}

function monitorSeries(stats: MonitorStats): Series[] {
  const { charges, bans, lifts, active, states, counts, records, withheld, totals } = stats
  const { banLatency } = stats
  const name = (suffix: string) => `rockpool_p2p_${suffix}`
  const counted = (word: string): Sample => ({ value: counts.get(word) ?? 0 })
  const made = [...bans].map(([words, value]) => {
    const [by = '', kind = ''] = words.split(' ')
    return { labels: { by, kind }, value }
  })
  return [
    counter(
      name('charges_total'),
      'Offences charged, by reason; suspended ones were written down and not counted.',
      ...[...charges].map(([words, value]) => {
        const [reason = '', suspended = ''] = words.split(' ')
        return { labels: { reason, suspended: String(suspended !== '') }, value }
      }),
    ),
    counter(
      name('bans_withheld_total'),
      'Bans that were deserved and not made, by why.',
      ...sampled('why', withheld),
    ),
    gauge(name('ban_budget_left'), 'Bans the monitor may still make.', counted('budgetLeft')),
    gauge(name('suspect'), 'Whether this node does not trust its own eyes.', counted('suspect')),
    gauge(
      name('peer_total_score'),
      'Connected peers with a score of at most so much.',
      ...[-100, -50, -10, 0, 10, 20].map(most => ({
        labels: { at_most: String(most) },
        value: totals.filter(total => total <= most).length,
      })),
    ),
    counter(
      name('ban_latency_seconds_total'),
      'From the charge that was enough for a ban to the end of the connection.',
      { value: banLatency.sumMs / 1_000 },
    ),
    counter(name('ban_closed_total'), 'Connections ended by a ban.', {
      value: banLatency.count,
    }),
    gauge(name('ip_groups'), 'IP groups of which something is held.', counted('groups')),
    counter(name('bans_total'), 'Bans made, by who decided and of what kind.', ...made),
    counter(name('lifts_total'), 'Bans ended, by cause.', ...sampled('cause', lifts)),
    gauge(name('bans_active'), 'Bans in force, by kind.', ...sampled('kind', active)),
    gauge(name('peers_by_state'), 'Connected peers by state.', ...sampled('state', states)),
    gauge(name('reputation_records'), 'Peers of whom something is held.', { value: records }),
    counter(
      name('reputation_evicted_total'),
      'Peers forgotten because the table was full.',
      counted('recordsEvicted'),
    ),
    counter(
      name('bans_evicted_total'),
      'Bans forgotten because the book was full.',
      counted('bansEvicted'),
    ),
    counter(name('monitor_errors_total'), 'Checks of a peer that failed.', counted('errors')),
  ]
}

/** Series of the rooms. */
export function roomSeries({
  chain,
  pool,
  txs,
  peers,
  gossip,
  monitor,
  sync,
  tracker,
  connector,
  meshes,
}: Readings): Series[] {
  const verdicts = [...gossip.verdicts].map(([key, value]) => {
    const [topic = '', verdict = '', code = ''] = key.split(' ')
    return { labels: { topic, verdict, code }, value }
  })
  const byDirection = (direction: 'in' | 'out') =>
    peers.filter(peer => peer.direction === direction).length
  return [
    gauge('rockpool_chain_height', 'Height of the head.', { value: chain.height }),
    counter('rockpool_chain_blocks_total', 'Blocks that joined the canonical branch.', {
      value: chain.blocks,
    }),
    counter('rockpool_chain_reorgs_total', 'Head changes that removed a block.', {
      value: chain.reorgs,
    }),
    gauge('rockpool_txpool_pending', 'Executable transactions.', { value: pool.pending }),
    gauge('rockpool_txpool_queued', 'Transactions behind a nonce gap.', { value: pool.queued }),
    gauge('rockpool_txpool_slots', 'Slots of 32 KiB taken.', { value: pool.slots }),
    counter('rockpool_txpool_added_total', 'Transactions taken.', { value: txs.added }),
    counter('rockpool_txpool_promoted_total', 'Transactions that became executable.', {
      value: txs.promoted,
    }),
    counter('rockpool_txpool_demoted_total', 'Transactions that ceased to be executable.', {
      value: txs.demoted,
    }),
    counter('rockpool_txpool_replaced_total', 'Transactions replaced by one that pays more.', {
      value: txs.dropped.get('replaced') ?? 0,
    }),
    counter(
      'rockpool_txpool_dropped_total',
      'Transactions that left, by reason.',
      ...sampled('reason', txs.dropped),
    ),
    gauge('rockpool_txpool_tracked', 'Own transactions followed until they are mined.', {
      value: tracker.tracked,
    }),
    gauge('rockpool_txpool_journal_entries', 'Own transactions that survive a restart.', {
      value: tracker.journaled,
    }),
    counter('rockpool_txpool_resubmitted_total', 'Own transactions given to the pool again.', {
      value: tracker.resubmitted,
    }),
    gauge('rockpool_txpool_stories', 'Transactions no longer in the pool that it remembers.', {
      value: tracker.stories ?? 0,
    }),
    counter(
      'rockpool_txpool_rejected_total',
      'Transactions refused, by code.',
      ...sampled('code', tracker.rejected ?? nothing),
    ),
    counter(
      'rockpool_txpool_explain_total',
      'Questions why, by state.',
      ...sampled('state', tracker.explained ?? nothing),
    ),
    counter(
      'rockpool_txpool_untracked_total',
      'Own transactions no longer followed, by reason.',
      ...sampled('reason', tracker.finished),
    ),
    gauge(
      'rockpool_p2p_peers',
      'Connected peers.',
      { labels: { direction: 'in' }, value: byDirection('in') },
      { labels: { direction: 'out' }, value: byDirection('out') },
    ),
    gauge(
      'rockpool_p2p_mesh_peers',
      'Peers in the mesh of a topic.',
      ...meshes.map(({ topic, size }) => ({ labels: { topic }, value: size })),
    ),
    gauge('rockpool_p2p_peers_outbound_share', 'Of the connected peers those dialled from here.', {
      value: connector.outboundShare,
    }),
    gauge(
      'rockpool_p2p_peers_by_phase',
      'Peers that are followed, by the phase of their life.',
      ...sampled('phase', connector.phases),
    ),
    counter(
      'rockpool_p2p_connector_total',
      'What was done to have the right number of peers, by kind.',
      ...sampled('kind', connector.counts),
    ),
    counter('rockpool_p2p_gossip_verdicts_total', 'Judged gossip messages.', ...verdicts),
    counter(
      'rockpool_p2p_gossip_events_total',
      'What gossip sent and could not send, by kind.',
      ...sampled('kind', gossip.counts),
    ),
    counter(
      'rockpool_p2p_sync_exchanges_total',
      'Pool sync exchanges this node began, by outcome.',
      ...sampled('outcome', sync.exchanges),
    ),
    counter('rockpool_p2p_sync_txs_total', 'Transactions the pool took from pool sync.', {
      value: sync.txs,
    }),
    counter(
      'rockpool_p2p_sync_served_total',
      'Pool sync requests of peers, by answer.',
      ...sampled('answer', sync.served),
    ),
    ...monitorSeries(monitor),
  ]
}

const nothing: ReadonlyMap<string, number> = new Map()

/** Series of the watchtower. */
export function towerSeries(watcher: WatcherStats, responder: ResponderStats): Series[] {
  const name = (suffix: string) => `rockpool_tower_${suffix}`
  const bit = (on: boolean) => (on ? 1 : 0)
  const phases = new Map(
    (['watched', 'tracked', 'closed'] as const).map(phase => [phase, watcher[phase]]),
  )
  return [
    gauge(name('users'), 'Users with a subscription.', { value: watcher.users }),
    gauge(name('appointments'), 'Appointments by phase.', ...sampled('phase', phases)),
    gauge(name('slots_free'), 'Slots of all users that hold nothing.', {
      value: watcher.slotsFree,
    }),
    counter(name('requests_total'), 'Requests by result.', ...sampled('result', watcher.counts)),
    gauge(
      name('trackers'),
      'Breaches being answered, by state.',
      ...sampled('state', responder.states),
    ),
    gauge(
      name('deferred'),
      'Penalties refused for now, by reason.',
      ...sampled('reason', responder.deferred),
    ),
    counter(
      name('broadcasts_total'),
      'Broadcasts by what became of them.',
      ...sampled('class', responder.broadcasts),
    ),
    gauge(name('height'), 'Last block whose effects are on disk.', { value: watcher.height }),
    gauge(name('blocks_behind'), 'Blocks between that and the head.', {
      value: watcher.blocksBehind,
    }),
    gauge(name('tip_age_seconds'), 'Time since the last new head.', {
      value: watcher.tipAgeMs / 1_000,
    }),
    gauge(name('asleep'), 'One while nothing is watched or tracked.', {
      value: bit(watcher.asleep),
    }),
    gauge(name('backend_up'), 'Zero while the chain cannot be followed.', {
      value: bit(watcher.state !== 'backend-lost'),
    }),
    gauge(name('index_bytes'), 'Memory of the index of locators.', { value: watcher.indexBytes }),
    counter(name('corrupt_rows_total'), 'Rows that could not be read and were put aside.', {
      value: watcher.corruptRows,
    }),
  ]
}
