import { mix, Rng, type Tripwire, tripwire, VirtualClock } from '@rockpool/actor'
import { devGenesis, type Genesis, genesisBlock } from '@rockpool/chain'
import { type NetworkNames, type NodeConfig, topicsOf } from '@rockpool/node'
import { defaultPoolConfig } from '@rockpool/pool'
import { type Added, type Answer, type Fact, failed, type PoolMessage } from '@rockpool/protocol'
import type {
  Edge,
  Faults,
  RunResult,
  SimOptions,
  Violation,
  Wire,
  WorldChain,
  WorldParts,
  WorldView,
} from './api.ts'
import { Causes } from './causes.ts'
import { EPOCH_MS, NodeClock, skewOf } from './clocks.ts'
import { sharedRecovery } from './crypto.ts'
import { Disk } from './disk.ts'
import { createFaults } from './faults.ts'
import type { Host } from './host.ts'
import { legendLine, outsideLine } from './legend.ts'
import { Network } from './network.ts'
import { healMsOf } from './options.ts'
import { peerIdOf } from './peer-ids.ts'
import { type Ground, WorldNode } from './sim-node.ts'
import { type Schedule, scheduleOf } from './strategy.ts'

/** Virtual time between two looks of the books. */
const CHECKPOINT_MS = 5_000
/** Turns at one instant after which the world is stuck. */
const STEPS_MAX = 1_000_000
const PRODUCERS = 4
const SUBMIT_MS = 10_000
/** Times in a run at which the `pct` strategy changes its mind. */
const CHANGES = 2
/** Nodes boot within this time. */
const BOOT_MS = 500

/** N nodes under one clock, and everything around them. One run; not to be used again. */
export class World {
  readonly view: WorldView
  readonly nodes: readonly WorldNode[]
  readonly network: Network
  readonly faults: Faults
  readonly clock = new VirtualClock(EPOCH_MS)
  private readonly options: SimOptions
  private readonly parts: WorldParts
  private readonly rng: Rng
  private readonly schedule: Schedule
  private readonly ready: WorldNode[] = []
  private readonly counts = new Map<string, number>()
  private readonly coverage = new Map<string, number>()
  private readonly causes = new Causes()
  private readonly endMs: number
  private chain: WorldChain | undefined
  private settled = false
  private hash = 0
  private steps = 0
  private timers = 0
  private healedMs = 0
  private violation: Violation | undefined
  private violator: readonly [WorldNode, number] | undefined
  private stepping: WorldNode | undefined
  private strangers = 0

  constructor(options: SimOptions, parts: WorldParts) {
    this.options = options
    this.parts = parts
    this.rng = new Rng(`world:${options.seed}`)
    this.endMs = parts.untilMs ?? options.seconds * 1_000
    this.schedule = scheduleOf(options.strategy, this.rng.fork('sched'))
    const books = parts.books ?? []
    const edgeBooks = books.filter(book => book.edge !== undefined)
    const edge =
      edgeBooks.length === 0
        ? undefined
        : (edge: Edge) => {
            for (const book of edgeBooks) this.guard(() => book.edge?.(edge, this.view))
          }
    this.network = new Network({
      clock: this.clock,
      rng: this.rng.fork('net'),
      latency: options.latency,
      sha256: parts.crypto.sha256,
      settled: this.settle,
      count: this.count,
      edge,
      published: (host, message) => {
        const node = this.nodes[host.index]
        if (node?.host === host) this.causes.published(node, message.id)
      },
    })
    const recovery = sharedRecovery(parts.crypto)
    const keys = Array.from({ length: options.nodes }, (_, index) => this.keyOf(`seal/n${index}`))
    const sealers = keys.map(key => parts.addressOf(key))
    const honest = options.nodes - options.evil
    const genesis =
      parts.genesis ??
      devGenesis({
        // One evil peer may make blocks too: it can say two things at one height.
        producers: [
          ...sealers.slice(0, Math.min(PRODUCERS, honest)),
          ...sealers.slice(honest, honest + 1),
        ],
        blockTimeMs: options.blockMs,
      })
    const { crypto } = parts
    const names = topicsOf(genesis, genesisBlock(genesis, crypto.keccak256).header.hash, crypto)
    this.view = this.createView(genesis, names)
    const ground: Ground = {
      view: this.view,
      clock: this.clock,
      network: this.network,
      crypto: recovery.of((ms, act) => {
        this.clock.at(this.clock.now() + ms, () => {
          this.settled = true
          act()
        })
      }),
      parts,
      config: this.configOf(genesis),
      static: index => this.dialsOf(index),
      source: index => this.chain?.source(index),
      settled: this.settle,
      count: this.count,
      ready: node => {
        if (node.listed) return
        node.listed = true
        this.ready.push(node)
      },
      pick:
        this.schedule.actor === undefined
          ? undefined
          : (node, ready) => this.schedule.actor?.(node.index, ready) ?? 0,
      log: (node, level, code, fields) => {
        this.coverage.set(code, (this.coverage.get(code) ?? 0) + 1)
        edge?.({ type: 'log', node: node.index, level, code, fields })
      },
      life: (node, life) => {
        this.say(node.name, life)
        edge?.({ type: 'life', node: node.index, life })
        if (life === 'open') this.healedMs = this.clock.now()
      },
      fact: (node, fact) => this.fact(node, fact),
      crashed: (node, text, message) =>
        this.view.violate({
          id: 'actor-crash',
          kind: 'crash',
          text,
          node: node.name,
          ...(message !== undefined && { message }),
        }),
      ended: hash => {
        this.hash = mix(this.hash, hash)
      },
    }
    this.nodes = keys.map((sealKey, index) => {
      const name = `n${index}`
      const disk = new Disk({
        clock: this.clock,
        rng: this.rng.fork(`disk${index}`),
        node: index,
        meanMs: options.disk.meanMs,
        settled: this.settle,
        count: this.count,
        edge,
      })
      return new WorldNode(ground, {
        name,
        index,
        isEvil: index >= honest,
        peer: peerIdOf(this.keyOf(`peer/${name}`)),
        ip: `10.0.${index >> 8}.${(index & 255) + 1}`,
        sealer: parts.addressOf(sealKey),
        sealKey,
        disk,
        skew: skewOf(this.rng.fork(`clock${index}`), options.clock),
      })
    })
    this.faults = createFaults({
      network: this.network,
      nodes: this.nodes,
      chain: () => this.chain,
      at: (ms, what, act) => this.at(ms, what, act),
      now: () => this.clock.now(),
      mended: () => {
        this.healedMs = this.clock.now()
      },
      say: what => this.say('world', what),
    })
  }

