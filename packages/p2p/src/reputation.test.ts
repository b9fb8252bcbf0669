import { limits, type PeerId } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chargeOf, charges, creditOf } from './reasons.ts'
import { createReputation, decayed, type Reputation } from './reputation.ts'

const begin = 1_700_000_000_000
const at = (ms: number) => begin + ms
const severe = 'gossip/invalid-tx'

function charge(held: Reputation, ms: number, evidence: string, reason = severe, id = 'a') {
  return held.charge(id, { reason, evidence }, at(ms))
}

const reasons = Object.keys(charges) as (keyof typeof charges)[]
const ofClass = (of: string) => reasons.filter(reason => charges[reason].class === of)

test('a reason that is not in the registry is a bug of the caller', () => {
  expect(() => chargeOf('gossip/ugly')).toThrow('no charge is called gossip/ugly')
  expect(() => chargeOf('toString')).toThrow()
  expect(() => creditOf('credit/charm')).toThrow()
})

test('of a peer nobody has spoken of nothing is held', () => {
  expect(createReputation().own('nobody', begin)).toBe(0)
})

describe('a debit', () => {
  test.each([
    [-40, 60_000, -37.32132],
    [-40, 600_000, -20],
    [-200, 1_800_000, -25],
  ])('of %d is after %d ms %d', (debit, ms, left) => {
    expect(decayed(debit, begin, at(ms))).toBeCloseTo(left, 6)
  })

  test('of three severe charges a second apart adds up as the half-life says', () => {
    const held = createReputation()
    const totals = [0, 1, 2].map(second => charge(held, second * 1_000, `m${second}`)?.total)

    expect(totals[0]).toBe(-40)
    expect(totals[1]).toBeCloseTo(-79.953817, 6)
    expect(totals[2]).toBeCloseTo(-119.861504, 6)
  })

  test('below one point reads as nothing', () => {
    const held = createReputation()
    charge(held, 0, '', 'liveness/sync-timeout')

    expect(held.own('a', at(599_999))).toBeLessThan(-1)
    expect(held.own('a', at(600_001))).toBe(0)
  })

  test('does not grow when the wall clock steps back', () => {
    const held = createReputation()
    charge(held, 0, 'm0')

    expect(held.own('a', at(-3_600_000))).toBe(-40)
  })

  test('goes no lower than -200', () => {
    const held = createReputation()
    for (let message = 0; message < 9; message++) charge(held, 0, `m${message}`)

    expect(held.own('a', begin)).toBe(-200)
  })

  test('of one peer is not that of another', () => {
    const held = createReputation()
    charge(held, 0, 'm0')

    expect(held.own('b', begin)).toBe(0)
  })
})

describe('the same offence', () => {
  test('with the same evidence is charged once, with other evidence again', () => {
    const held = createReputation()

    expect(charge(held, 0, 'm0')?.delta).toBe(-40)
    expect(charge(held, 999_000, 'm0')).toBeUndefined()
    expect(charge(held, 0, 'm1')?.delta).toBe(-40)
  })

  test.each([...ofClass('behaviour'), ...ofClass('liveness')])(
    'called %s is free again within half a minute and charged after it',
    reason => {
      const held = createReputation()
      charge(held, 0, '', reason)

      expect(charge(held, 29_999, '', reason)).toBeUndefined()
      expect(charge(held, 30_000, '', reason)).toBeDefined()
    },
  )

  test('by another peer is charged there', () => {
    const held = createReputation()
    charge(held, 0, 'm0')

    expect(charge(held, 0, 'm0', severe, 'b')?.delta).toBe(-40)
  })
})

describe('liveness', () => {
  test('alone stops at -90 and adds nothing to what is lower already', () => {
    const held = createReputation()
    charge(held, 0, 'm0')
    charge(held, 0, 'm1')
    charge(held, 0, '', 'rate/wire')
    expect(held.own('a', begin)).toBe(-90)
    expect(charge(held, 0, '', 'liveness/sync-timeout')?.delta).toBe(0)

    charge(held, 0, 'm2')
    expect(charge(held, 0, '', 'liveness/request-timeout')?.delta).toBe(0)
    expect(held.own('a', begin)).toBe(-130)
  })

  test('cuts a charge that would pass -90', () => {
    const held = createReputation()
    charge(held, 0, 'm0')
    charge(held, 0, 'm1')
    for (let ms = 0; ms < 5; ms++) charge(held, ms * 30_000, '', 'liveness/sync-timeout')
    charge(held, 150_000, '', 'rate/wire')
    charge(held, 150_000, '', 'rate/request')

    const before = held.score('a', at(150_000)).debit
    const delta = charge(held, 150_000, '', 'liveness/request-timeout')?.delta ?? 0

    expect(delta).toBeCloseTo(Math.max(-2, Math.min(0, -90 - before)), 9)
  })
})

