import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { RealClock, Rng } from '@rockpool/actor'
import { addressOfKey, createCrypto, signDigest } from '@rockpool/adapters/crypto'
import { createNetwork, type Libp2pNetwork, type Wires } from '@rockpool/adapters/libp2p'
import { devGenesis, genesisBlock } from '@rockpool/chain'
import { type Node, topicsOf } from '@rockpool/node'
import { defaultPoolConfig } from '@rockpool/pool'
import { type Added, type Answer, failed, type PeerId, type PoolMessage } from '@rockpool/protocol'
import {
  callNode,
  commandChain,
  dialsOf,
  drive,
  type EvilVoice,
  evilNames,
  groupsOf,
  honestNames,
  insideOf,
  Judge,
  poolPatch,
  type ScenarioPlan,
  type ScenarioResult,
  type Stage,
  type Step,
} from '@rockpool/sim'
import { addressOf, type Ground, identityOf, Machine } from './machine.ts'
import type { OwnTime } from './time.ts'

const stepMs = 10
const lookEveryMs = 250
const submitMs = 10_000
/** Nodes find each other before scenario time begins. */
const settleHops = 50
const settleMs = 3_000

/** Runs a scenario with whole nodes over the real libp2p and its router, in virtual time. Once in a process. */
export async function runInproc(plan: ScenarioPlan, time: OwnTime): Promise<ScenarioResult> {
  const run = await createRun(plan, time)
  const before = process.cpuUsage()
  await run.settle()
  const judge = run.begin()
  for (let at = 0; at <= plan.untilMs; at += stepMs) await time.pass(stepMs)
  const { user, system } = process.cpuUsage(before)
  return {
    verdicts: judge.end(plan.untilMs),
    legend: judge.legend(),
    hash: run.hash(),
    nodeHours: (plan.nodes * (plan.untilMs + settleMs)) / 3_600_000,
    cpuMs: (user + system) / 1_000,
    counts: { ...judge.counts, delivered: run.delivered() },
    coverage: judge.coverage,
  }
}

/** Memory takes one piece at a time; rules of links hand over lists. */
const wires = (isPlain: boolean): Wires => ({
  transport: memory(),
  ...(isPlain && { encrypter: plaintext() }),
  each(raw) {
    const wire = raw as typeof raw & { sendData(data: unknown): unknown }
    const sendData = wire.sendData.bind(wire)
    wire.sendData = data => sendData(Array.isArray(data) ? Buffer.concat(data) : data)
  },
})

