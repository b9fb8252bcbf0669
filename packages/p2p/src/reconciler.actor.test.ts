import {
  CodedError,
  decodePoolSyncRequest,
  encodePoolSyncAnswer,
  encodePoolSyncRequest,
  failed,
  type HashPrefix,
  hashOf,
  limits,
  type PoolSyncAnswer,
  prefixOf,
  type TxRecord,
} from '@rockpool/protocol'
import { describe, expect, test } from 'vitest'
import { bye, cheapTxs, createSyncWorld, type Member, recoveryOf } from './testkit/sync-world.ts'
import { aTx, keccak256, unrecoverable } from './testkit/wallets.ts'
import { genesis, headWith, poolSync } from './testkit/world.ts'

type World = ReturnType<typeof createSyncWorld>

const hashesOf = ({ pooled }: Member) => [...pooled.keys()].sort()
const isEqual = (members: readonly Member[]) =>
  members.every(member => member.pooled.size === members[0]?.pooled.size) &&
  new Set(members.map(member => hashesOf(member).join())).size === 1

/** Virtual seconds until all pools are equal, looking every half second. */
async function secondsToEqual(world: World, members: readonly Member[], withinSeconds: number) {
  for (let passed = 0; passed <= withinSeconds; passed += 0.5) {
    if (isEqual(members)) return passed
    await world.pass(500)
  }
  return undefined
}

async function network(count: number, txsEach: number, seed = 1) {
  const world = createSyncWorld()
  const sets = Array.from({ length: count }, (_, index) => cheapTxs(txsEach, seed * 100 + index))
  const recovery = recoveryOf(sets.flat())
  const members = await Promise.all(sets.map((_, index) => world.join(`n${index}`, { recovery })))
  for (const [index, member] of members.entries()) member.enter(sets[index] ?? [])
  await world.settle()
  return { world, members }
}

describe('pools become equal', () => {
  test('of two nodes with different transactions, within three seconds of their meeting', async () => {
    const { world, members } = await network(2, 100)
    const [left, right] = members as [Member, Member]
    await world.meet(left, right)

    expect(await secondsToEqual(world, members, 3)).toBeDefined()
    expect(left.pooled.size).toBe(200)
    expect((await left.stats()).txs).toBe(100)
    for (const member of members) expect(member.faults()).toEqual([])
    for (const { heard } of [left.pool, right.pool]) {
      expect(heard.every(({ origin }) => origin === 'sync')).toBe(true)
    }
  })

  test('of eight nodes, each with its own transactions, within 30 s', async () => {
    const { world, members } = await network(8, 60)
    for (const [index, member] of members.entries()) {
      for (const other of members.slice(index + 1)) await world.meet(member, other)
    }

    const seconds = await secondsToEqual(world, members, 30)
    expect(seconds).toBeDefined()
    expect(members[0]?.pooled.size).toBe(480)
    for (const member of members) expect(member.faults()).toEqual([])
  })

  test('of two halves that were apart, in a ring, within 30 s of the heal', async () => {
    const world = createSyncWorld()
    const halves = [cheapTxs(250, 71), cheapTxs(250, 72)] as const
    const recovery = recoveryOf(halves.flat())
    const ids = Array.from({ length: 8 }, (_, index) => `n${index}`)
    const members = await Promise.all(ids.map(id => world.join(id, { recovery })))
    const [first, , , fourth, fifth, , , eighth] = members as [
      Member,
      Member,
      Member,
      Member,
      Member,
      Member,
      Member,
      Member,
    ]
    for (const [index, member] of members.entries()) {
      await world.meet(member, members[(index + 1) % 8] ?? first)
    }
    await world.pass(3_000)
    await first.network.disconnect('n7', bye)
    await fourth.network.disconnect('n4', bye)
    first.enter(halves[0])
    fifth.enter(halves[1])
    await world.pass(20_000)
    expect(isEqual(members.slice(0, 4)) && isEqual(members.slice(4))).toBe(true)
    expect(isEqual(members)).toBe(false)

    await world.meet(first, eighth)
    await world.meet(fourth, fifth)

    expect(await secondsToEqual(world, members, 30)).toBeDefined()
    expect(first.pooled.size).toBe(500)
  })

  test('of 5,000 transactions that one lacks, over several exchanges', async () => {
    const world = createSyncWorld()
    const txs = cheapTxs(5_000, 5)
    const full = await world.join('full')
    const empty = await world.join('empty', { recovery: recoveryOf(txs) })
    full.enter(txs)
    await world.settle()
    await world.meet(empty, full)

    expect(await secondsToEqual(world, [full, empty], 15)).toBeDefined()
    const { exchanges } = await empty.stats()
    expect(exchanges.get('useful')).toBeGreaterThanOrEqual(2)
    expect(full.faults()).toEqual([])
  })

  test('also of a transaction of 128 KiB', async () => {
    const world = createSyncWorld()
    const txs = cheapTxs(3, 6, 130_900)
    const [left, right] = [
      await world.join('left'),
      await world.join('right', { recovery: recoveryOf(txs) }),
    ]
    left.enter(txs)
    await world.settle()
    await world.meet(left, right)

    expect(await secondsToEqual(world, [left, right], 5)).toBeDefined()
  })

  test('when one has what the other lacks, the one that was asked asks back', async () => {
    const world = createSyncWorld()
    const txs = cheapTxs(10, 7)
    const rich = await world.join('rich', { parts: { intervalMs: 600_000 } })
    const poor = await world.join('poor', {
      recovery: recoveryOf(txs),
      parts: { intervalMs: 600_000 },
    })
    await world.meet(rich, poor)
    await world.pass(5_000)
    rich.enter(txs)
    await world.settle()
    const hello = encodePoolSyncRequest({
      kind: 'hello',
      head: { number: 0, hash: genesis.hash },
      total: 10,
      digest: new Uint8Array(2_560).fill(1),
    })
    await Promise.all([rich.network.request('poor', poolSync, hello, bounds), world.settle()])
    expect(isEqual([rich, poor])).toBe(false)

    await world.pass(limits.poolSyncReturnMs)
    expect(isEqual([rich, poor])).toBe(true)
  })
})

