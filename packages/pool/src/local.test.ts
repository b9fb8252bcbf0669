import {
  type Added,
  type Answer,
  limits,
  type PoolInfo,
  type PoolMessage,
  type TxFields,
  type TxRecord,
} from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { journalKeys } from './journal.ts'
import { createLocalRoom, createWallets, hashesOf, type RoomWish, SlowStore } from './local-room.ts'
import { aTx } from './testing.ts'

/* Own transactions through the pool's turns, the journal and the tracker's times. */

async function aPlace() {
  const wallets = await createWallets()
  const store = new SlowStore()
  const open = (wish: Partial<RoomWish> = {}) => createLocalRoom({ wallets, store, ...wish })
  const tx = (key: number, nonce: number, fields: Partial<TxFields> = {}) =>
    wallets.sign(key, { nonce: BigInt(nonce), ...fields })
  return { wallets, store, open, tx }
}

/** Full with the first transaction that pays more. */
const tiny = { globalSlots: 1, globalQueue: 1, accountSlots: 1, accountQueue: 1 }

describe('write, then speak', () => {
  test('nobody hears of a submission before its synced record is written', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    await room.test.settle()
    store.isHolding = true
    room.submit(tx(0, 0))
    await room.test.settle()
    expect([room.answers, room.facts()]).toEqual([[], []])
    expect(store.asked.at(-1)).toEqual({ count: 1, sync: true })

    store.flush()
    await room.test.settle()

    expect(room.answers).toEqual(['pending'])
    expect(room.order).toEqual(['answer', 'pool.changed'])
  })

  test('turns overlap the disk, and neither answers nor facts overtake each other', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const room = open()
    await room.test.settle()
    store.isHolding = true
    room.submit(tx(0, 0))
    await room.test.settle()
    room.submit(Uint8Array.of(2))
    await room.test.settle()
    room.submit(tx(1, 0))
    await room.test.settle()
    room.mine([])
    await room.test.settle()
    expect(store.waitingCount).toBe(2)
    expect(hashesOf(room.pending())).toHaveLength(2)
    expect(room.answers).toEqual([])

    store.flush(1)
    await room.test.settle()
    expect(room.answers).toEqual(['pending', 'pool/undecodable'])
    store.flush(1)
    await room.test.settle()

    expect(room.answers).toEqual(['pending', 'pool/undecodable', 'pending'])
    const facts = room.facts()
    expect(facts.map(({ added }) => added)).toEqual([
      [wallets.hashOf(tx(0, 0))],
      [wallets.hashOf(tx(1, 0))],
      [],
    ])
    expect(facts.at(-1)?.head).toBe(room.head.hash)
  })

  test('many submissions of one turn are one write', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    await room.test.settle()
    for (let nonce = 0; nonce < 100; nonce++) room.submit(tx(0, nonce, { gas: 21_000n }))
    await room.test.settle()

    expect(room.answers).toHaveLength(100)
    expect(store.asked.slice(1)).toHaveLength(Math.ceil(100 / limits.poolRecoveringTxsMax))
  })

  test('a disk that is too far behind holds up the turns, not for ever', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    await room.test.settle()
    store.isHolding = true
    for (let nonce = 0; nonce < limits.poolTurnsWritingMax + 5; nonce++) {
      room.submit(tx(0, nonce))
      await room.test.settle()
    }
    expect(store.waitingCount).toBe(limits.poolTurnsWritingMax)

    store.isHolding = false
    store.flush()
    await room.test.settle()

    expect(room.answers).toHaveLength(limits.poolTurnsWritingMax + 5)
  })

  test.each([
    ['local', true, false],
    ['all', true, true],
    ['none', false, false],
  ] as const)(
    'journal-sync %s: submissions synced %s, removals %s',
    async (journalSync, submission, removal) => {
      const { store, open, tx } = await aPlace()
      const room = open({ config: { journalSync } })
      await room.test.settle()
      room.submit(tx(0, 0))
      await room.test.settle()
      expect(store.asked.at(-1)).toEqual({ count: 1, sync: submission })
      room.mine(room.pending())
      await room.test.settle()
      // The record goes, and what became of it is written.
      expect(store.asked.at(-1)).toEqual({ count: 2, sync: removal })
      expect(await journalKeys(store)).toEqual([])
    },
  )

  test('without locals nothing is followed, without a journal nothing is written', async () => {
    const { store, open, tx } = await aPlace()
    const deaf = open({ config: { noLocals: true } })
    const forgetful = open({ config: { journal: false } })
    for (const room of [deaf, forgetful]) {
      room.submit(tx(0, 0))
      await room.test.settle()
      expect(room.answers).toEqual(['pending'])
    }
    expect(deaf.tracked()).toEqual([])
    expect(forgetful.tracked()).toHaveLength(1)
    expect(store.asked).toEqual([])
  })
})

