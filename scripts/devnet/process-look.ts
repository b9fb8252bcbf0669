import type { Hash } from '@rockpool/protocol'
import { metricOf, type NodeLook, type Wants } from '@rockpool/sim'
import { askSocket, socketPath } from 'rockpool/socket'
import type { NodeEntry } from './files.ts'

const answerMs = 5_000

interface PlainBlock {
  readonly hash: Hash
  readonly number: string
  readonly parentHash: Hash
  readonly transactions: readonly Hash[]
}

/** As much of an explanation as is read here. */
interface Explained {
  readonly reason: string
  readonly story: readonly { readonly reason?: string }[]
}

/** What scenarios see of node processes: by their control sockets and their operators' page, as anybody with the machine could. */
export function createLooks(
  nameOf: (peerId: string) => string | undefined,
  idOf: (name: string) => string | undefined,
) {
  const blocks = new Map<Hash, PlainBlock>()

  async function ask<T>(node: NodeEntry, method: string, params: readonly unknown[]): Promise<T> {
    const answer = await askSocket(socketPath(node.datadir, 'rockpool'), method, params, answerMs)
    if (answer.error !== undefined) throw new Error(answer.error.message)
    return answer.result as T
  }

  async function minedAt(node: NodeEntry, head: PlainBlock): Promise<Set<Hash>> {
    const mined = new Set<Hash>()
    let at: PlainBlock | null = head
    while (at !== null) {
      blocks.set(at.hash, at)
      for (const hash of at.transactions) mined.add(hash)
      if (Number(at.number) === 0) break
      const { parentHash }: PlainBlock = at
      at =
        blocks.get(parentHash) ??
        (await ask<PlainBlock | null>(node, 'eth_getBlockByHash', [parentHash, false]))
    }
    return mined
  }

  async function poolOf(node: NodeEntry): Promise<Set<Hash>> {
    type Half = Record<string, Record<string, { readonly hash: Hash }>>
    const { pending, queued } = await ask<{ pending: Half; queued: Half }>(
      node,
      'txpool_content',
      [],
    )
    const halves = [...Object.values(pending), ...Object.values(queued)]
    return new Set(halves.flatMap(txs => Object.values(txs).map(({ hash }) => hash)))
  }

  /** Where the transactions are, and what the node says of those it does not have. */
  async function placesOf(node: NodeEntry, head: PlainBlock, txs: readonly Hash[]) {
    const pool = await poolOf(node)
    if (txs.length === 0) return { pool }
    const mined = await minedAt(node, head)
    const told = new Map<Hash, string>()
    for (const hash of txs.filter(each => !pool.has(each) && !mined.has(each))) {
      const { state, reason } = await ask<{ state: string; reason: string }>(
        node,
        'txpool_explain',
        [hash],
      )
      if (state === 'dropped') told.set(hash, reason)
    }
    return { pool, mined, told }
  }

  async function metricsOf({ ops }: NodeEntry, names: readonly string[]) {
    const response = await fetch(`${ops}/metrics`, { signal: AbortSignal.timeout(answerMs) })
    const lines = (await response.text()).split('\n')
    const sumOf = (wanted: string): number => {
      const { name, label, value } = metricOf(wanted)
      return lines
        .filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .filter(line => label === undefined || line.includes(`${label}="${value}"`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    }
    return Object.fromEntries(names.map(name => [name, sumOf(name)]))
  }

  async function isReady({ ops }: NodeEntry): Promise<boolean> {
    const response = await fetch(`${ops}/readyz`, { signal: AbortSignal.timeout(answerMs) })
    await response.text()
    return response.ok
  }

  /** What the node says when its operator asks why a transaction is where it is. */
  async function whysOf(node: NodeEntry, txs: readonly Hash[]) {
    const whys = new Map<Hash, readonly string[]>()
    for (const hash of txs) {
      const { reason, story } = await ask<Explained>(node, 'txpool_explain', [hash])
      whys.set(hash, [reason, ...story.flatMap(event => event.reason ?? [])])
    }
    return whys
  }

  /** Those that are banned, as the node says. */
  async function bansOf(node: NodeEntry, names: readonly string[]) {
    const bans = new Set<string>()
    for (const name of names) {
      const id = idOf(name)
      if (id === undefined) continue
      const { state } = await ask<{ state: string }>(node, 'peers_why', [id])
      if (state === 'banned') bans.add(name)
    }
    return bans
  }

  async function see(node: NodeEntry, wants: Wants): Promise<NodeLook> {
    const [head, listed, ready] = await Promise.all([
      ask<PlainBlock>(node, 'eth_getBlockByNumber', ['latest', false]),
      ask<{ peers: readonly { id: string; connected: boolean }[] }>(node, 'peers_list', []),
      isReady(node),
    ])
    return {
      ...{ name: node.name, up: true, ready, head: head.hash, height: Number(head.number) },
      peers: listed.peers.flatMap(({ id, connected }) => (connected ? (nameOf(id) ?? []) : [])),
      ...(wants.pools && (await placesOf(node, head, wants.txs))),
      ...(wants.whys.size > 0 && { whys: await whysOf(node, wants.whys.get(node.name) ?? []) }),
      ...(wants.standing.length > 0 && { bans: await bansOf(node, wants.standing) }),
      ...(wants.metrics.length > 0 && { metrics: await metricsOf(node, wants.metrics) }),
    }
  }

  return {
    ask,
    /** One that does not answer is down. */
    look: (node: NodeEntry, wants: Wants): Promise<NodeLook> =>
      see(node, wants).catch(() => ({
        ...{ name: node.name, up: false, ready: false, head: undefined, height: 0, peers: [] },
      })),
  }
}