async function createRun(plan: ScenarioPlan, time: OwnTime) {
  const rng = new Rng(`inproc:${plan.seed}`)
  const clock = new RealClock()
  const crypto = await createCrypto({ workers: 0 })
  const honest = honestNames(plan)
  const evil = evilNames(plan)
  const keyOf = (name: string) => crypto.sha256(Buffer.from(`${plan.seed}/${name}`))
  const sealKeys = honest.map(name => keyOf(`seal/${name}`))
  const directorKey = keyOf('director')
  const director = addressOfKey(directorKey)
  const genesis = devGenesis({
    ...{ producers: sealKeys.slice(0, 4).map(key => addressOfKey(key)), director },
    ...{ blockTimeMs: plan.chain.blockMs, timeSeconds: Math.floor(clock.wall() / 1_000) },
  })
  const names = topicsOf(genesis, genesisBlock(genesis, crypto.keccak256).header.hash, crypto)
  const identities = new Map(
    await Promise.all(
      [...honest, ...evil].map(async name => [name, await identityOf(rng, name)] as const),
    ),
  )
  const identity = (name: string) => {
    const found = identities.get(name)
    if (found === undefined) throw new RangeError(`no ${name} here`)
    return found
  }
  const nameOf = new Map<PeerId, string>([...identities].map(([name, { peer }]) => [peer, name]))
  const judge = new Judge(plan)
  const inside = insideOf(judge, peer => nameOf.get(peer))
  let startedMs = Number.POSITIVE_INFINITY
  const nowMs = () => Math.max(0, time.now() - startedMs)
  const trail = createTrail(() => Math.round(time.now()))

  const ground: Ground = {
    ...{ clock, rng, crypto, names, wires: wires(process.env.ROCKPOOL_INPROC_NOISE !== '1') },
    config: {
      ...{ version: 'inproc', genesis, pool: defaultPoolConfig, services: ['rpc', 'p2p'] },
      expectsPeers: plan.nodes > 1,
      ...(plan.banMs !== null && { peers: { policy: { banMs: plan.banMs } } }),
    },
    started(machine, node) {
      node.observe(fact => inside.hear(machine.name, fact, nowMs()))
      inside.watch(machine.name, node, nowMs)
    },
    log: ({ name }, code) => judge.tell({ type: 'log', node: name, code }, nowMs()),
    heard: ({ name }, topic, bytes) => trail.add(name, topic, bytes),
    failed: ({ name }, text) => judge.failed(`${name} runs`, text, nowMs()),
  }
  const machines = honest.map((name, index) => {
    const sealKey = sealKeys[index] ?? directorKey
    return new Machine(ground, name, identity(name), {
      seal: { address: addressOfKey(sealKey), sign: async digest => signDigest(digest, sealKey) },
      ...(index === 0 && {
        director: {
          address: director,
          seal: async (digest: Uint8Array) => signDigest(digest, directorKey),
        },
      }),
    })
  })
  const peerOf = (name: string) => identities.get(name)?.peer
  machines.forEach((machine, index) => {
    machine.spared = plan.statics.flatMap(([name, other]) =>
      name === machine.name ? [addressOf(other, identity(other).peer)] : [],
    )
    machine.statics = dialsOf(plan, index, rng.fork(`dials${index}`)).flatMap(
      other => machines[other]?.addr ?? [],
    )
  })
  const links = createLinks(machines, name => identity(name).peer)

  async function settle(): Promise<void> {
    const first = machines.slice(0, plan.nodes)
    const starting = Promise.all(first.map(machine => machine.start()))
    let isStarted = false
    void starting.then(() => {
      isStarted = true
    })
    for (let hops = 0; !isStarted || hops < settleHops; hops++)
      await time.pass(hops % 10 === 9 ? 1 : 0)
    await starting
    for (let ms = 0; ms < settleMs; ms += stepMs) await time.pass(stepMs)
    if (plan.links !== null) links.slow(plan.links)
  }

  function begin(): Judge {
    startedMs = time.now()
    const stage: Stage = {
      ...{ genesis, crypto, sign: signDigest, lookEveryMs },
      fork: name => rng.fork(`scenario/${name}`),
      get nowMs() {
        return nowMs()
      },
      at: (ms, _, act) => void clock.at(clock.now() + Math.max(0, ms - nowMs()), act),
      submit: (index, raw) => submit(machines[index]?.node, raw),
      act: step => act(step, machines, links, peerOf),
      voice: index => {
        const name = evil[index] ?? ''
        return evilVoice({ ...ground, name, key: identity(name).key, machines })
      },
      look(wants) {
        const looks = machines.map(({ name, isUp, node, network }) => {
          const peers = network?.peers().map(({ id }) => id) ?? []
          return inside.look(name, isUp ? node : undefined, peers, wants)
        })
        if (wants.whys.size === 0 && wants.standing.length === 0) return looks
        const asked = looks.map((seen, at) => {
          const { isUp, node } = machines[at] ?? {}
          return inside.ask(seen, isUp === true ? node : undefined, wants, peerOf)
        })
        return Promise.all(asked)
      },
    }
    drive(plan, stage, judge)
    return judge
  }

  return { settle, begin, hash: trail.hash, delivered: trail.count }
}

/** What was delivered where and when: equal runs have equal ones. */
function createTrail(now: () => number) {
  let word = 0x811c9dc5
  let count = 0
  const mix = (text: string) => {
    for (let at = 0; at < text.length; at++)
      word = Math.imul(word ^ text.charCodeAt(at), 0x01000193) >>> 0
  }
  return {
    add(node: string, topic: string, bytes: Uint8Array): void {
      count += 1
      mix(`${node} ${now()} ${topic} ${bytes.subarray(0, 16).join()}`)
    },
    hash: () => word.toString(16).padStart(8, '0'),
    count: () => count,
  }
}

async function submit(node: Node | undefined, raw: Uint8Array): Promise<Answer<Added>> {
  const outcome = await node?.bus.ask<PoolMessage, Answer<Added>>(
    node.refs.pool,
    reply => ({ type: 'pool.submit', raw, reply }),
    submitMs,
  )
  return outcome?.ok === true ? outcome.value : failed('load/not-ready', 'no answer')
}

type Links = ReturnType<typeof createLinks>

/** Rules of links, kept over restarts of the nodes whose they are. */
function createLinks(machines: readonly Machine[], peerOf: (name: string) => PeerId) {
  type Rule = {
    latencyMs?: number
    jitterMs?: number
    bytesPerSecond?: number
    stall?: boolean
    cut?: boolean
  }
  const rules = new Map<string, Map<PeerId, Rule>>()
  let base: Rule = {}

  function apply(machine: Machine): void {
    const { faults } = machine.network ?? {}
    for (const other of machines)
      if (other !== machine && Object.keys(base).length > 0)
        faults?.set({ to: other.peer, ...base })
    for (const [to, rule] of rules.get(machine.name) ?? []) faults?.set({ to, ...base, ...rule })
  }

  function set(from: string, to: string, change: Rule): void {
    const machine = machines.find(({ name }) => name === from)
    // An evil peer has no rules: what the honest side does to its link is enough.
    if (machine === undefined) return
    const own = rules.get(from) ?? new Map<PeerId, Rule>()
    rules.set(from, own)
    const rule = { ...own.get(peerOf(to)), ...change }
    own.set(peerOf(to), rule)
    machine.network?.faults?.set({ to: peerOf(to), ...base, ...rule })
  }

  return {
    set,
    apply,
    slow({ leastMs, meanMs }: { leastMs: number; meanMs: number }): void {
      base = { latencyMs: meanMs, jitterMs: meanMs - leastMs }
      for (const machine of machines) apply(machine)
    },
    reset(from: string, to: string): void {
      machines.find(({ name }) => name === from)?.network?.faults?.reset(peerOf(to))
    },
    heal(): void {
      rules.clear()
      for (const machine of machines) {
        machine.network?.faults?.clear()
        apply(machine)
      }
    },
  }
}

