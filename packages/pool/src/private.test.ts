import {
  type Explanation,
  type Hash,
  limits,
  type PoolContent,
  type PooledTx,
  type PoolMessage,
  type TrackedTx,
  type TxRecord,
} from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import type { PoolConfig } from './config.ts'
import { createLocalRoom, createWallets, type LocalRoom } from './local-room.ts'

const wallets = await createWallets()
const raw = wallets.sign(0)
const secret = wallets.hashOf(raw)

function aRoom(config: Partial<PoolConfig> = {}, store?: MemoryStore): LocalRoom {
  return createLocalRoom({ wallets, config, ...(store && { store }) })
}

async function withSecret(config?: Partial<PoolConfig>, store?: MemoryStore): Promise<LocalRoom> {
  const room = aRoom(config, store)
  room.submit(raw, true)
  await room.test.settle()
  return room
}

const question = <R>(room: LocalRoom, message: Record<string, unknown>): R =>
  room.ask<R>(reply => ({ ...message, reply }) as unknown as PoolMessage)

const why = (room: LocalRoom, all: boolean): Explanation =>
  question(room, { type: 'pool.explain', subject: secret, ...(all && { all }) })

const theTx = (room: LocalRoom): TxRecord => {
  const found = question<PooledTx | null>(room, {
    ...{ type: 'pool.getTransaction', hash: secret, all: true },
  })
  if (found === null) throw new Error('the pool has it')
  return found.tx
}

