import { describe, expect, test } from 'vitest'
import { createTestBus } from './test-bus.ts'
import { foreign, tripwire } from './tripwire.ts'

type Msg = { type: 'pool.add' }

function inTurn(act: () => unknown) {
  const { bus, clock, fatals, run } = createTestBus()
  const told: string[] = []
  const wire = tripwire({
    where: () => bus.where(),
    now: () => clock.now(),
    wall: () => clock.wall(),
    random: () => 0.25,
    onViolation: text => told.push(text),
  })
  let result: unknown
  try {
    bus.spawn<Msg>('pool', () => () => {
      result = act()
    })
    const ref = bus.roots.get('pool')
    ref?.tell({ type: 'pool.add' })
    run()
  } finally {
    wire.remove()
  }
  return { result, told, violations: wire.violations, calls: wire.foreignCalls(), fatals }
}

describe('inside a turn', () => {
  test.each<[string, () => unknown]>([
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['performance.now', () => performance.now()],
    ['Math.random', () => Math.random()],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))],
    ['crypto.subtle.digest', () => crypto.subtle.digest('SHA-256', new Uint8Array(1))],
    ['setTimeout', () => setTimeout(() => {}, 0)],
    ['setInterval', () => setInterval(() => {}, 0)],
    ['setImmediate', () => setImmediate(() => {})],
    ['queueMicrotask', () => queueMicrotask(() => {})],
    ['fetch', () => fetch('x:')],
    ['process.hrtime', () => process.hrtime()],
    ['process.nextTick', () => process.nextTick(() => {})],
    ['AbortSignal.timeout', () => AbortSignal.timeout(1)],
    ['console.log', () => console.log('x')],
  ])('%s is a violation, recorded and thrown', (name, act) => {
    const { told, violations, fatals } = inTurn(act)

    expect(told).toEqual([`${name} inside /pool on pool.add #1`])
    expect(violations).toEqual(told)
    expect(fatals).toHaveLength(1)
  })

  test('a date made of a value is none', () => {
    expect(inTurn(() => new Date(0).getTime()).result).toBe(0)
  })

  test('foreign code gets virtual time and chance, and is counted', () => {
    const { result, calls, violations } = inTurn(() =>
      foreign(() => [Date.now(), performance.now(), Math.random(), new Date().getTime()]),
    )

    expect(result).toEqual([1_700_000_000_000, 0, 0.25, 1_700_000_000_000])
    expect([calls, violations]).toEqual([4, []])
  })
})

test('outside of turns everything passes through, and removal restores the globals', () => {
  const originals = [Date, Date.now, Math.random, setTimeout, performance.now]
  const wire = tripwire({
    where: () => undefined,
    now: () => 0,
    wall: () => 0,
    random: () => 0,
    onViolation: () => {},
  })
  expect(Date.now()).toBeGreaterThan(0)

  wire.remove()

  expect([Date, Date.now, Math.random, setTimeout, performance.now]).toEqual(originals)
  expect(wire.violations).toEqual([])
})
