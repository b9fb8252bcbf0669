import {
  type Address,
  decodeTx,
  encodeRlp,
  failed,
  type Hash,
  limits,
  type PoolMessage,
  type RlpItem,
} from '@rockpool/protocol'
import { MemoryStore } from '@rockpool/protocol/conformance'
import { expect } from 'vitest'
import { tellRefused } from '../chronicle.ts'
import type { PoolConfig } from '../config.ts'
import { putRow } from '../journal.ts'
import { createLocalRoom, createWallets, hashesOf, type LocalRoom } from '../local-room.ts'
import { Stories } from '../stories.ts'
import { aTx } from '../testing.ts'

/* Attacks on what lies in front of the pool, and beside it: bytes, signatures, questions, the disk. */

/** Half the order of the curve, and more: no signature has such an `s`. */
const highS = new Uint8Array(32).fill(0xfe)

export async function aDoor(config: Partial<PoolConfig> = {}, store?: MemoryStore) {
  const wallets = await createWallets()
  let recoveredCount = 0
  const counted = {
    ...wallets,
    recovery: () => {
      const inner = wallets.recovery()
      return {
        ...inner,
        recover: (txs: Parameters<typeof inner.recover>[0]) => {
          recoveredCount += txs.length
          return inner.recover(txs)
        },
      }
    },
  }
  const room = createLocalRoom({ wallets: counted, config, ...(store && { store }) })
  await room.test.settle()
  return { wallets, room, recovered: () => recoveredCount }
}

function codesOf(room: LocalRoom): Map<string, number> {
  const codes = new Map<string, number>()
  for (const answer of room.answers) codes.set(answer, (codes.get(answer) ?? 0) + 1)
  return codes
}

/** Submits `count` in rounds the mailbox takes, and waits until all are answered. */
async function flood(room: LocalRoom, count: number, make: (index: number) => Uint8Array) {
  const round = limits.mailbox.pool / 2
  for (let at = 0; at < count; at += round) {
    for (let index = at; index < Math.min(count, at + round); index++) room.submit(make(index))
    await room.test.settle()
  }
}

/** A13: signatures that cannot be, among which somebody honest submits. */
export async function badSignatures(count: number): Promise<void> {
  const { wallets, room, recovered } = await aDoor()
  const raw = wallets.sign(0)
  const forged = (index: number) => {
    const bad = Uint8Array.from(wallets.sign(1, { nonce: 0n, value: 7n }))
    // The last field is s; what stands before it differs, so no two are the same transaction.
    bad.set(highS, bad.length - 32)
    new DataView(bad.buffer).setUint32(bad.length - 60, index)
    return bad
  }
  const bad = Array.from({ length: Math.min(count, 1_000) }, (_, index) => forged(index))
  await flood(room, count, index => bad[index % bad.length] ?? raw)
  expect(recovered()).toBe(0)
  room.submit(raw)
  await room.test.settle()

  expect(codesOf(room)).toEqual(
    new Map([
      ['pool/invalid-sender', count],
      ['pending', 1],
    ]),
  )
  expect(recovered()).toBe(1)
}

