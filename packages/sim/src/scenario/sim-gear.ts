import type { Rng } from '@rockpool/actor'
import type { Node, NodeConfig } from '@rockpool/node'
import type { Book, Driver, SimNode, WorldParts, WorldView } from '../api.ts'
import { attacks } from '../evil/attacks.ts'
import { createVoice } from '../evil/voice.ts'
import { calmOptions } from '../options.ts'
import { runWorld } from '../world.ts'
import { worldChain } from '../world-chain.ts'
import { Backends } from './backends.ts'
import { dialsOf, drive, type EvilVoice, type Stage } from './drive.ts'
import { callNode, commandChain, insideOf, poolPatch } from './inside.ts'
import { Judge } from './judge.ts'
import {
  evilNames,
  groupsOf,
  honestNames,
  type Patch,
  type ScenarioPlan,
  type Step,
} from './plan.ts'
import type { Verdict } from './sights.ts'

/** How a scenario ended. */
export interface ScenarioResult {
  readonly verdicts: readonly Verdict[]
  /** Equal histories have equal ones. Absent where none is repeatable. */
  readonly hash?: string
  /** How what broke came about, newest first. */
  readonly causes?: readonly string[]
  readonly legend: readonly string[]
  readonly nodeHours: number
  readonly cpuMs: number
  readonly counts: Readonly<Record<string, number>>
  /** Labels and log codes that were seen, with how often. */
  readonly coverage: Readonly<Record<string, number>>
}

const lookEveryMs = 250

/** Runs a scenario in a simulated world: virtual time, all faults, the books open. */
export async function simulate(
  plan: ScenarioPlan,
  parts: Omit<WorldParts, 'drivers' | 'config' | 'genesis' | 'dials' | 'director' | 'healMs'>,
): Promise<ScenarioResult> {
  const judge = new Judge(plan)
  const directorKey = parts.crypto.sha256(Buffer.from(`director/${plan.seed}`))
  const director = parts.addressOf(directorKey)
  const honest = honestNames(plan).length
  const { leastMs, meanMs } = plan.links ?? { leastMs: 5, meanMs: 25 }
  const options = calmOptions({
    ...{ seed: plan.seed, seconds: Math.ceil(plan.untilMs / 1_000), txPerSecond: 0 },
    ...{ nodes: honest + plan.evil.length, evil: plan.evil.length },
    ...{ chain: plan.chain.kind, blockMs: plan.chain.blockMs },
    latency: { minMs: leastMs, meanMs: meanMs - leastMs },
  })
  const stage = new SimStage(plan, judge)
  const run = await runWorld(options, {
    ...parts,
    director,
    healMs: plan.untilMs,
    untilMs: plan.untilMs,
    books: [stage.book, ...allowing(parts.books ?? [], plan, judge)],
    drivers: [stage.driver],
    bootsFirst: plan.nodes,
    spared: node => stage.sparedBy(node),
    ...(plan.chain.kind === 'source' && { chain: worldChain }),
    dials: (node, world) => (node < honest ? dialsOf(plan, node, world.fork(`dials${node}`)) : []),
    ...(plan.banMs !== null && { config: { peers: { policy: { banMs: plan.banMs } } } }),
    decorate(build, node, world) {
      const seal = async (digest: Uint8Array) => parts.sign(digest, directorKey)
      const { source } = build.ports
      const ports = {
        ...build.ports,
        ...(node.index === 0 && { director: { address: director, seal } }),
        ...(source && { source: stage.backends.behind(node.index, source) }),
      }
      const mine = { ...build, ports, config: stage.configOf(node.index, build.config) }
      return parts.decorate?.(mine, node, world) ?? mine
    },
  })
  const { violation } = run
  const verdicts = [...judge.end(violation?.atMs ?? plan.untilMs)]
  if (violation !== undefined) {
    const { id, kind, text, atMs, node } = violation
    const where = node === undefined ? '' : `${node}: `
    const broken = { held: false, kind, atMs, text: `${where}${text}` }
    verdicts.unshift({ claim: `invariant('${id}')`, ...broken })
  }
  return {
    ...{ verdicts, legend: judge.legend(), hash: run.hash, causes: run.chain ?? [] },
    ...{ nodeHours: run.nodeHours, cpuMs: run.cpuMs },
    counts: { ...judge.counts, events: run.events },
    coverage: Object.fromEntries(run.coverage),
  }
}

