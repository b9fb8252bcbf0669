import type { Pool } from '@rockpool/pool'
import type { Address, Hash } from '@rockpool/protocol'
import type { Book, SimNode, WorldView } from '../api.ts'
import type { Shelf } from './chain-book.ts'

/** Since the world is whole and the transaction is pending somewhere: pool sync asks every 10 s, and redials wait. */
const deliverMs = 60_000
/** Less than the two minutes for which a router, whose clock may run fast, remembers what it has seen. */
const seenMs = 115_000

interface Waiting {
  readonly sender: Address
  readonly nonce: number
  readonly hash: Hash
  sinceMs: number
}

/**
 * What must arrive. Once the world is whole, a transaction that is executable somewhere is executable everywhere; nothing is delivered twice;
 * and who was only in the way of somebody's load is not punished for it.
 */
export function deliveryBook(shelf: Shelf): Book {
  const waiting = new Map<string, Waiting>()
  /** Per node: ids delivered, and when, oldest first. */
  const delivered = new Map<number, Map<string, number>>()

  /** What is pending at honest nodes, and since when without interruption. */
  function look(world: WorldView): void {
    const now = new Set<string>()
    for (const [, pool] of poolsOf(world)) {
      for (const [sender, txs] of pool.content().pending) {
        for (const { nonce, hash } of txs) {
          const key = `${sender} ${nonce}`
          now.add(key)
          if (!waiting.has(key)) {
            waiting.set(key, { sender, nonce: Number(nonce), hash, sinceMs: world.nowMs })
          }
        }
      }
    }
    for (const key of waiting.keys()) if (!now.has(key)) waiting.delete(key)
  }

  function check(world: WorldView): void {
    const since = Math.max(world.healedMs, world.healMs)
    for (const [node, pool] of poolsOf(world)) {
      const { config } = pool.inspect()
      const isNearFull = pool.stats.slots * 10 > (config.globalSlots + config.globalQueue) * 9
      if (isNearFull || pool.drifted) continue
      for (const { sender, nonce, hash, sinceMs } of waiting.values()) {
        const from = Math.max(since, sinceMs, node.upSinceMs)
        if (world.nowMs - from <= deliverMs || has(pool, sender, nonce, shelf)) continue
        return world.violate({
          id: 'not-delivered',
          kind: 'liveness',
          text: `${hash} (${sender} ${nonce}), pending elsewhere since ${Math.round(sinceMs)} ms, is unknown`,
          node: node.name,
        })
      }
    }
  }

  function twice(node: number, id: string, world: WorldView): void {
    if (world.nodes[node]?.isEvil !== false) return
    const seen = delivered.get(node) ?? new Map<string, number>()
    delivered.set(node, seen)
    for (const [old, atMs] of seen) {
      if (world.nowMs - atMs < seenMs) break
      seen.delete(old)
    }
    if (seen.has(id)) {
      world.violate({
        id: 'delivered-twice',
        kind: 'correctness',
        text: `message ${id} came to the application twice`,
        node: `n${node}`,
      })
    }
    seen.set(id, world.nowMs)
  }

  function load(node: SimNode, world: WorldView): void {
    for (const key of node.running?.inside().gossip?.verdicts.keys() ?? []) {
      const [, verdict, code = ''] = key.split(' ')
      if (verdict !== 'reject' || !(code.startsWith('load/') || code === 'actor/busy')) continue
      world.violate({
        id: 'overload-punished',
        kind: 'correctness',
        text: `${key}: own load was held against a peer`,
        node: node.name,
      })
    }
  }

  return {
    ids: ['not-delivered', 'delivered-twice', 'overload-punished'],
    edge(edge, world) {
      if (edge.type === 'deliver') twice(edge.node, edge.id, world)
      if (edge.type === 'life') delivered.delete(edge.node)
    },
    checkpoint(world) {
      for (const node of world.nodes) load(node, world)
      if (world.nowMs < world.healMs) return
      look(world)
      check(world)
    },
  }
}

function poolsOf(world: WorldView): (readonly [SimNode, Pool])[] {
  return world.nodes.flatMap(node => {
    const pool = node.up && !node.isEvil ? node.running?.inside().pool : undefined
    return pool === undefined ? [] : [[node, pool] as const]
  })
}

/** Whether the nonce is used at this pool's head, or the pool holds one for it: which of two rivals is for each node to say. */
function has(pool: Pool, sender: Address, nonce: number, { ledger }: Shelf): boolean {
  const next = ledger.nonce(pool.head.hash, sender)
  if (next === undefined || next > nonce) return true
  const { pending, queued } = pool.contentFrom(sender)
  const held = [...(pending.get(sender) ?? []), ...(queued.get(sender) ?? [])]
  return held.some(tx => Number(tx.nonce) === nonce)
}
