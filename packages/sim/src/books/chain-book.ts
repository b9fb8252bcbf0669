import { decodeHeader } from '@rockpool/chain'
import { type Address, decodeBlockTopicFrame, type Fact, type Hash } from '@rockpool/protocol'
import type { Book, Edge, SimNode, WorldView } from '../api.ts'
import type { Ledger } from './ledger.ts'

/** How long after the world is whole heads may still differ: redials wait, and who lags asks one peer a second. */
const agreeMs = 45_000
/** How long after the faults the honest nodes may be without a way to each other but through evil ones: the next redial may be that far. */
const wholeMs = 120_000
/** Blocks that heads may be apart because the newest still travel. */
const underWay = 3

/** What the books of one run share: the ledger, opened at its begin, and where nodes are. */
export interface Shelf {
  readonly ledger: Ledger
  open(ledger: Ledger): void
  /** Head of each node as its facts tell it; of its present life. */
  readonly heads: Map<number, Hash>
  /** Head that a node told last before it was down. */
  readonly stopped: Map<number, Hash>
}

/** The chain: what every block must be, what every node must have of it, and that there is one. */
export function chainBook(shelf: Shelf): Book {
  const signed = new Map<string, Hash>()
  const seen = new Set<string>()
  const reorgs = new Set<string>()
  let disagreeSince: number | undefined
  let apartAt = 0
  let evil = new Set<Address>()

  function learn(node: SimNode, fact: Extract<Fact, { type: 'chain.head' }>, world: WorldView) {
    const { ledger } = shelf
    for (const block of fact.added) {
      if (ledger.page(block.header.parentHash) === undefined) catchUp(node, block.header.parentHash)
      for (const { id, text } of ledger.learn(block)) {
        world.violate({ id, kind: 'correctness', text, node: node.name })
      }
      sign(block.header.parentHash, block.header.producer, block.header.hash, node.name, world)
    }
  }

  /** A head that was stored and never told: its node was killed in between. */
  function catchUp(node: SimNode, hash: Hash): void {
    const chain = node.running?.inside().chain
    const block = chain?.resident(hash)?.block
    if (block === undefined) return
    if (shelf.ledger.page(block.header.parentHash) === undefined) {
      catchUp(node, block.header.parentHash)
    }
    shelf.ledger.learn(block)
  }

  function sign(parent: Hash, producer: Address, hash: Hash, node: string, world: WorldView) {
    if (!shelf.ledger.isDev || evil.has(producer) || producer === world.genesis.director) return
    const key = `${parent} ${producer}`
    const first = signed.get(key) ?? hash
    signed.set(key, first)
    if (first === hash) return
    world.violate({
      id: 'double-block',
      kind: 'correctness',
      text: `${producer} signed ${first} and ${hash} on ${parent}`,
      node,
    })
  }

  /** Weight decides, then the lower hash. */
  function choose(
    node: SimNode,
    { old, new: next }: Extract<Fact, { type: 'chain.head' }>,
    world: WorldView,
  ) {
    const { ledger } = shelf
    const [left, right] = [ledger.page(old.hash), ledger.page(next.hash)]
    if (!ledger.isDev || left === undefined || right === undefined) return
    const isBetter =
      right.totalWeight > left.totalWeight ||
      (right.totalWeight === left.totalWeight && next.hash < old.hash)
    if (isBetter) return
    world.violate({
      id: 'lighter-head',
      kind: 'correctness',
      text: `left ${old.hash} of weight ${left.totalWeight} for ${next.hash} of ${right.totalWeight}`,
      node: node.name,
    })
  }

  /** Counted once, however many nodes go the same way. */
  function reorged(fact: Extract<Fact, { type: 'chain.head' }>, world: WorldView): void {
    world.sometimes(`chain/reorg-${depthOf(fact.removed.length)}`)
    const way = `${fact.old.hash} ${fact.added[0]?.header.hash}`
    if (reorgs.has(way)) return
    reorgs.add(way)
    world.count('reorgs')
  }

  function published(edge: Extract<Edge, { type: 'publish' }>, world: WorldView): void {
    if (edge.topic !== world.names.block || seen.has(edge.id)) return
    seen.add(edge.id)
    const decoded = decodeBlockTopicFrame(edge.bytes)
    if (!decoded.ok) return
    const { value } = decoded
    const encoded = value.kind === 'block' ? value.frame.header : value.announce.header
    const header = decodeHeader(encoded, bytes => world.crypto.keccak256(bytes))
    if (!header.ok) return
    const { parentHash, producer, hash } = header.value
    sign(parentHash, producer, hash, `n${edge.node}`, world)
  }

  /** The accounts that a node holds against those of the ledger at the same head. */
  function compareStates(world: WorldView): void {
    for (const node of world.nodes) {
      const chain = node.up ? node.running?.inside().chain : undefined
      if (chain === undefined) continue
      const accounts = shelf.ledger.page(chain.head.hash)?.accounts
      if (accounts === undefined) continue
      const { values } = chain.accountsAt([...accounts.keys()], chain.head)
      for (const [address, account] of accounts) {
        const theirs = values.get(address)
        if (theirs?.nonce === account.nonce && theirs.balance === account.balance) continue
        return world.violate({
          id: 'state-drift',
          kind: 'correctness',
          text: `${address} has nonce ${theirs?.nonce} and ${theirs?.balance} wei at ${chain.head.number}, should have ${account.nonce} and ${account.balance}`,
          node: node.name,
        })
      }
    }
  }

  function compareHeads(world: WorldView): void {
    const heads = headsOf(world, shelf)
    if (world.nowMs < world.healMs || agree(heads, shelf.ledger)) {
      disagreeSince = undefined
      return
    }
    disagreeSince ??= world.nowMs
    if (!isWhole(world) && world.nowMs < world.healMs + wholeMs) apartAt = world.nowMs
    const since = Math.max(disagreeSince, world.healedMs, world.healMs, apartAt)
    const patience = Math.max(agreeMs, 3 * world.options.blockMs * (1 + world.options.evil))
    if (world.nowMs - since <= patience) return
    const text = heads.map(({ name, number, hash }) => `${name} ${number} ${hash.slice(0, 10)}`)
    world.violate({
      id: 'one-head',
      kind: 'liveness',
      text: `heads differ since ${Math.round(since)} ms: ${text.join(', ')}`,
    })
  }

  return {
    ids: [
      ...['balance-sum', 'nonce-count', 'tx-twice', 'undo-identity', 'bad-root', 'bad-header'],
      ...['double-block', 'lighter-head', 'state-drift', 'one-head'],
    ],
    begin(world) {
      evil = new Set(world.nodes.flatMap(({ isEvil, sealer }) => (isEvil ? [sealer] : [])))
    },
    fact(node, fact, world) {
      if (fact.type !== 'chain.head') return
      learn(node, fact, world)
      if (fact.old.hash !== fact.new.hash) choose(node, fact, world)
      if (fact.removed.length > 0) reorged(fact, world)
      shelf.heads.set(node.index, fact.new.hash)
    },
    edge(edge, world) {
      if (edge.type === 'publish') published(edge, world)
      if (edge.type !== 'life') return
      const last = shelf.heads.get(edge.node)
      if (last !== undefined) shelf.stopped.set(edge.node, last)
      shelf.heads.delete(edge.node)
      if (edge.life !== 'open') return
      const { chain, pool } = world.nodes[edge.node]?.running?.inside() ?? {}
      const head = chain?.head ?? pool?.head
      if (head !== undefined) shelf.heads.set(edge.node, head.hash)
    },
    end(world) {
      world.count('mined', shelf.ledger.minedCount)
    },
    checkpoint(world) {
      compareStates(world)
      compareHeads(world)
    },
  }
}