/** The same books, deaf to what the scenario allows; what they find is told to the judge too. */
function allowing(books: readonly Book[], plan: ScenarioPlan, judge: Judge): readonly Book[] {
  const allowed = new Set(plan.allow.map(({ id }) => id))
  const views = new WeakMap<WorldView, WorldView>()
  const viewOf = (world: WorldView): WorldView => {
    const known = views.get(world)
    if (known !== undefined) return known
    const view = Object.create(world, {
      violate: {
        value(violation: Parameters<WorldView['violate']>[0]) {
          if (allowed.has(violation.id)) return
          judge.tell({ type: 'broken', id: violation.id, text: violation.text }, world.nowMs)
          world.violate(violation)
        },
      },
    }) as WorldView
    views.set(world, view)
    return view
  }
  return books.map(
    (book): Book => ({
      ids: book.ids,
      begin: world => book.begin?.(viewOf(world)),
      checkpoint: world => book.checkpoint?.(viewOf(world)),
      healed: world => book.healed?.(viewOf(world)),
      end: world => book.end?.(viewOf(world)),
      ...(book.fact && { fact: (node, fact, world) => book.fact?.(node, fact, viewOf(world)) }),
      ...(book.edge && { edge: (edge, world) => book.edge?.(edge, viewOf(world)) }),
    }),
  )
}

/** A world as a stage: drives it and listens to it. */
class SimStage {
  readonly book: Book
  readonly driver: Driver
  readonly backends = new Backends()
  private readonly plan: ScenarioPlan
  private readonly names: readonly string[]
  private readonly honest: number
  private readonly patches = new Map<number, Patch>()

  constructor(plan: ScenarioPlan, judge: Judge) {
    this.plan = plan
    this.names = [...honestNames(plan), ...evilNames(plan)]
    const honest = honestNames(plan).length
    this.honest = honest
    let nodes: readonly SimNode[] = []
    const inside = insideOf(judge, peer => this.nameOf(nodes.find(node => node.peer === peer)))
    this.book = {
      ids: [],
      begin: world => {
        nodes = world.nodes
      },
      fact: (node, fact, world) => inside.hear(node.name, fact, world.nowMs),
      edge: (edge, world) => {
        if (edge.type === 'log')
          judge.tell({ type: 'log', node: `n${edge.node}`, code: edge.code }, world.nowMs)
        const node =
          edge.type === 'life' && edge.life === 'open' ? world.nodes[edge.node] : undefined
        if (node?.running !== undefined) inside.watch(node.name, node.running, () => world.nowMs)
      },
    }
    this.driver = world => {
      const raids = plan.evil.some(({ kind }) => kind !== 'invalidTx')
      const deed = raids
        ? attacks(world, node => plan.evil[node - honest]?.kind !== 'invalidTx')
        : undefined
      const peerOf = (name: string) => world.nodes[this.indexOf(name)]?.peer
      const stage: Stage = {
        ...{ genesis: world.genesis, crypto: world.crypto, sign: world.sign, lookEveryMs },
        fork: (name): Rng => world.fork(`scenario/${name}`),
        get nowMs() {
          return world.nowMs
        },
        at: (ms, what, act) => world.at(ms, what, act),
        submit: (node, raw) => world.submit(node, raw),
        act: step => this.act(step, world),
        voice: index => this.voice(world, honest + index),
        raid: (index, { kind, forMs }) => deed?.([honest + index, kind, forMs]),
        look(wants) {
          const all = world.nodes.slice(0, honest)
          const looks = all.map(node =>
            inside.look(node.name, runningOf(node), node.peers ?? [], wants),
          )
          if (wants.whys.size === 0 && wants.standing.length === 0) return looks
          const asked = looks.map((seen, at) => inside.ask(seen, runningOf(all[at]), wants, peerOf))
          return Promise.all(asked)
        },
      }
      drive(plan, stage, judge)
    }
  }

  /** The configuration of a node's next life. */
  configOf(index: number, config: NodeConfig): NodeConfig {
    const patch = this.patches.get(index)
    return patch === undefined
      ? config
      : { ...config, pool: { ...config.pool, ...poolPatch(patch) } }
  }

