import type { Rng, VirtualClock } from '@rockpool/actor'
import {
  type Addr,
  type Code,
  CodedError,
  type Goodbye,
  limits,
  messageId,
  type NetworkPort,
  type PeerId,
} from '@rockpool/protocol'
import type { Edge, SimOptions } from './api.ts'
import type { Message } from './gossip.ts'
import { type End, Host, type HostOptions } from './host.ts'
import { Link } from './link.ts'

export interface NetworkParts {
  readonly clock: VirtualClock
  readonly rng: Rng
  readonly latency: SimOptions['latency']
  sha256(bytes: Uint8Array): Uint8Array
  /** A promise settled, or soon will without time passing. */
  settled(): void
  count(what: string): void
  /** Absent when nobody keeps books. */
  readonly edge?: ((edge: Edge) => void) | undefined
  /** Hears of each message when its publisher gives it away. */
  published?(host: Host, message: Message, recipients: number): void
}

/** All hosts and the links between them: what a switch, the cables and the kernels of a network do, in virtual time. */
export class Network {
  readonly clock: VirtualClock
  readonly settled: () => void
  readonly count: (what: string) => void
  readonly edge: ((edge: Edge) => void) | undefined
  private readonly parts: NetworkParts
  private readonly hosts = new Map<PeerId, Host>()
  /** By `from>to`, names of machines: a link outlives connections and boots. */
  private readonly links = new Map<string, Link>()

  constructor(parts: NetworkParts) {
    this.parts = parts
    this.clock = parts.clock
    this.settled = parts.settled
    this.count = parts.count
    this.edge = parts.edge
  }

  /** A machine comes up. The one that had its id before must be gone. */
  join(options: Omit<HostOptions, 'rng'>): Host {
    const rng = this.parts.rng.fork(`${options.name}@${this.clock.now()}`)
    const host = new Host(this, { ...options, rng })
    this.hosts.set(host.id, host)
    return host
  }

  host(id: PeerId): Host | undefined {
    return this.hosts.get(id)
  }

  link(from: string, to: string): Link {
    const key = `${from}>${to}`
    let link = this.links.get(key)
    if (link === undefined) {
      const { clock, rng, latency } = this.parts
      link = new Link(clock, rng.fork(key), latency)
      this.links.set(key, link)
    }
    return link
  }

  allLinks(): Iterable<Link> {
    return this.links.values()
  }

  /** The router's name of a message: hex of 20 bytes over topic and content. */
  idOf(topic: string, bytes: Uint8Array): string {
    const id = messageId(this.parts.sha256, topic, bytes)
    return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
  }

  published(host: Host, message: Message, recipients: number): void {
    this.count('published')
    this.parts.published?.(host, message, recipients)
    this.edge?.({ type: 'publish', node: host.index, ...message, recipients })
  }

  /** Calls `act` when the bytes have arrived; never, if the connection ends before. */
  send(end: End, bytes: number, act: () => void): boolean {
    const there = end.other()
    if (!end.open || !end.host.alive) return false
    const due = end.link.arrival(bytes, there.host.readsPerSecond)
    if (due === undefined) {
      this.count('overflows')
      end.host.sink?.wireFault(there.host.id, 'p2p/send-overflow')
      this.reset(end)
      return false
    }
    this.count('frames')
    this.clock.at(due, () => {
      if (there.open && there.host.alive) act()
      else this.count('lost')
    })
    return true
  }

  dial(from: Host, addr: Addr, deadlineMs: number): Promise<PeerId> {
    this.count('dials')
    return new Promise((resolve, reject) => {
      let done = false
      const over = (settle: () => void): void => {
        if (done) return
        done = true
        from.clock.clear(timer)
        this.settled()
        if (from.alive) settle()
      }
      const fail = (code: Code = 'p2p/dial-failed') => over(() => reject(new CodedError(code)))
      const timer = from.clock.at(from.clock.now() + deadlineMs, () => fail())
      const id = addr.slice(addr.lastIndexOf('/') + 1)
      if (from.connections.has(id)) return over(() => resolve(id))
      const denied =
        id === from.id ||
        !this.asks(from, { hook: 'dial', peer: id }) ||
        !this.asks(from, { hook: 'dialAddr', addr })
      if (denied) return fail()
      const target = this.hosts.get(id)
      // Nobody there, or nothing comes through: the first is refused, the second only ends with its deadline.
      if (target === undefined || !target.running) return this.after(5, () => fail())
      const [out, back] = [this.link(from.name, target.name), this.link(target.name, from.name)]
      if (out.cut) return
      if (this.parts.rng.chance(from.dialFailure)) return this.after(out.travelMs(), () => fail())
      this.after(out.travelMs(), () => {
        if (!target.running || out.cut || back.cut) return back.cut || out.cut ? undefined : fail()
        const welcome =
          this.asks(target, { hook: 'inbound', ip: from.ip }) &&
          this.asks(target, { hook: 'inboundEncrypted', peer: from.id, ip: from.ip })
        this.after(back.travelMs(), () => {
          if (back.cut || out.cut) return
          if (!welcome || !target.running || !from.running) return fail()
          if (!done) this.connect(from, target)
          over(() => resolve(id))
        })
      })
    })
  }