describe('a full disk', () => {
  test('refuses the submission, takes it back, and gossip never hears of it', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    await room.test.settle()
    store.isFull = true
    room.submit(tx(0, 0))
    await room.test.settle()

    expect(room.taken[0]?.answer).toEqual({
      ok: false,
      code: 'pool/journal-failed',
      message: 'transaction journal unavailable: store/full: no space left on device',
    })
    expect(room.pending()).toEqual([])
    expect(room.tracked()).toEqual([])
    const facts = room.facts()
    expect(
      facts.flatMap(({ added, events, promoted }) => [...added, ...events, ...promoted]),
    ).toEqual([])
    expect(facts.flatMap(({ dropped }) => dropped.map(({ reason }) => reason))).toEqual([
      'journal-failed',
    ])
    expect(facts.at(-1)?.stats).toMatchObject({ pending: 0 })
  })

  test('is said once, and its end too, without a restart', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    await room.test.settle()
    store.isFull = true
    for (let nonce = 0; nonce < 3; nonce++) {
      room.submit(tx(0, nonce))
      await room.test.settle()
    }
    expect(room.node.take()).toMatchObject([
      { type: 'node.raise', reason: { code: 'journal-failed' } },
    ])

    store.isFull = false
    room.submit(tx(0, 0))
    await room.test.settle()

    expect(room.answers.at(-1)).toBe('pending')
    expect(room.node.take()).toEqual([{ type: 'node.clear', code: 'journal-failed' }])
  })

  test('keeps what others sent', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const room = open()
    await room.test.settle()
    room.submit(tx(0, 0))
    await room.test.settle()
    const [record] = room.pending()
    store.isFull = true
    const other = open({ store })
    await other.test.settle()
    other.pool.tell({
      ...{ type: 'pool.add', txs: record ? [record] : [], origin: 'gossip' },
      reply: { tell() {} } as never,
    })
    await other.test.settle()
    expect(hashesOf(other.pending())).toContain(wallets.hashOf(tx(0, 0)))
  })

  test('under a replacement lets the one before it wait, follows it on, and forgets nothing of the disk', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const room = open()
    room.submit(tx(0, 0))
    await room.test.settle()
    store.isFull = true
    room.submit(tx(0, 0, { feeCap: 2_000n, tip: 20n }))
    await room.test.settle()
    expect(room.answers).toEqual(['pending', 'pool/journal-failed'])
    expect(room.tracked()).toMatchObject([
      { hash: wallets.hashOf(tx(0, 0)), state: 'waiting', reason: 'replaced' },
    ])

    await room.test.pass(limits.trackerFirstMs)

    expect(hashesOf(room.pending())).toEqual([wallets.hashOf(tx(0, 0))])
    expect(room.tracked()).toMatchObject([{ state: 'pooled', tries: 1 }])
  })
})

