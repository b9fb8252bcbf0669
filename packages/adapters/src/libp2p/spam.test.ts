import { expect, onTestFinished, test, vi } from 'vitest'
import { createGossip } from './gossip.ts'
import { createMessageIds } from './message-id.ts'
import { createMeter } from './metrics.ts'
import { routerOptions } from './options.ts'
import { scoreParams } from './profiles.ts'
import { control, join, mallory, startedRouter, topic } from './router-lab.ts'
import { installScoreWatch } from './score-patches.ts'

const ids = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    Uint8Array.from({ length: 20 }, (_, at) => ((from + index) >> (8 * (at % 4))) & 0xff),
  )

/** The clock of the router, which has no other. */
function clock() {
  let nowMs = 1_000_000
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => spy.mockRestore())
  return (ms: number): void => {
    nowMs += ms
  }
}

/** The router's own heartbeat, when told. */
const beat = async (router: unknown): Promise<void> =>
  (router as { heartbeat(): Promise<void> }).heartbeat()

test('a message asked for again and again is sent three times', async () => {
  const { router } = await startedRouter()
  const { frames, send, id } = join(router)
  await router.publish(topic, Buffer.from('wanted'))
  const wanted = createMessageIds().idOf({ type: 'unsigned', topic, data: Buffer.from('wanted') })

  for (let heartbeat = 0; heartbeat < 3; heartbeat++) {
    await send(...Array(20).fill(control({ iwant: [{ messageIDs: [wanted] }] })))
    await beat(router)
  }

  expect(frames.flatMap(({ messages }) => messages).length).toBe(3)
  expect(router.score.score(id)).toBe(0)
})

test('of a flood of IHAVE ten are looked at between two heartbeats, and at most 5,000 ids asked for', async () => {
  const { router } = await startedRouter()
  const { frames, send } = join(router)
  await beat(router)
  frames.length = 0

  const flood = (from: number, each: number) =>
    Array.from({ length: 30 }, (_, index) =>
      control({ ihave: [{ topicID: topic, messageIDs: ids(each, from + index * each) }] }),
    )
  await send(...flood(0, 10))
  const wanted = () =>
    frames.flatMap(frame => frame.control?.iwant.flatMap(({ messageIDs }) => messageIDs) ?? [])
  expect(wanted().length).toBe(100)

  await beat(router)
  frames.length = 0
  await send(...flood(10_000, 2_000))
  expect(wanted().length).toBe(5_000)
})

test('messages that were announced and never sent are reported', async () => {
  const pass = clock()
  const { router } = await startedRouter()
  const faults: string[] = []
  installScoreWatch(router, { fault: (_, reason) => void faults.push(reason) })
  const { send, id } = join(router)

  await send(control({ ihave: [{ topicID: topic, messageIDs: ids(10) }] }))
  pass(4_000)
  await beat(router)
  expect(faults).toEqual([])
  pass(2_000)
  await beat(router)

  expect(faults).toEqual(['gossip/broken-promise'])
  pass(1_000)
  expect(router.score.score(id)).toBeLessThanOrEqual(0)
})

test('a GRAFT of a topic that does not exist is not answered and leaves nothing', async () => {
  const { router, asked } = await startedRouter()
  const { frames, send } = join(router)

  await send(control({ graft: [{ topicID: '/rockpool/1/00000000/tx/1' }] }))

  expect(frames).toEqual([])
  expect(asked).toEqual([])
})

test('whoever grafts while it is told to stay away loses its score, is reported, and gains no tag', async () => {
  const pass = clock()
  const { router, asked } = await startedRouter()
  const faults: string[] = []
  installScoreWatch(router, { fault: (_, reason) => void faults.push(reason) })
  const { send, id } = join(router)
  await send(control({ graft: [{ topicID: topic }] }))
  expect(router.getMeshPeers(topic)).toEqual([id])
  await send(control({ prune: [{ topicID: topic, backoff: 60, peers: [] }] }))

  await send(...Array(6).fill(control({ graft: [{ topicID: topic }] })))
  pass(1_000)

  expect(router.getMeshPeers(topic)).toEqual([])
  // Twelve penalties, seven above those that are free, squared.
  expect(router.score.score(id)).toBe(-490)
  expect(new Set(faults)).toEqual(new Set(['gossip/graft-flood']))
  expect(asked).toEqual([])
})