const bounds = { bytesMax: 200_000, deadlineMs: 5_000 }

test('a private transaction is neither in the digest nor served', async () => {
  const world = createSyncWorld()
  const [hidden] = cheapTxs(1, 8) as [TxRecord]
  const [left, right] = [await world.join('left'), await world.join('right')]
  left.enter([hidden], 'private')
  await world.settle()
  await world.meet(left, right)
  await world.pass(30_000)
  const get = encodePoolSyncRequest({ kind: 'get', prefixes: [prefixOf(hidden.hash)] })
  const [frames] = await Promise.all([
    right.network.request('left', poolSync, get, bounds),
    world.settle(),
  ])

  expect(right.pooled.size).toBe(0)
  expect(frames).toEqual([
    encodePoolSyncAnswer({ kind: 'txs', txs: [], missing: [prefixOf(hidden.hash)] }),
  ])
})

test('what the pool refuses is not fetched again before 30 s or the next head', async () => {
  const world = createSyncWorld()
  const txs = cheapTxs(4, 9)
  const left = await world.join('left')
  const right = await world.join('right', {
    recovery: recoveryOf(txs),
    admit: () => failed('pool/underpriced'),
  })
  left.enter(txs)
  await world.settle()
  await world.meet(left, right)
  await world.pass(25_000)
  expect(right.pool.heard.length).toBe(1)
  expect(right.faults()).toEqual([])

  right.ref.tell(headWith({ ...genesis, number: 1 }))
  await world.pass(11_000)
  expect(right.pool.heard.length).toBe(2)
})

test('a node that does not ask still answers', async () => {
  const { world, members } = await network(1, 20)
  const [full] = members as [Member]
  const quiet = await world.join('quiet', { parts: { asks: false } })
  await world.meet(quiet, full)
  await world.pass(30_000)

  expect(quiet.pooled.size).toBe(0)
  expect((await quiet.stats()).exchanges.size).toBe(0)
  expect((await quiet.stats()).served.get('ids')).toBeGreaterThan(0)
})

