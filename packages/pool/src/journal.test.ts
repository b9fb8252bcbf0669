import { addressOf, type Hash, type Store, toHex, zeroHash } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import {
  deleteRow,
  journalKey,
  journalKeys,
  openJournal,
  putRow,
  requireJournal,
} from './journal.ts'
import { addressAt, aTx } from './testing.ts'

const identity = { chainId: 1337n, genesis: zeroHash }
const otherGenesis = `0x${'11'.repeat(32)}` as Hash
const text = (words: string) => new TextEncoder().encode(words)

const aRow = (from: number, nonce: number, seq: number, salt = 0) =>
  putRow({
    tx: aTx({ from, nonce, salt, size: 110 + salt }),
    ...{ origin: 'local', seq, firstSeenMs: 1_000 + seq, trackedAtMs: 2_000 + seq },
  })

async function rowsOf(store: Store, rowsMax?: number) {
  const opened = await openJournal(store, identity, rowsMax)
  if (!opened.ok) throw new Error(opened.message)
  return opened.value
}

describe('the wire form', () => {
  test('of a key and a row never changes', () => {
    const row = putRow({
      tx: { ...aTx({ from: 1, nonce: 258 }), raw: Uint8Array.of(0xaa, 0xbb) },
      ...{ origin: 'local', seq: 7, firstSeenMs: 1_000, trackedAtMs: 2_000 },
    })
    if (row.type !== 'put') throw new Error('not written')

    expect(toHex(row.key)).toBe(`0x742f${addressAt(1).slice(2)}0000000000000102`)
    expect(toHex(row.value)).toBe(
      ['0x98010000cb401c000000000000cb408f400000000000cb409f400000000000', '00c600000002aabb'].join(
        '',
      ),
    )
  })
})

describe('a journal', () => {
  test('comes back in the order it was entered, whatever its keys', async () => {
    const store = new MemoryStore()
    await rowsOf(store)
    await store.batch([aRow(0, 1, 3), aRow(2, 0, 1), aRow(1, 7, 2)])

    const rows = await rowsOf(store)

    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(rows[0]).toEqual({
      ...{ sender: addressAt(2), nonce: 0n, origin: 'local', seq: 1 },
      ...{ firstSeenMs: 1_001, trackedAtMs: 2_001, raw: new Uint8Array(110) },
    })
  })

  test('holds one row of a sender and nonce: a replacement overwrites, a removal leaves nothing', async () => {
    const store = new MemoryStore()
    await rowsOf(store)
    await store.batch([aRow(0, 1, 1)])
    await store.batch([aRow(0, 1, 2, 5)])
    expect((await rowsOf(store)).map(({ raw }) => raw.length)).toEqual([115])

    await store.batch([deleteRow(addressAt(0), 1n)])
    expect(await rowsOf(store)).toEqual([])
  })

  test('claims an empty store for its chain with a synced write, once', async () => {
    const store = new MemoryStore()
    await rowsOf(store)
    await rowsOf(store)
    expect(store.batches).toEqual([{ count: 1, sync: true }])
  })

  test.each([
    ['chain', { chainId: 1n, genesis: zeroHash }],
    ['genesis', { chainId: 1337n, genesis: otherGenesis }],
  ])('of another %s is refused and left as it is', async (_, other) => {
    const store = new MemoryStore()
    await openJournal(store, other)
    await store.batch([aRow(0, 0, 1)])

    await expect(requireJournal(store, identity)).rejects.toMatchObject({
      code: 'store/other-chain',
      message: `the transaction journal belongs to chain ${other.chainId} (genesis ${other.genesis}), this node is of chain 1337 (genesis ${zeroHash})`,
    })
    expect(await journalKeys(store)).toHaveLength(1)
  })

  test('of a newer schema is refused by name, nonsense as corrupt', async () => {
    const newer = new MemoryStore()
    await newer.batch([{ type: 'put', key: text('m/meta'), value: Uint8Array.of(0x93, 2, 0, 0) }])
    const nonsense = new MemoryStore()
    await nonsense.batch([{ type: 'put', key: text('m/meta'), value: text('hello') }])

    expect(await openJournal(newer, identity)).toMatchObject({ code: 'store/newer-schema' })
    expect(await openJournal(nonsense, identity)).toMatchObject({ code: 'store/corrupt' })
  })

  test('with any byte of a row altered is refused, or reads as another row of the same form', async () => {
    const row = putRow({
      tx: { ...aTx({ from: 1, nonce: 3 }), raw: Uint8Array.of(0xaa, 0xbb) },
      ...{
        origin: 'gossip',
        seq: 7,
        firstSeenMs: 1_000,
        trackedAtMs: 0,
        beatMs: 5,
        isRemote: true,
      },
    })
    if (row.type !== 'put') throw new Error('not written')
    const readable: number[] = []
    for (let at = 0; at < row.value.length; at++) {
      const store = new MemoryStore()
      await rowsOf(store)
      const value = Uint8Array.from(row.value)
      value[at] = (value[at] ?? 0) ^ 0xff
      await store.batch([{ type: 'put', key: row.key, value }])
      const opened = await openJournal(store, identity)
      if (opened.ok) readable.push(at)
      else expect(opened.code).toBe('store/corrupt')
    }
    const numbers = [4, 13, 22, 31].flatMap(from =>
      Array.from({ length: 8 }, (_, i) => from + 1 + i),
    )
    // The origin counts up to five, and of the lengths every bit matters.
    expect(readable).toEqual([3, ...numbers, 45, 46])
    for (const length of [40, 46, 48]) {
      const store = new MemoryStore()
      await rowsOf(store)
      const value = Uint8Array.from({ length }, (_, at) => row.value[at] ?? 0)
      await store.batch([{ type: 'put', key: row.key, value }])
      expect(await openJournal(store, identity)).toMatchObject({ code: 'store/corrupt' })
    }
  })

  test.each([
    ['a value that does not decode', journalKey(addressOf(new Uint8Array(20)), 0n), text('x')],
    ['a truncated row', journalKey(addressAt(0), 0n), Uint8Array.of(0x98, 1, 0)],
    ['a key of another length', text('t/short'), Uint8Array.of(0x98, 1)],
  ])('with %s is refused with the key, and nothing is removed', async (_, key, value) => {
    const store = new MemoryStore()
    await rowsOf(store)
    await store.batch([{ type: 'put', key, value }])

    expect(await openJournal(store, identity)).toMatchObject({
      code: 'store/corrupt',
      message: `the transaction journal does not decode at ${toHex(key)}`,
    })
    expect(await store.get(key)).toBeDefined()
  })

  test('larger than a scan is read whole; of more rows than are followed the last are taken', async () => {
    const store = new MemoryStore()
    await rowsOf(store)
    await store.batch(Array.from({ length: 2_345 }, (_, nonce) => aRow(0, nonce, 2_345 - nonce)))

    expect(await rowsOf(store)).toHaveLength(2_345)
    expect(await journalKeys(store)).toHaveLength(2_345)
    const cut = await rowsOf(store, 10)
    expect(cut.map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, at) => 2_336 + at))
  })
})