async function act(
  step: Step,
  machines: readonly Machine[],
  links: Links,
  peerOf: (name: string) => PeerId | undefined,
): Promise<string | undefined> {
  const machine = 'node' in step ? machines.find(({ name }) => name === step.node) : undefined
  switch (step.do) {
    case 'partition': {
      const groups = groupsOf(
        step,
        machines.map(({ name }) => name),
      )
      groups.forEach((left, at) => {
        for (const right of groups.slice(at + 1))
          for (const from of left)
            for (const to of right) {
              if (!step.oneWay || at === 0) links.set(from, to, { cut: true })
              if (!step.oneWay) links.set(to, from, { cut: true })
            }
      })
      return undefined
    }
    case 'heal':
      links.heal()
      return undefined
    case 'clog':
      links.set(step.from, step.to, { stall: true })
      setTimeout(() => links.set(step.from, step.to, { stall: false }), step.ms)
      return undefined
    case 'reset':
      links.reset(step.from, step.to)
      return undefined
    case 'latency':
      links.set(step.from, step.to, { latencyMs: step.ms })
      return undefined
    case 'bandwidth':
      links.set(step.from, step.to, { bytesPerSecond: step.bytesPerSecond })
      return undefined
    case 'kill':
      machine?.kill(machines.map(({ peer }) => peer))
      return undefined
    case 'stop':
      await machine?.stop()
      return undefined
    case 'start':
      await machine?.start()
      if (machine !== undefined) links.apply(machine)
      return undefined
    case 'diskSlow':
      if (machine !== undefined) machine.disk.meanMs = step.ms
      return undefined
    case 'diskFull':
      if (machine !== undefined) machine.disk.full = step.on
      return undefined
    case 'diskCorrupt':
      machine?.disk.corrupt(step.room)
      return undefined
    case 'wallStep':
      machine?.shiftWall(step.ms)
      return undefined
    case 'skew':
      machine?.skewBy(step.ppm)
      return undefined
    case 'configure':
      machine?.configure(poolPatch(step.patch))
      await machine?.stop()
      await machine?.start()
      if (machine !== undefined) links.apply(machine)
      return undefined
    case 'call':
      return callNode(step, machine?.isUp === true ? machine.node : undefined, peerOf)
    case 'addNode':
    case 'swizzleClog':
    case 'backendDown':
      throw new RangeError(`${step.do} is no step of this gear`)
    case 'pause':
      machine?.pause()
      return undefined
    case 'resume':
      machine?.resume()
      return undefined
    case 'mine':
    case 'reorg':
    case 'chainSpeed': {
      const up = machines.flatMap(({ isUp, node }) => (isUp && node !== undefined ? [node] : []))
      const first = machines[0]
      return commandChain(step, first?.isUp === true ? first.node : undefined, up)
    }
  }
}

/** The same stack without a node behind it: it says what it likes. */
function evilVoice({
  key,
  name,
  names,
  clock,
  rng,
  wires: made,
  machines,
}: Pick<Ground, 'names' | 'clock' | 'rng' | 'wires'> & {
  readonly key: Uint8Array
  readonly name: string
  readonly machines: readonly Machine[]
}): EvilVoice {
  const luck = rng.fork(`evil/${name}`)
  let network: Libp2pNetwork | undefined
  const starting = createNetwork({
    ...{ privateKey: key, listen: [`/memory/${name}`], profile: 'devnet' },
    ...{ topics: [names.tx, names.block], clock, random: () => luck.f(), wires: made },
  }).then(async made => {
    made.listen({ opened() {}, closed() {}, deliver: async () => 'accept', wireFault() {} })
    await made.start()
    made.subscribe(names.tx)
    network = made
  })
  const ids = () => new Set(network?.peers().map(({ id }) => id))
  return {
    connected: () => ids().size,
    dial(index) {
      const target = machines[index]
      if (target === undefined || ids().has(target.peer)) return
      void starting
        .then(() => network?.dial(addressOf(target.name, target.peer), 5_000))
        // Whoever bans it does not answer.
        .catch(() => {})
    },
    push: async bytes => (await network?.publish(names.tx, bytes))?.recipients ?? 0,
  }
}
