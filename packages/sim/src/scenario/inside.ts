import type { Node } from '@rockpool/node'
import type { PoolConfig } from '@rockpool/pool'
import {
  type Added,
  type Answer,
  type Ban,
  type Block,
  type ChainClockView,
  type ChainMessage,
  type Explanation,
  type Fact,
  type ForcedReorg,
  type Hash,
  type MonitorMessage,
  type PeerId,
  type PeerWhy,
  type PoolMessage,
  type ProducerMessage,
  parseSubject,
} from '@rockpool/protocol'
import type { Judge } from './judge.ts'
import { metricOf, type Patch, poolKeys, type Step } from './plan.ts'
import type { NodeLook, Wants } from './sights.ts'

const askMs = 60_000

/** Blocks of all branches as nodes told of them, to say what a branch holds. */
class Branches {
  private readonly blocks = new Map<
    Hash,
    { readonly parent: Hash; readonly txs: readonly Hash[] }
  >()

  learn({ header, txs }: Block): void {
    const known = { parent: header.parentHash, txs: txs.map(({ hash }) => hash) }
    this.blocks.set(header.hash, known)
  }

  /** Every transaction up to `head`. A block that was stored and never told is asked of `node`. */
  minedAt(head: Hash, node: Node): Set<Hash> {
    const mined = new Set<Hash>()
    for (let at: Hash = head; ; ) {
      const told = this.blocks.get(at)
      const block = told === undefined ? node.inside().chain?.resident(at)?.block : undefined
      if (block !== undefined) this.learn(block)
      const found = told ?? this.blocks.get(at)
      if (found === undefined) return mined
      for (const hash of found.txs) mined.add(hash)
      at = found.parent
    }
  }
}

/** What scenarios see of nodes that run in this process, whatever their network. */
export function insideOf(judge: Judge, nameOf: (peer: PeerId) => string | undefined) {
  const branches = new Branches()
  /** Heads as nodes told of them: one that follows a source has no chain inside. */
  const told = new Map<string, Block['header'] | undefined>()

  function hear(name: string, fact: Fact, nowMs: number): void {
    switch (fact.type) {
      case 'chain.head':
        for (const block of fact.added) branches.learn(block)
        told.set(name, fact.added.at(-1)?.header ?? told.get(name))
        return
      case 'pool.changed':
        for (const { hash, reason } of fact.dropped)
          judge.tell({ type: 'dropped', node: name, hash, reason }, nowMs)
        return
      case 'peer.banned': {
        const { subject, by, reason } = fact
        const who = subject.kind === 'peer' ? nameOf(subject.value) : undefined
        if (who !== undefined) judge.tell({ type: 'banned', node: name, who, by, reason }, nowMs)
        return
      }
      case 'peer.lifted': {
        const who = fact.subject.kind === 'peer' ? nameOf(fact.subject.value) : undefined
        if (who !== undefined) judge.tell({ type: 'lifted', node: name, who }, nowMs)
        return
      }
    }
  }

  /** Messages nobody will ever handle, but for those of a stop. */
  function watch(name: string, node: Node, now: () => number): void {
    node.bus.deadLetters.subscribe(({ reason, to, type }) => {
      if (reason === 'shutdown') return
      judge.tell({ type: 'dead', node: name, text: `${type} to ${to}: ${reason}` }, now())
    })
  }

  function look(
    name: string,
    node: Node | undefined,
    peers: readonly PeerId[],
    wants: Wants,
  ): NodeLook {
    const inside = node?.inside()
    const head = inside?.chain?.head ?? told.get(name)
    if (node === undefined || inside === undefined || head === undefined)
      return { name, up: false, ready: false, head: undefined, height: 0, peers: [] }
    return {
      ...{ name, up: true, ready: node.health().state === 'ready' },
      ...{ head: head.hash, height: head.number },
      peers: peers.flatMap(peer => nameOf(peer) ?? []),
      ...(wants.pools && { pool: poolOf(node) }),
      ...(wants.txs.length > 0 && { mined: branches.minedAt(head.hash, node) }),
      ...(wants.metrics.length > 0 && { metrics: metricsOf(node, wants.metrics) }),
    }
  }

  /** The same, with what the node says when its operator asks. */
  async function ask(
    seen: NodeLook,
    node: Node | undefined,
    { whys: asked, standing }: Wants,
    peerOf: (name: string) => PeerId | undefined,
  ): Promise<NodeLook> {
    const hashes = asked.get(seen.name) ?? []
    if (node === undefined || (hashes.length === 0 && standing.length === 0)) return seen
    const { bus, refs } = node
    const whys = new Map<Hash, readonly string[]>()
    for (const subject of hashes) {
      const outcome = await bus.ask<PoolMessage, Explanation>(
        refs.pool,
        reply => ({ type: 'pool.explain', subject, all: true, reply }),
        askMs,
      )
      if (outcome.ok) whys.set(subject, reasonsIn(outcome.value))
    }
    const bans = new Set<string>()
    for (const name of standing) {
      const peer = peerOf(name)
      if (peer === undefined) continue
      const outcome = await bus.ask<MonitorMessage, PeerWhy>(
        refs.monitor,
        reply => ({ type: 'monitor.why', peer, sinceMs: 0, reply }),
        askMs,
      )
      if (outcome.ok && outcome.value.ban !== undefined) bans.add(name)
    }
    return { ...seen, whys, bans }
  }

  return { hear, watch, look, ask }
}

