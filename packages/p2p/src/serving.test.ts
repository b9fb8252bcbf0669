import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { ipGroup } from './ip-group.ts'
import { createLately } from './lately.ts'
import { createServing } from './serving.ts'

const request = (peer: string, kind: 'hello' | 'get' = 'hello') => ({ kind, peer, item: peer })

test('twelve hellos and 72 gets of one peer in ten seconds, not one more', () => {
  const serving = createServing<string>()
  const taken = (kind: 'hello' | 'get', nowMs: number) => {
    const refusal = serving.enter(request('a', kind), `${kind} ${nowMs}`, nowMs)
    while (serving.next(nowMs) !== undefined);
    return refusal === undefined
  }
  const count = (kind: 'hello' | 'get', tries: number) => {
    let served = 0
    for (let index = 0; index < tries; index++) if (taken(kind, index * 100)) served += 1
    return served
  }

  expect(count('hello', 20)).toBe(12)
  expect(count('get', 90)).toBe(72)
  expect(taken('hello', 9_999)).toBe(false)
  expect(taken('hello', 10_000)).toBe(true)
})

test('who asks too often is told when to come back, and it counts against it', () => {
  const serving = createServing<string>()
  for (let index = 0; index < 12; index++) serving.enter(request('a'), 'a', 0)

  expect(serving.enter(request('a'), 'a', 4_500)).toEqual({ retryAfterSeconds: 6, charged: true })
  expect(serving.enter(request('b'), 'b', 4_500)).toBeUndefined()
})

test('more than its bytes a second sends a peer away without a charge, until they are earned', () => {
  const serving = createServing<string>()
  serving.sent('a', limits.poolSyncBytesBurst + 500_000, 0)

  expect(serving.enter(request('a'), 'a', 0)).toEqual({ retryAfterSeconds: 1, charged: false })
  expect(serving.enter(request('a'), 'a', 500)).toBeUndefined()
})

test('twenty requests a second in all, the others wait, one group after the other', () => {
  const serving = createServing<string>()
  for (let index = 0; index < 30; index++) {
    serving.enter(request(`flood${index}`), 'one address', 0)
  }
  serving.enter(request('other'), 'another', 0)
  const second = (nowMs: number) => {
    const served: string[] = []
    for (let item = serving.next(nowMs); item; item = serving.next(nowMs)) served.push(item)
    return served
  }

  const first = second(0)
  expect(first.length).toBe(20)
  expect(first.indexOf('other')).toBe(1)
  expect(serving.waitMs(0)).toBe(1_000)
  expect(second(999)).toEqual([])
  expect(second(1_000).length).toBe(11)
  expect(serving.waitMs(1_000)).toBeUndefined()
})

test('more than 32 requests of one group do not wait', () => {
  const serving = createServing<string>()
  const refusals = Array.from({ length: 33 }, (_, index) =>
    serving.enter(request(`p${index}`), 'one', 0),
  )

  expect(refusals[31]).toBeUndefined()
  expect(refusals[32]).toEqual({ retryAfterSeconds: 1, charged: false })
})

test('a window forgets the key used longest ago when it has too many', () => {
  const lately = createLately(1_000, 2)
  for (const key of ['a', 'b', 'c']) lately.add(key, 0)

  expect(lately.waitMs('a', 1, 0)).toBe(0)
  expect(lately.waitMs('c', 1, 0)).toBe(1_000)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:22ff::1', '2001:db8:1:22'],
  ['2001:DB8:1:2200:5::', '2001:db8:1:22'],
  ['::1', '0:0:0:0'],
])('%s is of the group %s', (ip, group) => {
  expect(ipGroup(ip)).toBe(group)
})
