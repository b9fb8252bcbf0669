import { type Ban, limits, type Subject } from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BanWish, createBanBook } from './ban-book.ts'

const hour = 3_600_000
const day = 24 * hour
const peer = (value: string): Subject => ({ kind: 'peer', value })
const ip = (value: string): Subject => ({ kind: 'ip', value })
const subnet = (value: string): Subject => ({ kind: 'subnet', value })
const mallory = peer('mallory')

const aWish = (wish: Partial<BanWish> = {}): BanWish => ({
  subject: mallory,
  untilMs: hour,
  reason: 'gossip/invalid-tx',
  evidence: ['m0'],
  by: 'monitor',
  ...wish,
})

function aBan(wish: Partial<BanWish> = {}): Ban {
  const { note, ...rest } = aWish(wish)
  return { ...rest, ...(note !== undefined && { note }), fromMs: 0, count: 0, earlier: [] }
}

describe('a ban', () => {
  test('holds to its last millisecond and not one longer', () => {
    const book = createBanBook([aBan({ untilMs: 60_000 })])

    expect(book.active(mallory, 59_999)).toMatchObject({ reason: 'gossip/invalid-tx' })
    expect(book.active(mallory, 60_000)).toBeUndefined()
  })

  test('of 200 days is as good after 199', () => {
    const book = createBanBook([aBan({ untilMs: 200 * day, by: 'operator' })])
    book.prune(199 * day)

    expect(book.active(mallory, 199 * day)).toBeDefined()
  })

  test('without an end has none', () => {
    const book = createBanBook([aBan({ untilMs: null, by: 'operator' })])

    expect(book.active(mallory, Number.MAX_SAFE_INTEGER)).toBeDefined()
    expect(book.nextMs).toBeUndefined()
    expect(book.expire(Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  test('that ended while nobody looked is handed out once', () => {
    const book = createBanBook([aBan()])

    expect(book.expire(hour)).toMatchObject([{ ended: { atMs: hour, cause: 'expired' } }])
    expect(book.expire(2 * hour)).toEqual([])
  })

  test('that a check finds to be over is handed out too', () => {
    const book = createBanBook([aBan()])

    expect(book.active(mallory, hour + 5)).toBeUndefined()
    expect(book.nextMs).toBe(hour)

    expect(book.find(mallory)?.ended).toEqual({ atMs: hour, cause: 'expired' })
    expect(book.expire(hour + 5)).toHaveLength(1)
  })

  test('that would be over already is refused', () => {
    expect(createBanBook().ban(aWish({ untilMs: 5 }), 5)).toMatchObject({
      code: 'p2p/until-in-past',
    })
  })

  test('keeps four pieces of evidence', () => {
    const made = createBanBook().ban(aWish({ evidence: ['1', '2', '3', '4', '5'] }), 0)

    expect(made.ok && made.value.evidence).toEqual(['1', '2', '3', '4'])
  })
})

describe('a second ban', () => {
  test('by the monitor makes it longer and never shorter', () => {
    const book = createBanBook([aBan({ untilMs: 2 * hour })])

    expect(book.ban(aWish({ untilMs: hour }), 0)).toMatchObject({ value: { untilMs: 2 * hour } })
    expect(book.ban(aWish({ untilMs: 3 * hour }), 0)).toMatchObject({
      value: { untilMs: 3 * hour },
    })
  })

  test('by the monitor does not end one without an end', () => {
    const book = createBanBook([aBan({ untilMs: null, by: 'operator' })])

    expect(book.ban(aWish(), 0)).toMatchObject({ value: { untilMs: null } })
  })

  test('by an operator is as long as the operator says', () => {
    const book = createBanBook([aBan({ untilMs: 2 * hour })])

    expect(book.ban(aWish({ untilMs: hour, by: 'operator' }), 0)).toMatchObject({
      value: { untilMs: hour },
    })
  })
})

test('bans by the monitor last 1, 6, 24, 168 and 168 hours, and 1 again after thirty quiet days', () => {
  const book = createBanBook()
  let now = 0
  const next = () => {
    const durationMs = book.durationMs(mallory.value, hour, now)
    book.ban(aWish({ untilMs: now + durationMs }), now)
    now += durationMs
    book.expire(now)
    return durationMs / hour
  }

  expect([next(), next(), next(), next(), next()]).toEqual([1, 6, 24, 168, 168])
  expect(book.find(mallory)?.count).toBe(4)
  now += limits.banHistoryMs
  expect(next()).toBe(1)
})

test('a ban by an operator does not make the next one longer', () => {
  const book = createBanBook()
  book.ban(aWish({ by: 'operator' }), 0)
  book.expire(hour)

  expect(book.durationMs(mallory.value, hour, hour)).toBe(hour)
})

describe('an unban', () => {
  test('ends any kind of ban at once', () => {
    for (const subject of [mallory, ip('203.0.113.7'), subnet('203.0.113.0/24')]) {
      const book = createBanBook([aBan({ subject })])

      expect(book.unban(subject, false, 1)).toMatchObject({ ok: true })
      expect(book.active(subject, 1)).toBeUndefined()
      expect(book.covering('203.0.113.7', 1)).toBeUndefined()
    }
  })

  test('of who is not banned is refused', () => {
    expect(createBanBook().unban(mallory, false, 0)).toMatchObject({ code: 'p2p/not-banned' })
    expect(createBanBook([aBan()]).unban(mallory, false, hour)).toMatchObject({
      code: 'p2p/not-banned',
    })
  })

  test('counts towards the next ban, unless it is forgotten', () => {
    const book = createBanBook([aBan()])
    book.unban(mallory, false, 1)
    expect(book.durationMs(mallory.value, hour, 1)).toBe(6 * hour)

    book.unban(mallory, true, 2)
    expect(book.durationMs(mallory.value, hour, 2)).toBe(hour)
    expect(book.find(mallory)).toBeUndefined()
  })
})

describe('an address', () => {
  test('is covered by its own ban and by the ranges it is in, whatever form it has', () => {
    const book = createBanBook([
      aBan({ subject: ip('203.0.113.7') }),
      aBan({ subject: subnet('198.51.100.0/24') }),
      aBan({ subject: subnet('2001:db8:1::/48') }),
    ])
    const covered = (text: string) => book.covering(text, 0) !== undefined

    expect(['203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107'].map(covered)).toEqual([
      true,
      true,
      true,
    ])
    expect(['198.51.100.0', '198.51.100.255', '2001:db8:1:ffff::1'].map(covered)).toEqual([
      true,
      true,
      true,
    ])
    expect(['203.0.113.8', '198.51.101.0', '2001:db8:2::1', 'nonsense'].map(covered)).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  test('of IPv6 is banned with the /56 it is in', () => {
    const book = createBanBook([aBan({ subject: ip('2001:db8:0:100::1') })])

    expect(book.covering('2001:db8:0:1ff::9', 0)).toBeDefined()
    expect(book.covering('2001:db8:0:200::1', 0)).toBeUndefined()
  })
})

describe('of more bans than are kept', () => {
  test('the one that ends soonest gives way, and is told of', () => {
    const bans = Array.from({ length: limits.bansMax }, (_, index) =>
      aBan({ subject: peer(`p${index}`), untilMs: hour + index }),
    )
    const book = createBanBook(bans)

    expect(book.ban(aWish(), 0).ok).toBe(true)

    expect(book.takeDropped()).toMatchObject([{ subject: peer('p0') }])
    expect([book.find(peer('p0')), book.evicted]).toEqual([undefined, 1])
  })

  test('one without an end is refused', () => {
    const by = 'operator' as const
    const bans = Array.from({ length: limits.permanentBansMax }, (_, index) =>
      aBan({ subject: peer(`p${index}`), untilMs: null, by }),
    )

    expect(createBanBook(bans).ban(aWish({ untilMs: null, by }), 0)).toMatchObject({
      code: 'p2p/ban-book-full',
    })
  })
})

test('what has been over for thirty days is dropped, twenty at a time, and never what is in force', () => {
  const old = Array.from({ length: 25 }, (_, index) =>
    aBan({ subject: peer(`p${index}`), untilMs: 1 }),
  )
  const book = createBanBook([...old, aBan({ untilMs: null, by: 'operator' })])
  book.expire(1)

  expect(book.prune(limits.banHistoryMs)).toEqual([])
  expect(book.prune(1 + limits.banHistoryMs)).toHaveLength(20)
  expect(book.prune(1 + limits.banHistoryMs)).toHaveLength(5)
  expect([...book.all()].map(({ subject }) => subject)).toEqual([mallory])
})

describe('for any commands', () => {
  const who = fc.constantFrom('a', 'b', 'c')
  const command = fc.oneof(
    fc.record({ do: fc.constant('ban' as const), who, ms: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ do: fc.constant('operator' as const), who, ms: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ do: fc.constant('unban' as const), who, ms: fc.constant(0) }),
    fc.record({ do: fc.constant('expire' as const), who, ms: fc.constant(0) }),
    fc.record({ do: fc.constant('wait' as const), who, ms: fc.nat(30) }),
  )

  test('nobody gets out early and nobody is held longer: the book agrees with one end for each', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), commands => {
        const book = createBanBook()
        const ends = new Map<string, number>()
        let now = 0
        for (const { do: what, who: id, ms } of commands) {
          const end = ends.get(id) ?? 0
          const until = now + ms
          if (what === 'wait') now += ms
          if (what === 'expire') book.expire(now)
          if (what === 'unban' && book.unban(peer(id), false, now).ok) ends.set(id, now)
          if (what === 'ban' || what === 'operator') {
            const by = what === 'ban' ? 'monitor' : 'operator'
            book.ban(aWish({ subject: peer(id), untilMs: until, by }), now)
            ends.set(id, what === 'ban' && end > now ? Math.max(end, until) : until)
          }
          for (const name of ['a', 'b', 'c']) {
            const held = book.active(peer(name), now) !== undefined
            expect(held).toBe(now < (ends.get(name) ?? 0))
          }
        }
      }),
    )
  })

  test('every ban is handed out as over at most once, and never while it is in force', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), commands => {
        const book = createBanBook()
        let [now, made, over] = [0, 0, 0]
        for (const { do: what, who: id, ms } of commands) {
          if (what === 'wait') now += ms
          if (what === 'ban') {
            made += book.active(peer(id), now) ? 0 : 1
            book.ban(aWish({ subject: peer(id), untilMs: now + ms }), now)
          }
          const expired = book.expire(now)
          over += expired.length
          for (const each of expired) expect(each.untilMs).toBeLessThanOrEqual(now)
        }
        expect(over).toBeLessThanOrEqual(made)
        expect(made - over).toBe(book.list(now).length)
      }),
    )
  })
})