describe('a private transaction', () => {
  test('is taken like any other, and may be chosen for a block', async () => {
    const room = await withSecret()

    expect(room.answers).toEqual(['pending'])
    const chosen = question<readonly TxRecord[]>(room, {
      ...{ type: 'pool.select', gas: 30_000_000, bytes: 100_000, baseFee: 7n },
    })
    expect(chosen.map(({ hash }) => hash)).toEqual([secret])
    expect(why(room, true)).toMatchObject({ state: 'pending', origin: 'private', tracked: true })
  })

  test('is named in facts only as an event that says it is private', async () => {
    const room = await withSecret()

    const facts = room.facts()
    expect(facts).toMatchObject([{ added: [], promoted: [], demoted: [], dropped: [] }])
    expect(facts.flatMap(({ events }) => events)).toMatchObject([
      { origin: 'private', relayed: false, tx: { hash: secret } },
    ])
  })

  test('is named by no drop either: not when it leaves, not as the one that pushed another out', async () => {
    const room = await withSecret()
    room.submit(wallets.sign(0, { feeCap: 2_000n, tip: 20n }), true)
    await room.test.settle()
    expect(room.facts().flatMap(({ dropped }) => dropped)).toEqual([])

    const open = aRoom()
    open.submit(raw)
    open.submit(wallets.sign(0, { feeCap: 2_000n, tip: 20n }), true)
    await open.test.settle()
    expect(open.facts().flatMap(({ dropped }) => dropped)).toEqual([
      { hash: secret, reason: 'replaced' },
    ])
  })

  test('is shown to the operator and to nobody else', async () => {
    const room = await withSecret()
    const shows = (all: boolean) => {
      const wish = all ? { all } : {}
      const content = question<PoolContent>(room, { type: 'pool.getContent', ...wish })
      return [
        question(room, { type: 'pool.getTransaction', hash: secret, ...wish }) !== null,
        content.pending.size === 1,
        question<TrackedTx[]>(room, { type: 'pool.getTracked', ...wish }).length === 1,
        why(room, all).state === 'pending',
        question<Explanation>(room, {
          ...{ type: 'pool.explain', subject: wallets.address(0), ...wish },
        }).account?.pending.length === 1,
      ]
    }

    expect(shows(true)).toEqual(Array(5).fill(true))
    expect(shows(false)).toEqual(Array(5).fill(false))
  })

  test('is missing for whoever may not know of it: in gaps, in sums, and beside its own sender’s others', async () => {
    const room = aRoom()
    const [before, after] = [wallets.sign(0), wallets.sign(0, { nonce: 3n })]
    for (const open of [before, after]) room.submit(open)
    for (const nonce of [1n, 2n]) room.submit(wallets.sign(0, { nonce: nonce + 3n }), true)
    await room.test.settle()
    const about = (subject: string, all: boolean) =>
      question<Explanation>(room, { type: 'pool.explain', subject, ...(all && { all }) })
    const cost = room.pending()[0]?.cost ?? 0n

    const account = about(wallets.address(0), false)
    expect(account.account).toMatchObject({ missing: [1n, 2n], totalCost: 2n * cost })
    expect(about(wallets.address(0), true).account).toMatchObject({ totalCost: 4n * cost })
    room.submit(wallets.sign(0, { nonce: 6n }))
    await room.test.settle()
    const last = wallets.hashOf(wallets.sign(0, { nonce: 6n }))
    expect(about(last, false).place?.missing).toEqual([1n, 2n, 4n, 5n])
    expect(about(last, true).place?.missing).toEqual([1n, 2n])
  })

  test('has no sender for whoever asks who sent what; others have one, also when they are gone', async () => {
    const room = await withSecret()
    const open = wallets.sign(1)
    room.submit(open)
    await room.test.settle()
    const hashes = [secret, wallets.hashOf(open), `0x${'ee'.repeat(32)}`]
    const known = [null, wallets.address(1), null]
    expect(question(room, { type: 'pool.getSenders', hashes })).toEqual(known)

    room.mine(room.pending())
    await room.test.settle()
    expect(question(room, { type: 'pool.getSenders', hashes })).toEqual(known)
  })

  test('is never handed over to be published again', async () => {
    const room = await withSecret({ republishMs: 150_000 })
    await room.test.pass(600_000)

    expect(room.gossip.take()).toEqual([])
  })

  test('stays private when it was refused for now and is submitted again', async () => {
    const room = createLocalRoom({ wallets, config: { globalSlots: 1, globalQueue: 1 } })
    room.submit(wallets.sign(1, { feeCap: 5_000n, tip: 50n }))
    room.submit(wallets.sign(2, { feeCap: 5_000n, tip: 50n }))
    room.submit(raw, true)
    await room.test.settle()
    expect(room.answers.at(-1)).toBe('pool/underpriced')
    room.facts()
    room.mine(room.pending())
    await room.test.pass(limits.trackerFirstMs + limits.trackerRecheckMs)

    const events = room.facts().flatMap(fact => fact.events)
    expect(events).toMatchObject([{ origin: 'private', tx: { hash: secret } }])
  })

  test('stays private over a restart', async () => {
    const store = new MemoryStore()
    await withSecret({}, store)
    const room = aRoom({}, store)
    await room.test.settle()

    const events = room.facts().flatMap(fact => fact.events)
    expect(events).toMatchObject([{ origin: 'private', tx: { hash: secret } }])
    expect(why(room, false).state).toBe('unknown')
  })

  test('is everybody’s once it is mined, and private again when its block leaves', async () => {
    const room = await withSecret()
    const tx = theTx(room)
    room.mine([tx])
    await room.test.settle()
    expect(why(room, false)).toMatchObject({ state: 'mined', block: { number: 1n, index: 0n } })
    room.facts()

    room.reorg([tx])
    await room.test.settle()
    expect(room.facts()).toMatchObject([{ added: [], events: [{ origin: 'private' }] }])
    expect(why(room, false).state).toBe('unknown')
    expect(why(room, true).state).toBe('pending')
  })

  test('does not come back from a block when the configuration says so', async () => {
    const room = await withSecret({ privateReinject: false })
    const tx = theTx(room)
    room.mine([tx])
    await room.test.settle()
    room.reorg([tx])
    await room.test.settle()

    expect(room.content()).toEqual([])
    expect(room.tracked()).toEqual([])
  })
})

