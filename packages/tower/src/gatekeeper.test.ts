import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultTowerConfig } from './config.ts'
import { createGatekeeper } from './gatekeeper.ts'
import { createRates } from './rate.ts'
import { aKey, sha256, testCrypto } from './testkit/crypto.ts'

const user = aKey(0x11).id

function aGate(config: Partial<typeof defaultTowerConfig> = {}) {
  return createGatekeeper({
    config: { ...defaultTowerConfig, subscriptionSlots: 10, ...config },
    isPublicKey: testCrypto.isPublicKey,
    sha256,
  })
}

const wish = (height: number) => ({ user, address: 'a', nowMs: 0, height, rows: 0 })

test('tower B39 B50: of every user free, held and returning slots are all that were granted', () => {
  const act = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), slots: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('drop' as const) }),
    fc.record({ kind: fc.constant('back' as const) }),
    fc.record({ kind: fc.constant('register' as const) }),
    fc.record({ kind: fc.constant('block' as const), by: fc.integer({ min: 1, max: 200 }) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), acts => {
      const gate = aGate({ maxSubscriptionBlocks: 1_000_000 })
      const held: number[] = []
      let height = 0
      gate.register(wish(height))
      for (const each of acts) {
        if (each.kind === 'register') gate.register(wish(height))
        if (each.kind === 'block') {
          height += each.by
          gate.takeReturns(height)
        }
        if (each.kind === 'add') {
          const change = { used: 0, wanted: each.slots, isNew: true }
          const fits = gate.canHold(user, change, 100)
          expect(fits).toBe((gate.get(user)?.free ?? 0) >= each.slots)
          if (fits) {
            gate.charge(user, each.slots, 1)
            held.push(each.slots)
          }
        }
        const slots = each.kind === 'drop' || each.kind === 'back' ? held.pop() : undefined
        if (each.kind === 'drop' && slots !== undefined) gate.charge(user, -slots, -1)
        if (each.kind === 'back' && slots !== undefined)
          gate.giveBackLater({ user, until: height + 144, slots })
        const row = gate.get(user)
        const sum = held.reduce((all, one) => all + one, 0)
        expect((row?.free ?? 0) + sum + gate.returning(user)).toBe(row?.total)
        expect(row?.held).toBe(held.length)
        expect(gate.free).toBe(row?.free)
      }
    }),
  )
})

test('tower B41 B42: the end of a subscription is exact, and so is the end of what it left', () => {
  const gate = aGate({ subscriptionDuration: 5 })
  gate.register(wish(10))
  const asks = { unknown: 'tower/unknown-user' as const, nowMs: 0, kind: 'read' as const }

  expect(gate.admit(user, { ...asks, height: 14 }).ok).toBe(true)
  expect(gate.admit(user, { ...asks, height: 15 })).toMatchObject({
    message: 'Your subscription expired at 15',
  })
  expect(gate.admit(undefined, { ...asks, height: 14 })).toMatchObject({
    code: 'tower/unknown-user',
  })
  expect(gate.outdated(20)).toEqual([])
  expect(gate.outdated(21).map(row => row.user)).toEqual([user])
})

test('tower B49 B55: what is unknown is removed without effect', () => {
  const gate = aGate()
  gate.remove(user)

  expect([gate.size, gate.free]).toEqual([0, 0])
  expect(gate.get(user)).toBeUndefined()
  expect(gate.charge(user, 1, 1)).toEqual([])
})

test('a rate refills with time and never above its burst, and of too many names the one not heard of longest is forgotten', () => {
  const rates = createRates({ perSecond: 2, burst: 3 }, 2)
  const take = (name: string, at: number) => rates.take(name, at)

  expect([take('a', 0), take('a', 0), take('a', 0), take('a', 0)]).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect([take('a', 500), take('a', 500)]).toEqual([true, false])
  expect([take('a', 99_999), take('a', 99_999), take('a', 99_999), take('a', 99_999)]).toEqual([
    true,
    true,
    true,
    false,
  ])
  take('b', 99_999)
  take('c', 99_999)
  expect(rates.size()).toBe(2)
  expect(take('a', 99_999)).toBe(true)
})
