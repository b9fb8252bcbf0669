import { createTestBus } from '@rockpool/actor'
import { expect, test } from 'vitest'
import { busSeries, roomSeries } from './metrics.ts'

const series = () => [
  ...busSeries(createTestBus().bus),
  ...roomSeries({
    chain: { height: 7, blocks: 9, reorgs: 1 },
    pool: { pending: 3, queued: 2, slots: 5 },
    txs: { added: 12, promoted: 10, demoted: 1, dropped: new Map([['mined', 7]]) },
    peers: [
      { id: 'a', direction: 'in', ip: '127.0.0.1', sinceMs: 0, protocols: [] },
      { id: 'b', direction: 'out', ip: '127.0.0.1', sinceMs: 0, protocols: [] },
      { id: 'c', direction: 'out', ip: '127.0.0.1', sinceMs: 0, protocols: [] },
    ],
    gossip: {
      verdicts: new Map([['tx accept pool/pending', 4]]),
      counts: new Map([['batches', 2]]),
    },
    monitor: {
      charges: new Map([['gossip/invalid-tx', 3]]),
      bans: new Map([['urgent peer', 1]]),
      lifts: new Map([['expired', 2]]),
      active: new Map([['peer', 1]]),
      states: new Map([['good', 2]]),
      counts: new Map([['errors', 4]]),
      withheld: new Map(),
      totals: [],
      banLatency: { sumMs: 0, count: 0 },
      records: 5,
    },
    connector: {
      counts: new Map([['dialled', 6]]),
      phases: new Map([['good', 2]]),
      outboundShare: 0.5,
    },
    meshes: [{ topic: 'tx', size: 3 }],
    sync: {
      exchanges: new Map([['useful', 3]]),
      txs: 40,
      served: new Map([['ids', 5]]),
    },
    tracker: { tracked: 4, journaled: 3, resubmitted: 2, finished: new Map([['mined', 9]]) },
  }),
]

test('every series has our prefix, a unit or count ending, and a sentence', () => {
  for (const { name, help, kind } of series()) {
    expect(name).toMatch(/^rockpool_[a-z0-9_]+$/)
    expect(help).toMatch(/^[A-Z].*\.$/)
    if (kind === 'counter') expect(name).toMatch(/_total$/)
  }
})

test('no name appears twice', () => {
  const names = series().map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test('verdicts are labelled by topic, verdict and code; peers by direction', () => {
  const samplesOf = (wanted: string) => series().find(({ name }) => name === wanted)?.samples
  expect(samplesOf('rockpool_p2p_gossip_verdicts_total')).toEqual([
    { labels: { topic: 'tx', verdict: 'accept', code: 'pool/pending' }, value: 4 },
  ])
  expect(samplesOf('rockpool_p2p_bans_total')).toEqual([
    { labels: { by: 'urgent', kind: 'peer' }, value: 1 },
  ])
  expect(samplesOf('rockpool_p2p_monitor_errors_total')).toEqual([{ value: 4 }])
  expect(samplesOf('rockpool_p2p_peers')).toEqual([
    { labels: { direction: 'in' }, value: 1 },
    { labels: { direction: 'out' }, value: 2 },
  ])
  expect(samplesOf('rockpool_txpool_dropped_total')).toEqual([
    { labels: { reason: 'mined' }, value: 7 },
  ])
})

test('what happens to own transactions is told by numbers and reasons', () => {
  const valueOf = (name: string) => series().find(each => each.name === name)?.samples
  expect(valueOf('rockpool_txpool_tracked')).toEqual([{ value: 4 }])
  expect(valueOf('rockpool_txpool_journal_entries')).toEqual([{ value: 3 }])
  expect(valueOf('rockpool_txpool_resubmitted_total')).toEqual([{ value: 2 }])
  expect(valueOf('rockpool_txpool_untracked_total')).toEqual([
    { labels: { reason: 'mined' }, value: 9 },
  ])
})
