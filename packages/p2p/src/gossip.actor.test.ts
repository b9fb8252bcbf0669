import {
  decodeTxFrame,
  encodeBlockAnnounce,
  encodeBlockFrame,
  encodePoolSyncAnswer,
  encodeTxAnnounce,
  failed,
  type Hash,
  hashOf,
  limits,
  ok,
  type PoolSyncAnswer,
  prefixOf,
  type Recovery,
  type TxOrigin,
  type TxRecord,
} from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { aRaw, aTx, keccak256, newRecovery, type TxWish, unrecoverable } from './testkit/wallets.ts'
import {
  batchOf,
  createWorld,
  genesis,
  headWith,
  poolChanged,
  poolSync,
  topics,
} from './testkit/world.ts'

type World = Awaited<ReturnType<typeof createWorld>>

/** What listeners heard on the topic of transactions: salt and transaction hashes. */
function heardBatches({ heard }: World) {
  return heard.flatMap(({ topic, bytes }) => {
    const decoded = decodeTxFrame(bytes)
    if (topic !== topics.tx || !decoded.ok || decoded.value.kind !== 'batch') return []
    const { salt, txs } = decoded.value
    return [{ salt, hashes: txs.map(raw => hashOf(keccak256(raw))) }]
  })
}

/** Type 3 and fourteen empty fields. */
const aBlob = Uint8Array.of(3, 0xce, ...new Array<number>(14).fill(0x80))

/** A recovery that answers when it is told to. */
function heldRecovery() {
  const inner = newRecovery()
  const held: (() => void)[] = []
  const recovery: Recovery = {
    known: inner.known,
    recover: txs => new Promise(resolve => held.push(() => resolve(inner.recover(txs)))),
  }
  return { recovery, release: () => held.splice(0).map(go => go()) }
}

