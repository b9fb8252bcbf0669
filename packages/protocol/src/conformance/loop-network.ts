import { type Code, CodedError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Gate, GateEvent, NetworkPort, NetworkSink, RequestBounds } from '../ports.ts'
import type { Addr, Direction, Goodbye, PeerId, PeerView, Verdict } from '../values/peer.ts'
import type { Topic } from '../wire/topics.ts'

/** The little a loop needs of the outside. */
export interface LoopClock {
  now(): number
  /** Calls `run` in `ms`; what comes back stops it. */
  after(ms: number, run: () => void): () => void
}

type Serve = Parameters<NetworkPort['serve']>

interface Link {
  readonly to: Member
  readonly direction: Direction
  readonly sinceMs: number
  /** Ends what is asked over this link. */
  readonly ends: Set<() => void>
}

interface Member {
  readonly id: PeerId
  readonly links: Map<PeerId, Link>
  readonly topics: Set<Topic>
  readonly seen: Set<string>
  readonly served: Map<string, { readonly handler: Serve[1]; readonly bytesMax: number }>
  running: boolean
  readonly ip: string
  sink: NetworkSink | undefined
  decide: Gate
}

export interface LoopHub {
  /** Another network of this hub, on an address of its own where one is given. Reached under `/loop/<id>/p2p/<id>`. */
  join(id: PeerId, ip?: string): NetworkPort
  /** Verdicts in the order they were given. */
  readonly verdicts: readonly { readonly by: PeerId; readonly verdict: Verdict }[]
}

const messagesSeenMax = 65_536

/**
 * Networks in one process without a router: publishing hands the message to every connected subscriber in the same call, and an accepted
 * one travels on. For unit tests: no loss, no delay, no scores. Without a clock requests have no deadline.
 */
