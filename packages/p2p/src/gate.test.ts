import type { Ban, GateEvent, Subject } from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { createBanBook } from './ban-book.ts'
import { createGate, type GateParts } from './gate.ts'

const now = 1_000
const mallory: Subject = { kind: 'peer', value: 'mallory' }
const address: Subject = { kind: 'ip', value: '203.0.113.7' }
const range: Subject = { kind: 'subnet', value: '203.0.113.0/24' }
const expired = now
const active = now + 1

const ban = (subject: Subject, untilMs: number | null): Ban => ({
  ...{
    subject,
    untilMs,
    fromMs: 0,
    reason: 'gossip/invalid-tx',
    evidence: [],
    count: 0,
    earlier: [],
  },
  by: untilMs === null ? 'operator' : 'monitor',
})

function scene(bans: readonly Ban[], parts: Partial<GateParts> = {}) {
  const book = createBanBook(bans)
  const gate = createGate({
    self: 'me',
    bans: book,
    isExempt: () => false,
    isConfigured: () => false,
    exemptIps: new Set(),
    wall: () => now,
    ...parts,
  })
  const allows = (event: GateEvent) => gate(event).allow
  const lifted = () => book.expire(now).map(({ subject }) => subject)
  const wasLifted = (subject: Subject) => book.find(subject)?.ended !== undefined
  return { gate, allows, book, lifted, wasLifted }
}

const dial: GateEvent = { hook: 'dial', peer: 'mallory' }
const dialAddr: GateEvent = { hook: 'dialAddr', addr: '/ip4/203.0.113.7/tcp/7625/p2p/mallory' }
const inbound: GateEvent = { hook: 'inbound', ip: '203.0.113.7' }
const secured: GateEvent = { hook: 'inboundEncrypted', peer: 'mallory', ip: '203.0.113.7' }

describe('a dial of a peer', () => {
  test('whose ban is over is allowed, and the ban noted as lifted', () => {
    const { allows, wasLifted } = scene([ban(mallory, expired)])

    expect(allows(dial)).toBe(true)
    expect(wasLifted(mallory)).toBe(true)
  })

  test('that is banned is denied', () => {
    expect(scene([ban(mallory, active)]).gate(dial)).toEqual({ allow: false, code: 'p2p/banned' })
  })

  test('that nobody knows is allowed', () => {
    expect(scene([]).allows(dial)).toBe(true)
  })

  test('that is blocked for good is denied', () => {
    expect(scene([ban(mallory, null)]).allows(dial)).toBe(false)
  })

  test('that is this node itself is denied', () => {
    expect(scene([]).gate({ hook: 'dial', peer: 'me' })).toEqual({
      allow: false,
      code: 'p2p/peer-is-self',
    })
  })
})

describe('a dial of an address', () => {
  test('whose ban is over is allowed, and the ban noted as lifted', () => {
    const { allows, wasLifted } = scene([ban(address, expired)])

    expect(allows(dialAddr)).toBe(true)
    expect(wasLifted(address)).toBe(true)
  })

  test.each([
    ['that is banned', address, active],
    ['that is blocked for good', address, null],
    ['in a range that is banned', range, active],
    ['in a range that is blocked for good', range, null],
  ])('%s is denied', (_, subject, untilMs) => {
    expect(scene([ban(subject, untilMs)]).allows(dialAddr)).toBe(false)
  })

  test('that nobody knows is allowed', () => {
    expect(scene([]).allows(dialAddr)).toBe(true)
  })

  test('of a peer whose ban is over is denied for its own ban; the peer is lifted', () => {
    const { allows, wasLifted } = scene([ban(mallory, expired), ban(address, active)])

    expect(allows(dialAddr)).toBe(false)
    expect(wasLifted(mallory)).toBe(true)
  })

  test('of a banned peer is denied without a look at the address', () => {
    const { allows, wasLifted } = scene([ban(mallory, active), ban(address, expired)])

    expect(allows(dialAddr)).toBe(false)
    expect(wasLifted(address)).toBe(false)
  })

  test('both of whose bans are over is allowed, and both are lifted', () => {
    const { allows, lifted } = scene([ban(mallory, expired), ban(address, expired)])

    expect(allows(dialAddr)).toBe(true)
    expect(lifted()).toEqual([mallory, address])
  })

  test('without an IP is allowed for configured peers and inside one process, else denied', () => {
    const { gate, allows } = scene([], { isConfigured: id => id === 'friend' })
    const to = (addr: string): GateEvent => ({ hook: 'dialAddr', addr })

    expect(allows(to('/dns4/node.example/tcp/7625/p2p/friend'))).toBe(true)
    expect(allows(to('/loop/friend/p2p/anybody'))).toBe(true)
    expect(gate(to('/dns4/node.example/tcp/7625/p2p/mallory'))).toEqual({
      allow: false,
      code: 'p2p/address-without-ip',
    })
    expect(allows(to('/dns4/node.example/tcp/7625'))).toBe(false)
  })

  test('of IPv6 that means an IPv4 address is that address', () => {
    const { allows } = scene([ban(address, active)])

    expect(allows({ hook: 'dialAddr', addr: '/ip6/::ffff:203.0.113.7/tcp/1/p2p/bob' })).toBe(false)
  })
})

describe('a connection from an address', () => {
  test.each([
    ['whose ban is over is allowed', address, expired, true],
    ['that is banned is denied', address, active, false],
    ['that is blocked for good is denied', address, null, false],
    ['in a banned range is denied', range, active, false],
    ['that nobody knows is allowed', mallory, active, true],
  ] as const)('%s', (_, subject, untilMs, allowed) => {
    expect(scene([ban(subject, untilMs)]).allows(inbound)).toBe(allowed)
  })
})

describe('a connection of a peer that has said who it is', () => {
  test.each([
    ['whose ban is over is allowed', expired, true],
    ['that is banned is denied', active, false],
    ['that is blocked for good is denied', null, false],
  ] as const)('%s', (_, untilMs, allowed) => {
    expect(scene([ban(mallory, untilMs)]).allows(secured)).toBe(allowed)
  })

  test('that nobody knows is allowed', () => {
    expect(scene([]).allows(secured)).toBe(true)
  })

  test('with a key that is not in its id is denied', () => {
    const peer = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'

    expect(scene([]).gate({ hook: 'inboundEncrypted', peer, ip: '203.0.113.7' })).toEqual({
      allow: false,
      code: 'identify/bad-key',
    })
  })
})

describe('a static peer', () => {
  const parts = { isExempt: (id: string) => id === 'mallory', exemptIps: new Set(['203.0.113.7']) }

  test('passes every ban', () => {
    const bans = [ban(mallory, null), ban(address, null), ban(range, null)]
    const { allows } = scene(bans, parts)

    expect([dial, dialAddr, inbound, secured].map(allows)).toEqual([true, true, true, true])
  })

  test('opens its address for nobody else', () => {
    const { allows } = scene([ban(address, active)], parts)

    expect(allows(inbound)).toBe(true)
    expect(allows({ hook: 'inboundEncrypted', peer: 'bob', ip: '203.0.113.7' })).toBe(false)
  })
})

test('an unban counts at the next dial', () => {
  const { allows, book } = scene([ban(mallory, active)])
  expect(allows(dial)).toBe(false)

  book.unban(mallory, false, now)

  expect(allows(dial)).toBe(true)
})