describe('a batch of transactions', () => {
  test('that is valid goes to the pool with its senders and is accepted', async () => {
    const world = await createWorld()
    const txs = [aTx({ nonce: 0n }), aTx({ nonce: 1n }), aTx({ from: 2 })]

    expect(await world.judged(batchOf(...txs.map(({ raw }) => raw)))).toBe('accept')

    expect(world.pool.heard).toMatchObject([{ type: 'pool.add', origin: 'gossip', peer: 'alice' }])
    expect(world.pool.heard[0]?.txs).toEqual(txs)
    expect(await world.stats()).toMatchObject({
      verdicts: new Map([['tx accept pool/pending', 1]]),
    })
  })

  test('with one bad signature is rejected whole, and its good ones are added and travel in ours', async () => {
    const world = await createWorld({ listeners: 1 })
    const good = aTx()

    expect(await world.judged(batchOf(good.raw, unrecoverable({ from: 2 })))).toBe('reject')
    await world.pass(limits.batchDelayMs)

    expect(world.pool.heard[0]?.txs).toEqual([good])
    expect(heardBatches(world)).toMatchObject([{ hashes: [good.hash] }])
    expect(heardBatches(world)[0]?.salt).not.toBe(0)
    expect(world.charges()).toEqual(['alice gossip/invalid-tx'])
  })

  test('that was accepted is not published by us', async () => {
    const world = await createWorld({ listeners: 1 })

    await world.judged(batchOf(aRaw()))
    await world.pass(1_000)

    expect(world.heard).toEqual([])
  })

  test('a transaction that is wrong for everyone is rejected again without recovery', async () => {
    const counted = newRecovery()
    let recoveries = 0
    const recovery: Recovery = {
      known: counted.known,
      recover(txs) {
        recoveries += txs.length
        return counted.recover(txs)
      },
    }
    const world = await createWorld({ recovery })
    const bad = unrecoverable()

    expect(await world.judged(batchOf(bad))).toBe('reject')
    expect(await world.judged(batchOf(bad, aRaw()), 'bob')).toBe('reject')

    expect(recoveries).toBe(2)
    expect(world.pool.heard).toHaveLength(1)
  })

  test('of what the pool has is ignored without asking it, until the pool drops it', async () => {
    const world = await createWorld()
    const tx = aTx()
    await world.judged(batchOf(tx.raw))

    expect(await world.judged(batchOf(tx.raw), 'bob')).toBe('ignore')
    expect(world.pool.heard).toHaveLength(1)

    const dropped = [{ hash: tx.hash, reason: 'evicted-price' }]
    world.ref.tell({ ...poolChanged([]), dropped })
    expect(await world.judged(batchOf(tx.raw), 'carol')).toBe('accept')
    expect(world.pool.heard).toHaveLength(2)
  })

  test('of what was mined is ignored although the pool dropped it', async () => {
    const world = await createWorld()
    const tx = aTx()
    world.ref.tell(headWith({ ...genesis, number: 1, hash: tx.hash }, [tx]))
    const dropped = [{ hash: tx.hash, reason: 'mined' }]
    world.ref.tell({ ...poolChanged([]), dropped })

    expect(await world.judged(batchOf(tx.raw))).toBe('ignore')
    expect(world.pool.heard).toEqual([])
  })

  test('that is queued is ignored: nobody can execute it yet', async () => {
    const world = await createWorld({
      pool: txs => txs.map(({ hash }) => ok({ hash, half: 'queued' })),
    })

    expect(await world.judged(batchOf(aRaw({ nonce: 5n })))).toBe('ignore')
  })

  test('with one transaction twice is rejected before anything is recovered', async () => {
    const world = await createWorld()
    const raw = aRaw()

    expect(await world.judged(batchOf(raw, raw))).toBe('reject')

    expect(world.pool.heard).toEqual([])
    expect(world.charges()).toEqual(['alice gossip/bad-frame'])
  })

  test.each([
    { what: 'no frame', bytes: Uint8Array.of(1, 2, 3), code: 'gossip/undecodable' },
    { what: 'no bytes', bytes: new Uint8Array(0), code: 'gossip/undecodable' },
    { what: 'a byte too many', bytes: new Uint8Array(65_601), code: 'gossip/too-big' },
  ])('of $what: rejected', async ({ bytes, code }) => {
    const world = await createWorld()

    expect(await world.judged(bytes)).toBe('reject')
    expect((await world.stats()).verdicts).toEqual(new Map([[`tx reject ${code}`, 1]]))
  })

  test.each([
    { what: 'is no transaction', raw: Uint8Array.of(2, 1, 2), verdict: 'reject' },
    { what: 'is of another chain', raw: aRaw({ chainId: 1n }), verdict: 'reject' },
    { what: 'has too little gas', raw: aRaw({ gas: 20_999n }), verdict: 'reject' },
    { what: 'has all the gas allowed', raw: aRaw({ gas: 16_777_216n }), verdict: 'accept' },
    { what: 'has one more gas', raw: aRaw({ gas: 16_777_217n }), verdict: 'reject' },
    { what: 'tips below our minimum', raw: aRaw({ tip: 0n }), verdict: 'ignore' },
    { what: 'is a blob transaction', raw: aBlob, verdict: 'ignore' },
  ])('whose transaction $what: $verdict', async ({ raw, verdict }) => {
    const world = await createWorld()

    expect(await world.judged(batchOf(raw))).toBe(verdict)
  })

  test('a gas limit over the block is only ours to ignore', async () => {
    const world = await createWorld({ head: { ...genesis, gasLimit: 20_000 } })

    expect(await world.judged(batchOf(aRaw()))).toBe('ignore')
    expect((await world.stats()).verdicts).toEqual(new Map([['tx ignore pool/gas-over-block', 1]]))
  })

  test('a pool that refuses what the checks passed is our bug: ignored, charged to nobody', async () => {
    const world = await createWorld({ pool: txs => txs.map(() => failed('pool/invalid-sender')) })

    expect(await world.judged(batchOf(aRaw()))).toBe('ignore')
    expect(world.charges()).toEqual([])
  })

  test('a recovery that breaks is ignored, and the transaction is good again later', async () => {
    const inner = newRecovery()
    let broken = true
    const recovery: Recovery = {
      known: inner.known,
      recover: txs => (broken ? Promise.reject(new Error('dead worker')) : inner.recover(txs)),
    }
    const world = await createWorld({ recovery })

    expect(await world.judged(batchOf(aRaw()))).toBe('ignore')
    broken = false
    expect(await world.judged(batchOf(aRaw()))).toBe('accept')
  })
})