  /** Lives through the run. Throws what a book or a driver throws. */
  async run(): Promise<RunResult> {
    const cpu = this.parts.cpuMs
    const before = cpu?.() ?? 0
    const wire = this.guardGlobals()
    try {
      this.begin()
      await this.loop()
      if (this.violation === undefined) this.check(true)
    } finally {
      wire?.remove()
    }
    for (const { bus } of this.nodes)
      if (bus !== undefined) this.hash = mix(this.hash, bus.traceHash)
    const { violation, violator } = this
    return {
      ...(violation && { violation }),
      ...(violator && { chain: this.causes.chain(...violator) }),
      hash: (this.hash >>> 0).toString(16).padStart(8, '0'),
      events: this.steps + this.timers,
      nodeHours: (this.nodes.length * this.clock.now()) / 3_600_000,
      cpuMs: (cpu?.() ?? 0) - before,
      coverage: this.coverage,
      counts: { turns: this.steps, timers: this.timers, ...Object.fromEntries(this.counts) },
    }
  }

  private begin(): void {
    const { options, parts, view } = this
    if (options.chain === 'source') this.chain = parts.chain?.(view)
    for (const book of parts.books ?? []) book.begin?.(view)
    const boots = this.rng.fork('boots')
    for (const node of this.nodes) {
      const atMs = boots.f() * BOOT_MS
      // Who drives an evil node takes hold of its wire before anything happens.
      if (node.isEvil) node.start()
      else this.at(atMs, `start ${node.name}`, () => node.start())
    }
    const changes = this.rng.fork('changes')
    for (let change = 0; change < CHANGES; change++) {
      this.at(changes.f() * this.endMs, 'change', () => this.schedule.change?.())
    }
    const healMs = healMsOf(options)
    for (const drive of parts.drivers ?? []) drive(view)
    if (healMs < this.endMs) this.at(healMs, 'everything heals', () => this.heal())
  }

  private heal(): void {
    this.faults.heal()
    for (const node of this.nodes) node.start()
    for (const book of this.parts.books ?? []) book.healed?.(this.view)
  }

  private async loop(): Promise<void> {
    const { clock } = this
    let checkpoint = CHECKPOINT_MS
    let left = STEPS_MAX
    let instant = clock.now()
    while (this.violation === undefined) {
      if (clock.now() !== instant) {
        instant = clock.now()
        left = STEPS_MAX
      }
      while (this.ready.length > 0) {
        if (--left === 0) this.stuck()
        if (this.violation !== undefined) return
        this.step()
        if (this.settled) await this.hop()
      }
      if (this.settled) {
        await this.hop()
        continue
      }
      const next = clock.next() ?? Number.POSITIVE_INFINITY
      while (checkpoint < next && checkpoint < this.endMs) {
        clock.set(checkpoint)
        this.check(false)
        if (this.violation !== undefined) return
        checkpoint += CHECKPOINT_MS
      }
      if (next > this.endMs) {
        clock.set(this.endMs)
        return
      }
      this.timers++
      clock.fireNext(next)
      this.hash = mix(this.hash, Math.round(clock.now() * 1_000))
    }
  }

