import { Rng, type Tripwire, tripwire, VirtualClock } from '@rockpool/actor'
import { devGenesis, type Genesis, genesisBlock } from '@rockpool/chain'
import { type NodeConfig, topicsOf } from '@rockpool/node'
import { defaultPoolConfig } from '@rockpool/pool'
import type { Address, Fact } from '@rockpool/protocol'
import { defaultTowerConfig } from '@rockpool/tower'
import type { Edge, RunResult, SimOptions, WorldChain, WorldParts, WorldView } from './api.ts'
import { EPOCH_MS, skewOf } from './clocks.ts'
import { sharedRecovery, slowKeys } from './crypto.ts'
import { Disk } from './disk.ts'
import { createFaults } from './faults.ts'
import { History } from './history.ts'
import { Loop } from './loop.ts'
import { Network } from './network.ts'
import { PRODUCERS, TOWER } from './options.ts'
import { peerIdOf } from './peer-ids.ts'
import { type Ground, WorldNode } from './sim-node.ts'
import { type Schedule, scheduleOf } from './strategy.ts'
import { View } from './view.ts'
import { createWires } from './wires.ts'

/** Times in a run at which the `pct` strategy changes its mind. */
const CHANGES = 2
/** Nodes boot within this time. */
const BOOT_MS = 500

/** One whole run. Throws what a driver throws, and a book outside of turns. */
export function runWorld(options: SimOptions, parts: WorldParts): Promise<RunResult> {
  return new World(options, parts).run()
}

/** N nodes under one clock, and everything around them. */
class World {
  private readonly options: SimOptions
  private readonly parts: WorldParts
  private readonly rng: Rng
  private readonly endMs: number
  private readonly clock = new VirtualClock(EPOCH_MS)
  private readonly schedule: Schedule
  private readonly history: History
  private readonly loop: Loop
  private readonly network: Network
  private readonly view: View
  private readonly edge: ((edge: Edge) => void) | undefined
  private readonly recovery: ReturnType<typeof sharedRecovery>
  private chain: WorldChain | undefined

  constructor(options: SimOptions, parts: WorldParts) {
    const { clock } = this
    this.options = options
    this.parts = parts
    this.rng = new Rng(`world:${options.seed}`)
    this.endMs = parts.untilMs ?? options.seconds * 1_000
    this.schedule = scheduleOf(options.strategy, this.rng.fork('sched'))
    this.history = new History(parts, clock)
    this.loop = this.makeLoop()
    this.edge = this.makeEdge()
    this.recovery = sharedRecovery(parts.crypto)
    this.network = this.makeNetwork()
    const { rng, endMs, history, loop, network } = this
    const sealKeys = Array.from({ length: options.nodes }, (_, index) =>
      this.keyOf(`seal/n${index}`),
    )
    const genesis = parts.genesis ?? this.genesisOf(sealKeys.map(key => parts.addressOf(key)))
    const { outside: crypto } = this.recovery
    const names = topicsOf(genesis, genesisBlock(genesis, crypto.keccak256).header.hash, crypto)
    this.view = new View({
      crypto,
      ...{ options, parts, genesis, names, rng, clock, endMs, history, loop, network },
    })
    const ground = this.makeGround(genesis)
    const { view } = this
    view.nodes = sealKeys.map((sealKey, index) => this.makeNode(ground, sealKey, index))
    view.faults = createFaults({
      network,
      nodes: view.nodes,
      chain: () => this.chain,
      at: (ms, what, act) => view.at(ms, what, act),
      now: () => clock.now(),
      mended: () => {
        view.healedMs = clock.now()
      },
      say: what => history.say('world', what),
    })
    const { nodes } = view
    view.wires = createWires({
      ...{ network, clock, nodes, sign: parts.sign },
      keyOf: name => this.keyOf(name),
    })
  }

  async run(): Promise<RunResult> {
    const { history, parts, view } = this
    const before = parts.cpuMs?.() ?? 0
    const guard = this.guardGlobals()
    try {
      this.begin()
      await this.loop.run()
      if (history.violation === undefined) this.check(true)
    } finally {
      guard?.remove()
    }
    for (const { bus } of view.nodes) history.mixBus(bus)
    const { violation, steps, timers, counts, coverage } = history
    const chain = history.chain()
    return {
      ...(violation && { violation }),
      ...(chain && { chain }),
      hash: history.hashText,
      events: steps + timers,
      nodeHours: (view.nodes.length * this.clock.now()) / 3_600_000,
      cpuMs: (parts.cpuMs?.() ?? 0) - before,
      coverage,
      counts: { turns: steps, timers, ...Object.fromEntries(counts) },
    }
  }

