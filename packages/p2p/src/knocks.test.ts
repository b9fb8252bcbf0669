import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createDoor } from './door.ts'
import { createKnocks } from './knocks.ts'

const ip = '203.0.113.7'

test('an address nobody was refused from is not slowed, another of the same /56 is', () => {
  const knocks = createKnocks()
  knocks.refuse('2001:db8:0:100::1', 0)

  expect(Array.from({ length: 50 }, () => knocks.admits(ip, 0))).not.toContain(false)
  expect(knocks.admits('2001:db8:0:1ff::2', 1)).toBe(false)
})

test('who is refused and dials ten times a second gets twice a second as far as its name', () => {
  const knocks = createKnocks()
  knocks.refuse(ip, 0)
  const admitted: number[] = []
  for (let now = 100; now <= 5_000; now += 100) {
    if (!knocks.admits(ip, now)) continue
    admitted.push(now)
    knocks.refuse(ip, now)
  }

  expect(admitted).toEqual([500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000])
})

test('a minute after the last refusal the address is as any other, and after a clock that went back', () => {
  const knocks = createKnocks()
  knocks.refuse(ip, 100_000)
  expect(knocks.admits(ip, 100_499)).toBe(false)
  expect(knocks.admits(ip, 160_000)).toBe(true)
  expect(knocks.admits(ip, 160_001)).toBe(true)

  knocks.refuse(ip, 200_000)
  expect(knocks.admits(ip, 100_000)).toBe(true)
})

test('of more addresses than are remembered the oldest is forgotten', () => {
  const knocks = createKnocks()
  for (let index = 0; index <= limits.refusedGroupsMax; index++) {
    knocks.refuse(`10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`, 0)
  }

  expect(knocks.admits('10.0.0.0', 1)).toBe(true)
  expect(knocks.admits('10.0.0.1', 1)).toBe(false)
})

test('a banned peer that dials on is braked before it says who it is; a static address never is', () => {
  let nowMs = 0
  const allow = { allow: true } as const
  const door = createDoor({
    gate: event =>
      event.hook === 'inboundEncrypted' && event.peer === 'evil'
        ? { allow: false, code: 'p2p/banned' }
        : allow,
    room: () => allow,
    exemptIps: new Set(['198.51.100.9']),
    wall: () => nowMs,
  })
  const knock = (at: string) => door({ hook: 'inbound', ip: at })
  for (const at of [ip, '198.51.100.9']) {
    expect(door({ hook: 'inboundEncrypted', peer: 'evil', ip: at })).toMatchObject({ allow: false })
  }
  nowMs = 100

  expect(knock(ip)).toEqual({ allow: false, code: 'p2p/refused-lately' })
  expect(knock('198.51.100.9')).toEqual(allow)
  nowMs = 600
  expect(knock(ip)).toEqual(allow)
  expect(door({ hook: 'inboundEncrypted', peer: 'honest', ip })).toEqual(allow)
})
