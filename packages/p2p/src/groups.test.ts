import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createGroups } from './groups.ts'
import { createSpared, groupOfIp } from './ip-groups.ts'

const day = 86_400_000

test('an IPv4 address is a group, also written as IPv6; of IPv6 the first 56 bits are', () => {
  expect(groupOfIp('203.0.113.7')).toBe('203.0.113.7')
  expect(groupOfIp('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(groupOfIp('2001:db8:1:2ff::1')).toBe(groupOfIp('2001:db8:1:200:9::'))
  expect(groupOfIp('2001:db8:1:300::1')).not.toBe(groupOfIp('2001:db8:1:200::1'))
  expect(groupOfIp('a name')).toBeUndefined()
})

test('loopback is spared always, private networks where wanted, others never', () => {
  const [strict, mild] = [createSpared(false), createSpared(true)]
  expect(['127.0.0.9', '::1'].map(strict)).toEqual([true, true])
  expect(['10.1.2.3', '192.168.0.1', '172.31.0.1', '100.64.0.1', 'fe80::1'].map(strict)).toEqual(
    Array(5).fill(false),
  )
  expect(['10.1.2.3', '192.168.0.1', '172.31.0.1', '100.64.0.1', 'fe80::1'].map(mild)).toEqual(
    Array(5).fill(true),
  )
  expect(['172.32.0.1', '203.0.113.7', '2001:db8::1'].map(mild)).toEqual([false, false, false])
})

test('distinct ids count for a day, one id once', () => {
  const groups = createGroups()
  expect([0, 1, 2].map(ms => groups.banned('g', 'a', ms))).toEqual([1, 1, 1])
  expect(groups.banned('g', 'b', day + 1)).toBe(2)
  expect(groups.banned('g', 'c', day + 2)).toBe(2)
  expect(groups.earlier('g', day + 2)).toBe(5)
  expect(groups.earlier('g', limits.banHistoryMs + 2)).toBe(2)
  groups.forgive('g')
  expect(groups.earlier('g', day + 2)).toBe(0)
})

test('of more groups than are held one without bans goes, the one used longest ago first', () => {
  const groups = createGroups()
  groups.banned('bad', 'a', 0)
  for (let index = 0; index < limits.reputationGroupsMax; index++) groups.offended(`g${index}`, 1)

  expect(groups.size).toBe(limits.reputationGroupsMax)
  expect(groups.get('bad')).toBeDefined()
  expect(groups.get('g0')).toBeUndefined()
  expect(groups.takeDirty()).toContain('g0')
})

test('what counts for nothing any more is forgotten, a few at a time', () => {
  const groups = createGroups()
  for (let index = 0; index < 25; index++) groups.offended(`g${index}`, 0)
  groups.prune(limits.banHistoryMs - 1)
  expect(groups.size).toBe(25)
  groups.prune(limits.banHistoryMs)
  expect(groups.size).toBe(5)
})
