import { CodedError, type Store, type Write } from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AppointmentRow,
  decodeBranch,
  decodeClosed,
  decodeRaws,
  decodeRow,
  decodeTracker,
  decodeUser,
  encodeBranch,
  encodeClosed,
  encodeRaws,
  encodeRow,
  encodeTracker,
  encodeUser,
  keyIn,
  rangeOf,
  type TrackerRow,
} from './rows.ts'
import { uuidOf } from './signing.ts'
import { aPair, TestChain } from './testkit/chain.ts'
import { aKey, testCrypto } from './testkit/crypto.ts'
import { aTower, aUser, code } from './testkit/world.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const u32 = fc.nat({ max: 0xffff_ffff })
const place = fc.record({
  hash: bytes(32).map(hash => `0x${Buffer.from(hash).toString('hex')}` as never),
  height: u32,
})

describe('rows', () => {
  test('tower B48 B57 B71: every row comes back as it was written', () => {
    const row = fc.record<AppointmentRow>({
      ...{ uuid: bytes(20), user: bytes(33), locator: bytes(16) },
      phase: fc.constantFrom('watched', 'tracked', 'closed'),
      ...{ start: u32, end: u32, delay: u32, slots: u32, signature: bytes(65) },
      blob: fc.uint8Array({ minLength: 76, maxLength: 300 }),
    })
    const tracker = fc.record<TrackerRow>({
      ...{ uuid: bytes(20), disputeTxid: bytes(32), penaltyTxid: bytes(32) },
      state: fc.constantFrom('seen', 'mempool', 'confirmed', 'deferred', 'losing', 'dormant'),
      disputeBlock: fc.option(place, { nil: undefined }),
      penaltyBlock: fc.option(place, { nil: undefined }),
      ...{ since: u32, tries: u32, reason: fc.string({ maxLength: 20 }) },
    })
    fc.assert(
      fc.property(row, tracker, fc.array(place), (one, other, places) => {
        expect(decodeRow(one.uuid, encodeRow(one))).toEqual(one)
        expect(decodeTracker(other.uuid, encodeTracker(other))).toEqual(other)
        expect(decodeBranch(encodeBranch(places))).toEqual(places)
      }),
      { numRuns: 50 },
    )
    const user = {
      ...{ user: aKey(1).id, total: 5, free: 3, held: 2, start: 1, expiry: 9 },
      ...{ address: new Uint8Array(8), createdMs: 1_700_000_000_123, renewals: [1, 2] },
    }
    expect(decodeUser(user.user, encodeUser(user))).toEqual(user)
    const closed = {
      ...{ reason: 'lost' as const, height: 7, disputeTxid: new Uint8Array(32) },
      disputeBlock: undefined,
    }
    expect(decodeClosed(encodeClosed(closed))).toEqual(closed)
    const raws = { dispute: Uint8Array.of(1, 2), penalty: Uint8Array.of(3) }
    expect(decodeRaws(encodeRaws(raws.dispute, raws.penalty))).toEqual(raws)
  })

  test('tower B61 B82: no truncation and no other version of a row is read', () => {
    const tracker = encodeTracker({
      ...{ uuid: new Uint8Array(20), state: 'seen', disputeTxid: new Uint8Array(32) },
      ...{ disputeBlock: undefined, penaltyTxid: new Uint8Array(32), penaltyBlock: undefined },
      ...{ since: 1, tries: 0, reason: '' },
    })
    for (let end = 0; end < tracker.length; end += 1)
      expect(decodeTracker(new Uint8Array(20), tracker.subarray(0, end))).toBeUndefined()
    const newer = tracker.slice()
    newer[0] = 2
    expect(decodeTracker(new Uint8Array(20), newer)).toBeUndefined()
  })

  test('a range holds what begins so, and nothing else', () => {
    fc.assert(
      fc.property(bytes(3), fc.uint8Array({ maxLength: 6 }), (prefix, key) => {
        const { gte, lt } = rangeOf('owned', prefix)
        const whole = keyIn('owned', key)
        const isIn = Buffer.compare(whole, gte) >= 0 && Buffer.compare(whole, lt) < 0
        expect(isIn).toBe(Buffer.from(key).subarray(0, 3).equals(Buffer.from(prefix)))
      }),
    )
  })
})

/** A disk that the test can make fail, and that remembers how often it was written. */
class Disk implements Store {
  readonly inner = new MemoryStore()
  isFailing = false
  /** Writes from this one on are lost with the process: -1, none. */
  diesAt = -1
  writes = 0

  get = (key: Uint8Array) => this.inner.get(key)
  getMany = (keys: readonly Uint8Array[]) => this.inner.getMany(keys)
  scan = (range: Parameters<Store['scan']>[0]) => this.inner.scan(range)

  async batch(writes: readonly Write[], options?: { readonly sync?: boolean }): Promise<void> {
    if (this.isFailing) throw new CodedError('store/full')
    this.writes += 1
    if (this.diesAt >= 0 && this.writes > this.diesAt) return new Promise(() => {})
    return this.inner.batch(writes, options)
  }
}

