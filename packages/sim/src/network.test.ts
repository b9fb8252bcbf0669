import { Rng, VirtualClock } from '@rockpool/actor'
import { type NetworkPort, type PeerId, type Topic, topicName } from '@rockpool/protocol'
import { networkSuite } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { NodeClock } from './clocks.ts'
import type { Host } from './host.ts'
import { Network } from './network.ts'
import { peerIdOf } from './peer-ids.ts'
import { keccak256 } from './testkit/crypto.ts'

const topic: Topic = topicName(1337, 'd1164378', 'tx')
const hop = () => new Promise<void>(resolve => setImmediate(resolve))
const bytes = (text: string) => new TextEncoder().encode(text)

interface Lab {
  readonly network: Network
  readonly clock: VirtualClock
  readonly counts: Map<string, number>
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>
  host(index: number, statics?: readonly Host[]): Host
}

function aLab(latency = { minMs: 1, meanMs: 5 }): Lab {
  const clock = new VirtualClock()
  const counts = new Map<string, number>()
  const network = new Network({
    clock,
    rng: new Rng('lab'),
    latency,
    sha256: keccak256,
    settled() {},
    count: what => void counts.set(what, (counts.get(what) ?? 0) + 1),
  })
  return {
    network,
    clock,
    counts,
    async pass(ms) {
      const end = clock.now() + ms
      await hop()
      while (clock.fireNext(end)) await hop()
      clock.set(end)
    },
    host(index, statics = []) {
      return network.join({
        name: `n${index}`,
        index,
        id: peerIdOf(new Uint8Array(32).fill(index + 1)),
        ip: `10.0.0.${index + 1}`,
        clock: new NodeClock(clock, { rate: 1, wall: () => 0 }, 0),
        static: statics.map(({ id, addr }) => ({ id, addr })),
      })
    },
  }
}

describe('the twin of the network', () => {
  const labs: Lab[] = []
  networkSuite(
    { test, expect },
    {
      async make(count) {
        const lab = aLab()
        labs.push(lab)
        // The suite waits for promises that only virtual time settles.
        let idle = 0
        const drive = async (): Promise<void> => {
          while (idle < 2_000) {
            await hop()
            idle = lab.clock.fireNext() ? 0 : idle + 1
          }
        }
        void drive()
        return Array.from({ length: count }, (_, index) => lab.network.port(lab.host(index)))
      },
      async until(holds) {
        for (let turn = 0; turn < 20_000 && !holds(); turn++) await hop()
        if (!holds()) throw new Error('never came true')
      },
    },
  )
})

interface Heard {
  readonly port: NetworkPort
  readonly host: Host
  readonly texts: string[]
  readonly closed: PeerId[]
}

async function aPair(lab: Lab): Promise<readonly [Heard, Heard]> {
  const listen = (host: Host): Heard => {
    const port = lab.network.port(host)
    const heard: Heard = { port, host, texts: [], closed: [] }
    port.listen({
      opened() {},
      closed: id => void heard.closed.push(id),
      deliver: async ({ bytes: payload }) => {
        heard.texts.push(new TextDecoder().decode(payload))
        return 'accept'
      },
      wireFault() {},
    })
    port.subscribe(topic)
    return heard
  }
  const right = listen(lab.host(1))
  const left = listen(lab.host(0, [right.host]))
  await left.port.start()
  await right.port.start()
  await lab.pass(3_000)
  return [left, right]
}

describe('links', () => {
  test('what is sent arrives in the order it was sent', async () => {
    const lab = aLab({ minMs: 0, meanMs: 200 })
    const [left, right] = await aPair(lab)
    const texts = Array.from({ length: 50 }, (_, index) => `m${index}`)
    for (const text of texts) await left.port.publish(topic, bytes(text))
    await lab.pass(20_000)
    expect(right.texts).toEqual(texts)
  })

  test('a partition loses exactly what was in flight, and both sides hear of it', async () => {
    const lab = aLab({ minMs: 100, meanMs: 0 })
    const [left, right] = await aPair(lab)
    await left.port.publish(topic, bytes('there'))
    await lab.pass(150)
    await left.port.publish(topic, bytes('in flight'))
    await lab.pass(50)
    lab.network.link('n0', 'n1').cut = true
    lab.network.resetBetween(left.host.id, right.host.id)
    await lab.pass(30_000)
    expect(right.texts).toEqual(['there'])
    expect([left.closed, right.closed]).toEqual([[right.host.id], [left.host.id]])
    expect(left.port.peers()).toEqual([])
    lab.network.link('n0', 'n1').cut = false
    await lab.pass(120_000)
    await left.port.publish(topic, bytes('healed'))
    await lab.pass(1_000)
    expect(right.texts).toEqual(['there', 'healed'])
    expect(lab.counts.get('lost')).toBe(1)
  })

  test('a clog delays and loses nothing', async () => {
    const lab = aLab()
    const [left, right] = await aPair(lab)
    lab.network.link('n0', 'n1').clog(5_000)
    await left.port.publish(topic, bytes('late'))
    await lab.pass(4_900)
    expect(right.texts).toEqual([])
    await lab.pass(200)
    expect(right.texts).toEqual(['late'])
  })

  test('a reader slower than its sender ends in an overflow that resets the connection', async () => {
    const lab = aLab()
    const [left, right] = await aPair(lab)
    right.host.readsPerSecond = 1_000
    for (let index = 0; index < 40; index++)
      await left.port.publish(topic, new Uint8Array(400_000).fill(index))
    await lab.pass(100)
    expect(lab.counts.get('overflows')).toBe(1)
    expect(right.closed).toEqual([left.host.id])
  })

  test('bandwidth holds a large message up by its size', async () => {
    const lab = aLab({ minMs: 0, meanMs: 0 })
    const [left, right] = await aPair(lab)
    lab.network.link('n0', 'n1').bytesPerSecond = 100_000
    await left.port.publish(topic, new Uint8Array(200_000))
    await lab.pass(1_900)
    expect(right.texts).toHaveLength(0)
    await lab.pass(200)
    expect(right.texts).toHaveLength(1)
  })

  test('a killed process says nothing; its peers notice, and find it again when it is back', async () => {
    const lab = aLab()
    const [left, right] = await aPair(lab)
    lab.network.kill(right.host)
    await lab.pass(1_000)
    expect(left.closed).toEqual([right.host.id])
    const again = lab.network.port(lab.host(1))
    await again.start()
    await lab.pass(60_000)
    expect(again.peers().map(({ id }) => id)).toEqual([left.host.id])
  })

  test('what is published twice is heard once, and a repeated publish is counted as a duplicate', async () => {
    const lab = aLab()
    const [left, right] = await aPair(lab)
    await left.port.publish(topic, bytes('once'))
    await lab.pass(100)
    const { last } = left.host
    if (last !== undefined) left.host.router.publish(last, true)
    await lab.pass(100)
    expect(right.texts).toEqual(['once'])
    expect(lab.counts.get('duplicates')).toBe(1)
  })

  test('every rejection costs ten points, and below zero a peer leaves the mesh', async () => {
    const lab = aLab()
    const [left, right] = await aPair(lab)
    right.port.listen({
      opened() {},
      closed() {},
      deliver: async () => 'reject',
      wireFault() {},
    })
    for (const text of ['a', 'b', 'c']) await left.port.publish(topic, bytes(text))
    await lab.pass(100)
    expect(right.port.gossipScore(left.host.id)).toBe(-30)
    await lab.pass(1_500)
    expect(right.port.meshSize(topic)).toBe(0)
  })
})