describe('out of time and out of room', () => {
  test('what is not judged in time is ignored, and still good for our pool and the others', async () => {
    const { recovery, release } = heldRecovery()
    const world = await createWorld({ recovery, listeners: 1 })
    const tx = aTx()
    const verdict = world.deliver(batchOf(tx.raw))

    await world.pass(limits.verdictReplyMs)
    expect(await verdict).toBe('ignore')
    release()
    await world.pass(limits.batchDelayMs)

    expect(world.pool.heard[0]?.txs).toEqual([tx])
    expect(heardBatches(world)).toMatchObject([{ hashes: [tx.hash] }])
    expect((await world.stats()).verdicts).toEqual(new Map([['tx ignore load/deadline', 1]]))
    expect(world.letters).toEqual([])
  })

  test('a pool that does not answer costs the verdict its deadline and no more', async () => {
    const world = await createWorld({ pool: () => undefined })
    const verdict = world.deliver(batchOf(aRaw()))

    await world.pass(limits.verdictReplyMs - 1)
    expect((await world.stats()).verdicts).toEqual(new Map())
    await world.pass(1)

    expect(await verdict).toBe('ignore')
    await world.pass(limits.verdictDeadlineMs)
    expect(world.letters).toEqual([])
  })

  test('one peer that floods is ignored beyond its part, and others are judged among its messages', async () => {
    const { recovery, release } = heldRecovery()
    const world = await createWorld({ recovery })
    const flood = Array.from({ length: 140 }, (_, nonce) =>
      world.deliver(batchOf(aRaw({ nonce: BigInt(nonce) })), 'mallory'),
    )
    await world.settle()
    const honest = world.deliver(batchOf(aRaw({ from: 2 })), 'bob')
    await world.settle()

    for (let round = 0; round < 4; round++) {
      release()
      await world.settle()
    }

    const verdicts = await Promise.all(flood)
    expect(await honest).toBe('accept')
    expect(verdicts.filter(verdict => verdict === 'ignore').length).toBe(
      140 - limits.judgingTxMax - limits.ingressTxQueuePerPeer,
    )
    expect(world.charges()).toEqual([])
  })

  test('a topic nobody here subscribed to is ignored', async () => {
    const world = await createWorld()

    expect(await world.judged(batchOf(aRaw()), 'alice', '/rockpool/1/00000000/tx/1')).toBe('ignore')
  })
})

