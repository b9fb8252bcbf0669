import type { Clock, Rng } from '@rockpool/actor'
import type { Wires } from '@rockpool/adapters/libp2p'
import { createNetwork, keyFromSeed, type Libp2pNetwork, peerIdOf } from '@rockpool/adapters/libp2p'
import { createNode, type Node, type NodeConfig, type NodePorts, topicsOf } from '@rockpool/node'
import type { Addr, NetworkPort, NetworkSink, PeerId } from '@rockpool/protocol'
import { Disk, type Mount } from '@rockpool/sim'

/** What all machines of a run share. */
export interface Ground {
  readonly clock: Clock
  readonly rng: Rng
  readonly config: NodeConfig
  readonly crypto: NodePorts['crypto']
  readonly names: ReturnType<typeof topicsOf>
  readonly wires: Wires
  started(machine: Machine, node: Node): void
  log(machine: Machine, code: string): void
  heard(machine: Machine, topic: string, bytes: Uint8Array): void
  failed(machine: Machine, text: string): void
}

const drainMs = 30_000

export const addressOf = (name: string, peer: PeerId): Addr => `/memory/${name}/p2p/${peer}`

/** The identity of a name under a seed. */
export async function identityOf(rng: Rng, name: string) {
  const key = await keyFromSeed(rng.fork(`peer/${name}`).bytes(32))
  return { key, peer: peerIdOf(key) }
}

/** A machine: key and disk, which outlive its node, and the node that runs on it. */
export class Machine {
  readonly name: string
  readonly peer: PeerId
  readonly disk: Disk
  statics: readonly Addr[] = []
  /** Kept and never banned. */
  spared: readonly Addr[] = []
  node: Node | undefined
  network: Libp2pNetwork | undefined
  isUp = false
  private readonly ground: Ground
  private readonly key: Uint8Array
  private readonly signers: Pick<NodePorts, 'seal' | 'director'>
  private wallShiftMs = 0
  /** What the monotonic clock showed when its rate changed last, and since when. */
  private skew = { rate: 1, fromMs: 0, shownMs: 0 }
  private patch: Partial<NodeConfig['pool']> = {}
  private boots = 0
  private mount: Mount | undefined
  /** What waits while the node stands still. */
  private held: (() => void)[] | undefined
  private life: { alive: boolean } | undefined
  /** What the life before still closes. */
  private gone: Promise<void> = Promise.resolve()

  constructor(
    ground: Ground,
    name: string,
    identity: { readonly key: Uint8Array; readonly peer: PeerId },
    signers: Pick<NodePorts, 'seal' | 'director'>,
  ) {
    this.ground = ground
    this.name = name
    this.key = identity.key
    this.peer = identity.peer
    this.signers = signers
    this.disk = new Disk({
      ...{ clock: ground.clock, rng: ground.rng.fork(`disk/${name}`), node: 0, meanMs: 2 },
      // A real turn would take a whole step of this gear's time.
      hop: () => Promise.resolve(),
      settled() {},
      count() {},
    })
  }

  get addr(): Addr {
    return addressOf(this.name, this.peer)
  }

  shiftWall(ms: number): void {
    this.wallShiftMs += ms
  }

  /** From now on its time runs faster by so many parts per million. Timers armed before keep their instants. */
  skewBy(ppm: number): void {
    const fromMs = this.ground.clock.now()
    this.skew = { rate: 1 + ppm / 1_000_000, fromMs, shownMs: this.shown(fromMs) }
  }

  /** Of the next life. */
  configure(patch: Partial<NodeConfig['pool']>): void {
    this.patch = { ...this.patch, ...patch }
  }

  private shown(nowMs: number): number {
    const { rate, fromMs, shownMs } = this.skew
    return Math.round((shownMs + (nowMs - fromMs) * rate) * 1_000) / 1_000
  }

  private configOf({ config }: Ground): NodeConfig {
    return {
      ...config,
      pool: { ...config.pool, ...this.patch },
      ...(this.spared.length > 0 && { peers: { ...config.peers, static: this.spared } }),
    }
  }

  async start(): Promise<void> {
    if (this.life !== undefined) return
    const life = { alive: true }
    this.life = life
    await this.gone
    const { ground } = this
    const rng = ground.rng.fork(`${this.name}@${this.boots++}`)
    const secret = rng.fork('entropy')
    const network = await createNetwork({
      ...{ privateKey: this.key, listen: [`/memory/${this.name}`], profile: 'devnet' },
      ...{
        topics: [ground.names.tx, ground.names.block],
        static: [...this.statics, ...this.spared],
      },
      ...{ clock: ground.clock, random: () => rng.f(), faults: true, wires: ground.wires },
      log: { debug() {}, info() {}, warn() {} },
    })
    const mount = this.disk.mount()
    const node = await createNode(
      {
        ...{ clock: this.clockOf(life), seed: rng.seed, crypto: ground.crypto, ...this.signers },
        entropy: { bytes: count => secret.bytes(count) },
        store: room => mount.store(room),
        network: this.listening(network),
        log: (_, code) => {
          if (life.alive) ground.log(this, code)
        },
        fatal: error => ground.failed(this, String(error)),
      },
      this.configOf(ground),
    )
    this.mount = mount
    this.network = network
    this.node = node
    ground.started(this, node)
    await node.start()
    if (!life.alive) return
    node.open()
    this.isUp = true
  }

  /** Nothing of a dead life fires or steps. */
  private clockOf(life: { readonly alive: boolean }): Clock {
    const { clock } = this.ground
    const guarded = (act: () => void) => {
      const late = () => {
        if (!life.alive) return
        if (this.held === undefined) act()
        else this.held.push(late)
      }
      return late
    }
    return {
      now: () => this.shown(clock.now()),
      wall: () =>
        Math.floor(clock.wall() + this.wallShiftMs + this.shown(clock.now()) - clock.now()),
      at: (due, act) => {
        const { rate, fromMs, shownMs } = this.skew
        return clock.at(fromMs + (due - shownMs) / rate, guarded(act))
      },
      clear: timer => clock.clear(timer),
      soon: act => clock.soon?.(guarded(act)),
    }
  }

  private listening(network: Libp2pNetwork): NetworkPort {
    return {
      ...network,
      listen: (sink: NetworkSink) =>
        network.listen({
          ...sink,
          deliver: message => {
            this.ground.heard(this, message.topic, message.bytes)
            return sink.deliver(message)
          },
        }),
    }
  }

  /** As SIGKILL and a power cut at once: nobody is told anything. */
  kill(others: readonly PeerId[]): void {
    const { life, network } = this
    if (life === undefined) return
    life.alive = false
    for (const to of others) network?.faults?.set({ to, cut: true })
    this.disk.crash()
    this.mount?.kill()
    this.leave(Promise.resolve(network?.stop()))
  }

  /** Its actors stand still; its network goes on. */
  pause(): void {
    if (!this.isUp) return
    this.held ??= []
    this.isUp = false
  }

  resume(): void {
    const { held } = this
    if (held === undefined) return
    this.held = undefined
    this.isUp = true
    for (const act of held) act()
  }

  async stop(): Promise<void> {
    this.resume()
    const { node, mount, life } = this
    if (life === undefined) return
    await node?.stop(drainMs)
    await mount?.close()
    this.disk.flush()
    life.alive = false
    this.leave(Promise.resolve())
  }

  private leave(gone: Promise<void>): void {
    this.gone = gone.catch(() => {})
    this.held = undefined
    this.isUp = false
    this.life = undefined
    this.node = undefined
    this.network = undefined
  }
}
