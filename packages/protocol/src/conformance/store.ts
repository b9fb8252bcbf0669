import type { Store, Write } from '../ports.ts'
import { numbers, rejectionCode, type TestKit } from './kit.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Another room of the same database. */
  readonly other: Store
  /** After it everything rejects with `store/closed`. */
  close(): Promise<void> | void
}

const bytes = (...values: number[]) => Uint8Array.from(values)
const put = (key: Uint8Array, value: Uint8Array): Write => ({ type: 'put', key, value })
const del = (key: Uint8Array): Write => ({ type: 'del', key })

/** What every `Store` keeps: the one on disk, the one in memory, the one of the simulator. */
export function storeSuite(
  { test, expect }: TestKit,
  make: () => Promise<StoreUnderTest> | StoreUnderTest,
): void {
  async function using(run: (under: StoreUnderTest) => Promise<void>): Promise<void> {
    const under = await make()
    await run(under)
    await under.close()
  }

  test('a missing key is undefined, a written one is its bytes, a deleted one is missing again', () =>
    using(async ({ store }) => {
      expect(await store.get(bytes(1))).toBe(undefined)
      await store.batch([put(bytes(1), bytes(7, 8))])
      expect(await store.get(bytes(1))).toEqual(bytes(7, 8))
      await store.batch([del(bytes(1)), del(bytes(2))], { sync: true })
      expect(await store.get(bytes(1))).toBe(undefined)
    }))

  test('an empty value is a value', () =>
    using(async ({ store }) => {
      await store.batch([put(bytes(1), bytes())])
      expect(await store.get(bytes(1))).toEqual(bytes())
    }))

  test('in one batch the last write of a key counts', () =>
    using(async ({ store }) => {
      await store.batch([put(bytes(1), bytes(1)), del(bytes(1)), put(bytes(1), bytes(2))])
      await store.batch([put(bytes(2), bytes(1)), del(bytes(2))])
      expect(await store.getMany([bytes(1), bytes(2)])).toEqual([bytes(2), undefined])
    }))

  test('un-awaited batches end in the order they were asked, synced or not', () =>
    using(async ({ store }) => {
      const writes: Promise<void>[] = []
      for (let i = 0; i < 50; i++) {
        writes.push(store.batch([put(bytes(1), bytes(i))], { sync: i % 7 === 0 }))
      }
      await Promise.all(writes)
      expect(await store.get(bytes(1))).toEqual(bytes(49))
    }))

  test('getMany answers in the order asked, with holes', () =>
    using(async ({ store }) => {
      await store.batch([put(bytes(1), bytes(10)), put(bytes(3), bytes(30))])
      const values = await store.getMany([bytes(3), bytes(2), bytes(1), bytes(3)])
      expect(values).toEqual([bytes(30), undefined, bytes(10), bytes(30)])
      expect(await store.getMany([])).toEqual([])
    }))

  test('a scan goes in byte order, from gte and before lt', () =>
    using(async ({ store }) => {
      const keys = [bytes(2, 0), bytes(255), bytes(2), bytes(1, 255), bytes(128), bytes(2, 0, 1)]
      await store.batch(keys.map((key, index) => put(key, bytes(index))))
      const found = async (range: Parameters<Store['scan']>[0]) =>
        (await store.scan(range)).map(entry => [...entry.key])
      const all = [[1, 255], [2], [2, 0], [2, 0, 1], [128], [255]]
      expect(await found({})).toEqual(all)
      expect(await found({ reverse: true })).toEqual([...all].reverse())
      expect(await found({ gte: bytes(2), lt: bytes(128) })).toEqual([[2], [2, 0], [2, 0, 1]])
      expect(await found({ gte: bytes(2), reverse: true, limit: 2 })).toEqual([[255], [128]])
      expect(await found({ lt: bytes(2) })).toEqual([[1, 255]])
      expect(await found({ gte: bytes(3), lt: bytes(128) })).toEqual([])
      expect(await found({ gte: bytes(255, 1) })).toEqual([])
    }))

  test('a scan ends after 1,000 entries unless asked for more', () =>
    using(async ({ store }) => {
      const key = (index: number) => bytes(index >> 8, index & 255)
      await store.batch(Array.from({ length: 1_500 }, (_, index) => put(key(index), bytes(1))))
      expect((await store.scan({})).length).toBe(1_000)
      expect((await store.scan({ limit: 1_500 })).length).toBe(1_500)
    }))

  test('rooms do not see each other, not even in an open scan', () =>
    using(async ({ store, other }) => {
      await store.batch([put(bytes(1), bytes(1))])
      await other.batch([put(bytes(1), bytes(2)), put(bytes(0), bytes(3))])
      expect(await store.get(bytes(1))).toEqual(bytes(1))
      expect(await other.get(bytes(1))).toEqual(bytes(2))
      expect((await store.scan({})).length).toBe(1)
      expect((await other.scan({ reverse: true })).length).toBe(2)
    }))

  test('bytes are copied on the way in and on the way out', () =>
    using(async ({ store }) => {
      const [key, value] = [bytes(1), bytes(5, 6, 7)]
      const written = store.batch([put(key, value)])
      key[0] = 9
      value[0] = 9
      await written
      const first = await store.get(bytes(1))
      expect(first).toEqual(bytes(5, 6, 7))
      first?.fill(0)
      const [entry] = await store.scan({})
      entry?.value.fill(0)
      entry?.key.fill(0)
      expect(await store.get(bytes(1))).toEqual(bytes(5, 6, 7))
      expect((await store.get(bytes(1)))?.buffer.byteLength).toBe(3)
    }))

  test('a thousand random commands leave what a plain map holds', () =>
    using(async ({ store }) => {
      const below = numbers(7)
      const model = new Map<string, number>()
      const pending: Promise<void>[] = []
      for (let round = 0; round < 250; round++) {
        const writes = Array.from({ length: 1 + below(6) }, (): Write => {
          const key = bytes(below(8), below(4))
          if (below(3) === 0) {
            model.delete(key.join())
            return del(key)
          }
          const value = below(256)
          model.set(key.join(), value)
          return put(key, bytes(value))
        })
        pending.push(store.batch(writes, { sync: below(10) === 0 }))
      }
      await Promise.all(pending)
      const found = (await store.scan({})).map(({ key, value }) => [key.join(), value[0]])
      const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
      expect(found).toEqual(sorted)
    }))

  test('after close everything is refused as store/closed', async () => {
    const { store, close } = await make()
    await close()
    expect(await rejectionCode(store.get(bytes(1)))).toBe('store/closed')
    expect(await rejectionCode(store.getMany([bytes(1)]))).toBe('store/closed')
    expect(await rejectionCode(store.scan({}))).toBe('store/closed')
    expect(await rejectionCode(store.batch([put(bytes(1), bytes(1))]))).toBe('store/closed')
  })
}