  /** Everything that has settled is told to whoever waits for it. */
  private hop(): Promise<void> {
    this.settled = false
    return this.parts.hop()
  }

  private step(): void {
    const { ready } = this
    const index = this.schedule.bus(ready)
    const node = ready[index] as WorldNode
    const { bus } = node
    if (bus === undefined) return this.unlist(index, node)
    const { asksOutside, pipesMade } = bus
    this.stepping = node
    bus.step()
    this.stepping = undefined
    this.steps++
    this.hash = mix(this.hash, node.index)
    if (bus.asksOutside !== asksOutside || bus.pipesMade !== pipesMade) this.settled = true
    if (this.parts.legend !== undefined || this.parts.event !== undefined) this.tell(node)
    if (node.bus === undefined || bus.idle) this.unlist(index, node)
    else if (ready.length > 1 && this.options.strategy === 'fifo') {
      ready.splice(index, 1)
      ready.push(node)
    }
  }

  private unlist(index: number, node: WorldNode): void {
    node.listed = false
    const last = this.ready.pop()
    if (last !== undefined && last !== node) this.ready[index] = last
  }

  private tell(node: WorldNode): void {
    const row = node.bus?.rows?.latest(1)[0]
    if (row === undefined) return
    const event = { ...row, atMs: this.clock.now(), node: node.name }
    this.parts.event?.(event)
    this.parts.legend?.(legendLine(event, node))
  }

  private say(who: string, what: string): void {
    this.parts.legend?.(outsideLine(this.clock.now(), who, what))
  }

  private stuck(): void {
    const node = this.ready[0]?.name
    this.view.violate({
      id: 'livelock',
      kind: 'crash',
      text: `${STEPS_MAX} turns at one instant`,
      ...(node !== undefined && { node }),
    })
  }

  private check(last: boolean): void {
    for (const { bus } of this.nodes)
      if (bus !== undefined) this.hash = mix(this.hash, bus.traceHash)
    for (const book of this.parts.books ?? []) {
      book.checkpoint?.(this.view)
      if (last) book.end?.(this.view)
    }
  }

  private readonly settle = (): void => {
    this.settled = true
  }

