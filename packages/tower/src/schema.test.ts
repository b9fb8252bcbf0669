import { MemoryStore, rejectionCode } from '@rockpool/protocol/conformance'
import { expect, test } from 'vitest'
import { requireTower } from './schema.ts'
import { aTower, aUser } from './testkit/world.ts'

test('tower B47 B325: the schema is written once, and rows of a later one are refused untouched', async () => {
  const store = new MemoryStore()
  await requireTower(store)
  await requireTower(store)

  expect(store.batches).toHaveLength(1)
  await store.batch([{ type: 'put', key: Uint8Array.of(0x76), value: Uint8Array.of(2) }])
  expect(await rejectionCode(requireTower(store))).toBe('store/newer-schema')
  expect(await store.get(Uint8Array.of(0x76))).toEqual(Uint8Array.of(2))
})

test('the schema is no row of anybody', async () => {
  const store = new MemoryStore()
  await requireTower(store)
  const world = await aTower({ store })
  await aUser(world)

  expect(await (await world.again()).info()).toMatchObject({ users: 1, corruptRows: 0 })
})
