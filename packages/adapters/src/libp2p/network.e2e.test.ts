import './polyfill.ts'
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  decodeTxFrame,
  encodeTxBatch,
  type Goodbye,
  type PeerView,
  type Verdict,
} from '@rockpool/protocol'
import { createLibp2p } from 'libp2p'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from './clock.ts'
import {
  createNetwork,
  keyFromSeed,
  type Libp2pNetwork,
  type NetworkOptions,
  peerIdOf,
} from './index.ts'
import { createMessageIds } from './message-id.ts'
import { libp2pOptions, type Services } from './options.ts'
import { GOSSIPSUB_VERSION, routerOf } from './router.ts'
import { installSendPatches } from './send-patches.ts'
import { until } from './testing.ts'

const topic = '/rockpool/31337/d1164378/tx/1'
const loopback = '/ip4/127.0.0.1/tcp/0'
const key = (index: number) => keyFromSeed(new Uint8Array(32).fill(index))

interface Node {
  readonly network: Libp2pNetwork
  readonly delivered: Uint8Array[]
  readonly opened: PeerView[]
  readonly closed: { id: string; bye: Goodbye | undefined }[]
  readonly faults: string[]
}

async function node(index: number, options: Partial<NetworkOptions> = {}): Promise<Node> {
  const network = await createNetwork({
    privateKey: await key(index),
    listen: [loopback],
    profile: 'devnet',
    topics: [topic],
    ...options,
  })
  const made: Node = { network, delivered: [], opened: [], closed: [], faults: [] }
  network.listen({
    opened: peer => void made.opened.push(peer),
    closed: (id, _, bye) => void made.closed.push({ id, bye }),
    wireFault: (id, reason) => void made.faults.push(`${id} ${reason}`),
    async deliver({ bytes }): Promise<Verdict> {
      made.delivered.push(bytes)
      return 'accept'
    },
  })
  network.subscribe(topic)
  onTestFinished(() => network.stop())
  await network.start()
  return made
}

const address = ({ network }: Node): string => network.addresses()[0] ?? ''
const meshed = (nodes: readonly Node[], size: number) => () =>
  nodes.every(({ network }) => network.meshSize(topic) >= size)

