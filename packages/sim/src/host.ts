import type { Clock, Rng } from '@rockpool/actor'
import {
  type Addr,
  type Code,
  CodedError,
  type Gate,
  type Goodbye,
  limits,
  type NetworkPort,
  type NetworkSink,
  type PeerId,
  type PeerView,
  type RequestBounds,
} from '@rockpool/protocol'
import { createDialer } from './dialer.ts'
import { type GossipFrame, HEARTBEAT_MS, type Message, Router } from './gossip.ts'
import type { Link } from './link.ts'
import type { Network } from './network.ts'

type Serve = Parameters<NetworkPort['serve']>

interface Service {
  readonly handler: Serve[1]
  readonly bytesMax: number
  readonly streamsMax: number
  readonly streams: Map<PeerId, number>
}

/** One side of a connection. */
export interface End {
  readonly host: Host
  readonly direction: 'in' | 'out'
  readonly sinceMs: number
  /** The way out. */
  readonly link: Link
  readonly other: () => End
  open: boolean
  /** Fails the requests under way. */
  readonly ends: Set<() => void>
}

export interface HostOptions {
  readonly name: string
  readonly index: number
  readonly id: PeerId
  readonly ip: string
  readonly clock: Clock
  readonly rng: Rng
  readonly static: readonly { readonly id: PeerId; readonly addr: Addr }[]
}

const OVERHEAD_BYTES = 64
const down: Goodbye = { code: 1, retryAfterSeconds: 0, text: '' }

/** One boot of one machine on the network: the connections, the router and the services of a peer id. */
export class Host {
  readonly name: string
  readonly index: number
  readonly id: PeerId
  readonly ip: string
  readonly clock: Clock
  readonly router: Router
  readonly connections = new Map<PeerId, End>()
  readonly services = new Map<string, Service>()
  /** Bytes a second this host takes from each of its links. */
  readsPerSecond: number | undefined = undefined
  dialFailure = 0
  /** False once its process is gone: nothing it still has under way has any effect. */
  alive = true
  running = false
  decide: Gate = () => ({ allow: true })
  sink: NetworkSink | undefined = undefined
  last: Message | undefined = undefined
  private readonly net: Network
  private readonly rng: Rng
  private readonly dialer: ReturnType<typeof createDialer>
  private stopping: Promise<void> | undefined = undefined

  constructor(net: Network, options: HostOptions) {
    this.net = net
    this.name = options.name
    this.index = options.index
    this.id = options.id
    this.ip = options.ip
    this.clock = options.clock
    this.rng = options.rng
    this.router = new Router({
      rng: options.rng,
      now: () => net.clock.now(),
      send: (to, frame, bytes) => this.send(to, frame, bytes),
      has: (to, id) => this.connections.get(to)?.other().host.router.hasSeen(id) ?? false,
      deliver: message => this.deliver(message),
      settled: net.settled,
      judged: (from, { topic, id }, verdict) =>
        net.edge?.({ type: 'verdict', node: this.index, from, topic, id, verdict }),
      duplicate: () => net.count('duplicates'),
    })
    this.dialer = createDialer({
      self: this.id,
      targets: options.static,
      rng: options.rng,
      after: (ms, act) => void this.clock.at(this.clock.now() + ms, act),
      dial: (addr, deadlineMs) => this.dial(addr, deadlineMs),
      isConnected: id => this.connections.has(id),
    })
  }

  get addr(): Addr {
    return `/ip4/${this.ip}/tcp/30303/p2p/${this.id}`
  }

  async start(): Promise<void> {
    if (this.stopping !== undefined) throw new CodedError('p2p/not-running')
    if (!this.alive || this.running) return
    this.running = true
    this.dialer.start()
    this.beat(this.rng.f() * HEARTBEAT_MS)
  }

  stop(): Promise<void> {
    this.stopping ??= this.end()
    return this.stopping
  }

  private async end(): Promise<void> {
    this.running = false
    this.dialer.stop()
    await Promise.all([...this.connections.keys()].map(id => this.net.part(this, id, down)))
    this.net.leave(this)
  }

  private beat(ms: number): void {
    this.clock.at(this.clock.now() + ms, () => {
      if (!this.running) return
      this.router.heartbeat()
      this.beat(HEARTBEAT_MS)
    })
  }

  dial(addr: Addr, deadlineMs: number): Promise<PeerId> {
    if (!this.running) return Promise.reject(new CodedError('p2p/not-running'))
    return this.net.dial(this, addr, deadlineMs)
  }

