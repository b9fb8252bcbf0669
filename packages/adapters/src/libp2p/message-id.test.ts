import { expect, test } from 'vitest'
import { createMessageIds, idKey, idText } from './message-id.ts'

const topic = '/rockpool/31337/d1164378/tx/1'
const message = (hex: string) => ({
  type: 'unsigned' as const,
  topic,
  data: new Uint8Array(Buffer.from(hex, 'hex')),
})

test.each([
  ['9401010091c401c0', 'e9cb6f04273adf956da7882f6d5b93ba067f6090'],
  ['9401010092c40202aac403f8bbcc', 'd7a1906b0343daeafade91e08bcd8a9f4a2224a6'],
  ['940101ce0badcafe91c401c0', '38fc9f2cfbec3e0aa281163006eee33cb08f4b4c'],
])('payload %s is named %s', (payload, id) => {
  expect(idText(createMessageIds().idOf(message(payload)))).toBe(id)
})

test('an id is computed once for a message object and is the same for equal ones', () => {
  const ids = createMessageIds()
  const first = message('c0')

  expect(ids.idOf(first)).toBe(ids.idOf(first))
  expect(idKey(ids.idOf(first))).toBe(idKey(ids.idOf(message('c0'))))
  expect(idKey(ids.idOf(first)).length).toBe(20)
})