describe('a block', () => {
  const frame = {
    header: new Uint8Array(600).fill(7),
    txs: [aRaw()],
    seal: new Uint8Array(65).fill(1),
  }

  test.each([
    ['chain/imported', 'accept', 0],
    ['chain/side-branch', 'accept', 0],
    ['chain/unknown-parent', 'ignore', 0],
    ['chain/invalid-body', 'ignore', 0],
    ['chain/bad-signature', 'reject', 1],
  ] as const)('that the chain calls %s: %s', async (code, verdict, charged) => {
    const world = await createWorld({ chain: () => ({ code }) })

    expect(await world.judged(encodeBlockFrame(frame), 'bob', topics.block)).toBe(verdict)

    expect(world.chain.heard).toMatchObject([{ via: 'gossip', from: 'bob', frame }])
    expect(world.charges()).toEqual(Array(charged).fill('bob gossip/invalid-block'))
  })

  test('announced is fetched from who announced it and relayed once it is on our chain', async () => {
    const world = await createWorld()
    const hash = hashOf(keccak256(frame.header))
    const verdict = world.deliver(encodeBlockAnnounce(frame), 'bob', topics.block)
    await world.settle()
    expect(world.sync.heard).toEqual([{ type: 'sync.body', hash, from: 'bob' }])

    world.ref.tell(headWith({ ...genesis, number: 1, hash }))
    await world.settle()

    expect(await verdict).toBe('accept')
  })

  test('announced and not served is ignored at the deadline', async () => {
    const world = await createWorld()
    const verdict = world.deliver(encodeBlockAnnounce(frame), 'bob', topics.block)

    await world.pass(limits.verdictReplyMs)

    expect(await verdict).toBe('ignore')
  })

  test('of our own is published whole up to 256 KiB and announced above', async () => {
    const world = await createWorld({ listeners: 1 })
    const big = { ...frame, txs: [1, 2].map(fill => new Uint8Array(131_072).fill(fill)) }
    const { added } = headWith(genesis)
    const [block] = added
    if (!block) throw new Error('no block')

    world.ref.tell({ type: 'gossip.block', block, frame: encodeBlockFrame(frame) })
    world.ref.tell({ type: 'gossip.block', block, frame: encodeBlockFrame(big) })
    await world.settle()

    expect(world.heard).toMatchObject([
      { topic: topics.block, bytes: encodeBlockFrame(frame) },
      { topic: topics.block, bytes: encodeBlockAnnounce(big) },
    ])
  })
})

describe('publishing', () => {
  const event = (tx: TxRecord, origin: TxOrigin) => ({
    tx,
    origin,
    relayed: false,
  })

  test('own transactions go out together after 15 ms, unsalted, by nonce', async () => {
    const world = await createWorld({ listeners: 2 })
    const txs = [aTx({ nonce: 0n }), aTx({ from: 2 }), aTx({ nonce: 1n })]

    world.ref.tell(poolChanged(txs.map(tx => event(tx, 'local'))))
    await world.pass(limits.batchDelayMs - 1)
    expect(world.heard).toEqual([])
    await world.pass(1)

    const hashes = txs.map(({ hash }) => hash)
    expect(heardBatches(world)).toEqual([
      { salt: 0, hashes },
      { salt: 0, hashes },
    ])
    expect((await world.stats()).counts.get('entries')).toBe(3)
  })

  test('what the router relayed, what came by sync and what is private is not published', async () => {
    const world = await createWorld({ listeners: 1 })

    world.ref.tell(
      poolChanged([
        { ...event(aTx(), 'gossip'), relayed: true },
        event(aTx({ from: 2 }), 'sync'),
        event(aTx({ from: 3 }), 'private'),
        event(aTx({ from: 4 }), 'reorg'),
      ]),
    )
    await world.pass(1_000)

    expect(world.heard).toEqual([])
  })

  test('promoted ones and own ones that a reorg put back go out with a salt', async () => {
    const world = await createWorld({ listeners: 1 })
    const [own, promoted] = [aTx(), aTx({ from: 2 })]
    world.ref.tell(poolChanged([event(own, 'local')]))
    await world.pass(100)

    world.ref.tell(poolChanged([event(own, 'reorg'), event(promoted, 'gossip')]))
    await world.pass(100)

    const [first, second] = heardBatches(world)
    expect(first).toEqual({ salt: 0, hashes: [own.hash] })
    expect(second?.hashes).toEqual([own.hash, promoted.hash])
    expect(second?.salt).not.toBe(0)
  })

  test('what the journal brought back goes out, and again when a reorg puts it back', async () => {
    const world = await createWorld({ listeners: 1 })
    const tx = aTx()
    world.ref.tell(poolChanged([event(tx, 'journal')]))
    await world.pass(100)
    world.ref.tell(poolChanged([event(tx, 'reorg')]))
    await world.pass(100)

    expect(heardBatches(world).map(({ hashes }) => hashes)).toEqual([[tx.hash], [tx.hash]])
  })

  test('what the tracker hands over goes out again as a message nobody has seen', async () => {
    const world = await createWorld({ listeners: 1 })
    const txs = [aTx(), aTx({ nonce: 1n })]
    world.ref.tell(poolChanged(txs.map(tx => event(tx, 'local'))))
    await world.pass(100)
    world.ref.tell({ type: 'gossip.republish', txs })
    await world.pass(100)

    const [first, second] = heardBatches(world)
    expect(second?.hashes).toEqual(first?.hashes)
    expect([first?.salt, second?.salt === 0]).toEqual([0, false])
  })

  test('nobody hears: the batch waits and goes out with a new salt when somebody listens', async () => {
    const world = await createWorld()
    const [first, second] = [aTx(), aTx({ nonce: 1n })]
    world.ref.tell(poolChanged([event(first, 'local')]))
    await world.pass(100)
    world.ref.tell(poolChanged([event(second, 'local')]))
    await world.pass(100)
    expect((await world.stats()).counts.get('unheard')).toBe(1)

    await world.listener('late')
    await world.pass(limits.batchRetryMs)

    const batches = heardBatches(world)
    expect(batches.flatMap(({ hashes }) => hashes)).toEqual([first.hash, second.hash])
    expect(batches[0]?.salt).not.toBe(0)
  })

  test('what was mined while nobody listened is not sent any more', async () => {
    const world = await createWorld()
    const [mined, left] = [aTx(), aTx({ from: 2 })]
    world.ref.tell(poolChanged([event(mined, 'local'), event(left, 'local')]))
    await world.pass(100)

    world.ref.tell(headWith({ ...genesis, number: 1, hash: mined.hash }, [mined]))
    await world.listener('late')
    await world.pass(limits.batchRetryMs)

    expect(heardBatches(world).flatMap(({ hashes }) => hashes)).toEqual([left.hash])
  })

  test('a transaction over 64 KiB is announced', async () => {
    const world = await createWorld({ listeners: 1 })
    const tx = aTx({ data: new Uint8Array(70_000), gas: 10_000_000n })

    world.ref.tell(poolChanged([event(tx, 'local')]))
    await world.pass(limits.batchDelayMs)

    const expected = encodeTxAnnounce([{ hash: tx.hash, size: tx.raw.length }])
    expect(world.heard.map(({ bytes }) => bytes)).toEqual([expected])
  })
})

