import './polyfill.ts'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import type { Verdict } from '@rockpool/protocol'
import { createLibp2p } from 'libp2p'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from './clock.ts'
import { createFaults } from './faults.ts'
import { createNetwork, keyFromSeed } from './index.ts'
import { createMessageIds } from './message-id.ts'
import { libp2pOptions } from './options.ts'
import { until } from './testing.ts'

/* Faults over real TCP: what they do to requests, gossip, dials and calls. */

const topic = '/rockpool/31337/d1164378/tx/1'
const echo = '/rockpool/test/echo/1'

async function plain(index: number, faults: boolean) {
  const network = await createNetwork({
    privateKey: await keyFromSeed(new Uint8Array(32).fill(index)),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    profile: 'devnet',
    topics: [topic],
    faults,
  })
  const heard: string[] = []
  network.listen({
    opened() {},
    closed() {},
    wireFault() {},
    async deliver({ bytes }): Promise<Verdict> {
      heard.push(Buffer.from(bytes).toString())
      return 'accept'
    },
  })
  network.serve(echo, async (_, bytes) => [bytes])
  network.subscribe(topic)
  onTestFinished(() => network.stop())
  await network.start()
  return { network, heard }
}

async function node(index: number) {
  const { network, heard } = await plain(index, true)
  const { faults } = network
  if (faults === undefined) throw new Error('no faults')
  return { network, faults, heard }
}

type Node = Awaited<ReturnType<typeof node>>

const address = ({ network }: Node): string => network.addresses()[0] ?? ''

async function pair() {
  const left = await node(1)
  const right = await node(2)
  await left.network.dial(address(right), 5_000)
  await until(() => right.network.peers().length === 1)
  return { left, right }
}

const ask = (from: Node, to: Node, bytes: Uint8Array = new Uint8Array(10), deadlineMs = 20_000) =>
  from.network.request(to.network.self, echo, bytes, { bytesMax: 200_000, deadlineMs })

const connected = (from: Node, to: Node): boolean =>
  from.network.peers().some(({ id }) => id === to.network.self)

const apart = (left: Node, right: Node) => () => !connected(left, right) && !connected(right, left)

/** A libp2p node of our options with one open stream's worth of echo, so that a round trip has no negotiation in it. */
async function bare(index: number) {
  const privateKey = await keyFromSeed(new Uint8Array(32).fill(index))
  const faults = createFaults({
    clock: systemClock(),
    random: Math.random,
    log: { info() {} },
  })
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const options = { privateKey, listen, profile: 'devnet', topics: [topic] } as const
  const libp2p = await createLibp2p(
    libp2pOptions(options, privateKeyFromProtobuf(privateKey), {}, createMessageIds(), faults),
  )
  onTestFinished(() => libp2p.stop())
  await libp2p.handle(echo, stream => {
    stream.addEventListener('message', ({ data }) => void stream.send(data))
  })
  await libp2p.start()
  return { libp2p, faults, id: libp2p.peerId.toString() }
}

/** The quickest of five: a busy machine adds to single ones. */
async function roundTrip(stream: Stream): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    const since = performance.now()
    const answered = new Promise(resolve =>
      stream.addEventListener('message', resolve, { once: true }),
    )
    stream.send(Uint8Array.of(turn))
    await answered
    times.push(performance.now() - since)
  }
  return Math.min(...times)
}

test('100 ms each way make a round trip of 200 ms, one way alone 100 ms; healed it is quick again', async () => {
  const left = await bare(1)
  const right = await bare(2)
  const stream = await left.libp2p.dialProtocol(right.libp2p.getMultiaddrs(), echo)

  left.faults.set({ to: right.id, latencyMs: 100 })
  const oneWay = await roundTrip(stream)
  right.faults.set({ to: left.id, latencyMs: 100 })
  const bothWays = await roundTrip(stream)
  left.faults.clear()
  right.faults.clear()
  const healed = await roundTrip(stream)

  expect(Math.abs(oneWay - 100)).toBeLessThan(40)
  expect(Math.abs(bothWays - 200)).toBeLessThan(40)
  expect(healed).toBeLessThan(40)
})

test('1 MiB a second carries 2 MiB in two seconds', async () => {
  const { left, right } = await pair()
  left.faults.set({ to: right.network.self, bytesPerSecond: 1_048_576 })

  const since = performance.now()
  for (let turn = 0; turn < 16; turn++) await ask(left, right, new Uint8Array(131_000))

  const seconds = (performance.now() - since) / 1_000
  expect(seconds).toBeGreaterThan(1.8)
  expect(seconds).toBeLessThan(4)
})

test('a stall holds everything back, and nothing is lost when it ends', async () => {
  const { left, right } = await pair()
  await until(() => left.network.meshSize(topic) === 1)
  left.faults.set({ to: right.network.self, stall: true })
  for (let index = 0; index < 50; index++)
    await left.network.publish(topic, Buffer.from(`message ${index}`))
  await expect(ask(left, right, new Uint8Array(1), 1_500)).rejects.toThrow()
  expect(right.heard).toEqual([])

  left.faults.clear(right.network.self)

  await until(() => right.heard.length === 50)
  expect(right.heard).toEqual(Array.from({ length: 50 }, (_, index) => `message ${index}`))
  expect(connected(left, right)).toBe(true)
})

test('a cut by one side ends the connection, its dials and its calls, until it is healed', async () => {
  const { left, right } = await pair()

  left.faults.set({ to: right.network.self, cut: true })

  await until(apart(left, right))
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const)
    await expect(from.network.dial(address(to), 3_000)).rejects.toMatchObject({
      code: 'p2p/dial-failed',
    })
  await until(apart(left, right))
  left.faults.clear()
  await right.network.dial(address(left), 3_000)
  await until(() => connected(left, right))
  expect(await ask(left, right)).toHaveLength(1)
})

test('a rule for a listening address also meets the calls of who listens there', async () => {
  const { left, right } = await pair()
  const to = address(right).replace(/\/p2p\/.*/, '')

  left.faults.set({ to, cut: true })

  await until(apart(left, right))
  await expect(right.network.dial(address(left), 3_000)).rejects.toThrow()
  await until(apart(left, right))
})

test('a reset ends the connection once, and the rules of the link hold for the next one', async () => {
  const { left, right } = await pair()
  left.faults.set({ to: right.network.self, latencyMs: 150 })

  expect(left.faults.reset(right.network.self)).toBe(1)

  await until(apart(left, right))
  await right.network.dial(address(left), 5_000)
  await until(() => connected(left, right))
  const since = performance.now()
  await ask(left, right)
  expect(performance.now() - since).toBeGreaterThan(150)
  expect(left.faults.list()).toEqual([{ to: right.network.self, latencyMs: 150 }])
})

test('without the option there is nothing to set a rule with', async () => {
  const { network } = await plain(1, false)

  expect('faults' in network).toBe(false)
})