/** A libp2p node of the same options with none of our patches; what an attacker or another program would run. */
async function bare(index: number): Promise<Libp2p<Services>> {
  const privateKey = await key(index)
  const options = { privateKey, listen: [loopback], profile: 'devnet', topics: [topic] } as const
  const made = await createLibp2p(
    libp2pOptions(options, privateKeyFromProtobuf(privateKey), {}, createMessageIds()),
  )
  await made.start()
  onTestFinished(() => made.stop())
  return made
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

async function gossipStream(attacker: Libp2p, target: Node): Promise<Stream> {
  const connection = await attacker.dial(multiaddr(address(target)))
  return connection.newStream('/meshsub/1.2.0')
}

/** A frame as the router reads it: a varint length, then the bytes. */
function frame(bytes: Uint8Array, length = bytes.length): Uint8Array {
  const prefix: number[] = []
  for (let rest = length; ; rest >>>= 7) {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.concat([Uint8Array.from(prefix), bytes])
}

const rpc = (text: string, extra: Partial<RPC.Message> = {}): Uint8Array =>
  RPC.encode({ subscriptions: [], messages: [{ topic, data: Buffer.from(text), ...extra }] })

describe('delivery', () => {
  test('two nodes: 500 of 500 messages arrive', async () => {
    const left = await node(1)
    const right = await node(2, { static: [address(left)] })
    await until(meshed([left, right], 1))

    for (let index = 0; index < 500; index++)
      await left.network.publish(topic, Buffer.from(`message ${index}`))

    await until(() => right.delivered.length === 500)
    expect(new Set(right.delivered.map(bytes => Buffer.from(bytes).toString())).size).toBe(500)
    expect(right.faults).toEqual([])
  })

  test('four nodes: every mesh holds within 5 s, one entry per peer, all are told', async () => {
    const nodes: Node[] = []
    const ports: string[] = []
    for (const index of [1, 2, 3, 4]) {
      const others = ports.slice()
      nodes.push(await node(index, { static: others }))
      ports.push(address(nodes.at(-1) as Node))
    }
    await until(meshed(nodes, 2), 5_000)
    await until(() => nodes.every(({ network }) => network.peers().length === 3), 5_000)

    const first = nodes[0] as Node
    await first.network.publish(topic, Buffer.from('to all'))

    await until(() => nodes.slice(1).every(({ delivered }) => delivered.length === 1))
    const ids = nodes.map(({ network }) => network.self)
    for (const { network } of nodes)
      expect(
        network
          .peers()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(ids.filter(id => id !== network.self).sort())
    expect(first.network.peers().map(({ direction }) => direction)).toEqual(['in', 'in', 'in'])
    const names = first.network.metrics().map(({ name }) => name)
    expect(names.filter(name => name.startsWith('gossipsub_')).length).toBeGreaterThan(30)
    expect(names.filter(name => name.startsWith('libp2p_')).length).toBeGreaterThan(2)
    expect(new Set(names).size).toBe(names.length)
  })

  test('a transaction batch arrives byte for byte and decodes', async () => {
    const left = await node(1)
    const right = await node(2, { static: [address(left)] })
    await until(meshed([left, right], 1))
    const batch = { salt: 7, txs: [new Uint8Array(300).fill(2), Uint8Array.of(1, 2, 3)] }
    const sent = encodeTxBatch(batch)

    await left.network.publish(topic, sent)

    await until(() => right.delivered.length === 1)
    const received = right.delivered[0] ?? new Uint8Array(0)
    expect(Buffer.compare(received, sent)).toBe(0)
    expect(decodeTxFrame(received)).toMatchObject({ ok: true, value: batch })
  })
})

describe('what the libraries do alone', () => {
  /** How many of 300 messages of 16 KiB arrive at a peer that asks for all of them at once, as one that has heard of them. */
  async function answeredAtOnce(
    from: Libp2p<Services>,
    to: Libp2p<Services>,
    withinMs: number,
  ): Promise<number> {
    const contents = Array.from({ length: 300 }, (_, index) =>
      new Uint8Array(16_384).fill(index).fill(index >> 8, 0, 1),
    )
    // Published while nobody listens, and remembered for six seconds.
    for (const content of contents) await from.services.pubsub.publish(topic, content)
    let arrived = 0
    to.services.pubsub.addEventListener('message', () => void arrived++)
    await to.dial(from.getMultiaddrs())
    const asking = routerOf(to.services.pubsub)
    const target = from.peerId.toString()
    const answering = routerOf(from.services.pubsub).streamsOutbound
    await until(() => asking.streamsOutbound.has(target) && answering.has(`${to.peerId}`))
    to.services.pubsub.subscribe(topic)
    const ids = createMessageIds()
    const messageIDs = contents.map(data => ids.idOf({ type: 'unsigned', topic, data }))
    asking.sendRpc(target, {
      subscriptions: [],
      messages: [],
      control: { ihave: [], iwant: [{ messageIDs }], graft: [], prune: [], idontwant: [] },
    })
    // Where nothing arrives, nothing tells.
    await until(() => arrived === 300, withinMs).catch(() => {})
    return arrived
  }

  test('300 messages of 16 KiB asked for at once all arrive; from a router without our patches none does', async () => {
    const ours = await bare(1)
    installSendPatches(routerOf(ours.services.pubsub), { clock: systemClock(), fault() {} })

    expect(await answeredAtOnce(ours, await bare(8), 10_000)).toBe(300)
    expect(await answeredAtOnce(await bare(2), await bare(9), 1_500)).toBe(0)
  })

  test('what nobody heard is sent when it is published again', async () => {
    const ours = await node(1)
    const bytes = Buffer.from('said to nobody')
    expect(await ours.network.publish(topic, bytes)).toEqual({ recipients: 0 })
    const other = await node(2, { static: [address(ours)] })
    await until(meshed([ours, other], 1))

    expect(await ours.network.publish(topic, bytes)).toEqual({ recipients: 1 })
    await until(() => other.delivered.length === 1)
  })

  test('eight nodes that dial one at once are all let in', async () => {
    const hub = await node(1)
    const nodes = await Promise.all([2, 3, 4, 5, 6, 7, 8, 9].map(index => node(index)))

    await Promise.all(nodes.map(({ network }) => network.dial(address(hub), 10_000)))

    await until(() => hub.network.peers().length === 8)
  })

  test('a peer that leaves the graylist is sent away once, to come back and be heard', async () => {
    const ours = await node(1)
    const other = await node(2)
    await other.network.dial(address(ours), 5_000)
    await until(meshed([ours, other], 1))
    ours.network.reputation(() => -200)
    // Two looks at it: the score is kept for a heartbeat, the drift watch looks once a second.
    await until(() => ours.network.meshSize(topic) === 0)
    const [seen, gossip] = [performance.now(), () => ours.network.gossipScore(other.network.self)]
    await until(() => gossip() !== undefined && performance.now() - seen > 2_500)

    ours.network.reputation(() => 0)

    await until(() => other.closed.length === 1)
    expect(other.closed[0]?.bye).toMatchObject({ code: 250, retryAfterSeconds: 1 })
  })
})

describe('staying connected', () => {
  test('nodes that list each other and start together make one connection per pair', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const listed = await Promise.all(
      ports.map(async (port, index) => {
        const id = peerIdOf(await key(index + 1))
        return `/ip4/127.0.0.1/tcp/${port}/p2p/${id}`
      }),
    )

    const nodes = await Promise.all(
      ports.map((port, index) =>
        node(index + 1, { listen: [`/ip4/127.0.0.1/tcp/${port}`], static: listed }),
      ),
    )

    await until(() => nodes.every(({ network }) => network.peers().length === 2))
    await until(meshed(nodes, 2))
    for (const { network, opened } of nodes) {
      const connections = network.metrics().find(({ name }) => name.endsWith('p2p_connections'))
      const counts = connections?.samples.map(sample => ('value' in sample ? sample.value : 0))
      expect(counts?.reduce((sum, count) => sum + count)).toBe(2)
      expect(opened.length).toBe(2)
    }
  })

  test('a static peer that restarts is back by itself, after its goodbye', async () => {
    const right = await node(2)
    const port = Number(/tcp\/(\d+)/.exec(address(right))?.[1])
    const left = await node(1, { static: [address(right)], random: () => 0 })
    await until(meshed([left, right], 1))

    await right.network.stop()
    await until(() => left.closed.length === 1)
    const again = await node(2, { listen: [`/ip4/127.0.0.1/tcp/${port}`] })

    await until(meshed([left, again], 1), 12_000)
    expect(left.closed[0]?.bye?.code).toBe(1)
    expect(left.opened.map(({ id }) => id)).toEqual([right.network.self, right.network.self])
  })

  test('gossip survives the end of one of two connections: the router is told of the other', async () => {
    const ours = await node(1)
    const other = await bare(2)
    const received: string[] = []
    let identified = 0
    other.addEventListener('peer:identify', () => void identified++)
    await other.dial(multiaddr(address(ours)))
    await other.dial(multiaddr(address(ours)), { force: true })
    other.services.pubsub.addEventListener('message', ({ detail }) => {
      received.push(Buffer.from(detail.data).toString())
    })
    other.services.pubsub.subscribe(topic)
    await until(() => ours.network.meshSize(topic) === 1)
    expect(other.getConnections().length).toBe(2)
    expect(ours.network.peers().length).toBe(1)

    // Both sides have identified both connections: nothing that is still to come introduces the peer again.
    await until(
      () =>
        identified === 2 &&
        other
          .getConnections()
          .every(({ streams }) => streams.every(({ protocol }) => protocol.startsWith('/meshsub'))),
    )
    // The stream we write to it; the router opens no second one by itself.
    const gossiping = other
      .getConnections()
      .find(({ streams }) =>
        streams.some(
          ({ protocol, direction }) => direction === 'inbound' && protocol.startsWith('/meshsub'),
        ),
      )
    expect(gossiping).toBeDefined()
    await gossiping?.close()
    await until(() => other.getConnections().length === 1)
    const drifted = () =>
      ours.network.metrics().find(({ name }) => name.endsWith('router_drift_total'))?.samples
    await until(() => JSON.stringify(drifted()) === '[{"labels":{"act":"repair"},"value":1}]')

    await until(() => {
      void ours.network.publish(topic, Buffer.from(`still here ${performance.now()}`))
      return received.length > 0
    }, 8_000)
    expect(ours.closed).toEqual([])
  })
})

test('a peer this node thinks badly of leaves the mesh and stays connected', async () => {
  const [left, right] = [await node(1), await node(2)]
  await left.network.dial(address(right), 5_000)
  await until(meshed([left, right], 1))

  left.network.reputation(() => -90)
  await until(() => left.network.meshSize(topic) === 0)
  expect(left.network.gossipScore(right.network.self)).toBeGreaterThan(-45)

  left.network.reputation(() => 0)
  await until(() => (left.network.gossipScore(right.network.self) ?? -1) >= 0)
  expect(left.network.peers().length).toBe(1)
})

describe('hostile frames', () => {
  test('are held against their sender and change nothing for the others', async () => {
    const victim = await node(1)
    const honest = await node(2, { static: [address(victim)] })
    await until(meshed([victim, honest], 1))
    const attacker = await bare(9)
    const id = attacker.peerId.toString()
    const stream = await gossipStream(attacker, victim)

    for (let index = 0; index < 10; index++) stream.send(frame(Buffer.from('ffffffffff', 'hex')))
    stream.send(frame(rpc('authored', { from: new Uint8Array(34) })))
    await until(() => victim.faults.length === 11)
    const flood = Buffer.concat(Array.from({ length: 4_000 }, () => frame(rpc('again'))))
    stream.send(flood)
    await until(() => victim.faults.length > 11)
    stream.send(frame(new Uint8Array(1_000), 5 * 1_048_576))
    await until(() => victim.faults.includes(`${id} wire/oversize-frame`))

    expect(victim.faults.filter(fault => !fault.startsWith(id))).toEqual([])
    const count = (reason: string) => victim.faults.filter(fault => fault.endsWith(reason)).length
    expect(count('wire/malformed-rpc')).toBe(10)
    expect(count('wire/invalid-envelope')).toBe(1)
    expect(count('rate/wire')).toBeGreaterThan(0)
    expect(victim.delivered.map(bytes => Buffer.from(bytes).toString())).toEqual(['again'])
    // The sender is told: its stream is reset instead of swallowing what it writes.
    await until(() => stream.status === 'reset' || stream.status === 'closed')

    await honest.network.publish(topic, Buffer.from('honest'))
    await until(() => victim.delivered.length === 2)
    expect(victim.network.peers().some(peer => peer.id === honest.network.self)).toBe(true)
  })

  test('a router without our patches takes an authored message and blames nobody', async () => {
    const victim = await bare(1)
    victim.services.pubsub.subscribe(topic)
    const received: string[] = []
    victim.services.pubsub.addEventListener('message', ({ detail }) => {
      received.push(Buffer.from(detail.data).toString())
    })
    const attacker = await bare(9)
    const [listening] = victim.getMultiaddrs()
    const connection = await attacker.dial(listening ?? multiaddr(loopback))
    const stream = await connection.newStream('/meshsub/1.2.0')

    stream.send(frame(rpc('authored', { from: new Uint8Array(34) })))

    await until(() => received.length === 1)
    expect(received).toEqual(['authored'])
  })
})

describe('starting and stopping', () => {
  test('port 0 becomes a real port; a port in use is refused by its number', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const taken = server.address() as { port: number }

    const first = await node(1)
    expect(address(first)).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d+\/p2p\/12D3Koo/)
    await expect(node(2, { listen: [`/ip4/127.0.0.1/tcp/${taken.port}`] })).rejects.toMatchObject({
      code: 'p2p/port-in-use',
      message: expect.stringContaining(`p2p.listen.tcp ${taken.port} is in use`),
      cause: { code: 'EADDRINUSE' },
    })
  })

  test('advertised addresses are told instead of those listened on', async () => {
    const { network } = await node(1, { advertise: ['/ip4/203.0.113.9/tcp/7625'] })

    expect(network.addresses()).toEqual([`/ip4/203.0.113.9/tcp/7625/p2p/${network.self}`])
  })

  test('a network that was never started stops, and does not start afterwards', async () => {
    const network = await createNetwork({
      privateKey: await key(1),
      listen: [loopback],
      profile: 'devnet',
      topics: [topic],
    })

    await network.stop()

    await expect(network.start()).rejects.toMatchObject({ code: 'p2p/not-running' })
  })

  test('nothing keeps the process alive once stopped', async () => {
    const program = `
      import { createNetwork, keyFromSeed } from '@rockpool/adapters/libp2p'
      const topic = '${topic}'
      const make = async (index, peers) => {
        const network = await createNetwork({ privateKey: await keyFromSeed(new Uint8Array(32).fill(index)),
          listen: ['${loopback}'], profile: 'devnet', topics: [topic], static: peers })
        network.subscribe(topic)
        // A verdict that never comes holds nothing either.
        network.listen({ opened() {}, closed() {}, wireFault() {}, deliver: () => new Promise(() => {}) })
        network.serve('/stuck/1', () => new Promise(() => {}))
        await network.start()
        return network
      }
      const left = await make(1, [])
      const right = await make(2, left.addresses())
      while (left.meshSize(topic) < 1 || right.meshSize(topic) < 1) await new Promise(r => setTimeout(r, 10))
      await left.publish(topic, new Uint8Array(100))
      right.request(left.self, '/stuck/1', new Uint8Array(1), { bytesMax: 10, deadlineMs: 60000 }).catch(() => {})
      await new Promise(r => setTimeout(r, 100))
      await Promise.all([left.stop(), right.stop()])
      // What is being closed is gone some turns of the loop later; heartbeats and debounced writes would not be.
      await new Promise(r => setTimeout(r, 20))
      process.stdout.write(JSON.stringify(process.getActiveResourcesInfo()))
    `
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@rockpool/source', '--input-type=module', '-e', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let holding = ''
    child.stdout.on('data', chunk => {
      holding += chunk
    })

    const code = await new Promise(resolve => child.on('exit', resolve))

    expect(code).toBe(0)
    // Its own output pipe apart.
    expect(JSON.parse(holding).filter((kind: string) => kind !== 'PipeWrap')).toEqual([])
  })
})

describe('the gossip library', () => {
  test('is the pinned one, under its alias, and there is no second', async () => {
    const root = join(import.meta.dirname, '../../../../node_modules')
    const manifest = JSON.parse(
      await readFile(join(root, '@chainsafe/libp2p-gossipsub/package.json'), 'utf8'),
    ) as { name: string; version: string }

    expect(manifest).toMatchObject({ name: '@libp2p/gossipsub', version: GOSSIPSUB_VERSION })
    const scopes = [join(root, '@libp2p'), join(root, '@chainsafe')]
    const names = (await Promise.all(scopes.map(scope => readdir(scope)))).flat()
    expect(names.filter(name => name.includes('gossipsub'))).toEqual(['libp2p-gossipsub'])
    const lock = await readFile(join(root, '../package-lock.json'), 'utf8')
    expect(lock.match(/"node_modules\/[^"]*gossipsub[^"]*": \{/g)?.length).toBe(1)
  })
})
