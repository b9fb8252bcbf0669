import { Pool } from '@rockpool/pool'
import type { Address, Forks, Hash, Head, TxRecord } from '@rockpool/protocol'
import { zeroHash } from '@rockpool/protocol'
import type { Book, SimNode, WorldView } from '../api.ts'
import type { Shelf } from './chain-book.ts'

/** The pool tells what it dropped when its journal is on the disk, which may be slow or full. */
const tellMs = 60_000
/** A transaction that left a branch, at this height. */
interface Debt {
  readonly height: number
  /** Since when nobody has it. */
  missingMs?: number
}
/** Pools that are rebuilt for the round trip have at most so many transactions. */
const roundTripMax = 300

/**
 * What a reorg must not lose: each transaction of a branch that left is in the pool, on the branch that came, or was dropped with a reason.
 * And a pool that is led from one head to another and back is the pool it was.
 */
export function reorgBook(shelf: Shelf, copy = copyOf): Book {
  /** Of each node's present life: transactions that left the branch of its pool, and at which height. */
  const owed = new Map<number, Map<Hash, Debt>>()
  /** Head of each node's pool. */
  const pools = new Map<number, Hash>()
  let turn = 0

  function settle(node: SimNode, world: WorldView): void {
    const debts = owed.get(node.index)
    const pool = node.up ? node.running?.inside().pool : undefined
    const head = shelf.heads.get(node.index)
    if (debts === undefined || pool === undefined || head === undefined) return
    // Until the pool has taken the head it may still put them back.
    if (pool.head.hash !== head || pool.drifted) return
    for (const [hash, debt] of debts) {
      if (pool.has(hash) || shelf.ledger.isMined(hash, head)) {
        debts.delete(hash)
        continue
      }
      debt.missingMs ??= world.nowMs
      if (world.nowMs - debt.missingMs < tellMs) continue
      world.violate({
        id: 'tx-lost-in-reorg',
        kind: 'correctness',
        text: `${hash} left the branch at ${debt.height} and is nowhere, without a reason`,
        node: node.name,
      })
    }
  }

  return {
    ids: ['tx-lost-in-reorg', 'reorg-roundtrip'],
    fact(node, fact, world) {
      const debts = owed.get(node.index) ?? new Map<Hash, Debt>()
      owed.set(node.index, debts)
      if (fact.type === 'chain.head') {
        for (const { txs } of fact.added) for (const { hash } of txs) debts.delete(hash)
      }
      if (fact.type !== 'pool.changed') return
      const from = pools.get(node.index)
      pools.set(node.index, fact.head)
      // The pool goes from the head it has to the newest: what joined and left in between it never had.
      const left = from === undefined ? [] : shelf.ledger.removedBetween(from, fact.head)
      for (const { header, txs } of left) {
        for (const { hash } of txs) {
          if (!shelf.ledger.isMined(hash, fact.head)) debts.set(hash, { height: header.number })
        }
      }
      for (const { hash } of fact.dropped) debts.delete(hash)
      if (debts.size > 0) world.sometimes('pool/reinjected')
    },
    edge(edge, world) {
      if (edge.type !== 'life') return
      owed.delete(edge.node)
      pools.delete(edge.node)
      if (edge.life !== 'open') return
      const head = world.nodes[edge.node]?.running?.inside().pool?.head
      if (head !== undefined) pools.set(edge.node, head.hash)
    },
    checkpoint(world) {
      for (const node of world.nodes) settle(node, world)
      turn += 1
      const node = world.nodes[turn % world.nodes.length]
      const pool = node?.up ? node.running?.inside().pool : undefined
      if (pool === undefined || node === undefined) return
      const broken = roundTrip(pool, shelf.ledger.genesis.forks, copy)
      if (broken === undefined) return
      world.violate({ id: 'reorg-roundtrip', kind: 'correctness', text: broken, node: node.name })
    },
  }
}

/** Leads a copy of the pool to a block that takes each account's first transaction, and back. What differs then, or undefined. */
export function roundTrip(pool: Pool, forks: Forks, make = copyOf): string | undefined {
  const { pending, queued } = pool.stats
  if (pending === 0 || pending + queued > roundTripMax) return undefined
  const { head } = pool
  const copy = make(pool, forks)
  if (copy === undefined) return undefined
  const before = contentOf(copy)
  const views = viewsOf(copy)
  const mined: TxRecord[] = []
  for (const txs of copy.content().pending.values()) mined.push(...txs.slice(0, 1))
  const there: Head = { ...head, hash: zeroHash, parentHash: head.hash, number: head.number + 1 }
  const after = new Map(views)
  for (const { sender } of mined) {
    const view = views.get(sender)
    // What it pays is left out: an account that can no longer pay for the rest loses it for good reason.
    if (view !== undefined) after.set(sender, { ...view, nonce: view.nonce + 1n })
  }
  const included = new Set(mined.map(({ hash }) => hash))
  copy.apply({
    ...{ op: 'reset', now: 1, old: head, new: there, accounts: after },
    path: { kind: 'child', discarded: [], included },
  })
  copy.apply({
    ...{ op: 'reset', now: 2, old: there, new: head, accounts: views },
    path: { kind: 'reorg', discarded: mined, included: new Set() },
  })
  const back = contentOf(copy)
  return back === before ? undefined : `was\n${before}\nbecame\n${back}`
}

function copyOf(pool: Pool, forks: Forks): Pool | undefined {
  const { config, head } = pool.inspect()
  const copy = new Pool({ config, forks, head })
  const content = pool.content()
  const txs = [...content.pending.values(), ...content.queued.values()].flat()
  copy.apply({ op: 'add', now: 0, origin: 'sync', txs, accounts: viewsOf(pool) })
  return contentOf(copy) === contentOf(pool) ? copy : undefined
}

function viewsOf(pool: Pool) {
  const { holdings } = pool.inspect()
  return new Map([...holdings.accounts].map(([address, { view }]) => [address, view] as const))
}

/** What is held, whatever came first. */
function contentOf(pool: Pool): string {
  const { pending, queued } = pool.content()
  const lines: string[] = []
  const list = (half: ReadonlyMap<Address, readonly TxRecord[]>, name: string) => {
    for (const [address, txs] of half) {
      lines.push(`${address} ${name} ${txs.map(({ hash }) => hash).join(' ')}`)
    }
  }
  list(pending, 'pending')
  list(queued, 'queued')
  return lines.sort().join('\n')
}
