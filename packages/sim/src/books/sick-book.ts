import type { PeerId } from '@rockpool/protocol'
import type { Book, SimNode, WorldView } from '../api.ts'

/** A jump of the wall clock that a node cannot miss: above its own limit, and what drifts between two looks. */
const jumpMs = 4_000
/** Since the first look that showed the jump: the next tick, and a slow clock. */
const awareWithinMs = 3_000
/** How long a sign keeps a node suspect; less one look. */
const suspectMs = 55_000

interface Look {
  readonly boot: number
  readonly aheadMs: number
}

/** Worlds of nodes that are not well: they notice it themselves, and the evil one among them is kept out all the same. */
export function sickBook(): Book {
  const looks = new Map<number, Look>()
  /** When each node said last that it does not trust itself, in world time. */
  const suspectAt = new Map<number, number>()
  const unaware = new Map<number, { readonly boot: number; readonly atMs: number }>()
  const shut = new Set<PeerId>()

  function look(node: SimNode, world: WorldView): void {
    const before = looks.get(node.index)
    const aheadMs = node.wallMs() - node.nowMs()
    looks.set(node.index, { boot: node.boots, aheadMs })
    const isJump = before?.boot === node.boots && Math.abs(aheadMs - before.aheadMs) > jumpMs
    const said = suspectAt.get(node.index) ?? Number.NEGATIVE_INFINITY
    if (isJump && world.nowMs - said > suspectMs) {
      unaware.set(node.index, { boot: node.boots, atMs: world.nowMs })
    }
    const open = unaware.get(node.index)
    if (open === undefined || world.nowMs - open.atMs < awareWithinMs) return
    unaware.delete(node.index)
    if (open.boot !== node.boots || node.upSinceMs > open.atMs - 2 * awareWithinMs) return
    world.violate({
      id: 'self-unaware',
      kind: 'correctness',
      text: `its clock jumped before ${Math.round(open.atMs)} ms and it trusts itself`,
      node: node.name,
    })
  }

  return {
    ids: ['self-unaware', 'evil-unpunished'],
    fact(node, fact, world) {
      if (fact.type === 'node.suspect') {
        suspectAt.set(node.index, world.nowMs)
        unaware.delete(node.index)
      }
      if (fact.type === 'peer.quarantined') shut.add(fact.peer)
      if (fact.type === 'peer.banned' && fact.subject.kind === 'peer') shut.add(fact.subject.value)
    },
    checkpoint(world) {
      if (world.options.sick === undefined) return
      for (const node of world.nodes) {
        if (node.up && !node.isEvil) look(node, world)
        else looks.delete(node.index)
      }
    },
    end(world) {
      if (world.options.sick === undefined) return
      for (const { isEvil, peer, name } of world.nodes) {
        if (!isEvil || shut.has(peer)) continue
        const text = `${name} did what is banned for, and nobody has kept it out`
        world.violate({ id: 'evil-unpunished', kind: 'liveness', text, node: name })
      }
    },
  }
}
