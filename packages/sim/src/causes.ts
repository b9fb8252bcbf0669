import { chainText, type TraceRow } from '@rockpool/actor'
import type { WorldNode } from './sim-node.ts'

/** Messages whose publisher is remembered. */
const ORIGINS_MAX = 65_536
/** Hops from node to node that a chain of causes follows. */
const HOPS_MAX = 32

interface Origin {
  readonly node: WorldNode
  readonly boot: number
  /** The turn that gave it away. */
  readonly message: number
}

/** Who published what, so that the causes of a message can be followed from node to node. */
export class Causes {
  private readonly origins = new Map<string, Origin>()

  /** The turn that has just ended gave this message to the network. */
  published(node: WorldNode, id: string): void {
    const message = node.bus?.rows?.latest(1)[0]?.id
    if (message === undefined) return
    if (this.origins.size >= ORIGINS_MAX) this.origins.clear()
    this.origins.set(id, { node, boot: node.boots, message })
  }

  /** How a message came about, newest first: a line for each node it passed. */
  chain(node: WorldNode, message: number): string[] {
    const lines: string[] = []
    let at: WorldNode | undefined = node
    let wanted = message
    while (at !== undefined && lines.length < HOPS_MAX) {
      const rows: readonly TraceRow[] = at.bus?.trace(wanted) ?? []
      lines.push(`${at.name} ${rows.length === 0 ? 'not in the trace any more' : chainText(rows)}`)
      const label = rows.at(-1)?.origin ?? ''
      const origin = label.startsWith('gossip:') ? this.origins.get(label.slice(7)) : undefined
      at = origin !== undefined && origin.boot === origin.node.boots ? origin.node : undefined
      wanted = origin?.message ?? 0
    }
    return lines
  }
}
