import {
  type Explanation,
  limits,
  type PoolContent,
  type PooledTx,
  type PoolMessage,
  type TxRecord,
} from '@rockpool/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PoolConfig } from './config.ts'
import { journalKeys } from './journal.ts'
import { createLocalRoom, createWallets, type LocalRoom, SlowStore } from './local-room.ts'

/* The whole pool over a crash: what it held is there again, in its order, and what it had given up is not. */

const wallets = await createWallets()
const signed = new Map<string, Uint8Array>()

interface Sent {
  readonly key: number
  readonly nonce: number
  readonly fee: number
}

function rawOf({ key, nonce, fee }: Sent): Uint8Array {
  const name = `${key} ${nonce} ${fee}`
  const known = signed.get(name)
  if (known !== undefined) return known
  const fees = { feeCap: BigInt(1_000 + 500 * fee), tip: BigInt(10 + 10 * fee) }
  const raw = wallets.sign(key, { nonce: BigInt(nonce), ...fees })
  signed.set(name, raw)
  return raw
}

type Step =
  | ({ readonly do: 'hear' | 'submit' | 'secret' } & Sent)
  | { readonly do: 'mine' | 'pause' | 'minute' | 'write' }

const sent = { key: fc.nat(3), nonce: fc.nat(5), fee: fc.nat(3) }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('hear', 'hear', 'submit', 'secret'), ...sent }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('mine', 'pause', 'minute', 'write') }) },
) as fc.Arbitrary<Step>

/** Whoever submits here does not send elsewhere: of one nonce the own transaction alone has a row, and comes back first. */
const ofOneWay = (each: Step): Step =>
  'key' in each ? { ...each, key: (each.key % 2) + (each.do === 'hear' ? 0 : 2) } : each

const question = <R>(room: LocalRoom, message: Record<string, unknown>): R =>
  room.ask<R>(reply => ({ ...message, reply }) as unknown as PoolMessage)

/** Everything that must be as before: both halves, what came when and from whom, the order of selection, signs of life. */
function pictureOf(room: LocalRoom) {
  const { pending, queued } = question<PoolContent>(room, { type: 'pool.getContent', all: true })
  const list = (half: PoolContent['pending']) =>
    [...half.values()].flat().map(({ hash }) => {
      const found = question<PooledTx>(room, { type: 'pool.getTransaction', hash, all: true })
      return `${hash} ${found.firstSeenMs} ${found.origin === 'private'}`
    })
  const chosen = question<readonly TxRecord[]>(room, {
    ...{ type: 'pool.select', gas: 30_000_000, bytes: 1_000_000, baseFee: 7n },
  })
  const beats = [0, 1, 2, 3].map(key => {
    const subject = wallets.address(key)
    return question<Explanation>(room, { type: 'pool.explain', subject, all: true }).account?.beat
  })
  return {
    pending: list(pending).sort(),
    queued: list(queued).sort(),
    chosen: chosen.map(({ hash }) => hash),
    beats,
  }
}

async function live(room: LocalRoom, steps: readonly Step[], store: SlowStore) {
  const nonces = new Map<number, bigint>()
  for (const each of steps) {
    if (each.do === 'hear') room.hear(rawOf(each), each.key)
    else if (each.do === 'submit') room.submit(rawOf(each))
    else if (each.do === 'secret') room.submit(rawOf(each), true)
    else if (each.do === 'write') store.flush(1)
    else if (each.do === 'minute') await room.test.pass(60_000)
    else if (each.do === 'mine') {
      const first = new Map<string, TxRecord>()
      for (const tx of room.all()) if (!first.has(tx.sender)) first.set(tx.sender, tx)
      room.mine([...first.values()])
      for (const [key, nonce] of keysOf([...first.values()])) nonces.set(key, nonce + 1n)
    }
    await room.test.settle()
  }
  return nonces
}

const keysOf = (txs: readonly TxRecord[]): [number, bigint][] =>
  txs.map(({ sender, nonce }) => [
    [0, 1, 2, 3].findIndex(key => wallets.address(key) === sender),
    nonce,
  ])

function again(
  room: LocalRoom,
  store: SlowStore,
  nonces: ReadonlyMap<number, bigint>,
  config: Partial<PoolConfig>,
) {
  const next = createLocalRoom({ wallets, store, nonces, config, start: room.head })
  next.test.clock.set(room.test.clock.now())
  return next
}

