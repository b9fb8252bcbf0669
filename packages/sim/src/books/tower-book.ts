import type { Hash } from '@rockpool/protocol'
import type { Appointed, Book, SimNode, WorldView } from '../api.ts'
import type { Shelf } from './chain-book.ts'

/** Blocks within which a breach is answered by a tower that is awake. */
const blocksMax = 3
/** A tower that has started reads its rows and catches up with its chain; a disk that was full is tried again with the next block. */
const awakeMs = 30_000

interface Held extends Appointed {
  /** Since when its breach is on the branch and nothing answers it. */
  openMs: number | undefined
  /** The breach was on a branch that left. */
  hasLeft: boolean
}

/** What the watchtower has promised: an appointment with a receipt is kept, and its breach is answered. */
export function towerBook(shelf: Shelf): Book {
  const held = new Map<Hash, Held>()

  function check(each: Held, node: SimNode, world: WorldView): void {
    const head = shelf.heads.get(node.index)
    const pool = node.running?.inside().pool
    if (head === undefined || pool === undefined || pool.head.hash !== head) return
    const { ledger } = shelf
    const isOpen =
      ledger.isMined(each.dispute, head) &&
      !ledger.isMined(each.penalty, head) &&
      !pool.has(each.penalty)
    if (!isOpen) {
      each.openMs = undefined
      if (!ledger.isMined(each.penalty, head)) return
      world.sometimes('tower/answered')
      if (each.hasLeft) world.sometimes('tower/answered-after-reorg')
      return
    }
    each.openMs ??= world.nowMs
    const since = Math.max(each.openMs, world.healMs, world.healedMs, node.upSinceMs)
    if (world.nowMs - since <= awakeMs + blocksMax * world.options.blockMs) return
    world.violate({
      id: 'breach-missed',
      kind: 'liveness',
      text: `${each.dispute} is mined and ${each.penalty} is nowhere since ${Math.round(each.openMs)} ms`,
      node: node.name,
    })
  }

  return {
    ids: ['receipt-not-durable', 'breach-missed'],
    fact(node, fact) {
      if (fact.type !== 'chain.head' || held.size === 0) return
      for (const { hash } of fact.removed.flatMap(({ txs }) => txs)) {
        const each = held.get(hash)
        if (each?.node === node.index) each.hasLeft = true
      }
    },
    edge(edge, world) {
      if (edge.type !== 'appointment') return
      const { what, node, dispute, penalty } = edge
      if (what === 'receipted') {
        held.set(dispute, { node, dispute, penalty, openMs: undefined, hasLeft: false })
        return
      }
      world.violate({
        id: 'receipt-not-durable',
        kind: 'correctness',
        text: `the appointment for ${dispute} has a receipt and is not there`,
        node: `n${node}`,
      })
    },
    checkpoint(world) {
      for (const each of held.values()) {
        const node = world.nodes[each.node]
        if (node?.up === true) check(each, node, world)
        else each.openMs = undefined
      }
    },
  }
}
