import { CodedError, type Store } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { expect, test } from 'vitest'
import { aTower, aUser, code, shownId } from './testkit/world.ts'

/** A store that can be full. */
function aDisk() {
  const inner = new MemoryStore()
  const disk = { isFull: false }
  const store: Store = {
    get: key => inner.get(key),
    getMany: keys => inner.getMany(keys),
    scan: range => inner.scan(range),
    async batch(writes, options) {
      if (disk.isFull) throw new CodedError('store/full')
      await inner.batch(writes, options)
    },
  }
  return { disk, store }
}

test('a disk that is full for many blocks ends no node, and what is broken then or later is answered', async () => {
  const { disk, store } = aDisk()
  const world = await aTower({ store })
  const { who, pair } = await aUser(world)
  const later = await aUser(world, 0x12)
  expect(code(await world.add(who, pair))).toBe('ok')
  expect(code(await world.add(later.who, later.pair))).toBe('ok')

  disk.isFull = true
  await world.mine(pair.dispute)
  for (let block = 0; block < 8; block += 1) {
    await world.mine()
    await world.test.pass(1_000)
  }
  disk.isFull = false
  await world.test.pass(5_000)
  await world.mine(later.pair.dispute)
  await world.mine()
  await world.test.pass(5_000)

  expect(world.test.fatals).toEqual([])
  const penalties = [pair, later.pair].map(({ penalty }) => shownId(penalty))
  const sent = world.chain.sent.map(txid => Buffer.from(txid, 'hex').reverse().toString('hex'))
  expect(sent).toEqual(expect.arrayContaining(penalties))
})
