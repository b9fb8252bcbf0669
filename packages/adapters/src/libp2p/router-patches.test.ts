import { type GossipSubComponents, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { peerIdFromString } from '@libp2p/peer-id'
import { VirtualClock } from '@rockpool/actor'
import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { routerOptions } from './options.ts'
import { type Router, routerOf } from './router.ts'
import { installFrameTap } from './router-patches.ts'

const topic = '/rockpool/31337/d1164378/tx/1'
const mallory = peerIdFromString('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5')
const honest = peerIdFromString('12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq')

/** The real router without a network below it, with the tap unless told otherwise. */
function lab({ tapped = true, connected = true } = {}) {
  const quiet = Object.assign(() => {}, { error() {}, trace() {}, enabled: false })
  const logger = { forComponent: () => Object.assign(quiet, { newScope: () => quiet }) }
  const components = { peerId: honest, logger } as unknown as GossipSubComponents
  const router = routerOf(
    gossipsub(routerOptions({ profile: 'devnet', topics: [topic] }))(components),
  )
  const clock = new VirtualClock()
  const faults: string[] = []
  const delivered: string[] = []
  let dropped = 0
  router.topicValidators.set(topic, (from, message) => {
    delivered.push(`${from.toString().slice(-4)} ${Buffer.from(message.data).toString()}`)
    return 'ignore' as never
  })
  const tap = tapped
    ? installFrameTap(router, {
        clock,
        isConnected: () => connected,
        frameDropped: () => void dropped++,
        fault: (id, reason, evidence) =>
          void faults.push(`${id.slice(-4)} ${reason} (${evidence})`),
      })
    : undefined
  return { router, clock, faults, delivered, tap, dropped: () => dropped }
}

/** Lets the router read these frames as one peer's stream. */
async function read(router: Router, frames: Iterable<Uint8Array>, from = mallory): Promise<void> {
  async function* stream() {
    for (const frame of frames) yield frame
  }
  await router.pipePeerReadStream(from, stream())
  await new Promise(setImmediate)
}

const rpc = (data: string, extra: Partial<RPC.Message> = {}): Uint8Array =>
  RPC.encode({ subscriptions: [], messages: [{ topic, data: Buffer.from(data), ...extra }] })
const garbage = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)

test('bytes that do not decode are held against their sender; the router alone says nothing', async () => {
  const watched = lab()
  const bare = lab({ tapped: false })

  for (const { router } of [watched, bare]) await read(router, [garbage, rpc('fine'), garbage])

  expect(watched.faults).toEqual(Array(2).fill('KPH5 wire/malformed-rpc (frame of 5 bytes)'))
  expect(watched.delivered).toEqual(['KPH5 fine'])
  expect(bare.delivered).toEqual(['KPH5 fine'])
})

test('of two streams read at once only the one with bad frames is named', async () => {
  const { router, faults, delivered } = lab()

  await Promise.all([
    read(router, Array<Uint8Array>(100).fill(garbage)),
    read(
      router,
      Array.from({ length: 100 }, (_, index) => rpc(`${index}`)),
      honest,
    ),
  ])

  expect(faults.length).toBe(100)
  expect(faults.every(text => text.startsWith('KPH5 wire/malformed-rpc'))).toBe(true)
  expect(delivered.length).toBe(100)
})

test('a message with an author is refused and named; the router alone would relay it', async () => {
  const from = new Uint8Array(34).fill(1)
  const watched = lab()
  const bare = lab({ tapped: false })

  for (const { router } of [watched, bare]) await read(router, [rpc('authored', { from })])

  expect(watched.delivered).toEqual([])
  expect(watched.faults).toEqual(['KPH5 wire/invalid-envelope (1 messages)'])
  expect(bare.delivered).toEqual(['KPH5 authored'])
})

test.each([
  ['a signature', { signature: new Uint8Array(64) }],
  ['a number', { seqno: new Uint8Array(8) }],
  ['a key', { key: new Uint8Array(36) }],
])('a message with %s is refused and named', async (_, extra) => {
  const { router, faults, delivered } = lab()

  await read(router, [rpc('signed', extra), rpc('plain')])

  expect(faults).toEqual(['KPH5 wire/invalid-envelope (1 messages)'])
  expect(delivered).toEqual(['KPH5 plain'])
})

test('the burst of frames passes, the next is dropped unread, and a second later the rate is back', async () => {
  const { router, clock, faults, delivered, dropped } = lab()
  const numbered = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => rpc(`${from + index}`))

  await read(router, numbered(0, limits.wireFramesBurst + 3))

  expect(delivered.length).toBe(limits.wireFramesBurst)
  expect(dropped()).toBe(3)
  expect(faults).toEqual(['KPH5 rate/wire (1 frames)'])

  clock.set(1_000)
  await read(router, numbered(5_000, limits.wireFramesPerSecond + 1))

  expect(delivered.length).toBe(limits.wireFramesBurst + limits.wireFramesPerSecond)
  expect(faults).toEqual(['KPH5 rate/wire (1 frames)', 'KPH5 rate/wire (3 frames)'])
})

test('bytes are bounded like frames, and one peer does not use up the rate of another', async () => {
  const { router, delivered, dropped } = lab()
  const mebibyte = (index: number) => rpc(String(index).padEnd(1_000_000, ' '))

  await read(router, [0, 1, 2, 3, 4, 5, 6, 7, 8].map(mebibyte))
  await read(router, [rpc('mine')], honest)

  expect(dropped()).toBe(1)
  expect(delivered.length).toBe(9)
})

test('a peer that left starts anew: nothing about it is kept', async () => {
  const { router, tap, delivered } = lab()
  const many = Array.from({ length: limits.wireFramesBurst }, (_, index) => rpc(`${index}`))
  await read(router, many)

  tap?.forget(mallory.toString())
  await read(router, [rpc('again')])

  expect(delivered.at(-1)).toBe('KPH5 again')
})

test('what is read after a peer has left leaves nothing behind either', async () => {
  const { router, delivered } = lab({ connected: false })
  await read(
    router,
    Array.from({ length: limits.wireFramesBurst }, (_, index) => rpc(`${index}`)),
  )

  await read(router, [rpc('again')])

  expect(delivered.at(-1)).toBe('KPH5 again')
})

test.each(['decodeRpc', 'pipePeerReadStream'] as const)(
  'a router without %s refuses to start',
  name => {
    const { router } = lab({ tapped: false })
    Object.assign(router, { [name]: undefined })
    const options = {
      clock: new VirtualClock(),
      fault() {},
      frameDropped() {},
      isConnected: () => true,
    }

    expect(() => installFrameTap(router, options)).toThrow(
      `p2p/router-patch-missing: ${name} (gossipsub 17.1.1)`,
    )
  },
)

test('the sixth change of the inbound stream within ten minutes is held against the peer, older ones are not', async () => {
  const { router, clock, faults } = lab()
  for (let stream = 0; stream < 6; stream++) await read(router, [])
  expect(faults).toEqual([])
  await read(router, [])
  expect(faults).toEqual([`${mallory.toString().slice(-4)} wire/stream-churn (6 streams)`])

  clock.set(600_000)
  for (let stream = 0; stream < 6; stream++) await read(router, [])
  expect(faults.length).toBe(1)
})