  publish(topic: string, bytes: Uint8Array): number {
    if (!this.running) throw new CodedError('p2p/not-running')
    if (bytes.length > limits.publishBytesMax) throw new CodedError('gossip/too-big')
    const message = { topic, bytes: bytes.slice(), id: this.net.idOf(topic, bytes) }
    this.last = message
    const recipients = this.router.publish(message) ?? 0
    this.net.published(this, message, recipients)
    return recipients
  }

  private deliver(message: Parameters<NetworkSink['deliver']>[0]) {
    this.net.count('delivered')
    this.net.edge?.({ type: 'deliver', node: this.index, ...message })
    return this.sink?.deliver(message) ?? Promise.resolve('ignore' as const)
  }

  /** Puts a frame on the way; the connection ends when too much waits in front of it. */
  send(to: PeerId, frame: GossipFrame, bytes: number): boolean {
    const end = this.connections.get(to)
    if (end === undefined) return false
    return this.net.send(end, bytes, () => {
      const { host } = end.other()
      if (host.running) host.router.receive(this.id, frame)
    })
  }

  opened(end: End): void {
    const { id } = end.other().host
    this.connections.set(id, end)
    this.dialer.opened(id)
    this.router.opened(id)
    this.sink?.opened(this.viewOf(end))
    this.net.edge?.({ type: 'opened', node: this.index, peer: id })
  }

  /** This side has ended: what was under way on it is lost. */
  closed(end: End, bye?: Goodbye): void {
    if (!end.open) return
    end.open = false
    const { id } = end.other().host
    if (this.connections.get(id) === end) this.connections.delete(id)
    for (const fail of end.ends) fail()
    if (!this.alive) return
    this.router.closed(id)
    const heldMs = this.clock.now() - end.sinceMs
    this.dialer.closed(id, heldMs, bye)
    this.sink?.closed(id, heldMs, bye)
    const edge = { type: 'closed', node: this.index, peer: id } as const
    this.net.edge?.(bye === undefined ? edge : { ...edge, bye: bye.code })
  }

  viewOf({ other, direction, sinceMs }: End): PeerView {
    const { id, ip, services } = other().host
    return {
      id,
      direction,
      ip,
      sinceMs,
      agent: 'rockpool',
      protocols: ['/meshsub/1.2.0', ...services.keys()],
    }
  }

  /** One stream: a frame there, frames back, within bytes and time. */
  request(
    to: PeerId,
    protocol: string,
    bytes: Uint8Array,
    { bytesMax, deadlineMs }: RequestBounds,
  ): Promise<readonly Uint8Array[]> {
    const end = this.connections.get(to)
    if (end === undefined) return Promise.reject(new CodedError('p2p/not-connected'))
    const { net } = this
    return new Promise((resolve, reject) => {
      let done = false
      const over = (settle: () => void): void => {
        if (done) return
        done = true
        end.ends.delete(broken)
        this.clock.clear(timer)
        net.settled()
        if (this.alive) settle()
      }
      const fail = (code: Code) => over(() => reject(new CodedError(code)))
      const broken = () => fail('p2p/stream-closed')
      end.ends.add(broken)
      const timer = this.clock.at(this.clock.now() + deadlineMs, () => fail('p2p/request-timeout'))
      const asked = bytes.slice()
      net.send(end, asked.length + OVERHEAD_BYTES, () => {
        const there = end.other()
        const back = (size: number, act: () => void) =>
          void net.send(there, size + OVERHEAD_BYTES, act)
        there.host.serve(this.id, protocol, asked, {
          answer(frames) {
            const size = frames.reduce((sum, frame) => sum + frame.length, 0)
            back(size, () => {
              if (size > bytesMax) fail('p2p/answer-too-big')
              else over(() => resolve(frames))
            })
          },
          refuse: code => back(0, () => fail(code)),
        })
      })
    })
  }

  private serve(
    from: PeerId,
    protocol: string,
    bytes: Uint8Array,
    say: { answer(frames: readonly Uint8Array[]): void; refuse(code: Code): void },
  ): void {
    const service = this.services.get(protocol)
    if (service === undefined) return say.refuse('p2p/unsupported-protocol')
    const open = service.streams.get(from) ?? 0
    if (bytes.length > service.bytesMax || open >= service.streamsMax)
      return say.refuse('p2p/stream-closed')
    service.streams.set(from, open + 1)
    const ended = (): void => {
      const left = (service.streams.get(from) ?? 1) - 1
      if (left === 0) service.streams.delete(from)
      else service.streams.set(from, left)
    }
    // A failing handler answers nothing: its stream is closed.
    service.handler(from, bytes).then(
      frames => {
        ended()
        say.answer(frames.map(frame => frame.slice()))
      },
      () => {
        ended()
        say.refuse('p2p/stream-closed')
      },
    )
    this.net.settled()
  }
}