describe('the story of an own transaction', () => {
  test('survives a restart, so that it can still be said that it was mined, and where', async () => {
    const store = new MemoryStore()
    const room = aRoom({}, store)
    await room.test.settle()
    room.submit(raw)
    await room.test.settle()
    const [tx] = room.pending()
    room.mine(tx === undefined ? [] : [tx])
    await room.test.settle()
    const before = ask(room, secret)

    const second = createLocalRoom({ wallets, store, start: room.head, nonces: new Map([[0, 1n]]) })
    await second.test.settle()
    const after = ask(second, secret)
    expect(after).toMatchObject({ state: 'mined', why: 'Mined in block 1 at index 0.' })
    expect(after.tx).toEqual(before.tx)
    expect(after.story.map(({ at, event, reason }) => [at, event, reason])).toEqual(
      before.story.map(({ at, event, reason }) => [at, event, reason]),
    )
    expect(after.story.every(({ cause }) => cause === undefined)).toBe(true)
  })

  test('goes on after a restart', async () => {
    const store = new MemoryStore()
    const room = aRoom({}, store)
    await room.test.settle()
    room.submit(wallets.sign(0, { feeCap: 900n, tip: 9n }))
    room.submit(raw)
    await room.test.settle()
    const second = aRoom({}, store)
    await second.test.settle()

    const old = ask(second, wallets.hashOf(wallets.sign(0, { feeCap: 900n, tip: 9n })))
    expect(old).toMatchObject({ state: 'dropped', reason: 'replaced', by: secret })
    expect(ask(second, secret)).toMatchObject({ state: 'pending', tracked: true })
  })

  test('that is damaged on disk is left out, and the node starts', async () => {
    const store = new MemoryStore()
    await store.batch([
      { type: 'put', key: new TextEncoder().encode('s/x'), value: Uint8Array.of(1) },
    ])
    const room = aRoom({}, store)
    await room.test.settle()

    expect(room.test.fatals).toEqual([])
  })
})

describe('an own transaction', () => {
  test('has a story whose causes the trace of the bus knows', async () => {
    const room = aRoom()
    room.submit(wallets.sign(3))
    await room.test.settle()
    const { story } = question<Explanation>(room, {
      ...{ type: 'pool.explain', subject: wallets.hashOf(wallets.sign(3)) },
    })

    expect(story.map(({ event }) => event)).toEqual(['received', 'pending'])
    const [{ cause = 0 } = {}] = story
    expect(room.test.bus.trace(cause).map(({ type }) => type)).toContain('pool.recovered')
  })

  test('that was refused in front of the pool is told of', async () => {
    const room = aRoom()
    const poor = wallets.sign(4, { gas: 20_000n })
    room.submit(poor)
    await room.test.settle()

    expect(ask(room, wallets.hashOf(poor))).toMatchObject({
      state: 'rejected',
      reason: 'pool/intrinsic-gas',
    })
  })

  test('that waits outside says so, and each change of why is an event', async () => {
    const room = createLocalRoom({ wallets, config: { globalSlots: 1, globalQueue: 1 } })
    room.submit(wallets.sign(1, { feeCap: 5_000n, tip: 50n }))
    room.submit(wallets.sign(2, { feeCap: 5_000n, tip: 50n }))
    room.submit(raw)
    await room.test.settle()

    const { why: sentence, state, story, tracked } = ask(room, secret)
    expect({ state, tracked }).toEqual({ state: 'rejected', tracked: true })
    expect(sentence).toMatch(/It is followed and will be submitted again\.$/)
    expect(story.map(({ event, reason }) => `${event} ${reason}`)).toEqual([
      ...['received local', 'waits pool/underpriced'],
    ])
  })

  test('that was removed by the operator is gone for good, and followed no longer', async () => {
    const room = aRoom()
    room.submit(raw)
    await room.test.settle()

    expect(question(room, { type: 'pool.drop', hash: secret })).toBe(true)
    expect(question(room, { type: 'pool.drop', hash: secret })).toBe(false)
    expect(room.tracked()).toEqual([])
    expect(ask(room, secret)).toMatchObject({ state: 'dropped', reason: 'removed-by-operator' })
  })

  test('may be followed no longer and stay in the pool', async () => {
    const room = aRoom()
    room.submit(raw)
    await room.test.settle()

    expect(question(room, { type: 'pool.untrack', hash: secret })).toBe(true)
    expect(question(room, { type: 'pool.untrack', hash: secret })).toBe(false)
    expect(ask(room, secret)).toMatchObject({ state: 'pending', tracked: false })
  })

  test('is found by the first digits of its hash', async () => {
    const room = aRoom()
    room.submit(raw)
    await room.test.settle()

    const find = (prefix: string) =>
      question<readonly Hash[]>(room, { type: 'pool.findHashes', prefix, most: 8 })
    expect(find(secret.slice(0, 8))).toEqual([secret])
    expect(find('0xffff0000ffff')).toEqual([])
  })
})

const ask = (room: LocalRoom, subject: Hash): Explanation =>
  question(room, { type: 'pool.explain', subject })