  private begin(): void {
    const { options, parts, view, rng, endMs } = this
    if (options.chain === 'source') this.chain = parts.chain?.(view)
    for (const book of parts.books ?? []) book.begin?.(view)
    const boots = rng.fork('boots')
    for (const node of view.nodes) {
      const atMs = boots.f() * BOOT_MS
      // Who drives an evil node takes hold of its wire before anything happens.
      if (node.isEvil) node.start()
      else if (node.index < (parts.bootsFirst ?? view.nodes.length))
        view.at(atMs, `start ${node.name}`, () => node.start())
    }
    const changes = rng.fork('changes')
    for (let change = 0; change < CHANGES; change++)
      view.at(changes.f() * endMs, 'change', () => this.schedule.change?.())
    for (const drive of parts.drivers ?? []) drive(view)
    if (view.healMs < endMs) view.at(view.healMs, 'everything heals', () => this.heal())
  }

  private heal(): void {
    const { view, parts } = this
    view.faults.heal()
    for (const node of view.nodes) node.start()
    for (const book of parts.books ?? []) book.healed?.(view)
  }

  private check(last: boolean): void {
    const { view, history, parts } = this
    for (const { bus } of view.nodes) history.mixBus(bus)
    for (const book of parts.books ?? []) {
      book.checkpoint?.(view)
      if (last) book.end?.(view)
    }
  }

  /** A checker that throws inside a turn would only crash the actor that is watched. */
  private failedBook(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.view.violate({ id: 'harness', kind: 'crash', text })
  }

  private guardGlobals(): Tripwire | undefined {
    if (this.parts.tripwire !== true) return undefined
    const foreign = this.rng.fork('foreign')
    return tripwire({
      where: () => {
        const { stepping } = this.loop
        const inside = stepping?.bus?.where()
        return inside === undefined ? undefined : `${stepping?.name} ${inside}`
      },
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      random: () => foreign.f(),
      onViolation: text => this.view.violate({ id: 'tripwire', kind: 'crash', text }),
    })
  }

  private makeLoop(): Loop {
    const { clock, history, schedule, endMs, parts } = this
    return new Loop({
      ...{ clock, history, schedule, endMs },
      strategy: this.options.strategy,
      hop: parts.hop,
      check: () => this.check(false),
      stuck: node =>
        this.view.violate({
          id: 'livelock',
          kind: 'crash',
          text: 'a million turns at one instant',
          ...(node && { node: node.name }),
        }),
    })
  }

  private makeEdge(): ((edge: Edge) => void) | undefined {
    const books = (this.parts.books ?? []).filter(book => book.edge !== undefined)
    if (books.length === 0) return undefined
    return edge => {
      for (const book of books) {
        try {
          book.edge?.(edge, this.view)
        } catch (error) {
          this.failedBook(error)
        }
      }
    }
  }

  private makeNetwork(): Network {
    const { clock, history, loop, options, parts, edge } = this
    return new Network({
      clock,
      edge,
      rng: this.rng.fork('net'),
      latency: options.latency,
      sha256: parts.crypto.sha256,
      settled: loop.settle,
      count: history.count,
      published: (host, message) => {
        const node = this.view.nodes[host.index]
        if (node?.host === host) history.causes.published(node, message.id)
      },
    })
  }

  private makeGround(genesis: Genesis): Ground {
    const { view, clock, network, parts, loop, history, edge, schedule } = this
    const { actor } = schedule
    const after = (ms: number, act: () => void) =>
      clock.at(clock.now() + ms, () => {
        loop.settle()
        act()
      })
    const tower = view.tower && {
      crypto: slowKeys(view.tower.crypto, after),
      key: view.tower.keyOf(this.keyOf('tower')),
    }
    return {
      ...{ view, clock, network, parts },
      crypto: this.recovery.of(after),
      config: index => this.configOf(genesis, index),
      static: index => this.dialsOf(index),
      source: index => this.chain?.source(index),
      tower: index => (index === TOWER ? tower : undefined),
      settled: loop.settle,
      count: history.count,
      ready: loop.list,
      pick: actor && ((node, ready) => actor(node.index, ready)),
      log(node, level, code, fields) {
        history.cover(code)
        edge?.({ type: 'log', node: node.index, level, code, fields })
      },
      life(node, life) {
        history.say(node.name, life)
        edge?.({ type: 'life', node: node.index, life })
        if (life === 'open') view.healedMs = clock.now()
      },
      fact: (node, fact) => this.fact(node, fact),
      crashed: ({ name: node }, text, message) =>
        view.violate({
          ...{ id: 'actor-crash', kind: 'crash', text, node },
          ...(message !== undefined && { message }),
        }),
      ended: bus => history.mixBus(bus),
    }
  }