/** Every reason in an explanation. */
const reasonsIn = ({ reason, story }: Pick<Explanation, 'reason' | 'story'>): string[] => [
  reason,
  ...story.flatMap(event => event.reason ?? []),
]

function poolOf(node: Node): Set<Hash> {
  const hashes = new Set<Hash>()
  const content = node.inside().pool?.content()
  for (const half of [content?.pending, content?.queued])
    for (const txs of half?.values() ?? []) for (const { hash } of txs) hashes.add(hash)
  return hashes
}

function metricsOf(node: Node, names: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {}
  const series = node.series({})
  for (const wanted of names) {
    const { name, label, value } = metricOf(wanted)
    sums[wanted] = 0
    for (const sample of series.find(each => each.name === name)?.samples ?? []) {
      if ('value' in sample && (label === undefined || sample.labels?.[label] === value))
        sums[wanted] += Number(sample.value)
    }
  }
  return sums
}

type Call = Extract<Step, { do: 'call' }>

/** What an operator or a wallet asks of a node that has no listener. An error is a sentence. */
export async function callNode(
  { method, params }: Call,
  node: Node | undefined,
  peerOf: (name: string) => PeerId | undefined,
): Promise<string | undefined> {
  if (node === undefined) return 'no answer'
  const { bus, refs } = node
  const [first] = params
  const text = String(first)
  if (method === 'eth_blockNumber') return node.inside().chain?.head ? undefined : 'no head'
  if (method === 'txpool_setGasTip') {
    refs.pool.tell({ type: 'pool.setGasTip', tip: BigInt(text) })
    return undefined
  }
  if (method === 'eth_sendRawTransaction') {
    const raw = Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
    return faultOf(
      await bus.ask<PoolMessage, Answer<Added>>(
        refs.pool,
        reply => ({ type: 'pool.submit', raw, reply }),
        askMs,
      ),
    )
  }
  const subject = parseSubject(peerOf(text) ?? text)
  if (!subject.ok) return subject.message ?? subject.code
  return faultOf(
    await bus.ask<MonitorMessage, Answer<Ban | void>>(
      refs.monitor,
      reply =>
        method === 'peers_ban'
          ? { type: 'monitor.ban', subject: subject.value, untilMs: null, reply }
          : { type: 'monitor.unban', subject: subject.value, forget: false, reply },
      askMs,
    ),
  )
}

/** A patch as the pool has it. */
export function poolPatch(patch: Patch): Partial<PoolConfig> {
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => {
      const name = poolKeys.get(key) ?? key
      return [name, name === 'priceLimit' ? BigInt(value) : value]
    }),
  )
}

type ChainStep = Extract<Step, { do: 'mine' | 'reorg' | 'chainSpeed' }>

/** Does to the chain what an operator could. `director` is the node with the key for it. What did not work is a sentence. */
export async function commandChain(
  step: ChainStep,
  director: Node | undefined,
  all: readonly Node[],
): Promise<string | undefined> {
  if (step.do === 'chainSpeed') {
    const { speed } = step
    const outcomes = await Promise.all(
      all.map(({ bus, refs }) =>
        bus.ask<ChainMessage, Answer<ChainClockView>>(
          refs.chain,
          reply => ({ type: 'chain.setSpeed', speed, reply }),
          askMs,
        ),
      ),
    )
    return outcomes.map(faultOf).find(fault => fault !== undefined)
  }
  if (director === undefined) return 'n0, which has the key for it, is down'
  const { bus, refs } = director
  if (step.do === 'mine') {
    const { blocks } = step
    return faultOf(
      await bus.ask<ProducerMessage, Answer<readonly Hash[]>>(
        refs.producer,
        reply => ({ type: 'producer.mine', count: blocks, reply }),
        askMs,
      ),
    )
  }
  const { depth, keepTxs } = step
  return faultOf(
    await bus.ask<ProducerMessage, Answer<ForcedReorg>>(
      refs.producer,
      reply => ({ type: 'producer.reorg', depth, keepTxs, reply }),
      askMs,
    ),
  )
}

function faultOf(
  outcome: { ok: true; value: Answer<unknown> } | { ok: false },
): string | undefined {
  if (!outcome.ok) return 'no answer'
  return outcome.value.ok ? undefined : (outcome.value.message ?? outcome.value.code)
}
