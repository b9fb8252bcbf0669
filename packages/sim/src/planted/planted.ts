import type { Behavior, Typed } from '@rockpool/actor'
import type { Store } from '@rockpool/protocol'
import type { NodeBuild, SimNode, WorldView } from '../api.ts'
import type { Wishes } from '../options.ts'

/** A mistake put into every node of a world to see that it is noticed. It replaces a part or wraps a port: nodes know nothing of it. */
export interface Planted {
  readonly name: string
  /** What the node does wrong. */
  readonly about: string
  /** Invariants of which it breaks at least one. */
  readonly fires: readonly string[]
  /** Seeds within which it must be found. */
  readonly seeds: number
  /** What a world must be like for the mistake to matter at all. */
  readonly wishes?: Wishes
  decorate(build: NodeBuild, node: SimNode, world: WorldView): NodeBuild
}

/** Where a mistake is looked for: many small worlds show more of one than a few large ones. */
export const smallWorld = { nodes: 5, seconds: 150 } as const

/** The same behaviour, which hears each message as `change` leaves it. */
export function hearing<M extends Typed, F extends Typed>(
  behavior: Behavior<M, F>,
  change: (message: M) => M,
): Behavior<M, F> {
  return ctx => {
    const handle = behavior(ctx)
    return message => handle(change(message))
  }
}

/** What is said to be on the disk goes there so much later. */
const lieMs = 10_000

/** A node whose disk says at once that it has what this room writes. Who is down before it is true has lost it. */
export function lyingStores(build: NodeBuild, room: string, world: WorldView): NodeBuild {
  const { ports } = build
  const lying = (store: Store): Store => ({
    get: key => store.get(key),
    getMany: keys => store.getMany(keys),
    scan: range => store.scan(range),
    async batch(writes) {
      const write = () => void store.batch(writes, { sync: true }).catch(() => {})
      world.at(world.nowMs + lieMs, 'a write that was said to be done', write)
    },
  })
  const store = (name: string) => (name === room ? lying(ports.store(name)) : ports.store(name))
  return { ...build, ports: { ...ports, store } }
}