describe('a peer that', () => {
  /** A node that has met a peer which answers a hello with these ids and gets with `reply`. */
  async function facing(
    reply: (
      prefixes: readonly HashPrefix[],
    ) => readonly (PoolSyncAnswer | Uint8Array)[] | Promise<never>,
    ids: readonly HashPrefix[] = [prefixOf(aTx().hash)],
  ) {
    const world = createSyncWorld()
    const me = await world.join('me', { parts: { intervalMs: 600_000 } })
    const asked: string[] = []
    const port = await world.stranger('mallory', async bytes => {
      const request = decodePoolSyncRequest(bytes)
      if (!request.ok) throw new Error(request.code)
      asked.push(request.value.kind)
      if (request.value.kind === 'hello') {
        return [encodePoolSyncAnswer({ kind: 'ids', more: false, prefixes: ids })]
      }
      const frames = await reply(request.value.prefixes)
      return frames.map(frame =>
        frame instanceof Uint8Array ? frame : encodePoolSyncAnswer(frame),
      )
    })
    await world.meet(port, me)
    await world.pass(limits.poolSyncOpenedMs)
    return { world, me, asked, port }
  }
  const txsOf = (...txs: readonly Uint8Array[]): PoolSyncAnswer => ({
    kind: 'txs',
    txs,
    missing: [],
  })
  const outcomesOf = async ({ me }: { me: Member }) => [...(await me.stats()).exchanges.keys()]

  test('serves what it listed is not charged', async () => {
    const scene = await facing(() => [txsOf(aTx().raw)])

    expect(scene.me.pooled.size).toBe(1)
    expect(scene.me.faults()).toEqual([])
    expect(await outcomesOf(scene)).toEqual(['useful'])
  })

  test.each([
    ['garbage', () => [new Uint8Array([0x93])]],
    ['ids to a get', () => [{ kind: 'ids', more: false, prefixes: [] }]],
    ['two frames', () => [txsOf(aTx().raw), txsOf(aTx().raw)]],
    ['no frame', () => []],
    ['a frame over the cap', () => [new Uint8Array(limits.poolSyncAnswerBytesMax + 1)]],
    [
      'what is missing of what nobody asked',
      () => [{ kind: 'txs', txs: [], missing: ['0x1111111111111111'] }],
    ],
  ] satisfies [string, () => readonly (PoolSyncAnswer | Uint8Array)[]][])(
    'answers with %s is charged for a bad reply',
    async (_name, reply) => {
      const scene = await facing(reply)

      expect(scene.me.faults()).toEqual(['mallory sync/bad-reply'])
      expect(await outcomesOf(scene)).toEqual(['bad'])
    },
  )

  test('sends a transaction that was not asked for is charged, and it is not taken', async () => {
    const scene = await facing(() => [txsOf(aTx({ nonce: 9n }).raw)])

    expect(scene.me.faults()).toEqual(['mallory sync/unrequested'])
    expect(scene.me.pool.heard).toEqual([])
  })

  test('sends one transaction twice is charged', async () => {
    const scene = await facing(() => [txsOf(aTx().raw, aTx().raw)])

    expect(scene.me.faults()).toEqual(['mallory sync/unrequested'])
  })

  test('sends what is wrong for everyone is charged; the good ones with it are taken', async () => {
    const bad = unrecoverable({ from: 2 })
    const badHash = hashOf(keccak256(bad))
    const scene = await facing(
      () => [txsOf(aTx().raw, bad)],
      [prefixOf(aTx().hash), prefixOf(badHash)],
    )

    expect(scene.me.faults()).toEqual(['mallory sync/bad-reply'])
    expect(scene.me.pooled.size).toBe(1)
  })

  test('does not answer in five seconds is charged for a timeout', async () => {
    const scene = await facing(() => new Promise<never>(() => {}))
    await scene.world.pass(limits.poolSyncRequestMs)

    expect(scene.me.faults()).toEqual(['mallory liveness/sync-timeout'])
    expect(await outcomesOf(scene)).toEqual(['timeout'])
  })

  test('has gone, or does not know the protocol any more, is charged nothing', async () => {
    const scene = await facing(() => {
      throw new CodedError('p2p/stream-closed')
    })

    expect(scene.me.faults()).toEqual([])
    expect(await outcomesOf(scene)).toEqual(['failed'])
  })

  test('is busy is left alone for as long as it says', async () => {
    const scene = await facing(() => [{ kind: 'busy', retryAfterSeconds: 7 }])
    const hello = encodePoolSyncRequest({
      kind: 'hello',
      head: { number: 0, hash: genesis.hash },
      total: 1,
      digest: new Uint8Array(2_560).fill(1),
    })
    const before = scene.asked.length
    await Promise.all([scene.port.request('me', poolSync, hello, bounds), scene.world.pass(5_000)])
    expect(scene.asked.length).toBe(before)
    await scene.world.pass(3_000)

    expect(scene.asked.length).toBeGreaterThan(before)
    expect(await outcomesOf(scene)).toEqual(['busy'])
  })

  test('lists more than it serves is asked twelve times and ten times in ten seconds', async () => {
    const txs = cheapTxs(40, 11)
    let served = 0
    const world = createSyncWorld()
    const me = await world.join('me', { recovery: recoveryOf(txs) })
    const asked: string[] = []
    const drip = await world.stranger('drip', bytes => {
      const request = decodePoolSyncRequest(bytes)
      if (!request.ok) throw new Error(request.code)
      asked.push(request.value.kind)
      if (request.value.kind === 'hello') {
        const prefixes = txs.map(({ hash }) => prefixOf(hash))
        return [encodePoolSyncAnswer({ kind: 'ids', more: true, prefixes })]
      }
      const next = txs[served++]
      const missing = txs.slice(served).map(({ hash }) => prefixOf(hash))
      const frame = { kind: 'txs', txs: next ? [next.raw] : [], missing } as const
      return [encodePoolSyncAnswer(frame)]
    })
    await world.meet(drip, me)
    await world.pass(1_000)
    expect(asked.slice(0, 13)).toEqual(['hello', ...Array<string>(12).fill('get')])

    await world.pass(9_000)
    expect(asked.filter(kind => kind === 'hello').length).toBeLessThanOrEqual(10)
  })

  test('floods us with hellos is told busy and charged once', async () => {
    const world = createSyncWorld()
    const me = await world.join('me')
    const flood = await world.stranger('flood', () => [
      encodePoolSyncAnswer({ kind: 'busy', retryAfterSeconds: 60 }),
    ])
    await world.meet(flood, me)
    const hello = encodePoolSyncRequest({
      kind: 'hello',
      head: { number: 0, hash: genesis.hash },
      total: 0,
      digest: new Uint8Array(2_560),
    })
    const answers = Array.from({ length: 16 }, () => flood.request('me', poolSync, hello, bounds))
    await world.settle()
    const kinds = (await Promise.all(answers)).map(([frame]) => frame?.[2])

    expect(kinds).toEqual([...Array<number>(12).fill(1), 4, 4, 4, 4])
    expect(me.faults()).toEqual(['flood rate/request'])
    expect((await me.stats()).served).toEqual(
      new Map([
        ['ids', 12],
        ['busy', 4],
      ]),
    )
  })

  test('asks with a frame that is no request gets nothing and is charged', async () => {
    const world = createSyncWorld()
    const me = await world.join('me')
    const port = await world.stranger('mallory', () => [])
    await world.meet(port, me)
    const answer = port.request('me', poolSync, Uint8Array.of(0x93, 1, 4, 5), bounds)
    await world.settle()

    expect(await answer).toEqual([])
    expect(me.faults()).toEqual(['mallory sync/bad-reply'])
  })
})