/** A14: bytes that lie about their length, nest, or are a good transaction with a few of them changed. The slowest, in milliseconds. */
export async function hostileBytes(mutants: number, clockMs: () => number): Promise<number> {
  const wallets = await createWallets()
  const random = generator(14)
  const good = [0, 1, 2, 3].map(nonce => wallets.sign(nonce, { nonce: BigInt(nonce) }))
  const mutated = Array.from({ length: mutants }, (_, index) => {
    const bytes = Uint8Array.from(good[index % good.length] ?? [])
    for (let change = 0; change <= index % 4; change++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    return index % 5 === 0 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
  })
  const one = Uint8Array.of(0xc1, 0x01)
  const many = encodeRlp(Array.from({ length: 65_000 }, (): RlpItem => [Uint8Array.of(1)]))
  const crafted = [
    // A length of 2^64 - 1, one with a leading zero, and lists in lists as deep as bytes go.
    Uint8Array.of(2, 0xff, ...new Array(8).fill(0xff)),
    Uint8Array.of(0xf8, 0x00),
    Uint8Array.of(2, 0xbf, ...new Array(8).fill(0x7f)),
    new Uint8Array(131_072).fill(0xc1),
    Uint8Array.from([2, ...new Uint8Array(131_000).fill(0xc0)]),
    Uint8Array.from([4, ...many]),
    Uint8Array.from([1, ...many]),
    many,
    one,
  ]
  let slowest = 0
  for (const bytes of [...crafted, ...mutated]) {
    const began = clockMs()
    const decoded = decodeTx(bytes, wallets.keccak256)
    slowest = Math.max(slowest, clockMs() - began)
    if (!decoded.ok) expect(decoded.code).toMatch(/^pool\/(undecodable|type-unsupported)$/)
  }
  for (const bytes of crafted) expect(decodeTx(bytes, wallets.keccak256).ok).toBe(false)
  return slowest
}

/** A15, first half: refusals by the million push out each other's stories and nobody else's. */
export function refusedByTheMillion(count: number, bound: number): void {
  const own = aTx({ from: 1 })
  const stories = new Stories({ max: bound, isOwn: hash => hash === own.hash })
  const telling = { now: 1, cause: 1, block: 1 }
  stories.added(own, 'pending', 'local', telling)
  stories.happened(own.hash, 'dropped', telling, 'expired')
  const failure = failed('pool/underpriced')
  const model = aTx({ from: 2 })
  for (let index = 0; index < count; index++) {
    const hash = `0x${index.toString(16).padStart(64, '0')}` as Hash
    tellRefused(stories, 'gossip', [{ tx: { ...model, hash }, failure }], telling)
  }
  expect(stories.kept).toBeLessThanOrEqual(bound)
  expect(stories.find(own.hash)).toBeDefined()
}

/** A15, second half: whoever asks after accounts leaves nothing behind. */
export async function nonceQuestions(count: number): Promise<void> {
  await askNonces(await aDoor(), count)
}

export async function askNonces({ room }: Awaited<ReturnType<typeof aDoor>>, count: number) {
  let answered = 0
  const reply = { tell: () => void answered++ } as never
  for (let at = 0; at < count; at += 64) {
    for (let index = at; index < Math.min(count, at + 64); index++) {
      const address = `0x${index.toString(16).padStart(40, '0')}` as Address
      room.pool.tell({ type: 'pool.getNonce', address, reply })
    }
    await room.test.settle()
    room.asked()
  }
  expect(answered).toBe(count)
  expect(room.all()).toEqual([])
}

/** A17: what is pooled, and what was mined long ago, sent again and again. */
export async function replays(count: number): Promise<void> {
  const { wallets, room, recovered } = await aDoor()
  const old = wallets.sign(0)
  const fresh = wallets.sign(0, { nonce: 1n })
  room.submit(old)
  await room.test.settle()
  room.mine(room.pending())
  room.submit(fresh)
  await room.test.settle()
  const before = recovered()
  const known = room.answers.length
  await flood(room, count, index => (index % 2 === 0 ? old : fresh))

  const answers = new Set(room.answers.slice(known))
  expect(answers).toEqual(new Set(['pool/nonce-too-low', 'pool/known']))
  // What is pooled needs no signature checked; what is mined asks the recovery, which remembers it.
  expect(recovered() - before).toBeLessThanOrEqual(count / 2)
  expect(hashesOf(room.pending())).toEqual([wallets.hashOf(fresh)])
}

/** A18: a journal ten times as long as what is ever read, whose rows are a stranger's, damaged, or for another chain. */
export async function poisonedJournal(count: number): Promise<void> {
  const wallets = await createWallets()
  const store = new MemoryStore()
  const first = createLocalRoom({ wallets, store })
  await first.test.settle()
  const good = wallets.sign(0)
  first.submit(good)
  await first.test.settle()
  const other = Uint8Array.from(good)
  other.set(highS, other.length - 32)
  const poisons = [
    wallets.sign(1, { chainId: 1n }),
    good.subarray(0, good.length / 2),
    other,
    wallets.sign(2, { gas: 1n }),
  ]
  const row = (index: number) =>
    putRow({
      tx: { ...aTx({ from: 10 + index }), raw: poisons[index % poisons.length] ?? good },
      ...{ origin: 'local', seq: 10 + index, firstSeenMs: 1, trackedAtMs: 1, isRanked: true },
      ...(index % 2 === 0 && { isRemote: true }),
    })
  await store.batch(Array.from({ length: count }, (_, index) => row(index)))
  // The good one is the oldest; what is read is the newest, so it must fit in.
  const config = { globalSlots: count, globalQueue: count }
  const second = createLocalRoom({ wallets, store, config })
  await second.test.settle()

  expect(hashesOf(second.all())).toEqual([wallets.hashOf(good)])
  expect(second.tracked().map(({ hash }) => hash)).toEqual([wallets.hashOf(good)])
  expect(second.ask(reply => ({ type: 'pool.getInfo', reply }) as PoolMessage)).not.toHaveProperty(
    'loading',
  )
}

/** A19: a private transaction through its whole life, and everything that was told meanwhile to whoever is not the operator. */
export async function leakHunt(rounds: number): Promise<void> {
  const { wallets, room } = await aDoor()
  for (let round = 0; round < rounds; round++) {
    const key = round
    const raws = [wallets.sign(key), wallets.sign(key, { feeCap: 2_000n, tip: 20n })]
    const secrets = raws.map(raw => wallets.hashOf(raw))
    for (const raw of raws) room.submit(raw, true)
    room.submit(wallets.sign(key, { nonce: 2n }), true)
    room.submit(wallets.sign(key, { nonce: 1n }), true)
    secrets.push(wallets.hashOf(wallets.sign(key, { nonce: 1n })))
    await room.test.settle()
    expectSilence(room, secrets)
    const before = room.all()
    const mined = before.filter(tx => secrets.includes(tx.hash))
    expect(mined).toHaveLength(2)
    room.mine(mined)
    await room.test.settle()
    room.facts()
    // Back to the nonce of the first.
    room.reorg([...mined].reverse())
    await room.test.settle()
    expectSilence(room, secrets)
    await room.test.pass(120_000)
    expectSilence(room, secrets)
    expect(hashesOf(room.all())).toEqual(hashesOf(before))
    room.mine(room.all())
    await room.test.settle()
    room.facts()
  }
}

function expectSilence(room: LocalRoom, secrets: readonly Hash[]): void {
  const facts = room.facts().map(({ events, ...rest }) => ({
    ...rest,
    events: events.filter(({ origin }) => origin !== 'private').map(({ tx }) => tx.hash),
  }))
  const ask = (message: Record<string, unknown>) =>
    room.ask<unknown>(reply => ({ ...message, reply }) as unknown as PoolMessage)
  const found = secrets.map(hash => ask({ type: 'pool.getTransaction', hash }))
  const told = [facts, room.gossip.take(), room.tracked(), hashesOf(room.content()), found]
  const text = JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  for (const hash of secrets) expect(text.includes(hash), `${hash} in ${text}`).toBe(false)
}

/**
 * A20: a flood that would pay nothing leaves nothing. Its signatures are looked at, once each: geth's order of refusals has the sender before
 * the tip, and who forges one is to be told so.
 */
export async function payingNothing(count: number): Promise<void> {
  const { wallets, room } = await aDoor({ stories: 64 })
  const raws = Array.from({ length: Math.min(count, 500) }, (_, index) =>
    wallets.sign(index % 200, { tip: 0n, feeCap: 1_000n, nonce: BigInt(index) }),
  )
  await flood(room, count, index => raws[index % raws.length] ?? new Uint8Array(0))
  expect(codesOf(room)).toEqual(new Map([['pool/tip-below-minimum', count]]))
  expect(room.all()).toEqual([])
}

function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