describe('announced transactions', () => {
  const large = (wish: TxWish = {}) =>
    aTx({ data: new Uint8Array(70_000), gas: 10_000_000n, ...wish })
  const announced = (txs: readonly TxRecord[], sizeOff = 0) =>
    encodeTxAnnounce(txs.map(({ hash, raw }) => ({ hash, size: raw.length + sizeOff })))

  /** Alice announces to us, and answers each get in turn. */
  async function withAlice(...answers: (PoolSyncAnswer | 'silence')[]) {
    const world = await createWorld({ listeners: 1 })
    const alice = world.hub.join('alice')
    const asked: unknown[] = []
    alice.serve(poolSync, async (_, bytes) => {
      asked.push(bytes)
      const answer = answers[asked.length - 1] ?? 'silence'
      return answer === 'silence' ? new Promise(() => {}) : [encodePoolSyncAnswer(answer)]
    })
    await alice.start()
    await world.network.dial(alice.addresses()[0] ?? '', 1_000)
    return { world, asked }
  }
  const bodies = (txs: readonly TxRecord[], missing: readonly TxRecord[] = []): PoolSyncAnswer => ({
    kind: 'txs',
    txs: txs.map(({ raw }) => raw),
    missing: missing.map(({ hash }) => prefixOf(hash)),
  })

  test('are fetched from who announced them and judged as transactions', async () => {
    const [first, second] = [large(), large({ from: 2 })]
    const { world, asked } = await withAlice(bodies([first], [second]), bodies([second]))

    expect(await world.judged(announced([first, second]))).toBe('accept')

    expect(asked.length).toBe(2)
    expect(world.pool.heard).toMatchObject([{ origin: 'gossip', peer: 'alice' }])
    expect(world.pool.heard[0]?.txs).toEqual([first, second])
    await world.pass(1_000)
    expect(world.heard).toEqual([])
  })

  test('that the pool has are not fetched again', async () => {
    const tx = large()
    const { world, asked } = await withAlice(bodies([tx]))
    await world.judged(announced([tx]))

    expect(await world.judged(announced([tx]), 'bob')).toBe('ignore')
    expect(asked.length).toBe(1)
  })

  test('that nobody serves within 1.5 s are ignored, and it counts against their announcer', async () => {
    const { world } = await withAlice('silence')
    const verdict = world.deliver(announced([large()]))
    await world.pass(limits.announcedTxsMs - 1)
    expect(world.charges()).toEqual([])
    await world.pass(1)

    expect(await verdict).toBe('ignore')
    expect(world.charges()).toEqual(['alice liveness/request-timeout'])
  })

  test.each([
    ['other bytes', bodies([large({ nonce: 5n })]), 0],
    ['a size more than eight bytes off', bodies([large()]), 9],
  ] as const)('of which come %s are rejected and charged', async (_what, answer, off) => {
    const { world } = await withAlice(answer)

    expect(await world.judged(announced([large()], off))).toBe('reject')
    expect(world.charges()).toEqual(['alice gossip/invalid-tx'])
    expect(world.pool.heard).toEqual([])
  })

  test('whose size is eight bytes off are taken', async () => {
    const { world } = await withAlice(bodies([large()]))

    expect(await world.judged(announced([large()], 8))).toBe('accept')
  })

  test('of a busy peer are ignored without a charge; what came of them is taken and passed on', async () => {
    const [first, second] = [large(), large({ from: 2 })]
    const { world } = await withAlice(bodies([first], [second]), {
      kind: 'busy',
      retryAfterSeconds: 5,
    })

    expect(await world.judged(announced([first, second]))).toBe('ignore')
    await world.pass(limits.batchDelayMs)

    expect(world.pool.heard[0]?.txs).toEqual([first])
    expect(world.heard.map(({ bytes }) => bytes)).toEqual([announced([first])])
    expect(world.charges()).toEqual([])
  })

  test('one of them twice is a bad frame', async () => {
    const { world, asked } = await withAlice()

    expect(await world.judged(announced([large(), large()]))).toBe('reject')
    expect(asked).toEqual([])
  })

  test('more than eight announcements of one peer at a time are ignored, others still fetched', async () => {
    const { world, asked } = await withAlice()
    const txs = Array.from({ length: 9 }, (_, nonce) => large({ nonce: BigInt(nonce) }))
    const verdicts = txs.map(tx => world.deliver(announced([tx])))
    await world.settle()

    expect(asked.length).toBe(limits.announcedTxsPerPeer)
    expect(await verdicts[8]).toBe('ignore')
    expect(await world.judged(batchOf(aRaw({ from: 3 })), 'bob')).toBe('accept')
  })
})

