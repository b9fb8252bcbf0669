import type { NetworkPort, NetworkSink } from '../ports.ts'
import type { Goodbye, PeerView, Verdict } from '../values/peer.ts'
import type { Topic } from '../wire/topics.ts'
import { rejectionCode, type TestKit } from './kit.ts'

export interface NetworksUnderTest {
  /** Networks that can reach each other by their addresses, not started; `topic` is allowed; nothing is dialled by itself. */
  make(count: number, topic: Topic): Promise<readonly NetworkPort[]>
  /** Resolves when `holds` does; rejects when it does not for too long. */
  until(holds: () => boolean): Promise<void>
}

type Delivery = Parameters<NetworkSink['deliver']>[0]

interface Member {
  readonly port: NetworkPort
  readonly opened: PeerView[]
  readonly closed: { readonly id: string; readonly heldMs: number; readonly bye?: Goodbye }[]
  readonly delivered: Delivery[]
  /** What its sink answers. */
  judge: (message: Delivery) => Promise<Verdict>
}

const topic: Topic = '/rockpool/31337/d1164378/tx/1'
const protocol = '/rockpool/31337/d1164378/echo/1'
const bounds = { bytesMax: 65_536, deadlineMs: 5_000 }

/** What every network keeps towards the node above it. */
export function networkSuite({ test, expect }: TestKit, under: NetworksUnderTest): void {
  async function using(
    count: number,
    run: (members: readonly Member[]) => Promise<void>,
  ): Promise<void> {
    const members = (await under.make(count, topic)).map(member)
    try {
      for (const { port } of members) {
        port.subscribe(topic)
        await port.start()
      }
      await run(members)
    } finally {
      await Promise.all(members.map(({ port }) => port.stop()))
    }
  }

  /** Connects each with the next, and waits until gossip flows along the line. */
  async function inLine(members: readonly Member[]): Promise<void> {
    for (const [index, left] of members.entries()) {
      const right = members[index + 1]
      if (right !== undefined) await left.port.dial(addressOf(right), 10_000)
    }
    await under.until(() =>
      members.every(({ port }, index) => {
        const neighbours = index === 0 || index === members.length - 1 ? 1 : 2
        return port.peers().length === neighbours && port.meshSize(topic) === neighbours
      }),
    )
  }

  test('a message reaches everybody but its publisher once, with its bytes, topic and last sender', () =>
    using(3, async members => {
      const [left, middle, right] = three(members)
      await inLine(members)

      const { recipients } = await left.port.publish(topic, bytes('hello'))

      await under.until(() => middle.delivered.length > 0 && right.delivered.length > 0)
      expect(recipients).toBe(1)
      expect(left.delivered.length).toBe(0)
      expect(middle.delivered.map(asText)).toEqual(['hello'])
      expect(right.delivered.map(asText)).toEqual(['hello'])
      expect(right.delivered.map(({ from }) => from)).toEqual([middle.port.self])
      expect(right.delivered[0]?.topic).toBe(topic)
      expect(right.delivered[0]?.id).toBe(middle.delivered[0]?.id)
    }))

  test('the bytes belong to the network once published: a caller may reuse its buffer', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await inLine(members)
      const buffer = bytes('first')

      const publishing = left.port.publish(topic, buffer)
      buffer.fill(0)
      await publishing

      await under.until(() => right.delivered.length > 0)
      expect(right.delivered.map(asText)).toEqual(['first'])
    }))

  test('ignore, reject and a judge that fails stop a message where they are said', () =>
    using(3, async members => {
      const [left, middle, right] = three(members)
      middle.judge = async message => {
        const text = asText(message)
        if (text === 'fails') throw new Error('cannot judge')
        return text === 'ignored' ? 'ignore' : text === 'rejected' ? 'reject' : 'accept'
      }
      await inLine(members)

      for (const text of ['ignored', 'rejected', 'fails', 'good'])
        await left.port.publish(topic, bytes(text))

      await under.until(() => right.delivered.length > 0)
      expect(middle.delivered.map(asText)).toEqual(['ignored', 'rejected', 'fails', 'good'])
      expect(right.delivered.map(asText)).toEqual(['good'])
    }))

  test('publishing to nobody gives no recipients and is no error', () =>
    using(1, async members => {
      const { port } = one(members)

      expect(await port.publish(topic, bytes('alone'))).toEqual({ recipients: 0 })
      expect(port.meshSize(topic)).toBe(0)
      expect(port.peers().length).toBe(0)
    }))

  test('a topic that was left delivers nothing', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await inLine(members)

      right.port.unsubscribe(topic)

      await under.until(() => left.port.meshSize(topic) === 0)
      expect(await left.port.publish(topic, bytes('too late'))).toEqual({ recipients: 0 })
      expect(right.delivered.length).toBe(0)
    }))

  test('two that dial each other at once have one entry each, opened once', () =>
    using(2, async members => {
      const [left, right] = two(members)

      const ids = await Promise.all([
        left.port.dial(addressOf(right), 10_000),
        right.port.dial(addressOf(left), 10_000),
      ])

      expect(ids).toEqual([right.port.self, left.port.self])
      await under.until(() => left.port.meshSize(topic) === 1 && right.port.meshSize(topic) === 1)
      expect(left.port.peers().map(({ id }) => id)).toEqual([right.port.self])
      expect(right.port.peers().map(({ id }) => id)).toEqual([left.port.self])
      expect(left.opened.length).toBe(1)
      expect(right.opened.length).toBe(1)
    }))

  test('dialling a peer that is connected already gives its id', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await left.port.dial(addressOf(right), 10_000)

      expect(await left.port.dial(addressOf(right), 10_000)).toBe(right.port.self)
      expect(left.opened.length).toBe(1)
    }))

  test('opened says who came: direction from both ends, protocols served, a score', () =>
    using(2, async members => {
      const [left, right] = two(members)
      right.port.serve(protocol, async () => [])
      await left.port.dial(addressOf(right), 10_000)
      await under.until(() => right.opened.length === 1)

      expect(left.opened[0]?.direction).toBe('out')
      expect(right.opened[0]?.direction).toBe('in')
      expect(left.opened[0]?.protocols.includes(protocol)).toBe(true)
      expect(typeof left.port.gossipScore('nobody')).toBe('undefined')
      await inLine(members)
      expect(typeof left.port.gossipScore(right.port.self)).toBe('number')
    }))

  test('what the router is told of a peer is not in the score it gives back', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await inLine(members)
      for (const { port } of members) port.reputation(() => -90)

      expect((left.port.gossipScore(right.port.self) ?? -90) > -45).toBe(true)
      left.port.forgive(right.port.self)
      left.port.forgive('nobody')
      expect((left.port.gossipScore(right.port.self) ?? -90) > -45).toBe(true)
    }))

  test('a gate that denies a dial: nobody is reached', () =>
    using(2, async members => {
      const [left, right] = two(members)
      left.port.gate(({ hook }) =>
        hook === 'dial' || hook === 'dialAddr'
          ? { allow: false, code: 'p2p/banned' }
          : { allow: true },
      )

      expect(await rejectionCode(left.port.dial(addressOf(right), 5_000))).toBe('p2p/dial-failed')
      expect(right.opened.length).toBe(0)
      expect(left.port.peers().length).toBe(0)
    }))

  test('a gate that denies an id inbound: the dialler is turned away, and let in when it no longer does', () =>
    using(2, async members => {
      const [left, right] = two(members)
      let banned = true
      right.port.gate(event =>
        banned && event.hook === 'inboundEncrypted' && event.peer === left.port.self
          ? { allow: false, code: 'p2p/banned' }
          : { allow: true },
      )

      await rejectionCode(left.port.dial(addressOf(right), 5_000))
      await under.until(() => left.port.peers().length === 0)
      expect(right.opened.length).toBe(0)

      banned = false
      expect(await left.port.dial(addressOf(right), 5_000)).toBe(right.port.self)
    }))

  test('a goodbye arrives before the end, and only at the other side', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await inLine(members)
      const bye = { code: 251, retryAfterSeconds: 3_600, text: 'gossip/invalid-tx' }

      await left.port.disconnect(right.port.self, bye)

      await under.until(() => left.closed.length === 1 && right.closed.length === 1)
      expect(right.closed[0]?.id).toBe(left.port.self)
      expect(right.closed[0]?.bye).toEqual(bye)
      expect(left.closed[0]?.bye).toBe(undefined)
      expect((right.closed[0]?.heldMs ?? -1) >= 0).toBe(true)
      expect([...left.port.peers(), ...right.port.peers()].length).toBe(0)
    }))

  test('an answer of several frames comes whole and in order, and so does none', () =>
    using(2, async members => {
      const [left, right] = two(members)
      const asked: string[] = []
      right.port.serve(protocol, async (from, question) => {
        asked.push(from)
        const count = question[0] ?? 0
        return Array.from({ length: count }, (_, index) =>
          new Uint8Array(index * 1_000).fill(index),
        )
      })
      await left.port.dial(addressOf(right), 10_000)

      const frames = await left.port.request(right.port.self, protocol, Uint8Array.of(9), bounds)
      const none = await left.port.request(right.port.self, protocol, Uint8Array.of(0), bounds)

      expect(frames.map(({ length }) => length)).toEqual([
        0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000,
      ])
      expect(frames.every((frame, index) => frame.every(byte => byte === index))).toBe(true)
      expect(none).toEqual([])
      expect(asked).toEqual([left.port.self, left.port.self])
    }))

  test('a request ends at its deadline, at its size and at a failing answer', () =>
    using(2, async members => {
      const [left, right] = two(members)
      right.port.serve(protocol, (_, question) => {
        if (question[0] === 1) return new Promise(() => {})
        if (question[0] === 2) return Promise.resolve([new Uint8Array(600), new Uint8Array(600)])
        return Promise.reject(new Error('no answer'))
      })
      await left.port.dial(addressOf(right), 10_000)
      const ask = (kind: number, bytesMax: number, deadlineMs: number) =>
        left.port.request(right.port.self, protocol, Uint8Array.of(kind), { bytesMax, deadlineMs })

      expect(await rejectionCode(ask(1, 1_000, 100))).toBe('p2p/request-timeout')
      expect(await rejectionCode(ask(2, 1_199, 5_000))).toBe('p2p/answer-too-big')
      expect((await ask(2, 1_200, 5_000)).length).toBe(2)
      expect(await rejectionCode(ask(3, 1_000, 5_000))).toBe('p2p/stream-closed')
    }))

  test('nobody is asked who is not connected or does not serve the protocol', () =>
    using(2, async members => {
      const [left, right] = two(members)
      const ask = () => left.port.request(right.port.self, protocol, Uint8Array.of(1), bounds)

      expect(await rejectionCode(ask())).toBe('p2p/not-connected')
      await left.port.dial(addressOf(right), 10_000)
      expect(await rejectionCode(ask())).toBe('p2p/unsupported-protocol')
    }))

  test('a request larger than the server takes is refused', () =>
    using(2, async members => {
      const [left, right] = two(members)
      right.port.serve(protocol, async () => [Uint8Array.of(1)], { requestBytesMax: 10 })
      await left.port.dial(addressOf(right), 10_000)
      const ask = (size: number) =>
        left.port.request(right.port.self, protocol, new Uint8Array(size), bounds)

      expect((await ask(10)).length).toBe(1)
      expect(await rejectionCode(ask(11))).toBe('p2p/stream-closed')
    }))

  test('a request under way ends when the connection does', () =>
    using(2, async members => {
      const [left, right] = two(members)
      let asked = false
      right.port.serve(protocol, () => {
        asked = true
        return new Promise(() => {})
      })
      await left.port.dial(addressOf(right), 10_000)
      const code = rejectionCode(
        left.port.request(right.port.self, protocol, Uint8Array.of(1), {
          bytesMax: 1_000,
          deadlineMs: 60_000,
        }),
      )
      await under.until(() => asked)

      await right.port.disconnect(left.port.self, { code: 3, retryAfterSeconds: 0, text: '' })

      expect(await code).toBe('p2p/stream-closed')
    }))

  test('stopping says goodbye 1 to everybody, closes everything, and may be asked twice', () =>
    using(2, async members => {
      const [left, right] = two(members)
      await inLine(members)

      await Promise.all([left.port.stop(), left.port.stop()])
      await left.port.stop()

      await under.until(() => right.closed.length === 1)
      expect(right.closed[0]?.bye?.code).toBe(1)
      expect(left.port.peers().length).toBe(0)
      expect(left.closed.length).toBe(1)
      expect(await rejectionCode(left.port.publish(topic, bytes('late')))).toBe('p2p/not-running')
      expect(await rejectionCode(left.port.dial(addressOf(right), 1_000))).toBe('p2p/not-running')
    }))
}

function member(port: NetworkPort): Member {
  const opened: Member['opened'] = []
  const closed: Member['closed'] = []
  const delivered: Delivery[] = []
  const made: Member = { port, opened, closed, delivered, judge: async () => 'accept' }
  port.listen({
    opened: peer => void opened.push(peer),
    closed: (id, heldMs, bye) =>
      void closed.push(bye === undefined ? { id, heldMs } : { id, heldMs, bye }),
    deliver(message) {
      delivered.push(message)
      return made.judge(message)
    },
    wireFault() {},
  })
  return made
}

function addressOf({ port }: Member): string {
  const [address] = port.addresses()
  if (address === undefined) throw new Error('a started network has an address')
  return address
}

function one(members: readonly Member[]): Member {
  const [first] = members
  if (first === undefined) throw new Error('a network is missing')
  return first
}

function two(members: readonly Member[]): readonly [Member, Member] {
  return [one(members), one(members.slice(1))]
}

function three(members: readonly Member[]): readonly [Member, Member, Member] {
  return [one(members), one(members.slice(1)), one(members.slice(2))]
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const asText = ({ bytes: payload }: Delivery): string => new TextDecoder().decode(payload)
