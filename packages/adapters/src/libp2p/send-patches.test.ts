import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '@rockpool/actor'
import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import type { Router } from './router.ts'
import { self as honest, mallory, startedRouter, topic } from './router-lab.ts'
import { installSendPatches } from './send-patches.ts'

const stallers = [mallory, peerIdFromString('12D3KooWGzBXWNvHpLALvLX1XiqaB1pN7kHPYw1b8Qp6PeJpGcpo')]

/** The real router, with the patches unless told otherwise. */
async function lab({ patched = true } = {}) {
  const { router } = await startedRouter()
  const clock = new VirtualClock()
  const faults: string[] = []
  if (patched) {
    installSendPatches(router, {
      clock,
      fault: (id, reason) => void faults.push(`${id.slice(-4)} ${reason}`),
    })
  }
  return { router, clock, faults }
}

/** A connection whose streams open when told, and what it was asked for. */
function link(opens: boolean) {
  const asked: string[] = []
  let fail: (error: Error) => void = () => {}
  const connection = {
    status: 'open',
    direction: 'outbound',
    remoteAddr: multiaddr('/ip4/203.0.113.7/tcp/7625'),
    newStream(protocols: readonly string[]) {
      asked.push(protocols[0] ?? '')
      return opens
        ? Promise.reject(new Error('no more in this test'))
        : new Promise((_, reject) => {
            fail = reject
          })
    },
  }
  return {
    connection: connection as unknown as Connection,
    asked,
    fail: () => fail(new Error('stalled')),
  }
}

/** A peer the router can send to, and what it is sent. */
function listener(router: Router, id: PeerId): RPC[] {
  const frames: RPC[] = []
  const streams = router.streamsOutbound as Map<string, unknown>
  streams.set(id.toString(), {
    push: (bytes: Uint8Array) => void frames.push(RPC.decode(bytes)),
    close: async () => {},
  })
  return frames
}

const answer = (count: number, bytes: number): RPC => ({
  subscriptions: [],
  messages: Array.from({ length: count }, (_, index) => ({
    topic,
    data: new Uint8Array(bytes).fill(index),
  })),
  control: { ihave: [], iwant: [], graft: [{ topicID: topic }], prune: [], idontwant: [] },
})

test('an answer of 300 messages of 16 KiB leaves in frames that any reader takes; the router alone makes one', async () => {
  const [patched, bare] = [await lab(), await lab({ patched: false })]
  const frames = listener(patched.router, honest)
  const whole = listener(bare.router, honest)

  expect(patched.router.sendRpc(honest.toString(), answer(300, 16_384))).toBe(true)
  bare.router.sendRpc(honest.toString(), answer(300, 16_384))

  expect(whole.map(({ messages }) => messages.length)).toEqual([300])
  expect(RPC.encode(whole[0] as RPC).length).toBeGreaterThan(limits.wireFrameBytesMax)
  expect(frames.length).toBeGreaterThan(9)
  expect(frames.flatMap(({ messages }) => messages.map(({ data }) => data?.[0]))).toEqual(
    Array.from({ length: 300 }, (_, index) => index % 256),
  )
  for (const frame of frames)
    expect(RPC.encode(frame).length).toBeLessThan(limits.wireFrameOutBytes)
  expect(frames.map(({ control }) => control?.graft.length ?? 0)).toEqual([
    1,
    ...Array<number>(frames.length - 1).fill(0),
  ])
})

test('one message of any size and many small ones stay one frame', async () => {
  const { router } = await lab()
  const frames = listener(router, honest)

  router.sendRpc(honest.toString(), answer(1, 1_000_000))
  router.sendRpc(honest.toString(), answer(64, 250))

  expect(frames.map(({ messages }) => messages.length)).toEqual([1, 64])
})

test('a peer without a stream is told from one that was sent everything', async () => {
  const { router } = await lab()

  expect(router.sendRpc(honest.toString(), answer(300, 16_384))).toBe(false)
})

test('peers that stall keep nobody waiting; with the router alone an honest peer waits for all of them', async () => {
  const [patched, bare] = [await lab(), await lab({ patched: false })]
  const asked = [patched, bare].map(({ router }) => {
    for (const id of stallers) router.onPeerConnected(id, link(false).connection)
    const last = link(true)
    router.onPeerConnected(honest, last.connection)
    return last.asked
  })
  await new Promise(setImmediate)

  expect(asked[0]).toEqual(['/meshsub/1.2.0'])
  expect(asked[1]).toEqual([])
})

test('a stream that was not agreed on in two seconds is held against its peer, an earlier failure is not', async () => {
  const { router, clock, faults } = await lab()
  const [slow, quick] = [link(false), link(false)]
  router.onPeerConnected(stallers[0] as PeerId, slow.connection)
  router.onPeerConnected(honest, quick.connection)
  await new Promise(setImmediate)

  clock.set(limits.streamOpenMs - 1)
  quick.fail()
  await new Promise(setImmediate)
  expect(faults).toEqual([])
  clock.set(limits.streamOpenMs)
  slow.fail()
  await new Promise(setImmediate)

  expect(faults).toEqual(['KPH5 liveness/request-timeout'])
})

test('a second connection of a peer is tried when the first has failed, and one stream is opened at a time', async () => {
  const { router } = await lab()
  const [first, second] = [link(false), link(false)]
  router.onPeerConnected(honest, first.connection)
  router.onPeerConnected(honest, second.connection)
  await new Promise(setImmediate)
  expect([first.asked.length, second.asked.length]).toEqual([1, 0])

  first.fail()
  await new Promise(setImmediate)

  expect([first.asked.length, second.asked.length]).toEqual([1, 1])
})

test.each(['sendRpc', 'createOutboundStream'] as const)(
  'a router without %s refuses to start',
  async name => {
    const { router } = await lab({ patched: false })
    const whole = Object.assign(Object.create(router) as Router, { [name]: undefined })

    expect(() => installSendPatches(whole, { clock: new VirtualClock(), fault() {} })).toThrow(
      `p2p/router-patch-missing: ${name} (gossipsub 17.1.1)`,
    )
  },
)