describe('draining', () => {
  const drained = async (world: World) => {
    const done = world.bus.ask<Parameters<World['ref']['tell']>[0], void>(
      world.ref,
      reply => ({ type: 'gossip.drain', reply }),
      5_000,
    )
    await world.settle()
    return done
  }

  test('sends what waits, ignores what comes, and answers', async () => {
    const world = await createWorld({ listeners: 1 })
    const tx = aTx()
    world.ref.tell(poolChanged([{ tx, origin: 'local', relayed: false }]))

    expect(await drained(world)).toMatchObject({ ok: true })

    expect(heardBatches(world)).toMatchObject([{ hashes: [tx.hash] }])
    expect(await world.judged(batchOf(aRaw({ from: 2 })))).toBe('ignore')
    expect((await world.stats()).verdicts).toEqual(new Map([['tx ignore load/draining', 1]]))
  })

  test('does not wait for listeners that are not there', async () => {
    const world = await createWorld()
    for (let nonce = 0n; nonce < 100n; nonce++) {
      const tx = { ...aTx(), nonce, hash: `0x${nonce.toString(16).padStart(64, '0')}` as Hash }
      world.ref.tell(poolChanged([{ tx, origin: 'local', relayed: false }]))
    }

    expect(await drained(world)).toMatchObject({ ok: true })
  })

  test('answers what waited as ignored', async () => {
    const { recovery } = heldRecovery()
    const world = await createWorld({ recovery })
    const verdicts = Array.from({ length: 70 }, (_, nonce) =>
      world.deliver(batchOf(aRaw({ nonce: BigInt(nonce) })), `peer${nonce}`),
    )
    await world.settle()

    await drained(world)

    const told = await Promise.all(verdicts.slice(limits.judgingTxMax))
    expect(new Set(told)).toEqual(new Set(['ignore']))
  })
})