interface NodeHead {
  readonly name: string
  readonly number: number
  readonly hash: Hash
}

function headsOf(world: WorldView, { heads, ledger }: Shelf): NodeHead[] {
  return world.nodes.flatMap(({ up, isEvil, index, name }) => {
    const hash = heads.get(index)
    const page = hash === undefined ? undefined : ledger.page(hash)
    if (!up || isEvil || hash === undefined || page === undefined) return []
    return [{ name, number: page.header.number, hash }]
  })
}

/** Every honest node that is up is linked with every other, by others like it. */
function isWhole({ nodes }: WorldView): boolean {
  const left = new Map(
    nodes.flatMap(node => (node.up && !node.isEvil ? [[node.peer, node.peers] as const] : [])),
  )
  const [first] = left.keys()
  const reached = first === undefined ? [] : [first]
  for (const peer of reached) {
    if (!left.has(peer)) continue
    const peers = left.get(peer) ?? [...left.keys()]
    left.delete(peer)
    reached.push(...peers.filter(other => left.has(other)))
  }
  return left.size === 0
}

/** One branch, of which everybody has all but the newest blocks. */
function agree(heads: readonly NodeHead[], ledger: Ledger): boolean {
  const [first] = heads
  if (first === undefined) return true
  const numbers = heads.map(({ number }) => number)
  const lowest = Math.min(...numbers)
  if (Math.max(...numbers) - lowest > underWay) return false
  const common = Math.max(0, lowest - underWay)
  const block = ledger.ancestor(first.hash, common)
  return heads.every(({ hash }) => ledger.ancestor(hash, common) === block)
}

const depthOf = (removed: number) => (removed === 1 ? '1' : removed < 8 ? 'few' : 'many')