  /** Whom this node never bans. */
  sparedBy(index: number): number[] {
    return this.plan.statics.flatMap(([name, peer]) =>
      name === `n${index}` ? [this.indexOf(peer)] : [],
    )
  }

  private nameOf(node: SimNode | undefined): string | undefined {
    return node === undefined ? undefined : this.names[node.index]
  }

  private indexOf(name: string): number {
    return this.names.indexOf(name)
  }

  private voice(world: WorldView, node: number): EvilVoice {
    const voice = createVoice(world, world.wire(node))
    voice.enter([])
    return {
      connected: () => voice.peers.size,
      dial(to) {
        const { peer } = world.nodes[to] ?? {}
        if (peer !== undefined && !voice.peers.has(peer)) voice.dial(to)
      },
      push(bytes) {
        voice.pushAll(world.names.tx, bytes)
        return voice.peers.size
      },
    }
  }

  private act(step: Step, world: WorldView): string | undefined | Promise<string | undefined> {
    const { faults } = world
    const node = 'node' in step ? this.indexOf(step.node) : -1
    const [from, to] = 'from' in step ? [this.indexOf(step.from), this.indexOf(step.to)] : [-1, -1]
    switch (step.do) {
      case 'partition':
        return this.part(step, world)
      case 'heal':
        return faults.heal() as undefined
      case 'clog':
        return faults.clog(from, to, step.ms) as undefined
      case 'reset':
        return faults.reset(from, to) as undefined
      case 'latency':
        return faults.latency(from, to, step.ms) as undefined
      case 'bandwidth':
        return faults.bandwidth(from, to, step.bytesPerSecond) as undefined
      case 'kill':
      case 'stop':
      case 'start':
      case 'pause':
      case 'resume':
        return faults[step.do](node) as undefined
      case 'diskSlow':
        return faults.diskMean(node, step.ms) as undefined
      case 'diskFull':
        return faults.diskFull(node, step.on) as undefined
      case 'diskCorrupt':
        return faults.diskCorrupt(node, step.room) as undefined
      case 'wallStep':
        return faults.wall(node, step.ms) as undefined
      case 'skew':
        return faults.skew(node, step.ppm) as undefined
      case 'backendDown':
        this.backends.down(node)
        return world.at(world.nowMs + step.ms, 'backend', () => this.backends.up(node)) as undefined
      case 'configure':
        return this.configure(step, world)
      case 'call':
        return callNode(step, runningOf(world.nodes[node]), name => {
          return world.nodes[this.indexOf(name)]?.peer
        })
      case 'addNode':
      case 'swizzleClog':
        throw new RangeError(`${step.do} is done by other steps`)
      case 'reorg':
        if (this.plan.chain.kind === 'source') return faults.reorg(step.depth) as undefined
      // falls through: on a dev chain it is a command as the others are
      case 'mine':
      case 'chainSpeed': {
        const up = world.nodes.flatMap(({ up, running }) =>
          up && running !== undefined ? [running] : [],
        )
        return commandChain(step, runningOf(world.nodes[0]), up)
      }
    }
  }

  /** It is started again as soon as it has stopped. */
  private configure(
    { node: name, patch }: Extract<Step, { do: 'configure' }>,
    world: WorldView,
  ): undefined {
    const index = this.indexOf(name)
    this.patches.set(index, { ...this.patches.get(index), ...patch })
    world.faults.stop(index)
    const again = (): void => {
      if (world.nodes[index]?.running === undefined) world.faults.start(index)
      else world.at(world.nowMs + lookEveryMs, `start ${name}`, again)
    }
    again()
  }

  private part(step: Extract<Step, { do: 'partition' }>, { faults }: WorldView): undefined {
    const groups = groupsOf(step, honestNames(this.plan)).map(group =>
      group.map(name => this.indexOf(name)),
    )
    groups.forEach((left, at) => {
      for (const right of groups.slice(at + 1)) {
        if (!step.oneWay || at === 0) faults.partition(left, right, !step.oneWay)
      }
    })
    return undefined
  }
}

const runningOf = (node: SimNode | undefined): Node | undefined =>
  node?.up === true ? node.running : undefined
