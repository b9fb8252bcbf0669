import { type ActorRef, Bus, type Rng, type VirtualClock } from '@rockpool/actor'
import { createNode, type Node, type NodeConfig, type NodePorts } from '@rockpool/node'
import type { Address, ChainSource, Crypto, Fact, PeerId, Signature } from '@rockpool/protocol'
import type { NodeBuild, NodeLife, SimNode, WorldParts, WorldView } from './api.ts'
import { startsOver } from './books/bus-book.ts'
import { NodeClock, type Skew } from './clocks.ts'
import type { Disk, Mount } from './disk.ts'
import type { Host } from './host.ts'
import type { Network } from './network.ts'
import { MAYBE_CHANCE } from './options.ts'
import { politeSink } from './wires.ts'

/** Turns whose causes are kept, of each boot: so few that the rings of all nodes fit into a processor's cache. */
const TRACE_ROWS = 2_048
const SEAL_MS = 0.1
const DRAIN_MS = 30_000
/** Nodes' monotonic clocks show up to this when they boot. */
const UPTIME_MS = 10_000

/** What a node needs of its world. */
export interface Ground {
  readonly view: WorldView
  readonly clock: VirtualClock
  readonly network: Network
  readonly crypto: Crypto
  readonly parts: WorldParts
  config(index: number): NodeConfig
  readonly static: (index: number) => readonly { readonly id: PeerId; readonly addr: string }[]
  source(index: number): ChainSource | undefined
  /** Of the node that is a watchtower. */
  tower(index: number): NodePorts['tower']
  settled(): void
  count(what: string): void
  ready(node: WorldNode): void
  pick: ((node: WorldNode, ready: readonly ActorRef<never>[]) => number) | undefined
  log(
    node: WorldNode,
    level: 'debug' | 'info' | 'warn' | 'error',
    code: string,
    fields: Readonly<Record<string, unknown>>,
  ): void
  life(node: WorldNode, life: NodeLife): void
  fact(node: WorldNode, fact: Fact): void
  crashed(node: WorldNode, text: string, message?: number): void
  /** The history of this boot has ended. */
  ended(bus: Bus): void
}

/** A machine: what it keeps over restarts, and the node that runs on it. */
export class WorldNode implements SimNode {
  readonly name: string
  readonly index: number
  readonly isEvil: boolean
  readonly peer: PeerId
  readonly ip: string
  readonly sealer: Address
  readonly disk: Disk
  running: Node | undefined = undefined
  up = false
  boots = 0
  upSinceMs = 0
  /** Of the process that runs now. */
  host: Host | undefined = undefined
  bus: Bus | undefined = undefined
  clock: NodeClock | undefined = undefined
  /** Whether the world's list of ready buses has this one. */
  listed = false
  dialFailure = 0
  readsPerSecond: number | undefined = undefined
  private readonly ground: Ground
  private readonly skew: Skew
  readonly sealKey: Uint8Array
  private mount: Mount | undefined = undefined
  private shiftMs = 0
  private rate: number | undefined = undefined
  private stopping = false
  private paused = false

  constructor(
    ground: Ground,
    machine: Pick<WorldNode, 'name' | 'index' | 'isEvil' | 'peer' | 'ip' | 'sealer' | 'disk'> & {
      readonly skew: Skew
      readonly sealKey: Uint8Array
    },
  ) {
    this.ground = ground
    this.name = machine.name
    this.index = machine.index
    this.isEvil = machine.isEvil
    this.peer = machine.peer
    this.ip = machine.ip
    this.sealer = machine.sealer
    this.disk = machine.disk
    this.skew = machine.skew
    this.sealKey = machine.sealKey
  }

  get addr(): string {
    return `/ip4/${this.ip}/tcp/30303/p2p/${this.peer}`
  }

  get statics(): readonly PeerId[] {
    const { peers } = this.ground.config(this.index)
    return (peers?.static ?? []).map(addr => addr.slice(addr.lastIndexOf('/') + 1))
  }

  get peers(): readonly PeerId[] {
    return [...(this.host?.connections.keys() ?? [])]
  }

  /** A process runs here, whether it serves already or not. */
  get isOn(): boolean {
    return this.host !== undefined
  }

  nowMs(): number {
    return this.clock?.now() ?? 0
  }

  wallMs(): number {
    return this.clock?.wall() ?? 0
  }

  shiftWall(ms: number): void {
    this.shiftMs += ms
    this.clock?.shiftWall(ms)
  }

  /** Its oscillator's fault from now on, over restarts too. */
  skewBy(ppm: number): void {
    this.rate = 1 + ppm / 1_000_000
    this.clock?.setRate(this.rate)
  }

  /** The actors that could run now. */
  ready(): ActorRef<never>[] {
    const ready: ActorRef<never>[] = []
    for (let cell = this.bus?.first; cell !== undefined; cell = cell.next) ready.push(cell)
    return ready
  }

  start(): void {
    if (this.isOn) return
    const { ground } = this
    const rng = ground.view.fork(`${this.name}@${ground.clock.now()}`)
    const clock = new NodeClock(ground.clock, this.skew, rng.fork('uptime').f() * UPTIME_MS)
    clock.shiftWall(this.shiftMs)
    if (this.rate !== undefined) clock.setRate(this.rate)
    clock.onFire = fire => {
      const open = this.bus?.asksOutside
      fire()
      if (this.bus?.asksOutside !== open) ground.settled()
    }
    const host = ground.network.join({
      name: this.name,
      index: this.index,
      id: this.peer,
      ip: this.ip,
      clock,
      static: ground.static(this.index),
    })
    host.dialFailure = this.dialFailure
    host.readsPerSecond = this.readsPerSecond
    this.clock = clock
    this.host = host
    if (this.boots > 0 && !this.isEvil) ground.count('restarts')
    this.boots++
    ground.life(this, 'start')
    if (this.isEvil) this.speak(host)
    else this.boot(host, clock, rng)
  }