describe('a pool that keeps everything', () => {
  test('is after a kill what it was: content, order, times and signs of life', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async mixed => {
        const steps = mixed.map(ofOneWay)
        const store = new SlowStore()
        const room = createLocalRoom({ wallets, store })
        room.test.clock.set(1_000)
        const nonces = await live(room, steps, store)
        const before = pictureOf(room)

        const disk = store.after('kill')
        const second = again(room, disk, nonces, {})
        await second.test.settle()
        expect(second.test.fatals).toEqual([])
        expect(pictureOf(second)).toEqual(before)

        const third = again(second, disk.after('kill'), nonces, {})
        await third.test.settle()
        expect(pictureOf(third)).toEqual(before)
      }),
      { numRuns: 200 },
    )
  }, 60_000)

  test('killed at any batch has no nonce twice and nothing it never held, and a second reload changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 15 }),
        fc.constantFrom('kill' as const, 'power cut' as const),
        fc.boolean(),
        async (steps, crash, isTiny) => {
          const config = isTiny ? { globalSlots: 2, globalQueue: 2, accountSlots: 1 } : {}
          const store = new SlowStore()
          const room = createLocalRoom({ wallets, store, config })
          await room.test.settle()
          store.isHolding = true
          const nonces = await live(room, steps, store)
          const disk = store.after(crash)
          const second = again(room, disk, nonces, config)
          await second.test.settle()

          expect(second.test.fatals).toEqual([])
          const content = second.all()
          const places = new Set(content.map(({ sender, nonce }) => `${sender} ${nonce}`))
          expect(places.size).toBe(content.length)
          const known = new Set([...signed.values()].map(raw => wallets.hashOf(raw)))
          expect(content.filter(({ hash }) => !known.has(hash))).toEqual([])
          expect((await journalKeys(disk)).length).toBeGreaterThanOrEqual(content.length)

          const third = again(second, disk.after('kill'), nonces, config)
          await third.test.settle()
          expect(
            third
              .all()
              .map(({ hash }) => hash)
              .sort(),
          ).toEqual(content.map(({ hash }) => hash).sort())
        },
      ),
      { numRuns: 200 },
    )
  }, 60_000)

  test('a replacement takes the row of what it replaced, so that never comes back', async () => {
    const store = new SlowStore()
    const room = createLocalRoom({ wallets, store })
    room.hear(rawOf({ key: 0, nonce: 0, fee: 0 }), 0)
    await room.test.settle()
    room.hear(rawOf({ key: 0, nonce: 0, fee: 3 }), 0)
    await room.test.settle()

    expect(await journalKeys(store)).toHaveLength(1)
    const second = again(room, store.after('kill'), new Map(), {})
    await second.test.settle()
    expect(second.all().map(({ hash }) => hash)).toEqual([
      wallets.hashOf(rawOf({ key: 0, nonce: 0, fee: 3 })),
    ])
  })

  test('does not publish what it read, and says while it reads how far it is', async () => {
    const store = new SlowStore()
    const room = createLocalRoom({ wallets, store })
    for (let key = 0; key < 4; key++) room.hear(rawOf({ key, nonce: 0, fee: 0 }), key)
    await room.test.settle()
    const second = again(room, store.after('kill'), new Map(), {})
    await second.test.settle()

    expect(second.facts().flatMap(({ events }) => events.map(({ origin }) => origin))).toEqual(
      Array(4).fill('sync'),
    )
    expect(question(second, { type: 'pool.getInfo' })).not.toHaveProperty('loading')
  })

  test('without state keeps what it read and loads it when there is state', async () => {
    const store = new SlowStore()
    const room = createLocalRoom({ wallets, store })
    room.hear(rawOf({ key: 0, nonce: 0, fee: 0 }), 0)
    await room.test.settle()
    const disk = store.after('kill')
    const second = again(room, disk, new Map(), {})
    second.setState(false)
    await second.test.pass(10 * limits.poolJournalRetryMs)
    expect(second.all()).toEqual([])
    expect(await journalKeys(disk)).toHaveLength(1)
    expect(question(second, { type: 'pool.getInfo' })).toMatchObject({ loading: { of: 1 } })

    second.setState(true)
    await second.test.pass(10 * limits.poolJournalRetryMs)
    expect(second.all()).toHaveLength(1)
    expect(question(second, { type: 'pool.getInfo' })).not.toHaveProperty('loading')
  })

  test('a sweep leaves the rows of others alone and writes what is missing', async () => {
    const store = new SlowStore()
    const room = createLocalRoom({ wallets, store })
    await room.test.settle()
    store.isFull = true
    room.hear(rawOf({ key: 0, nonce: 0, fee: 0 }), 0)
    await room.test.settle()
    store.isFull = false
    room.hear(rawOf({ key: 1, nonce: 0, fee: 0 }), 1)
    await room.test.settle()
    expect(await journalKeys(store)).toHaveLength(1)
    room.pool.tell({ type: 'pool.sweepJournal' })
    await room.test.settle()

    expect(await journalKeys(store)).toHaveLength(2)
  })

  test.each([
    ['local', 1],
    ['none', 0],
  ] as const)('with persist %s writes that much', async (persist, rows) => {
    const store = new SlowStore()
    const room = createLocalRoom({ wallets, store, config: { persist } })
    room.hear(rawOf({ key: 0, nonce: 0, fee: 0 }), 0)
    room.submit(rawOf({ key: 1, nonce: 0, fee: 0 }))
    await room.test.settle()

    expect(await journalKeys(store)).toHaveLength(rows)
  })
})