test('peers named by a PRUNE are not dialled', async () => {
  const { router, asked } = await startedRouter()
  const { send } = join(router)
  installScoreWatch(router, { fault() {} }).reputation(() => 100)

  const peers = [{ peerID: mallory.toMultihash().bytes }]
  await send(control({ prune: [{ topicID: topic, peers }] }))

  expect(asked).toEqual([])
})

test('a flood of IDONTWANT is remembered up to 512 ids', async () => {
  const { router } = await startedRouter()
  const { send, id } = join(router)

  await send(
    ...Array.from({ length: 8 }, (_, index) =>
      control({ idontwant: [{ messageIDs: ids(500, index * 500) }] }),
    ),
  )

  const kept = router as unknown as { idontwants: Map<string, Map<string, unknown>> }
  expect(kept.idontwants.get(id)?.size).toBeLessThanOrEqual(512)
})

test('40,000 subscriptions to topics that do not exist leave nothing; without the list of topics they do', async () => {
  const { allowedTopics, ...open } = routerOptions({ profile: 'devnet', topics: [topic] })
  expect(allowedTopics).toBeDefined()
  const tracked = await Promise.all(
    [
      await startedRouter(),
      await startedRouter({ ...open, allowedTopics: undefined as never }),
    ].map(async ({ router }) => {
      const { send } = join(router)
      for (let from = 0; from < 40_000; from += 500) {
        const subscriptions = Array.from({ length: 500 }, (_, index) => ({
          subscribe: true,
          topic: `/t/${from + index}`,
        }))
        await send({ subscriptions })
      }
      return (router as unknown as { topics: Map<string, unknown> }).topics.size
    }),
  )

  expect(tracked[0]).toBe(0)
  expect(tracked[1]).toBeGreaterThan(1_000)
})

test('five messages count as five deliveries; reporting verdicts afterwards would count them twice', async () => {
  const { router } = await startedRouter()
  const { send, id } = join(router)
  router.topicValidators.set(topic, () => 'accept' as never)

  const messages = [1, 2, 3, 4, 5].map(byte => ({ topic, data: Uint8Array.of(byte) }))
  await send({ messages })

  const stats = router.score.peerStats.get(id) as unknown as {
    topics: Record<string, { firstMessageDeliveries: number }>
  }
  expect(stats.topics[topic]?.firstMessageDeliveries).toBe(5)
})

test('a topic that comes with a fork is allowed and scored like the first ones', async () => {
  const later = '/rockpool/31337/19e9f665/tx/1'
  const { router } = await startedRouter()
  const gossip = createGossip({
    router,
    ids: createMessageIds(),
    clock: { now: () => 0, at: () => 0, clear() {} },
    meter: createMeter(),
    score: () => 0,
    sink: () => undefined,
    isOpen: () => true,
  })
  const { send, id } = join(router)
  const reject = () => router.score.rejectInvalidMessage(id, later)
  reject()
  expect(router.score.score(id)).toBe(0)

  gossip.start()
  gossip.subscribe(later)
  reject()
  router.score.scoreCache.clear()

  expect(router.score.score(id)).toBeLessThan(-5)
  await send({ subscriptions: [{ subscribe: true, topic: later }] })
  expect(router.getSubscribers(later).map(String)).toEqual([id])
})

test.each(['devnet', 'small', 'public'] as const)(
  'in profile %s thirteen peers on loopback keep their score; the defaults of the library take it',
  async profile => {
    const [ours, theirs] = [
      await startedRouter({ scoreParams: scoreParams(profile, [topic]) }),
      await startedRouter({ scoreParams: {} }),
    ]
    const scores = [ours, theirs].map(({ router }) => {
      const crowd = Array.from({ length: 13 }, (_, index) => `peer${index}`)
      for (const id of crowd) {
        router.score.addPeer(id)
        router.score.addIP(id, '127.0.0.1')
      }
      return router.score.score('peer0')
    })

    expect(scores[0]).toBe(0)
    expect(scores[1]).toBeLessThan(-40)
  },
)