describe('after a restart', () => {
  test('what was submitted is pending again, published as not relayed, and not written again', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    for (let nonce = 0; nonce < 3; nonce++) first.submit(tx(0, nonce))
    first.submit(tx(1, 5))
    await first.test.settle()
    const before = hashesOf(first.content())

    const disk = store.after('power cut')
    const second = open({ store: disk })
    await second.test.settle()

    expect(hashesOf(second.content())).toEqual(before)
    const events = second.facts().flatMap(fact => fact.events)
    expect(events.map(({ origin, relayed }) => [origin, relayed])).toEqual(
      Array(3).fill(['journal', false]),
    )
    expect(disk.asked).toEqual([])
    expect(second.stats()).toMatchObject({ tracked: 4, journaled: 4 })
  })

  test('what was mined meanwhile is gone with its record, and counted', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    for (let nonce = 0; nonce < 3; nonce++) first.submit(tx(0, nonce))
    await first.test.settle()

    const disk = store.after('kill')
    const second = open({ store: disk, nonces: new Map([[0, 2n]]) })
    await second.test.settle()

    expect(second.pending().map(({ nonce }) => nonce)).toEqual([2n])
    expect(await journalKeys(disk)).toHaveLength(1)
    expect(second.stats().finished).toEqual(new Map([['nonce-used', 2]]))
  })

  test('a replacement is what comes back, alone', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const first = open()
    first.submit(tx(0, 0))
    first.submit(tx(0, 0, { feeCap: 2_000n, tip: 20n }))
    await first.test.settle()
    expect(await journalKeys(store)).toHaveLength(1)

    const second = open({ store: store.after('power cut') })
    await second.test.settle()

    expect(hashesOf(second.content())).toEqual([
      wallets.hashOf(tx(0, 0, { feeCap: 2_000n, tip: 20n })),
    ])
  })

  test('submissions wait behind the journal, questions do not', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    first.submit(tx(0, 0, { feeCap: 2_000n, tip: 20n }))
    await first.test.settle()

    const second = open({ store: store.after('kill') })
    const info = () =>
      second.ask<PoolInfo>(reply => ({ type: 'pool.getInfo', reply }) as PoolMessage)
    second.submit(tx(0, 0))
    expect(second.content()).toEqual([])
    // Nothing is read yet, and it says so: whoever waits for the pool must not take it for loaded.
    expect(info().loading).toEqual({ done: 0, of: 0 })
    await second.test.settle()

    expect(info().loading).toBeUndefined()
    expect(second.answers).toEqual(['pool/replacement-underpriced'])
    expect(second.pending()).toMatchObject([{ feeCap: 2_000n }])
  })

  test('what gossip brought back first is followed all the same, once', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    first.submit(tx(0, 0))
    await first.test.settle()
    const disk = store.after('kill')

    const second = open({ store: disk })
    second.pool.tell({
      ...{ type: 'pool.add', txs: first.pending(), origin: 'gossip' },
      reply: { tell() {} } as never,
    })
    await second.test.settle()

    expect(second.content()).toHaveLength(1)
    expect(second.tracked()).toMatchObject([{ state: 'pooled' }])
    expect(disk.asked).toEqual([])
  })

  test('without state nothing is lost: it waits and is added at the next look', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    first.submit(tx(0, 0))
    await first.test.settle()

    const disk = store.after('kill')
    const second = open({ store: disk })
    second.setState(false)
    await second.test.settle()
    expect(second.tracked()).toMatchObject([{ state: 'waiting', reason: 'pool/state-missing' }])
    second.setState(true)
    await second.test.pass(limits.trackerFirstMs)

    expect(second.tracked()).toMatchObject([{ state: 'pooled' }])
    expect(second.pending()).toHaveLength(1)
    expect(await journalKeys(disk)).toHaveLength(1)
  })

  test('at a higher minimum tip it waits until that falls', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    first.submit(tx(0, 0, { tip: 10n }))
    await first.test.settle()

    const second = open({ store: store.after('kill'), config: { priceLimit: 11n } })
    await second.test.settle()
    expect(second.tracked()).toMatchObject([{ reason: 'pool/tip-below-minimum' }])
    second.pool.tell({ type: 'pool.setGasTip', tip: 1n })
    await second.test.pass(limits.trackerFirstMs)

    expect(second.pending()).toHaveLength(1)
  })

  test('a journal of another chain stops the pool', async () => {
    const { store, open, tx } = await aPlace()
    const first = open()
    first.submit(tx(0, 0))
    await first.test.settle()
    await store.batch([
      { type: 'put', key: new TextEncoder().encode('m/meta'), value: Uint8Array.of(0x90) },
    ])

    const second = open({ store: store.after('kill') })
    await second.test.settle()

    expect(second.test.fatals).toMatchObject([{ code: 'store/corrupt' }])
  })
})