  /** An evil machine only joins the network; a script does the rest. */
  private speak(host: Host): void {
    host.sink = politeSink
    void host.start().then(() => this.opened())
    this.ground.settled()
  }

  private boot(host: Host, clock: NodeClock, rng: Rng): void {
    const { ground } = this
    const mount = this.disk.mount()
    this.mount = mount
    const build = this.build(host, clock, rng, mount)
    const begin = async (): Promise<void> => {
      const node = await createNode(build.ports, build.config, {
        ...build.parts,
        bus: options => {
          const mine = { ...options, ...this.busOptions(rng) }
          const bus = build.parts?.bus?.(mine) ?? new Bus(mine)
          this.bus = bus
          bus.deadLetters.subscribe(({ reason, to, type, id }) => {
            if (reason === 'crashed' && host.alive && !startsOver(to, ground.view.options))
              ground.crashed(this, `${to} crashed on ${type}`, id)
          })
          return bus
        },
      })
      if (!host.alive) return
      this.running = node
      node.observe(fact => ground.fact(this, fact))
      await node.start()
      if (!host.alive) return
      node.open()
      this.opened()
    }
    begin().catch((error: unknown) => {
      if (!host.alive) return
      ground.count('failed starts')
      if (!this.disk.damaged) ground.crashed(this, `could not start: ${String(error)}`)
      this.fall('failed')
    })
    ground.settled()
  }

  private opened(): void {
    this.up = true
    this.upSinceMs = this.ground.clock.now()
    this.ground.life(this, 'open')
  }

  private busOptions(rng: Rng) {
    const { ground } = this
    const { pick } = ground
    const luck = rng.fork('maybe')
    const on = new Set(ground.view.options.maybe)
    const maybe = (label: string): boolean => {
      // A fault like others: what must come right in the end must not be held up by it.
      const isOver = ground.view.nowMs >= ground.view.healMs
      if (isOver || !on.has(label) || !luck.chance(MAYBE_CHANCE)) return false
      ground.view.sometimes(label)
      return true
    }
    return {
      trace: ground.parts.traceRows ?? TRACE_ROWS,
      traceHash: true,
      onReady: () => {
        if (!this.paused) ground.ready(this)
      },
      ...(pick && { pick: (ready: readonly ActorRef<never>[]) => pick(this, ready) }),
      ...(on.size > 0 && { maybe }),
    }
  }

  private build(host: Host, clock: NodeClock, rng: Rng, mount: Mount): NodeBuild {
    const { ground, sealer, sealKey } = this
    const secret = rng.fork('entropy')
    const source = ground.source(this.index)
    const tower = ground.tower(this.index)
    const build: NodeBuild = {
      ports: {
        clock,
        seed: rng.seed,
        entropy: { bytes: count => secret.bytes(count) },
        store: room => mount.store(room),
        crypto: ground.crypto,
        network: ground.network.port(host),
        seal: {
          address: sealer,
          sign: digest => this.seal(digest.slice(), sealKey),
        },
        ...(source && { source }),
        ...(tower && { tower }),
        log: (level, code, fields) => {
          if (host.alive) ground.log(this, level, code, fields)
        },
        fatal: error => {
          if (host.alive) ground.crashed(this, `nobody could handle: ${String(error)}`)
        },
      },
      config: ground.config(this.index),
    }
    return ground.parts.decorate?.(build, this, ground.view) ?? build
  }

  private seal(digest: Uint8Array, key: Uint8Array): Promise<Signature> {
    const { clock, parts, settled } = this.ground
    return new Promise(resolve => {
      clock.at(clock.now() + SEAL_MS, () => {
        settled()
        resolve(parts.sign(digest, key))
      })
    })
  }

  /** As SIGKILL and a power cut at once: nothing is said, the disk keeps a prefix. */
  kill(): void {
    if (!this.isOn) return
    this.ground.count('kills')
    this.disk.crash()
    this.fall('kill')
  }

  /** Drains, then is down. */
  stop(): void {
    const { running, host, ground } = this
    this.resume()
    if (host === undefined || this.stopping) return
    if (running === undefined) return this.kill()
    this.stopping = true
    ground.settled()
    const end = async (): Promise<void> => {
      await running.stop(DRAIN_MS)
      if (!host.alive) return
      await this.mount?.close()
      if (!host.alive) return
      this.disk.flush()
      ground.count('stops')
      this.fall('stop')
    }
    void end()
  }

  /** As SIGSTOP: it hears what comes, does nothing, and no one outside has an answer from it. */
  pause(): void {
    if (!this.up || this.paused) return
    this.paused = true
    this.up = false
    this.clock?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.up = true
    this.upSinceMs = this.ground.clock.now()
    if (this.bus?.first !== undefined) this.ground.ready(this)
    this.clock?.resume()
  }

  private fall(life: 'kill' | 'stop' | 'failed'): void {
    const { ground, host, clock, bus } = this
    clock?.kill()
    if (host !== undefined) ground.network.kill(host)
    this.mount?.kill()
    if (bus !== undefined) ground.ended(bus)
    this.running = undefined
    this.up = false
    this.stopping = false
    this.paused = false
    this.host = undefined
    this.bus = undefined
    this.mount = undefined
    ground.life(this, life)
  }
}
