/**
 * Hosts libp2p peers of npm, without a line of ours, in a process of its own: a crowd that publishes at a steady rate, an honest pair on both
 * sides of a node, and one that floods it or dials it again and again.
 */
import { createHash } from 'node:crypto'
import { pause, quantile } from './measure.ts'

/** What is asked of a peer. */
interface PlainPeer {
  knock(address: string): Promise<boolean>
  meet(topic: string, addresses: readonly string[]): Promise<void>
  listen(topic: string, hear: (bytes: Uint8Array) => void): void
  publish(topic: string, bytes: Uint8Array): Promise<number>
}

/** Another libp2p than the node's, which only this needs. */
async function createPlainPeer(): Promise<PlainPeer> {
  const file = new URL('../../apps/node/src/testkit/plain-peer.ts', import.meta.url)
  const module = (await import(file.href)) as {
    readonly createPlainPeer: () => Promise<PlainPeer>
  }
  return module.createPlainPeer()
}

export type CrowdWish =
  /** So many peers connect to the address and stay. */
  | {
      readonly do: 'join'
      readonly topic: string
      readonly address: string
      readonly peers: number
    }
  /** Each peer in turn publishes the next of these, `perSecond` in all. */
  | {
      readonly do: 'publish'
      readonly topic: string
      readonly frames: readonly string[]
      readonly perSecond: number
    }
  /** The first peer publishes these and the second waits for them. */
  | {
      readonly do: 'race'
      readonly topic: string
      readonly frames: readonly string[]
      readonly perSecond: number
    }
  /** The first peer publishes transactions that no decoder takes. */
  | {
      readonly do: 'flood'
      readonly topic: string
      readonly perSecond: number
      readonly seconds: number
    }
  /** The first peer dials so often a second. */
  | {
      readonly do: 'knock'
      readonly address: string
      readonly perSecond: number
      readonly seconds: number
    }

export interface CrowdResult {
  readonly sent: number
  readonly arrived: number
  readonly p95Ms: number
  /** What was published in a flood, or how often a peer was let in. */
  readonly bad: number
}

const nothing: CrowdResult = { sent: 0, arrived: 0, p95Ms: 0, bad: 0 }
const beatMs = 5
const graceMs = 3_000
const crowd: PlainPeer[] = []
const arrivals = new Map<string, number>()
let badCount = 0

const nameOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64')

async function run(wish: CrowdWish): Promise<CrowdResult> {
  switch (wish.do) {
    case 'join':
      return join(wish)
    case 'publish':
      await steadily(wish.perSecond, wish.frames, (bytes, index) => {
        void crowd[index % crowd.length]?.publish(wish.topic, bytes).catch(() => {})
      })
      return { ...nothing, sent: wish.frames.length }
    case 'race':
      return race(wish)
    case 'flood':
      return flood(wish)
    case 'knock':
      return knock(wish)
  }
}

async function join({ topic, address, peers }: CrowdWish & { do: 'join' }): Promise<CrowdResult> {
  for (let index = 0; index < peers; index++) {
    const peer = await createPlainPeer()
    if (index === 1)
      peer.listen(topic, bytes => void arrivals.set(nameOf(bytes), performance.now()))
    await peer.meet(topic, [address])
    crowd.push(peer)
  }
  return nothing
}

/** Calls `send` for each at its time, and catches up when a beat was late. */
async function steadily(
  perSecond: number,
  frames: readonly string[],
  send: (bytes: Uint8Array, index: number) => void,
): Promise<void> {
  const since = performance.now()
  for (let index = 0; index < frames.length; ) {
    const due = Math.min(frames.length, ((performance.now() - since) / 1_000) * perSecond)
    for (; index < due; index++) send(Buffer.from(frames[index] ?? '', 'hex'), index)
    await pause(beatMs)
  }
}

async function race(wish: CrowdWish & { do: 'race' }): Promise<CrowdResult> {
  const { topic, frames, perSecond } = wish
  const sentAt = new Map<string, number>()
  await steadily(perSecond, frames, bytes => {
    sentAt.set(nameOf(bytes), performance.now())
    void crowd[0]?.publish(topic, bytes).catch(() => {})
  })
  await pause(graceMs)
  const ways = [...sentAt].flatMap(([name, at]) => {
    const there = arrivals.get(name)
    return there === undefined ? [] : [there - at]
  })
  return { sent: frames.length, arrived: ways.length, p95Ms: quantile(ways, 0.95), bad: 0 }
}

async function flood(wish: CrowdWish & { do: 'flood' }): Promise<CrowdResult> {
  const { topic, perSecond, seconds } = wish
  const since = performance.now()
  let sent = 0
  while (performance.now() - since < seconds * 1_000) {
    const due = ((performance.now() - since) / 1_000) * perSecond
    for (; sent < due; sent++) {
      const garbage = Buffer.alloc(120, 0xee)
      garbage.writeUInt32BE(badCount++, 4)
      // A batch of one transaction.
      const frame = Buffer.concat([Buffer.from('9401010091c478', 'hex'), garbage])
      void crowd[0]?.publish(topic, frame).catch(() => {})
    }
    await pause(beatMs)
  }
  return { ...nothing, bad: sent }
}

async function knock(wish: CrowdWish & { do: 'knock' }): Promise<CrowdResult> {
  const { address, perSecond, seconds } = wish
  let sent = 0
  let bad = 0
  const since = performance.now()
  const knocks: Promise<void>[] = []
  while (performance.now() - since < seconds * 1_000) {
    const due = ((performance.now() - since) / 1_000) * perSecond
    for (; sent < due; sent++) {
      const knocking = crowd[0]?.knock(address).then(isIn => {
        if (isIn) bad += 1
      })
      if (knocking) knocks.push(knocking)
    }
    await pause(beatMs)
  }
  await Promise.all(knocks)
  return { ...nothing, sent, bad }
}

// As a child process: a wish in, its result out.
process.on('message', (wish: CrowdWish) => {
  void run(wish).then(
    result => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