export function createLoopHub(clock?: LoopClock): LoopHub {
  const members = new Map<PeerId, Member>()
  const ids = new Map<string, string>()
  const verdicts: { by: PeerId; verdict: Verdict }[] = []
  const now = () => clock?.now() ?? 0

  /** The same content is the same message, whoever publishes it. */
  function idOf(topic: Topic, bytes: Uint8Array): string {
    const content = `${topic} ${Buffer.from(bytes).toString('latin1')}`
    const id = ids.get(content) ?? `m${ids.size}`
    if (ids.size < messagesSeenMax) ids.set(content, id)
    return id
  }

  function spread(from: Member, topic: Topic, bytes: Uint8Array, id: string): number {
    const listeners = subscribersOf(from, topic)
    for (const to of listeners) {
      if (to.seen.has(id)) continue
      to.seen.add(id)
      const message = { topic, bytes: bytes.slice(), id, from: from.id }
      const verdict: Promise<Verdict> = to.sink?.deliver(message) ?? Promise.resolve('ignore')
      verdict.then(
        verdict => {
          verdicts.push({ by: to.id, verdict })
          if (verdict === 'accept' && to.running) spread(to, topic, bytes, id)
        },
        () => verdicts.push({ by: to.id, verdict: 'ignore' }),
      )
    }
    return listeners.length
  }

  function connect(from: Member, to: Member): void {
    const link = (other: Member, direction: Direction): Link => ({
      to: other,
      direction,
      sinceMs: now(),
      ends: new Set(),
    })
    from.links.set(to.id, link(to, 'out'))
    to.links.set(from.id, link(from, 'in'))
    from.sink?.opened(viewOf(from.links.get(to.id)))
    to.sink?.opened(viewOf(to.links.get(from.id)))
  }

  /** `bye` is told at the other side only. */
  function part(from: Member, to: Member, bye: Goodbye): void {
    const [here, there] = [from.links.get(to.id), to.links.get(from.id)]
    if (!here || !there) return
    from.links.delete(to.id)
    to.links.delete(from.id)
    for (const end of [...here.ends, ...there.ends]) end()
    to.sink?.closed(from.id, now() - there.sinceMs, bye)
    from.sink?.closed(to.id, now() - here.sinceMs)
  }

  function dial(from: Member, addr: Addr): PeerId {
    if (!from.running) throw new CodedError('p2p/not-running')
    const to = members.get(addr.slice(addr.lastIndexOf('/') + 1))
    if (!to?.running || to === from) throw new CodedError('p2p/dial-failed')
    if (from.links.has(to.id)) return to.id
    const { ip } = from
    const asked: readonly (readonly [Member, GateEvent])[] = [
      [from, { hook: 'dial', peer: to.id }],
      [from, { hook: 'dialAddr', addr }],
      [to, { hook: 'inbound', ip }],
      [to, { hook: 'inboundEncrypted', peer: from.id, ip }],
    ]
    for (const [member, event] of asked) {
      if (!member.decide(event).allow) throw new CodedError('p2p/dial-failed')
    }
    connect(from, to)
    return to.id
  }

  async function request(
    from: Member,
    id: PeerId,
    protocol: string,
    bytes: Uint8Array,
    { bytesMax, deadlineMs }: RequestBounds,
  ): Promise<readonly Uint8Array[]> {
    const link = from.links.get(id)
    if (!link) throw new CodedError('p2p/not-connected')
    const service = link.to.served.get(protocol)
    if (!service) throw new CodedError('p2p/unsupported-protocol')
    if (bytes.length > service.bytesMax) throw new CodedError('p2p/stream-closed')
    const answer = service.handler(from.id, bytes.slice()).catch((cause: unknown) => {
      throw new CodedError('p2p/stream-closed', undefined, { cause })
    })
    const frames = await untilEnd(answer, link, deadlineMs)
    const size = frames.reduce((sum, frame) => sum + frame.length, 0)
    if (size > bytesMax) throw new CodedError('p2p/answer-too-big')
    return frames.map(frame => frame.slice())
  }

  /** The answer, unless the deadline passes or the link ends before it comes. */
  function untilEnd<T>(answer: Promise<T>, link: Link, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (code: Code) => reject(new CodedError(code))
      const end = () => fail('p2p/stream-closed')
      link.ends.add(end)
      const stop = clock?.after(deadlineMs, () => fail('p2p/request-timeout'))
      answer.then(resolve, reject).finally(() => {
        link.ends.delete(end)
        stop?.()
      })
    })
  }

  function join(id: PeerId, ip = '127.0.0.1'): NetworkPort {
    const self: Member = {
      ...{ id, ip },
      links: new Map(),
      topics: new Set(),
      seen: new Set(),
      served: new Map(),
      running: false,
      sink: undefined,
      decide: () => ({ allow: true }),
    }
    members.set(id, self)
    return {
      self: id,
      addresses: () => (self.running ? [`/loop/${id}/p2p/${id}`] : []),
      async start() {
        self.running = true
      },
      async stop() {
        self.running = false
        const bye = { code: 1, retryAfterSeconds: 0, text: '' }
        for (const { to } of [...self.links.values()]) part(self, to, bye)
      },
      peers: () => [...self.links.values()].map(viewOf),
      async publish(topic, bytes) {
        if (!self.running) throw new CodedError('p2p/not-running')
        const message = idOf(topic, bytes)
        if (subscribersOf(self, topic).length > 0) self.seen.add(message)
        return { recipients: spread(self, topic, bytes.slice(), message) }
      },
      subscribe: topic => void self.topics.add(topic),
      unsubscribe: topic => void self.topics.delete(topic),
      meshSize: topic => subscribersOf(self, topic).length,
      gossipScore: peer => (self.links.has(peer) ? 0 : undefined),
      dial: async addr => dial(self, addr),
      async disconnect(peer, bye) {
        const link = self.links.get(peer)
        if (link) part(self, link.to, bye)
      },
      request: (peer, protocol, bytes, bounds) => request(self, peer, protocol, bytes, bounds),
      serve(protocol, handler, options) {
        const bytesMax = options?.requestBytesMax ?? limits.rangeBytesMax
        self.served.set(protocol, { handler, bytesMax })
      },
      // There is no router that would ask, and none that would remember.
      reputation() {},
      forgive() {},
      gate(decide) {
        self.decide = decide
      },
      listen(sink) {
        self.sink = sink
      },
    }
  }

  return { join, verdicts }
}

function subscribersOf(member: Member, topic: Topic): readonly Member[] {
  return [...member.links.values()].map(({ to }) => to).filter(({ topics }) => topics.has(topic))
}

function viewOf(link: Link | undefined): PeerView {
  if (!link) throw new Error('a link has two ends')
  const { to, direction, sinceMs } = link
  return { id: to.id, direction, ip: to.ip, sinceMs, protocols: [...to.served.keys()] }
}
