import type { GateEvent, PeerView } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConnectionWish, connectionPolicy } from './connection-policy.ts'
import { coolDownMs } from './cool-down.ts'
import { privateRange } from './private-range.ts'
import { type Held, toPrune } from './pruning.ts'
import { createRoom } from './room.ts'

const wish: ConnectionWish = {
  ...{ profile: 'public', lo: 20, hi: 30, max: 40, graceMs: 30_000, isBootnode: false },
}

const peer = (index: number, wish: Partial<PeerView> = {}): PeerView => ({
  ...{ id: `p${index}`, direction: 'in', ip: `203.0.${index}.1`, sinceMs: index, protocols: [] },
  ...wish,
})
const peers = (count: number, each: Partial<PeerView> = {}, from = 0): PeerView[] =>
  Array.from({ length: count }, (_, index) => peer(from + index, each))

function roomFor(there: readonly PeerView[], change: Partial<ConnectionWish> = {}) {
  const room = createRoom({
    policy: connectionPolicy({ ...wish, ...change }),
    peers: () => there,
    isExempt: id => id === 'static',
    exemptIps: new Set(['198.51.100.9']),
  })
  return (event: GateEvent) => {
    const decision = room(event)
    return decision.allow ? 'allow' : decision.code
  }
}

const enters = (id: string, ip = '198.51.100.1'): GateEvent => ({
  hook: 'inboundEncrypted',
  peer: id,
  ip,
})

describe('room', () => {
  test('inbound peers fill all but the places of those this node chooses', () => {
    expect(roomFor(peers(21))(enters('new'))).toBe('allow')
    expect(roomFor(peers(22))(enters('new'))).toBe('p2p/too-many-peers')
    expect(roomFor(peers(22, { direction: 'out' }))(enters('new'))).toBe('allow')
    expect(roomFor(peers(30), { profile: 'devnet' })(enters('new'))).toBe('p2p/too-many-peers')
    expect(roomFor(peers(29), { profile: 'devnet' })(enters('new'))).toBe('allow')
  })

  test('a bootnode takes callers up to its maximum', () => {
    expect(roomFor(peers(39), { isBootnode: true })(enters('new'))).toBe('allow')
    expect(roomFor(peers(40), { isBootnode: true })(enters('new'))).toBe('p2p/too-many-peers')
  })

  test('a static peer and a second connection of a peer always fit', () => {
    expect(roomFor(peers(60))(enters('static'))).toBe('allow')
    expect(roomFor(peers(60))(enters('p3'))).toBe('allow')
  })

  test('who has not said who it is finds ten more places, and a static address always', () => {
    const inbound = (ip: string): GateEvent => ({ hook: 'inbound', ip })
    expect(roomFor(peers(49))(inbound('198.51.100.1'))).toBe('allow')
    expect(roomFor(peers(50))(inbound('198.51.100.1'))).toBe('p2p/too-many-peers')
    expect(roomFor(peers(50))(inbound('198.51.100.9'))).toBe('allow')
  })

  test('of one address four are let in; of a private one as many as there are where neighbours are usual', () => {
    const crowd = (ip: string) => peers(4, { ip })
    expect(roomFor(crowd('203.0.113.1').slice(1))(enters('new', '203.0.113.1'))).toBe('allow')
    expect(roomFor(crowd('203.0.113.1'))(enters('new', '203.0.113.1'))).toBe(
      'p2p/too-many-from-address',
    )
    expect(roomFor(crowd('2001:db8:0:100::1'))(enters('new', '2001:db8:0:1ff::9'))).toBe(
      'p2p/too-many-from-address',
    )
    expect(
      roomFor(peers(20, { ip: '127.0.0.1' }), { profile: 'small' })(enters('new', '127.0.0.1')),
    ).toBe('allow')
    expect(roomFor(crowd('127.0.0.1'))(enters('new', '127.0.0.1'))).toBe(
      'p2p/too-many-from-address',
    )
    expect(roomFor(crowd('198.51.100.9'))(enters('new', '198.51.100.9'))).toBe('allow')
  })
})

