import { expect, test } from 'vitest'
import { sha256 } from '../testkit/crypto.ts'
import { fromHex, type Hash, toHex } from '../values/bytes.ts'
import {
  forkDigest,
  goodbyeProtocol,
  messageId,
  parseTopic,
  protocolName,
  topicName,
} from './topics.ts'

const genesis = `0x${'11'.repeat(32)}` as Hash
const topic = topicName(31_337, 'd1164378', 'tx')

test('a topic names its network and its kind', () => {
  expect(topic).toBe('/rockpool/31337/d1164378/tx/1')
  expect(parseTopic(topic)).toEqual({ chainId: 31_337, forkDigest: 'd1164378', kind: 'tx' })
  expect(protocolName(1_337, 'd1164378', 'blocks')).toBe('/rockpool/1337/d1164378/blocks/1')
  expect(goodbyeProtocol).toBe('/rockpool/goodbye/1')
})

test.each([
  '',
  '/rockpool/31337/d1164378/tx/2',
  '/rockpool/31337/d1164378/txs/1',
  '/rockpool/031337/d1164378/tx/1',
  '/rockpool/0/d1164378/tx/1',
  '/rockpool/9999999999999999/d1164378/tx/1',
  '/rockpool/31337/D1164378/tx/1',
  '/rockpool/31337/d116437/tx/1',
  '/rockpool/31337/d1164378/tx/1/',
  'x/rockpool/31337/d1164378/tx/1',
])('%s is not a topic of ours', name => {
  expect(parseTopic(name)).toBeUndefined()
})

test.each([
  [[], 'd1164378'],
  [[0, 1_000], '19e9f665'],
])('the fork digest after %j is %s', (activations, digest) => {
  expect(forkDigest(sha256, genesis, activations)).toBe(digest)
})

test.each([
  ['9401010091c401c0', 'e9cb6f04273adf956da7882f6d5b93ba067f6090'],
  ['9401010092c40202aac403f8bbcc', 'd7a1906b0343daeafade91e08bcd8a9f4a2224a6'],
  ['940101ce0badcafe91c401c0', '38fc9f2cfbec3e0aa281163006eee33cb08f4b4c'],
  [`9301029192c420${'ab'.repeat(32)}ce00011170`, '6bfbddd438abc30c703cc0be84f3bb0790be0276'],
])('the id of %s is %s', (payload, id) => {
  expect(toHex(messageId(sha256, topic, fromHex(payload)))).toBe(`0x${id}`)
})

test('the same payload in two topics is two messages', () => {
  const payload = fromHex('9401010091c401c0')
  const other = topicName(31_337, 'd1164378', 'block')

  expect(messageId(sha256, topic, payload)).not.toEqual(messageId(sha256, other, payload))
})
