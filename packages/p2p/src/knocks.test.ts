import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createDoor } from './door.ts'
import { createKnocks } from './knocks.ts'

const ip = '203.0.113.7'

/** So many refusals at one instant. */
function refuse(knocks: ReturnType<typeof createKnocks>, from: string, count: number, at: number) {
  for (let index = 0; index < count; index++) knocks.refuse(from, at)
}

test('four refusals slow nobody, the fifth the whole /56 and no other address', () => {
  const knocks = createKnocks()
  refuse(knocks, '2001:db8:0:100::1', 4, 0)
  expect(knocks.admits('2001:db8:0:1ff::2', 1)).toBe(true)
  refuse(knocks, '2001:db8:0:100::1', 1, 0)

  expect(knocks.admits('2001:db8:0:1ff::2', 1)).toBe(false)
  expect(Array.from({ length: 50 }, () => knocks.admits(ip, 0))).not.toContain(false)
})

test('who is refused and dials ten times a second gets twice a second as far as its name', () => {
  const knocks = createKnocks()
  let looked = 0
  for (let now = 0; now < 20_000; now += 100) {
    if (!knocks.admits(ip, now)) continue
    looked += 1
    knocks.refuse(ip, now)
  }

  // Five before it is noticed.
  expect(looked).toBeLessThanOrEqual(5 + 2 * 20)
  expect(looked).toBeGreaterThan(2 * 18)
})

test('ten seconds after the refusals the address is as any other, and after a clock that went back', () => {
  const knocks = createKnocks()
  refuse(knocks, ip, 5, 100_000)
  expect(knocks.admits(ip, 100_499)).toBe(false)
  expect(knocks.admits(ip, 110_000)).toBe(true)
  expect(knocks.admits(ip, 110_001)).toBe(true)

  refuse(knocks, ip, 5, 200_000)
  expect(knocks.admits(ip, 100_000)).toBe(true)
})

test('of more addresses than are remembered the oldest is forgotten', () => {
  const knocks = createKnocks()
  const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`
  for (let index = 0; index <= limits.refusedGroupsMax; index++)
    refuse(knocks, addressOf(index), 5, 0)

  expect(knocks.admits(addressOf(0), 1)).toBe(true)
  expect(knocks.admits(addressOf(1), 1)).toBe(false)
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
  for (const at of Array(5).fill([ip, '198.51.100.9']).flat()) {
    expect(door({ hook: 'inboundEncrypted', peer: 'evil', ip: at })).toMatchObject({ allow: false })
  }
  nowMs = 100

  expect(knock(ip)).toEqual({ allow: false, code: 'p2p/refused-lately' })
  expect(knock('198.51.100.9')).toEqual(allow)
  nowMs = 600
  expect(knock(ip)).toEqual(allow)
  expect(door({ hook: 'inboundEncrypted', peer: 'honest', ip })).toEqual(allow)
})