describe('the tracker', () => {
  test('takes what is refused for the time being, says so, and submits it until it goes in', async () => {
    const { store, open, tx } = await aPlace()
    const room = open({ config: tiny })
    room.submit(tx(0, 0, { feeCap: 5_000n, tip: 50n }))
    room.submit(tx(1, 0, { feeCap: 5_000n, tip: 50n }))
    await room.test.settle()
    room.facts()
    room.submit(tx(2, 0, { feeCap: 100n }))
    await room.test.settle()
    expect(room.answers.at(-1)).toBe('pool/underpriced')
    expect(room.taken.at(-1)?.answer.ok).toBe(true)
    expect(room.facts()).toEqual([])
    expect(await journalKeys(store)).toHaveLength(3)

    await room.test.pass(limits.trackerFirstMs)
    expect(room.tracked()).toMatchObject([{}, {}, { state: 'waiting', tries: 1 }])
    room.mine(room.pending())
    await room.test.pass(limits.trackerRecheckMs)

    expect(room.pending()).toHaveLength(1)
    expect(room.stats()).toMatchObject({ tracked: 1, resubmitted: 2 })
  })

  test('tries what goes on being refused after 2, 4, 8 s and so on, at last once a minute', async () => {
    const { open, tx } = await aPlace()
    const room = open({ config: tiny })
    room.submit(tx(0, 0, { feeCap: 5_000n, tip: 50n }))
    room.submit(tx(1, 0, { feeCap: 5_000n, tip: 50n }))
    room.submit(tx(2, 0, { feeCap: 100n }))
    await room.test.settle()
    const tries: (number | undefined)[] = []
    for (const seconds of [2, 2, 4, 8, 16, 32, 60, 60]) {
      await room.test.pass(seconds * 1_000)
      tries.push(room.tracked().at(-1)?.tries)
    }

    expect(tries).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('does not take any other refusal, and with nolocals none', async () => {
    const { open, tx } = await aPlace()
    const room = open()
    room.setPoor(0, true)
    room.submit(tx(0, 0))
    await room.test.settle()
    expect(room.answers).toEqual(['pool/insufficient-funds'])
    expect(room.tracked()).toEqual([])

    const deaf = open({ config: { ...tiny, noLocals: true } })
    for (const key of [0, 1]) deaf.submit(tx(key, 0, { feeCap: 5_000n, tip: 50n }))
    deaf.submit(tx(2, 0, { feeCap: 100n }))
    await deaf.test.settle()
    expect(deaf.taken.at(-1)?.answer).toMatchObject({ ok: false, code: 'pool/underpriced' })
  })

  test('brings back what could not be paid when the money returns, and gives up at the end of its life', async () => {
    const { store, open, tx } = await aPlace()
    const room = open({ config: { localLifetimeMs: 300_000 } })
    room.submit(tx(0, 0))
    room.submit(tx(1, 9))
    await room.test.settle()
    room.setPoor(0, true)
    room.mine([])
    await room.test.pass(80_000)
    expect(room.tracked()[0]).toMatchObject({ state: 'waiting', reason: 'pool/insufficient-funds' })

    room.setPoor(0, false)
    await room.test.pass(60_000)
    expect(room.tracked()[0]).toMatchObject({ state: 'pooled' })
    await room.test.pass(300_000)

    expect(room.tracked()).toEqual([])
    expect(room.stats().finished).toEqual(new Map([['local-expired', 2]]))
    expect(await journalKeys(store)).toEqual([])
    expect(room.content()).toHaveLength(2)
  })

  test('costs nothing while nothing waits, and is looked for within two seconds of beginning to', async () => {
    const { open, tx } = await aPlace()
    const room = open({ config: { republishMs: 0 } })
    const looks = (): number =>
      room.test.bus.meters().actors.find(({ actor }) => actor === '/tracker')?.handled ?? 0
    room.submit(tx(0, 0))
    await room.test.pass(limits.trackerFirstMs * 2)
    const before = looks()
    await room.test.pass(limits.trackerRecheckMs / 2)
    expect(looks()).toBe(before)

    room.setPoor(0, true)
    room.mine([])
    await room.test.settle()
    room.setPoor(0, false)
    await room.test.pass(limits.trackerFirstMs)
    expect(room.tracked()).toMatchObject([{ state: 'pooled', tries: 1 }])
  })

  test('follows a mined one again when a reorg brings it back, in the same turn', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    room.submit(tx(0, 0))
    await room.test.settle()
    const mined: TxRecord[] = room.pending()
    room.mine(mined)
    await room.test.settle()
    expect([room.tracked(), await journalKeys(store)]).toEqual([[], []])

    room.reorg(mined)
    await room.test.settle()

    expect(room.tracked()).toMatchObject([{ state: 'pooled' }])
    expect(hashesOf(room.pending())).toEqual(hashesOf(mined))
    expect(await journalKeys(store)).toHaveLength(1)
  })

  test('follows a rival of its own that a reorg brings back: the nonce is free again', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    room.submit(tx(0, 0))
    await room.test.settle()
    const rival: TxRecord[] = room.pending()
    const [first] = rival
    room.submit(tx(0, 0, { feeCap: (first?.feeCap ?? 0n) * 2n, tip: (first?.tip ?? 0n) * 2n }))
    await room.test.settle()
    room.mine(rival)
    await room.test.settle()
    expect([room.tracked(), room.stats().finished]).toEqual([[], new Map([['nonce-used', 1]])])

    room.reorg(rival)
    await room.test.settle()

    expect(room.tracked()).toMatchObject([{ hash: first?.hash, state: 'pooled' }])
    expect(await journalKeys(store)).toHaveLength(1)
  })

  test('lets go of what was sent since the block that the chain is set back to', async () => {
    const { store, open, tx } = await aPlace()
    const room = open()
    room.submit(tx(0, 0))
    await room.test.settle()
    const mined: TxRecord[] = room.pending()
    room.mine(mined)
    room.submit(tx(0, 1))
    await room.test.settle()

    room.forget()
    room.reorg(mined)
    await room.test.settle()

    expect([room.tracked(), room.pending(), await journalKeys(store)]).toEqual([[], [], []])
  })

  test('adopts what local senders sent by any way', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const source = open({ config: { journal: false } })
    source.submit(tx(0, 0))
    source.submit(tx(1, 0))
    await source.test.settle()
    const room = open({ config: { locals: [wallets.address(1)], persist: 'local' } })
    await room.test.settle()
    room.pool.tell({
      ...{ type: 'pool.add', txs: source.pending(), origin: 'gossip' },
      reply: { tell() {} } as never,
    })
    await room.test.settle()

    expect(room.tracked()).toMatchObject([{ from: wallets.address(1) }])
    expect(store.asked.at(-1)).toEqual({ count: 1, sync: false })
  })

  test('sweeps what nobody follows and writes what is missing', async () => {
    const { store, open, tx, wallets } = await aPlace()
    const room = open({ config: { locals: [wallets.address(1)], rejournalMs: 5_000 } })
    const source = open({ config: { journal: false } })
    source.submit(tx(1, 0))
    room.submit(tx(0, 0))
    await source.test.settle()
    await room.test.settle()
    const own = room.pending()
    store.isFull = true
    room.pool.tell({
      ...{ type: 'pool.add', txs: source.pending(), origin: 'gossip' },
      reply: { tell() {} } as never,
    })
    room.mine(own)
    await room.test.settle()
    expect(room.stats()).toMatchObject({ tracked: 1, journaled: 0 })

    store.isFull = false
    await room.test.pass(5_000)

    expect(await journalKeys(store)).toHaveLength(1)
    expect(room.stats()).toMatchObject({ tracked: 1, journaled: 1 })
  })

  test('the last that fits is followed; the next is pooled and says that it is not', async () => {
    const { open } = await aPlace()
    const room = open({ config: { journal: false } })
    const most = limits.trackedMax
    const txs = Array.from({ length: most + 1 }, (_, nonce) => aTx({ nonce }))
    let answers: readonly Answer<Added>[] = []
    const reply = { tell: (given: typeof answers) => void (answers = given) }
    room.pool.tell({ type: 'pool.add', txs, origin: 'local', reply: reply as never })
    await room.test.settle()

    expect(room.tracked()).toHaveLength(most)
    expect(answers[most - 1]).not.toHaveProperty('value.tracked')
    expect(answers[most]).toMatchObject({ ok: true, value: { tracked: false } })
  })
})

describe('publishing again', () => {
  test('what stays pending is handed to gossip after its time, once, and again after as long', async () => {
    const { open, tx } = await aPlace()
    const room = open()
    room.submit(tx(0, 0))
    room.submit(tx(1, 3))
    await room.test.settle()
    const [pending] = room.pending()
    await room.test.pass(300_000 - limits.republishJitterMs - 1)
    expect(room.gossip.take()).toEqual([])

    await room.test.pass(2 * limits.republishJitterMs + limits.republishLookMs + 1)
    expect(room.gossip.take()).toMatchObject([{ txs: [{ hash: pending?.hash }] }])
    await room.test.pass(150_000)
    expect(room.gossip.take()).toEqual([])
    await room.test.pass(200_000)

    expect(room.gossip.take()).toHaveLength(1)
  })

  test('mined ones are not, and 0 is never', async () => {
    const { open, tx } = await aPlace()
    const never = open({ config: { republishMs: 0 } })
    const room = open()
    for (const each of [never, room]) {
      each.submit(tx(0, 0))
      await each.test.settle()
    }
    room.mine(room.pending())
    for (const each of [never, room]) {
      await each.test.pass(900_000)
      expect(each.gossip.take()).toEqual([])
    }
  })
})