test('a charge says who, for what, in which message', async () => {
  const world = await createWorld()

  await world.judged(batchOf(unrecoverable()), 'mallory')

  expect(world.monitor.heard).toEqual([
    {
      type: 'monitor.report',
      peer: 'mallory',
      reason: 'gossip/invalid-tx',
      detail: 'pool/invalid-sender',
      evidence: 'm0',
    },
  ])
})

test('of a peer that is shut out nothing is looked at', async () => {
  const world = await createWorld({ isShut: peer => peer === 'mallory' })

  expect(await world.judged(batchOf(unrecoverable()), 'mallory')).toBe('ignore')
  expect(await world.judged(batchOf(aRaw()), 'mallory')).toBe('ignore')

  expect(world.monitor.heard).toEqual([])
  expect((await world.stats()).verdicts).toEqual(new Map([['tx ignore peer/banned', 2]]))
})

test('who brings a transaction first is credited when it is taken and when it is mined, once each', async () => {
  const world = await createWorld()
  const [first, second] = [aTx({ nonce: 0n }), aTx({ nonce: 1n })]
  await world.judged(batchOf(first.raw, second.raw), 'alice')
  await world.judged(batchOf(first.raw), 'bob')

  const head = headWith({ ...genesis, number: 1, hash: first.hash }, [first])
  world.ref.tell(head)
  world.ref.tell(head)
  world.run()

  expect(world.credits()).toEqual(['alice credit/first-delivery 2', 'alice credit/mined 1'])
})

describe('more than one peer may send', () => {
  test('is ignored without a look or a charge, and others are not kept waiting', async () => {
    const world = await createWorld()
    const verdicts = []
    for (let index = 0; index < 210; index++) {
      verdicts.push(await world.judged(batchOf(aRaw({ nonce: BigInt(index) }))))
    }

    expect(verdicts.filter(verdict => verdict === 'accept')).toHaveLength(200)
    expect(verdicts.slice(200)).toEqual(Array(10).fill('ignore'))
    expect(await world.judged(batchOf(aRaw({ from: 2 })), 'bob')).toBe('accept')
    expect((await world.stats()).verdicts.get('tx ignore load/rate')).toBe(10)
    expect(world.charges()).toEqual([])
  })

  test('of transactions without funds six windows long is charged, and while the head is old it is not', async () => {
    const flood = async (timeMs: number) => {
      const world = await createWorld({
        head: { ...genesis, timeMs },
        blockTimeMs: 1_000,
        pool: txs => txs.map(() => failed('pool/insufficient-funds')),
      })
      for (let window = 0; window < 6; window++) {
        const raws = Array.from({ length: 20 }, (_, index) =>
          aRaw({ nonce: BigInt(20 * window + index) }),
        )
        expect(await world.judged(batchOf(...raws))).toBe('ignore')
        await world.pass(10_000)
      }
      return world.charges()
    }

    expect(await flood(Number.MAX_SAFE_INTEGER)).toEqual(['alice gossip/soft-flood'])
    expect(await flood(-1e15)).toEqual([])
  })
})