  private asks(host: Host, event: Parameters<Host['decide']>[0]): boolean {
    const { allow } = host.decide(event)
    this.edge?.({ type: 'gate', node: host.index, event, allow })
    return allow
  }

  private after(ms: number, act: () => void): void {
    this.clock.at(this.clock.now() + ms, act)
  }

  private connect(from: Host, to: Host): void {
    // A side that has not noticed that the other process is gone notices now.
    for (const [host, other] of [
      [from, to],
      [to, from],
    ] as const) {
      const old = host.connections.get(other.id)
      if (old === undefined) continue
      if (old.other().open && old.other().host.alive) return
      host.closed(old)
    }
    const make = (host: Host, other: Host, direction: 'in' | 'out', there: () => End): End => ({
      host,
      direction,
      sinceMs: host.clock.now(),
      link: this.link(host.name, other.name),
      other: there,
      open: true,
      ends: new Set(),
    })
    const left: End = make(from, to, 'out', () => right)
    const right: End = make(to, from, 'in', () => left)
    left.link.fresh()
    right.link.fresh()
    this.count('connections')
    from.opened(left)
    to.opened(right)
  }

  /** Says goodbye and closes; resolves when both sides are closed. */
  part(from: Host, id: PeerId, bye: Goodbye): Promise<void> {
    const end = from.connections.get(id)
    if (end === undefined) return Promise.resolve()
    return new Promise(resolve => {
      const finish = (): void => {
        end.ends.delete(finish)
        this.settled()
        if (from.alive) resolve()
      }
      end.ends.add(finish)
      this.send(end, limits.goodbyeBytesMax, () => {
        const there = end.other()
        there.host.closed(there, bye)
        from.closed(end)
      })
    })
  }

  /** Both sides see the connection end, without a word, and what was under way is lost. */
  reset(end: End): void {
    this.count('resets')
    const there = end.other()
    end.host.closed(end)
    there.host.closed(there)
  }

  resetBetween(a: PeerId, b: PeerId): void {
    const end = this.hosts.get(a)?.connections.get(b)
    if (end !== undefined) this.reset(end)
  }

  /** The process is gone: its peers notice when its kernel has told them. */
  kill(host: Host): void {
    host.alive = false
    host.running = false
    this.leave(host)
    for (const end of [...host.connections.values()]) {
      end.open = false
      const there = end.other()
      this.after(end.link.travelMs(), () => there.host.closed(there))
    }
  }

  leave(host: Host): void {
    if (this.hosts.get(host.id) === host) this.hosts.delete(host.id)
  }

  /** The port of one host, as a node sees it. */
  port(host: Host): NetworkPort {
    const { router } = host
    /** What a process that is gone waits for never comes. */
    const living = <T>(act: () => Promise<T>): Promise<T> => {
      this.settled()
      return host.alive ? act() : new Promise<T>(() => {})
    }
    return {
      self: host.id,
      addresses: () => (host.running ? [host.addr] : []),
      start: () => living(() => host.start()),
      stop: () => living(() => host.stop()),
      peers: () => [...host.connections.values()].map(end => host.viewOf(end)),
      publish: (topic, bytes) => living(async () => ({ recipients: host.publish(topic, bytes) })),
      subscribe: topic => router.subscribe(topic),
      unsubscribe: topic => router.unsubscribe(topic),
      meshSize: topic => router.meshSize(topic),
      gossipScore: id => router.score(id),
      dial: (addr, deadlineMs) => living(() => host.dial(addr, deadlineMs)),
      disconnect: (id, bye) => living(() => this.part(host, id, bye)),
      request: (id, protocol, bytes, bounds) =>
        living(() => host.request(id, protocol, bytes, bounds)),
      serve(protocol, handler, options) {
        host.services.set(protocol, {
          handler,
          bytesMax: options?.requestBytesMax ?? limits.requestBytesMax,
          streamsMax: options?.streamsPerPeer ?? limits.requestStreamsPerPeer,
          streams: new Map(),
        })
      },
      gate(decide) {
        host.decide = decide
      },
      reputation(read) {
        router.reputation = read
      },
      forgive: id => router.forgive(id),
      listen(sink) {
        host.sink = sink
      },
    }
  }
}