describe('who has to go', () => {
  const held = (id: string, more: Partial<Held> = {}): Held => ({
    ...{ id, direction: 'in', sinceMs: 0, total: 0 },
    ...{ isQuarantined: false, isExempt: false, isShared: true },
    ...more,
  })
  const elders = Array.from({ length: 8 }, (_, index) => held(`elder${index}`, { sinceMs: -1 }))
  const policy = (hi: number) => connectionPolicy({ ...wish, lo: 5, hi })

  test('the quarantined, then strangers, then the suspect, then the lowest score, then the newest', () => {
    const rest = [
      held('newest', { sinceMs: 9 }),
      held('older', { sinceMs: 5 }),
      held('low', { total: -10 }),
      held('suspect', { total: -51 }),
      held('stranger', { isShared: false, total: 20 }),
      held('quarantined', { isQuarantined: true, total: -200 }),
    ]

    expect(toPrune([...elders, ...rest], policy(8))).toEqual([
      ...['quarantined', 'stranger', 'suspect', 'low', 'newest', 'older'],
    ])
    expect(toPrune([...elders, ...rest], policy(12))).toEqual(['quarantined', 'stranger'])
  })

  test('static and protected peers, the eldest and the outbound quota stay', () => {
    const kept = [
      ...[held('static', { isExempt: true, total: -200 }), held('out1', { direction: 'out' })],
      held('out2', { direction: 'out', total: -5 }),
    ]

    expect(toPrune([...elders, ...kept], policy(5))).toEqual([])
    expect(toPrune([...elders, ...kept, held('out3', { direction: 'out' })], policy(5))).toEqual([
      'out2',
    ])
  })

  test('never more than the surplus, whatever the peers are like', () => {
    const aPeer = fc.record({
      id: fc.uuid(),
      direction: fc.constantFrom('in' as const, 'out' as const),
      sinceMs: fc.nat(),
      total: fc.integer({ min: -200, max: 20 }),
      isQuarantined: fc.boolean(),
      isExempt: fc.boolean(),
      isShared: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.uniqueArray(aPeer, { selector: ({ id }) => id, maxLength: 60 }), all => {
        const gone = toPrune(all, policy(30))
        expect(gone.length).toBeLessThanOrEqual(Math.max(0, all.length - 30))
        expect(all.filter(({ id, isExempt }) => isExempt && gone.includes(id))).toEqual([])
      }),
    )
  })
})

describe('a peer that closed is left alone', () => {
  const bye = (code: number, retryAfterSeconds = 0) => ({
    heldMs: 60_000,
    goodbye: { code, retryAfterSeconds, text: '' },
  })
  const minute = 60_000

  test.each([
    ['shutting down', bye(1), minute],
    ['irrelevant network', bye(2), 60 * minute],
    ['fault', bye(3), 5 * minute],
    ['unable to verify', bye(128), 5 * minute],
    ['too many peers', bye(129), 5 * minute],
    ['score too low', bye(250), 10 * minute],
    ['score too low, back in a second', bye(250, 1), 1_000],
    ['score too low, back in ten years', bye(250, 315_360_000), 60 * minute],
    ['banned', bye(251), 10 * minute],
    ['banned for two hours', bye(251, 7_200), 120 * minute],
    ['banned for ten years', bye(251, 315_360_000), 24 * 60 * minute],
    ['a code nobody knows', bye(77), 5 * minute],
    ['a connection that broke', { heldMs: 2_000 }, 0],
    ['a refusal', { heldMs: 1_999 }, minute],
  ])('after %s', (_, end, ms) => {
    expect(coolDownMs(end, 0)).toBe(ms)
  })

  test('longer with each refusal in a row, up to an hour', () => {
    const waits = [0, 1, 2, 5, 6, 100].map(refusals => coolDownMs({ heldMs: 0 }, refusals) / minute)

    expect(waits).toEqual([1, 2, 4, 32, 60, 60])
  })
})

test.each([
  ['127.0.0.1', '127.0.0.0/8'],
  ['10.1.2.3', '10.0.0.0/8'],
  ['172.31.255.255', '172.16.0.0/12'],
  ['172.32.0.0', undefined],
  ['::ffff:192.168.0.1', '192.168.0.0/16'],
  ['100.64.0.1', '100.64.0.0/10'],
  ['::1', '::1/128'],
  ['fd12::1', 'fc00::/7'],
  ['fe80::1', 'fe80::/10'],
  ['2001:db8::1', undefined],
  ['8.8.8.8', undefined],
  ['', 'process'],
])('%s is in the private range %s', (ip, range) => {
  expect(privateRange(ip)).toBe(range)
})