describe('a disk that fails', () => {
  test('tower B271: nothing is acknowledged, everybody hears to come back, and after the repair all that was acknowledged is there', async () => {
    const store = new Disk()
    const world = await aTower({ store })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    store.isFailing = true

    const during = [
      await world.add(who, aPair(2)),
      await world.add(who, aPair(3)),
      await world.register(aKey(0x12)),
      await world.get(who, pair.dispute),
    ]

    expect(during.map(code)).toEqual(Array(4).fill('tower/busy'))
    expect(await world.info()).toMatchObject({ state: 'failing' })
    await world.test.pass(5_000)
    expect(code(await world.add(who, aPair(2)))).toBe('tower/busy')
    store.isFailing = false
    await world.test.pass(2_000)

    expect(await world.info()).toMatchObject({
      watched: 1,
      users: 1,
      slotsFree: 9_999,
      locators: 1,
    })
    expect(code(await world.add(who, aPair(2)))).toBe('ok')
    await world.mine(pair.dispute)
    expect(await world.where(who, pair.dispute)).toBe('mempool')
  })

  test('a breach during the failure is answered after it', async () => {
    const store = new Disk()
    const world = await aTower({ store })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    store.isFailing = true
    await world.mine(pair.dispute)
    await world.pass(2)

    store.isFailing = false
    await world.test.pass(3_000)

    expect(await world.where(who, pair.dispute)).toBe('mempool')
    expect(await world.info()).toMatchObject({ height: 103, tracked: 1 })
  })

  test('tower B82 B247: a row that cannot be read is put aside, counted, and stops nobody', async () => {
    const store = new MemoryStore()
    const world = await aTower({ store })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    const other = aKey(0x12)
    await store.batch([{ type: 'put', key: keyIn('user', other.id), value: Uint8Array.of(9) }])

    const again = await world.again()

    expect(await again.info()).toMatchObject({ users: 1, watched: 1, corruptRows: 1 })
    const aside = await store.scan(rangeOf('aside'))
    expect(aside).toHaveLength(1)
    expect(await again.where(who, pair.dispute)).toBe('watched')
  })
})

describe('a crash', () => {
  /** A session with everything that writes: what was acknowledged in it, in order. */
  async function session(store: Disk, acknowledged: string[]) {
    const chain = new TestChain(100)
    const world = await aTower({
      store,
      chain,
      config: { subscriptionDuration: 200, txIndexBlocks: 10 },
    })
    const who = aKey(0x11)
    const [first, second, third] = [1, 2, 3].map(aPair)
    if (!first || !second || !third) throw new Error('three')
    const step = async (name: string, act: () => Promise<{ readonly ok: boolean }>) => {
      const answer = await Promise.race([act().catch(() => ({ ok: false })), never(world)])
      if (answer.ok) acknowledged.push(name)
    }
    await step('register', () => world.register(who))
    await step('first', () => world.add(who, first))
    await step('second', () => world.add(who, second))
    await step('second again', () => world.add(who, second))
    await step('third', () => world.add(who, third))
    await step('third gone', () => world.takeBack(who, third.dispute, 110))
    await world.mine(first.dispute)
    await world.mine(first.penalty)
    chain.undo(1)
    chain.mine()
    await world.mine(first.penalty)
    await world.pass(5)
    return { chain, first, second, third, who }
  }

  const never = async (world: Awaited<ReturnType<typeof aTower>>) => {
    await world.test.settle()
    return { ok: false }
  }

  test('tower B248 B323: killed between any two writes, the next start has all that was acknowledged, slots add up, and the breach is answered', async () => {
    const whole = new Disk()
    await session(whole, [])
    expect(whole.writes).toBeGreaterThan(12)
    for (let diesAt = 0; diesAt <= whole.writes; diesAt += 1) {
      const store = new Disk()
      store.diesAt = diesAt
      const acknowledged: string[] = []
      const { chain, first, second, third, who } = await session(store, acknowledged)
      store.diesAt = -1

      const world = await aTower({
        store,
        chain,
        config: { subscriptionDuration: 200, txIndexBlocks: 10 },
      })
      await world.pass(7)

      const has = (name: string) => acknowledged.includes(name)
      const info = await world.info()
      if (has('register')) expect(info.users).toBe(1)
      if (has('first')) expect(await world.where(who, first.dispute)).toMatch(/mempool|confirmed/)
      if (has('second')) expect(await world.where(who, second.dispute)).toBe('watched')
      if (has('third gone')) expect(await world.where(who, third.dispute)).toBe('gone')
      else if (has('third')) expect(await world.where(who, third.dispute)).toBe('watched')
      const rows = info.watched + info.tracked + info.closed
      const returning = await store.scan(rangeOf('returning'))
      if (info.users === 1) expect(info.slotsFree + rows + returning.length).toBe(10_000)
      const keys = await store.scan({ ...rangeOf('locator'), limit: 100 })
      expect(keys).toHaveLength(rows)
      expect(await store.scan(rangeOf('tracker'))).toHaveLength(info.tracked)
      expect(await store.scan(rangeOf('raws'))).toHaveLength(info.tracked)
    }
  })

  test('tower B66 B67 B73: a resolved row leaves nothing behind', async () => {
    const store = new MemoryStore()
    const world = await aTower({ store })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    const uuid = uuidOf(testCrypto.ripemd160, pair.dispute.txid.slice(0, 16), who.id)
    await world.mine(pair.dispute, pair.penalty)
    await world.pass(101)

    for (const table of ['row', 'tracker', 'raws', 'closed'] as const)
      expect(await store.get(keyIn(table, uuid))).toBeUndefined()
    expect(await store.scan(rangeOf('locator'))).toEqual([])
    expect(await store.scan(rangeOf('owned'))).toEqual([])
  })
})