  private makeNode(ground: Ground, sealKey: Uint8Array, index: number): WorldNode {
    const { clock, rng, options, parts, loop, history, edge } = this
    const name = `n${index}`
    return new WorldNode(ground, {
      ...{ name, index, sealKey },
      isEvil: index >= options.nodes - options.evil,
      peer: peerIdOf(this.keyOf(`peer/${name}`)),
      ip: `10.0.${index >> 8}.${(index & 255) + 1}`,
      sealer: parts.addressOf(sealKey),
      disk: new Disk({
        ...{ clock, edge, node: index },
        rng: rng.fork(`disk${index}`),
        meanMs: this.diskOf(index),
        hop: loop.turn,
        settled: loop.settle,
        count: history.count,
      }),
      skew: skewOf(rng.fork(`clock${index}`), options.clock),
    })
  }

  /** A watchtower syncs with every block: it is promised to keep up only where that takes a small part of a block's time. */
  private diskOf(index: number): number {
    const { options, view } = this
    const { meanMs } = options.disk
    return index === TOWER && view.tower ? Math.min(meanMs, options.blockMs / 20) : meanMs
  }

  private fact(node: WorldNode, fact: Fact): void {
    this.history.count(fact.type)
    for (const book of this.parts.books ?? []) {
      try {
        book.fact?.(node, fact, this.view)
      } catch (error) {
        this.failedBook(error)
      }
    }
  }

  private keyOf(name: string): Uint8Array {
    return this.parts.crypto.sha256(Buffer.from(`${this.rng.seed}/${name}`))
  }

  /** One evil peer may make blocks too: it can say two things at one height. */
  private genesisOf(sealers: readonly Address[]): Genesis {
    const honest = this.options.nodes - this.options.evil
    const makers = [
      ...sealers.slice(0, Math.min(PRODUCERS, honest)),
      ...sealers.slice(honest, honest + 1),
    ]
    const { director = null } = this.parts
    return devGenesis({ producers: makers, director, blockTimeMs: this.options.blockMs })
  }

  /** The first one a node dials is static, so it never bans it; the others are bootnodes, which it may. */
  private configOf(genesis: Genesis, index: number): NodeConfig {
    const [first, ...rest] = this.dialsOf(index).map(({ addr }) => addr)
    const spared = (this.parts.spared?.(index) ?? []).flatMap(
      other => this.view.nodes[other]?.addr ?? [],
    )
    const config: NodeConfig = {
      version: 'sim',
      genesis,
      pool: defaultPoolConfig,
      services: ['rpc', 'p2p'],
      expectsPeers: this.options.nodes > 1,
      peers: { static: first === undefined ? [] : [first], bootnodes: rest },
      ...(index === TOWER && this.view.tower && { tower: defaultTowerConfig }),
      ...this.parts.config,
    }
    if (spared.length === 0) return config
    const { peers } = config
    return { ...config, peers: { ...peers, static: [...(peers?.static ?? []), ...spared] } }
  }

  /** Whom a machine keeps dialling: the next one, so that all are connected, and two that are drawn. */
  private dialsOf(index: number): ReturnType<Ground['static']> {
    const { nodes } = this.options
    const drawn = (): number[] => {
      const rng = this.rng.fork(`dials${index}`)
      return [(index + 1) % nodes, rng.int(nodes), rng.int(nodes)]
    }
    const view: WorldView = this.view
    const wanted = new Set(this.parts.dials?.(index, view) ?? drawn())
    wanted.delete(index)
    return [...wanted].flatMap(other => {
      const node = view.nodes[other]
      return node === undefined ? [] : [{ id: node.peer, addr: node.addr }]
    })
  }
}
