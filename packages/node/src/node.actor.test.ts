import { createTestBus } from '@rockpool/actor'
import type { ChainHead, ChainSyncing, HealthView, NodeMessage, PeerView } from '@rockpool/protocol'
import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { type LifecycleParts, node } from './node.actor.ts'

const peer: PeerView = {
  id: '12D3KooWpeer',
  direction: 'out',
  ip: '127.0.0.1',
  sinceMs: 0,
  protocols: [],
}
const head = { type: 'chain.head' } as ChainHead
const at = { start: 5, current: 5, highest: 5 }
const settled: ChainSyncing = { type: 'chain.syncing', on: false, ...at, settled: true }
const behind = (on: boolean): ChainSyncing => ({ type: 'chain.syncing', on, ...at, highest: 99 })

/** A node actor that has come as far as serving. */
function served(parts: Partial<LifecycleParts> = {}) {
  const views: HealthView[] = []
  const bed = createTestBus()
  const ref = bed.bus.declare<NodeMessage>('node')
  bed.bus.spawn(
    ref,
    node({
      version: '0.1.0',
      services: ['rpc', 'p2p'],
      expectsPeers: true,
      blockTimeMs: 2_000,
      publish: view => views.push(view),
      ...parts,
    }),
  )
  const tell = (...messages: NodeMessage[]) => {
    for (const message of messages) ref.tell(message)
    bed.run()
  }
  const step = (...steps: Extract<NodeMessage, { type: 'node.advance' }>['to'][]) =>
    tell(...steps.map(to => ({ type: 'node.advance' as const, to })))
  return { ...bed, tell, step, view: () => views.at(-1) as HealthView, views }
}

const toServing = ['opening', 'recovering', 'starting', 'syncing'] as const

test('a node walks through its start in order and is ready when it serves', () => {
  const bed = served({ expectsPeers: false })
  const states: string[] = []
  for (const to of toServing) {
    bed.step(to)
    states.push(bed.view().state)
  }

  expect(states).toEqual(['opening', 'recovering', 'starting', 'ready'])
  expect(bed.view()).toMatchObject({
    ready: true,
    live: true,
    started: true,
    services: { rpc: true, p2p: true },
  })
})

test('a step out of order changes nothing', () => {
  const bed = served()
  bed.step('starting', 'syncing')
  expect(bed.view()).toMatchObject({ state: 'booting', started: false, ready: false })
})

test('a node that misses its peers for 30 s says so, and only its p2p service is down', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell(settled)

  bed.advance(29_999)
  expect(bed.view().state).toBe('ready')
  bed.advance(1)
  expect(bed.view()).toMatchObject({
    state: 'degraded',
    ready: false,
    services: { rpc: true, p2p: false },
  })
  expect(bed.view().reasons.map(reason => reason.code)).toEqual(['no-peers'])

  bed.tell({ type: 'peer.opened', peer })
  expect(bed.view()).toMatchObject({ state: 'ready', ready: true, reasons: [] })
  bed.tell({ type: 'peer.closed', peer: peer.id, heldMs: 1 })
  bed.advance(30_000)
  expect(bed.view().state).toBe('degraded')
})

test('a network of one misses nobody', () => {
  const bed = served({ expectsPeers: false })
  bed.step(...toServing)
  bed.advance(3_600_000)
  expect(bed.view().state).toBe('ready')
})

test('a head older than ten block times is a warning that ends with the next head', () => {
  const bed = served({ expectsPeers: false })
  bed.step(...toServing)
  bed.tell(head)
  bed.advance(19_999)
  expect(bed.view().reasons).toEqual([])
  bed.advance(1)
  expect(bed.view()).toMatchObject({ state: 'ready', ready: true })
  expect(bed.view().reasons.map(reason => reason.code)).toEqual(['stale-head'])
  bed.tell(head)
  expect(bed.view().reasons).toEqual([])
})

test('a draining node is not ready, and nothing leads back', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell({ type: 'node.drain' })
  expect(bed.view()).toMatchObject({ state: 'draining', ready: false, live: true })
  bed.step('syncing', 'failed')
  bed.tell({ type: 'node.drain' }, { type: 'peer.opened', peer })
  expect(bed.view().state).toBe('draining')
})

test('a failed start is no longer live', () => {
  const bed = served()
  bed.step('opening', 'failed')
  expect(bed.view()).toMatchObject({ state: 'failed', live: false, ready: false })
})

test('a reason raised twice keeps its first instant', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell(settled)
  const reason = { code: 'crypto-fallback', services: [], text: 'slow' } as const
  bed.tell({ type: 'node.raise', reason })
  const first = bed.view().reasons[0]?.sinceMs
  bed.advance(5_000)
  bed.tell({ type: 'node.raise', reason })
  expect(bed.view().reasons).toEqual([{ ...reason, sinceMs: first }])
  expect(bed.view().ready).toBe(true)
})

test('a node that is far behind is syncing and not ready, and ready again when it is in step', () => {
  const bed = served({ expectsPeers: false })
  const syncing = (on: boolean) =>
    bed.tell({ type: 'chain.syncing', on, start: 0, current: 1, highest: 99 })
  bed.step('opening', 'recovering', 'starting')
  syncing(true)
  bed.step('syncing')
  expect(bed.view()).toMatchObject({ state: 'syncing', ready: false, started: true, live: true })
  syncing(false)
  expect(bed.view()).toMatchObject({ state: 'ready', ready: true })
  syncing(true)
  expect(bed.view()).toMatchObject({ state: 'syncing', ready: false })
})

test('a node that expects peers is not ready before it knows where they are', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell({ type: 'peer.opened', peer })
  expect(bed.view()).toMatchObject({ state: 'syncing', ready: false, started: true, live: true })

  bed.tell(settled)
  expect(bed.view()).toMatchObject({ state: 'ready', ready: true })
})

test('what the chain knew before anybody is served counts', () => {
  const bed = served()
  bed.step('opening', 'recovering', 'starting')
  bed.tell(settled)
  bed.step('syncing')
  expect(bed.view().state).toBe('ready')
})

test('a started node that was behind is ready when all is here, not when little is missing', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell({ type: 'peer.opened', peer }, behind(true))
  bed.advance(10 * limits.settleMs)
  expect(bed.view().state).toBe('syncing')
  bed.tell(behind(false))
  expect(bed.view().state).toBe('syncing')
  bed.tell(settled)
  expect(bed.view().state).toBe('ready')
})

test('peers that never tell where they are keep a node from serving for ten seconds and no longer', () => {
  const bed = served()
  bed.step(...toServing)
  bed.advance(limits.settleMs - 1)
  expect(bed.view().state).toBe('syncing')
  bed.advance(1)
  expect(bed.view()).toMatchObject({ state: 'ready', ready: true })
})

test('peers that leave a node half way keep it from serving for ten more seconds', () => {
  const bed = served()
  bed.step(...toServing)
  bed.tell(behind(true), behind(false))
  bed.advance(limits.settleMs - 1)
  expect(bed.view().state).toBe('syncing')
  bed.advance(1)
  expect(bed.view().state).toBe('ready')
})

test('a slow chain clock gives heads more time', () => {
  const bed = served({ expectsPeers: false })
  bed.step(...toServing)
  bed.tell({ type: 'chain.clockSet', wallMs: 0, chainMs: 0, speed: 0.1 }, head)
  bed.advance(199_999)
  expect(bed.view().reasons).toEqual([])
  bed.advance(1)
  expect(bed.view().reasons.map(reason => reason.code)).toEqual(['stale-head'])
})