describe('while it stops', () => {
  test('a node asks nobody and sends everybody away', async () => {
    const { world, members } = await network(2, 20)
    const [left, right] = members as [Member, Member]
    left.ref.tell({ type: 'reconciler.drain' })
    await world.meet(left, right)
    await world.pass(20_000)

    expect(left.pooled.size).toBe(20)
    expect((await left.stats()).exchanges.size).toBe(0)
    expect([...(await right.stats()).exchanges.keys()]).toEqual(['busy'])
  })
})

test('a node that fetches a chain waits with its pool', async () => {
  const world = createSyncWorld()
  const txs = cheapTxs(5, 12)
  const full = await world.join('full')
  const behind = await world.join('behind', {
    recovery: recoveryOf(txs),
    parts: { blockTimeMs: 2_000, intervalMs: 600_000 },
  })
  full.enter(txs)
  for (let number = 1; number <= 50; number++) {
    if (number === 10) await world.meet(behind, full)
    behind.ref.tell(headWith({ ...genesis, number }))
    await world.pass(100)
  }
  expect(behind.pooled.size).toBe(0)

  await world.pass(2_000)
  expect(behind.pooled.size).toBe(5)
})

test('a node that has fetched a chain asks everybody for what was announced meanwhile', async () => {
  const world = createSyncWorld()
  const txs = cheapTxs(6, 13)
  const [one, two] = [await world.join('one'), await world.join('two')]
  const late = await world.join('late', {
    recovery: recoveryOf(txs),
    parts: { intervalMs: 600_000 },
  })
  const sync = { type: 'chain.syncing', start: 0, current: 0, highest: 99 } as const
  late.ref.tell({ ...sync, on: true })
  one.enter(txs.slice(0, 3))
  two.enter(txs.slice(3))
  await world.meet(late, one)
  await world.meet(late, two)
  await world.pass(20_000)
  expect(late.pooled.size).toBe(0)

  late.ref.tell({ ...sync, on: false })
  await world.pass(2_000)
  expect(late.pooled.size).toBe(6)
})

test('with one peer one exchange at a time, and four in all', async () => {
  const world = createSyncWorld()
  const me = await world.join('me', { parts: { intervalMs: 1_000 } })
  const open = new Map<string, number>()
  let most = 0
  for (let index = 0; index < 8; index++) {
    const id = `slow${index}`
    const port = await world.stranger(id, () => {
      open.set(id, (open.get(id) ?? 0) + 1)
      most = Math.max(most, open.size)
      return new Promise(() => {})
    })
    await world.meet(port, me)
  }
  await world.pass(limits.poolSyncRequestMs - 1)

  expect(most).toBe(4)
  expect([...open.values()]).toEqual([1, 1, 1, 1])
})