describe('credit', () => {
  test('adds up to 20 and no more, and pays for what is not provable', () => {
    const held = createReputation()
    held.credit('a', 'credit/sync', 100, begin)
    charge(held, 0, '', 'rate/wire')

    expect(held.score('a', begin)).toMatchObject({ debit: -10, credit: 20 })
  })

  test('is gone with a severe provable charge, and none is booked for ten minutes', () => {
    const held = createReputation()
    held.credit('a', 'credit/sync', 40, begin)
    charge(held, 0, 'm0')
    held.credit('a', 'credit/sync', 40, at(599_999))
    expect(held.score('a', at(599_999)).credit).toBe(0)

    held.credit('a', 'credit/sync', 40, at(600_000))
    expect(held.score('a', at(600_000)).credit).toBe(20)
  })

  test('of small parts is not lost', () => {
    const held = createReputation()
    for (let tx = 0; tx < 40; tx++) held.credit('a', 'credit/first-delivery', 1, begin)

    expect(held.own('a', begin)).toBeCloseTo(2, 9)
  })
})

describe('a ban', () => {
  test('freezes the debit until its end', () => {
    const held = createReputation()
    charge(held, 0, 'm0')
    held.freeze('a', at(3_600_000), severe, begin)

    expect(held.own('a', at(3_600_000))).toBe(-40)
    expect(held.own('a', at(4_200_000))).toBe(-20)
  })

  test('leaves a debit of at most 50 behind and no credit: two more severe offences ban again', () => {
    const held = createReputation()
    for (const message of ['m0', 'm1', 'm2']) charge(held, 0, message)
    held.freeze('a', at(3_600_000), severe, begin)
    held.lift('a', at(3_600_000))

    expect(held.score('a', at(3_600_000))).toMatchObject({ debit: -50, credit: 0 })
    charge(held, 3_600_000, 'm3')
    expect(held.own('a', at(3_600_000))).toBe(-90)
    charge(held, 3_600_000, 'm4')
    expect(held.own('a', at(3_600_000))).toBe(-130)
  })

  test('that has ended counts as ended before anybody carries that out, and new offences add to it', () => {
    const held = createReputation()
    held.credit('a', 'credit/sync', 40, begin)
    for (const message of ['m0', 'm1', 'm2']) charge(held, 0, message)
    held.freeze('a', at(1_000), severe, begin)
    expect(held.own('a', at(999))).toBe(-120)
    expect(held.score('a', at(1_000))).toMatchObject({ debit: -50, credit: 0 })

    charge(held, 1_000, 'm3')
    charge(held, 1_000, 'm4')
    expect(held.own('a', at(1_000))).toBe(-130)
    held.lift('a', at(1_000))
    expect(held.own('a', at(1_000))).toBe(-130)
  })

  test('ended by an operator leaves no debit; forgetting leaves no history either', () => {
    const held = createReputation()
    charge(held, 0, 'm0')
    held.forgive('a', false, at(1))
    expect(held.own('a', at(1))).toBe(0)
    expect(held.get('a')?.history.entries).toHaveLength(2)

    held.forgive('a', true, at(2))
    expect(held.get('a')).toBeUndefined()
  })
})

test('the last 64 entries of a history are kept', () => {
  const held = createReputation()
  for (let entry = 0; entry < 70; entry++) charge(held, entry, `m${entry}`)

  const history = held.get('a')?.history.entries ?? []
  expect(history).toHaveLength(limits.reputationHistoryMax)
  expect([history[0]?.evidence, history.at(-1)?.evidence]).toEqual(['m6', 'm69'])
})