  private readonly count = (what: string): void => {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  private at(ms: number, what: string, act: () => void): void {
    const run = (): void => {
      this.say('world', what)
      act()
    }
    this.clock.at(Math.max(ms, this.clock.now()), run)
  }

  /** A checker that throws inside a turn would only crash the actor that is watched. */
  private guard(look: () => void): void {
    try {
      look()
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.view.violate({ id: 'harness', kind: 'crash', text })
    }
  }

  private fact(node: WorldNode, fact: Fact): void {
    this.count(fact.type)
    for (const book of this.parts.books ?? []) {
      if (book.fact !== undefined) this.guard(() => book.fact?.(node, fact, this.view))
    }
  }

  private guardGlobals(): Tripwire | undefined {
    if (this.parts.tripwire !== true) return undefined
    const where = (): string | undefined => {
      const inside = this.stepping?.bus?.where()
      return inside === undefined ? undefined : `${this.stepping?.name} ${inside}`
    }
    const foreign = this.rng.fork('foreign')
    return tripwire({
      where,
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      random: () => foreign.f(),
      onViolation: text => this.view.violate({ id: 'tripwire', kind: 'crash', text }),
    })
  }

  private keyOf(name: string): Uint8Array {
    return this.parts.crypto.sha256(Buffer.from(`${this.rng.seed}/${name}`))
  }

  private configOf(genesis: Genesis): NodeConfig {
    return {
      version: 'sim',
      genesis,
      pool: defaultPoolConfig,
      services: ['rpc', 'p2p'],
      expectsPeers: this.options.nodes > 1,
      ...this.parts.config,
    }
  }

  /** Whom a machine keeps dialling: the next one, so that all are connected, and two that are drawn. */
  private dialsOf(index: number) {
    const { nodes } = this.options
    const drawn = (): number[] => {
      const rng = this.rng.fork(`dials${index}`)
      return [(index + 1) % nodes, rng.int(nodes), rng.int(nodes)]
    }
    const wanted = this.parts.dials?.(index, this.view) ?? drawn()
    return [...new Set(wanted)]
      .filter(other => other !== index)
      .flatMap(other => {
        const node = this.nodes[other]
        return node === undefined ? [] : [{ id: node.peer, addr: node.addr }]
      })
  }

  private createView(genesis: Genesis, names: NetworkNames): WorldView {
    const world = this
    const { options, parts } = this
    return {
      options,
      genesis,
      names,
      crypto: parts.crypto,
      get nowMs() {
        return world.clock.now()
      },
      get wallMs() {
        return world.clock.wall()
      },
      endMs: this.endMs,
      healMs: healMsOf(options),
      get nodes() {
        return world.nodes
      },
      get faults() {
        return world.faults
      },
      fork: name => this.rng.fork(name),
      at: (ms, what, act) => this.at(ms, what, act),
      violate: violation => this.violate(violation),
      sometimes: label => {
        this.coverage.set(label, (this.coverage.get(label) ?? 0) + 1)
      },
      submit: (node, raw) => this.submit(node, raw),
      sign: parts.sign,
      addressOf: parts.addressOf,
      wire: index => this.wire(index),
      join: (name, ip) => this.join(name, ip),
      reaches: (from, to) => this.reaches(from, to),
      get healedMs() {
        return world.healedMs
      },
    }
  }

  private violate(violation: Omit<Violation, 'atMs'>): void {
    if (this.violation !== undefined) return
    const node =
      this.nodes.find(({ name }) => name === violation.node) ??
      (violation.node === undefined ? this.stepping : undefined)
    const message = violation.message ?? (node === this.stepping ? node?.bus?.id : undefined)
    if (node !== undefined && message !== undefined) this.violator = [node, message]
    this.violation = {
      ...violation,
      ...(node !== undefined && { node: node.name }),
      ...(message !== undefined && { message }),
      atMs: this.clock.now(),
    }
    this.say('world', `violation ${violation.id}: ${violation.text}`)
  }

  private async submit(index: number, raw: Uint8Array): Promise<Answer<Added>> {
    const node = this.nodes[index]
    this.settled = true
    this.count('submitted')
    this.network.edge?.({ type: 'submitted', node: index, raw })
    const running = node?.up === true ? node.running : undefined
    const outcome = await running?.bus.ask<PoolMessage, Answer<Added>>(
      running.refs.pool,
      reply => ({ type: 'pool.submit', raw, reply }),
      SUBMIT_MS,
    )
    const answer: Answer<Added> =
      outcome?.ok === true ? outcome.value : failed('load/not-ready', 'no answer')
    this.network.edge?.({ type: 'answered', node: index, raw, answer })
    return answer
  }

  private wire(index: number): ReturnType<WorldView['wire']> {
    const node = this.nodes[index]
    if (node?.isEvil !== true) throw new RangeError(`node ${index} is not evil`)
    const { host } = node
    if (host === undefined) throw new RangeError(`node ${index} is down`)
    const seal = (digest: Uint8Array) => this.parts.sign(digest, node.sealKey)
    return { ...this.wireOf(host, () => node.kill()), seal }
  }

  /** A machine that no list names: it is gone when its script says so. */
  private join(name: string, ip?: string): Wire {
    const number = this.strangers++
    const host = this.network.join({
      name: `${name}#${number}`,
      index: -1 - number,
      id: peerIdOf(this.keyOf(`stranger/${number}/${name}`)),
      ip: ip ?? `10.9.${number >> 8}.${(number & 255) + 1}`,
      clock: new NodeClock(this.clock, { rate: 1, wall: () => 0 }, 0),
      static: [],
    })
    host.sink = {
      opened() {},
      closed() {},
      deliver: async () => 'accept',
      wireFault() {},
    }
    void host.start()
    this.settled = true
    return this.wireOf(host, () => this.network.kill(host))
  }

  private wireOf(host: Host, vanish: () => void): Wire {
    return {
      port: this.network.port(host),
      peer: host.id,
      ip: host.ip,
      addr: host.addr,
      vanish,
      push: (to, topic, bytes) => {
        const message = { topic, bytes: bytes.slice(), id: this.network.idOf(topic, bytes) }
        host.send(to, { kind: 'message', message }, bytes.length)
      },
    }
  }

  private reaches(from: number, to: number): boolean {
    const [left, right] = [this.nodes[from], this.nodes[to]]
    if (left === undefined || right === undefined) return false
    return left.isOn && right.isOn && !this.network.link(left.name, right.name).cut
  }
}

/** One whole run. */
export function runWorld(options: SimOptions, parts: WorldParts): Promise<RunResult> {
  return new World(options, parts).run()
}
