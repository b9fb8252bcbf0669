import type { BenchRow } from '@rockpool/protocol/conformance'
import './polyfill.ts'
import { TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { createLibp2p } from 'libp2p'
import { createNetwork, keyFromSeed, type NetworkClock } from './index.ts'
import { createMessageIds } from './message-id.ts'
import { libp2pOptions } from './options.ts'
import { until } from './testing.ts'

/** Two nodes joined by gossip: `send` publishes at the left one, `heard` is called for each delivery at the right one. */
interface Pair {
  send(bytes: Uint8Array): Promise<unknown>
  onHeard(heard: () => void): void
  close(): Promise<unknown>
}

interface Cost {
  readonly cpuMicros: number
  readonly perSecond: number
}

const topic = '/rockpool/31337/d1164378/tx/1'
const listen = ['/ip4/127.0.0.1/tcp/0']
const IN_FLIGHT = 64
const ROUNDS = 8
const RATIO_MAX = 1.25
const SHARE_MIN = 0.75

/** The rate of one peer is a defence, not a cost: a clock that runs 1,000 times as fast keeps it out of the measurement. */
const fastClock: NetworkClock = {
  now: () => performance.now() * 1_000,
  at: (due, fn) => setTimeout(fn, Math.max(0, due - performance.now() * 1_000)),
  clear: timer => clearTimeout(timer as NodeJS.Timeout),
}

/** What one delivery costs both ends together, through the adapter and through the library alone with the same options. */
export async function rows(): Promise<readonly BenchRow[]> {
  const single = await compare(250, 3_000)
  const batch = await compare(64 * 250, 800)
  return [
    row('gossip, 250 B: CPU of a delivery', 'µs', single, 1),
    throughput('gossip, 250 B, 64 in flight', single),
    row('gossip, batch of 64 x 250 B: CPU of a transaction', 'µs', batch, 64),
  ]
}

/** Rounds of both, one after the other, so that a slow moment of the machine meets both; the quietest round of each. */
async function compare(sizeBytes: number, count: number): Promise<{ ours: Cost; bare: Cost }> {
  const pairs = { ours: await adapted(), bare: await plain() }
  const costs = { ours: [] as Cost[], bare: [] as Cost[] }
  for (const pair of [pairs.ours, pairs.bare]) await measure(pair, sizeBytes, count)
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)
    for (const who of order) costs[who].push(await measure(pairs[who], sizeBytes, count))
  }
  await Promise.all([pairs.ours.close(), pairs.bare.close()])
  return { ours: quietest(costs.ours), bare: quietest(costs.bare) }
}

async function measure(pair: Pair, sizeBytes: number, count: number): Promise<Cost> {
  let sent = 0
  let heard = 0
  const send = () => {
    const bytes = Buffer.alloc(sizeBytes, sent)
    // Never the same bytes twice: a repeated message is no message.
    bytes.writeDoubleLE(performance.now(), 0)
    bytes.writeUInt32LE(sent++, 8)
    void pair.send(bytes)
  }
  const cpu = process.cpuUsage()
  const started = performance.now()
  await new Promise<void>(resolve => {
    pair.onHeard(() => {
      if (++heard === count) resolve()
      else if (sent < count) send()
    })
    for (let index = 0; index < IN_FLIGHT; index++) send()
  })
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - started) / 1_000
  return { cpuMicros: (user + system) / count, perSecond: count / seconds }
}

async function adapted(): Promise<Pair> {
  let heard = () => {}
  const [left, right] = await Promise.all(
    [1, 2].map(async index => {
      const network = await createNetwork({
        privateKey: await keyFromSeed(new Uint8Array(32).fill(index)),
        listen,
        profile: 'devnet',
        topics: [topic],
        clock: fastClock,
      })
      network.listen({
        opened() {},
        closed() {},
        wireFault() {},
        async deliver() {
          heard()
          return 'accept'
        },
      })
      network.subscribe(topic)
      await network.start()
      return network
    }),
  )
  if (left === undefined || right === undefined) throw new Error('two networks were made')
  await left.dial(right.addresses()[0] ?? '', 1e6)
  await until(() => left.meshSize(topic) === 1 && right.meshSize(topic) === 1)
  return {
    send: bytes => left.publish(topic, bytes),
    onHeard(next) {
      heard = next
    },
    close: () => Promise.all([left.stop(), right.stop()]),
  }
}

async function plain(): Promise<Pair> {
  let heard = () => {}
  const [left, right] = await Promise.all(
    [3, 4].map(async index => {
      const privateKey = await keyFromSeed(new Uint8Array(32).fill(index))
      const options = { privateKey, listen, profile: 'devnet', topics: [topic] } as const
      const made = await createLibp2p(
        libp2pOptions(options, privateKeyFromProtobuf(privateKey), {}, createMessageIds()),
      )
      await made.start()
      made.services.pubsub.topicValidators.set(topic, async () => {
        heard()
        return TopicValidatorResult.Accept
      })
      made.services.pubsub.subscribe(topic)
      return made
    }),
  )
  if (left === undefined || right === undefined) throw new Error('two nodes were made')
  const [target] = right.getMultiaddrs()
  if (target === undefined) throw new Error('the node listens')
  await left.dial(target)
  const { pubsub } = left.services
  const mesh = pubsub as typeof pubsub & { getMeshPeers(topic: string): string[] }
  await until(() => mesh.getMeshPeers(topic).length === 1)
  return {
    send: bytes => pubsub.publish(topic, bytes),
    onHeard(next) {
      heard = next
    },
    close: () => Promise.all([left.stop(), right.stop()]),
  }
}

function row(
  name: string,
  unit: string,
  { ours, bare }: { ours: Cost; bare: Cost },
  per: number,
): BenchRow {
  const ratio = ours.cpuMicros / bare.cpuMicros
  return {
    row: name,
    unit,
    ours: rounded(ours.cpuMicros / per),
    reference: { name: 'gossipsub 17.1.1 alone', value: rounded(bare.cpuMicros / per) },
    ratio: rounded(ratio),
    target: `at most ${RATIO_MAX} times the library`,
    met: ratio <= RATIO_MAX,
    note: 'both ends in one process, same options, same run',
  }
}

function throughput(name: string, { ours, bare }: { ours: Cost; bare: Cost }): BenchRow {
  const ratio = ours.perSecond / bare.perSecond
  return {
    row: name,
    unit: 'deliveries/s',
    ours: Math.round(ours.perSecond),
    reference: { name: 'gossipsub 17.1.1 alone', value: Math.round(bare.perSecond) },
    ratio: rounded(ratio),
    target: `at least ${SHARE_MIN} of the library`,
    met: ratio >= SHARE_MIN,
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100

function quietest(costs: readonly Cost[]): Cost {
  const [least] = costs.toSorted((a, b) => a.cpuMicros - b.cpuMicros)
  if (least === undefined) throw new Error('at least one round')
  return least
}