describe('of more peers than are held', () => {
  const full = (bad: number) => {
    const held = createReputation()
    for (let index = 0; index < limits.reputationPeersMax; index++) {
      const id = `p${index}`
      held.credit(id, 'credit/sync', 4, at(index))
      if (index < bad) held.charge(id, { reason: severe, evidence: id }, at(index))
    }
    return held
  }

  test('those nearest to zero go, the oldest first; never a connected one', () => {
    const held = full(0)
    held.opened('p0')

    held.credit('new', 'credit/sync', 4, at(5_000))

    expect(held.size).toBeLessThanOrEqual(limits.reputationPeersMax)
    expect([held.get('p0') !== undefined, held.get('new') !== undefined]).toEqual([true, true])
    expect(held.evicted).toBe(limits.reputationEvictedMax)
  })

  test('the worst third and the banned stay', () => {
    const held = full(100)
    held.freeze('p4000', at(9_999_999), severe, at(4_000))

    for (let index = 0; index < 600; index++) held.credit(`n${index}`, 'credit/sync', 1, at(5_000))

    expect(Array.from({ length: 100 }, (_, index) => held.get(`p${index}`)).every(Boolean)).toBe(
      true,
    )
    expect(held.get('p4000')).toBeDefined()
    expect(held.size).toBeLessThanOrEqual(limits.reputationPeersMax)
  })
})

test('what is worth nothing and old is pruned twenty at a time; connected peers are not', () => {
  const held = createReputation()
  for (let index = 0; index < 25; index++) charge(held, 0, 'm', severe, `p${index}`)
  held.opened('p0')
  held.takeDirty()

  held.prune(at(limits.reputationHistoryMs - 1))
  expect(held.size).toBe(25)
  held.prune(at(limits.reputationHistoryMs))
  expect(held.size).toBe(5)
  expect(held.takeDirty()).toHaveLength(20)
  held.prune(at(limits.reputationHistoryMs))
  expect(held.get('p0')).toBeDefined()
  expect(held.size).toBe(1)
})

describe('for any history', () => {
  const step = fc.record({
    id: fc.constantFrom<PeerId>('a', 'b'),
    waitMs: fc.oneof(fc.nat(2_000), fc.nat(1_000_000)),
    reason: fc.constantFrom(...reasons),
    evidence: fc.constantFrom('', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5'),
  })
  const steps = fc.array(step, { maxLength: 40 })

  /** The rule in one place: what a debit becomes with each charge. */
  function model(history: readonly { atMs: number; reason: string }[], nowMs: number): number {
    let debit = 0
    let last = begin
    for (const { atMs, reason } of history) {
      debit *= 2 ** (-(atMs - last) / 600_000)
      last = atMs
      const { class: of, points } = charges[reason as keyof typeof charges]
      const floor = of === 'liveness' ? Math.min(debit, -90) : -200
      debit = Math.max(debit + points, floor)
    }
    return debit * 2 ** (-(nowMs - last) / 600_000)
  }

  test('the history replayed gives the live debit', () => {
    fc.assert(
      fc.property(steps, fc.nat(1_000_000), (all, later) => {
        const held = createReputation()
        let ms = 0
        for (const { id, waitMs, reason, evidence } of all) {
          ms += waitMs
          held.charge(id, { reason, evidence }, at(ms))
        }
        for (const id of ['a', 'b']) {
          const expected = model(held.get(id)?.history.entries ?? [], at(ms + later))
          const { debit } = held.score(id, at(ms + later))
          expect(debit).toBeCloseTo(Math.abs(expected) < 1 ? 0 : expected, 6)
        }
      }),
    )
  })

  test('without further charges it only comes nearer to zero, and never leaves its bounds', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(100_000), { maxLength: 10 }), (all, waits) => {
        const held = createReputation()
        let ms = 0
        for (const { id, waitMs, reason, evidence } of all) {
          ms += waitMs
          held.charge(id, { reason, evidence }, at(ms))
          held.credit(id, 'credit/sync', waitMs % 7, at(ms))
        }
        let before = held.score('a', at(ms))
        for (const wait of waits) {
          ms += wait
          const now = held.score('a', at(ms))
          expect(now.debit).toBeGreaterThanOrEqual(before.debit)
          expect(now.credit).toBeLessThanOrEqual(before.credit)
          expect(now.debit).toBeGreaterThanOrEqual(-200)
          expect(now.credit).toBeLessThanOrEqual(20)
          before = now
        }
      }),
    )
  })
})
