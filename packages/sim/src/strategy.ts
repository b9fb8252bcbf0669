import type { ActorRef, Rng } from '@rockpool/actor'
import type { Strategy } from './api.ts'

/** What a strategy sees of a bus that has something to do. */
interface Runnable {
  readonly index: number
  /** The actors that could run now, the one that waited longest first. */
  ready(): readonly ActorRef<never>[]
}

/** Who runs next: a bus among the ready ones, then an actor of it. */
export interface Schedule {
  bus(ready: readonly Runnable[]): number
  /** Absent: the actor that waited longest. */
  actor?(node: number, ready: readonly ActorRef<never>[]): number
  /** A point of change of the `pct` strategy: whoever runs next falls to the lowest priority. */
  change?(): void
}

export function scheduleOf(strategy: Strategy, rng: Rng): Schedule {
  switch (strategy) {
    case 'fifo':
      return { bus: () => 0 }
    case 'random':
      return {
        bus: ready => (ready.length === 1 ? 0 : rng.int(ready.length)),
        actor: (_, ready) => rng.int(ready.length),
      }
    case 'pct':
      return pct(rng)
  }
}

/** Each actor has a drawn priority and the highest runs: finds what needs one actor to be slow for long. */
function pct(rng: Rng): Schedule {
  const priorities = new Map<string, number>()
  let lowest = 0
  let change = false

  function priorityOf(node: number, path: string): number {
    const key = `${node}${path}`
    let priority = priorities.get(key)
    if (priority === undefined) {
      priority = 1 + rng.f()
      priorities.set(key, priority)
    }
    return priority
  }

  function best(node: number, ready: readonly ActorRef<never>[]): number {
    let index = 0
    let highest = Number.NEGATIVE_INFINITY
    ready.forEach(({ path }, at) => {
      const priority = priorityOf(node, path)
      if (priority <= highest) return
      highest = priority
      index = at
    })
    return index
  }

  return {
    bus(ready) {
      let index = 0
      let highest = Number.NEGATIVE_INFINITY
      ready.forEach((runnable, at) => {
        const actors = runnable.ready()
        const actor = actors[best(runnable.index, actors)]
        const priority = actor === undefined ? 0 : priorityOf(runnable.index, actor.path)
        if (priority <= highest) return
        highest = priority
        index = at
      })
      return index
    },
    actor(node, ready) {
      const index = best(node, ready)
      const actor = ready[index]
      if (change && actor !== undefined) {
        change = false
        priorities.set(`${node}${actor.path}`, --lowest)
      }
      return index
    },
    change() {
      change = true
    },
  }
}
