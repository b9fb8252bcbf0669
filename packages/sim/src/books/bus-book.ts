import type { Bus } from '@rockpool/actor'
import type { Book, SimNode, SimOptions, WorldView } from '../api.ts'

/** The watchtower's actors end a life on purpose where the disk was full: the next one reads what is there. */
export function startsOver(actor: string, { diskFull }: SimOptions): boolean {
  return diskFull.perSecond > 0 && (actor === '/watcher' || actor === '/responder')
}

/** The bus of every node: nothing sent is lost, no queue is over its bound, nobody crashes. */
export function busBook(): Book {
  function check({ name }: SimNode, bus: Bus, world: WorldView): void {
    if (!bus.balanced()) {
      const { sent, handled, dead, merged, queued } = bus
      world.violate({
        id: 'message-lost',
        kind: 'correctness',
        text: `${sent} sent are not ${handled} handled, ${dead} dead, ${merged} merged and ${queued} queued`,
        node: name,
      })
    }
    for (const { path, user, urgent, capacity, urgentCapacity } of bus.roots.values()) {
      const depth = urgent?.size ?? 0
      if (user.size <= capacity && depth <= urgentCapacity) continue
      world.violate({
        id: 'mailbox-bound',
        kind: 'correctness',
        text: `${path} holds ${user.size} of ${capacity} and ${depth} urgent of ${urgentCapacity}`,
        node: name,
      })
    }
    for (const { reason, actor, type, count } of bus.deadLetters.counts()) {
      if (reason !== 'crashed' || startsOver(actor, world.options)) continue
      world.violate({
        id: 'actor-crash',
        kind: 'crash',
        text: `${actor} crashed on ${type}, ${count} times`,
        node: name,
      })
    }
  }

  return {
    ids: ['message-lost', 'mailbox-bound', 'actor-crash'],
    checkpoint(world) {
      for (const node of world.nodes) if (node.running) check(node, node.running.bus, world)
    },
  }
}
