import {
  encodePoolSyncAnswer,
  encodeRangeAnswer,
  limits,
  type PeerId,
  type Topic,
} from '@rockpool/protocol'
import type { Wire, WorldView } from '../api.ts'

/** Messages remembered, to be said again. */
const heardMax = 256
const dialMs = 5_000
const busySeconds = 60

export interface Heard {
  readonly topic: Topic
  readonly bytes: Uint8Array
}

export type Voice = ReturnType<typeof createVoice>

/**
 * A peer that is a script: it connects, subscribes and relays like anybody, remembers what it heard, and can say whatever it likes to the
 * router or to one peer alone. Between attacks nobody can tell it from an honest one that has no transactions.
 */
export function createVoice(world: WorldView, wire: Wire) {
  const { names } = world
  const { port } = wire
  const peers = new Set<PeerId>()
  const heard: Heard[] = []
  const listeners = new Set<(message: Heard) => void>()
  const partings = new Set<(peer: PeerId) => void>()
  /** Passes on what others say. */
  let relays = true
  let gone = false

  /** Joins the network by these nodes. */
  function enter(nodes: readonly number[]): void {
    listen()
    port.start().then(() => {
      port.subscribe(names.tx)
      port.subscribe(names.block)
      for (const node of nodes) dial(node)
    }, ignore)
  }

  function listen(): void {
    port.gate(() => ({ allow: true }))
    port.listen({
      opened: ({ id }) => void peers.add(id),
      closed: id => {
        peers.delete(id)
        for (const part of partings) part(id)
      },
      async deliver({ topic, bytes }) {
        heard.push({ topic, bytes })
        if (heard.length > heardMax) heard.shift()
        for (const listener of listeners) listener({ topic, bytes })
        return relays ? 'accept' : 'ignore'
      },
      wireFault() {},
    })
    // It has neither transactions nor blocks, and says it in a way that is nobody's fault.
    const busy = { kind: 'busy', retryAfterSeconds: busySeconds } as const
    port.serve(names.poolSync, async () => [encodePoolSyncAnswer(busy)])
    port.serve(names.blocks, async () => [encodeRangeAnswer(busy)])
    for (const { id } of port.peers()) peers.add(id)
  }

  /** Tries once; nobody owes an evil peer a connection. */
  function dial(node: number): void {
    const { addr } = world.nodes[node] ?? {}
    if (gone || addr === undefined) return
    port.dial(addr, dialMs).then(ignore, ignore)
  }

  function publish(topic: Topic, bytes: Uint8Array): void {
    if (gone || bytes.length > limits.publishBytesMax) return
    port.publish(topic, bytes).then(ignore, ignore)
  }

  return {
    wire,
    peers: peers as ReadonlySet<PeerId>,
    heard: heard as readonly Heard[],
    enter,
    dial,
    publish,
    /** Says it to every neighbour, whether the router would or not. */
    pushAll(topic: Topic, bytes: Uint8Array): void {
      if (!gone) for (const peer of peers) wire.push(peer, topic, bytes)
    },
    setRelays(on: boolean): void {
      relays = on
    },
    onHeard(listener: (message: Heard) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onParting(listener: (peer: PeerId) => void): () => void {
      partings.add(listener)
      return () => partings.delete(listener)
    },
    vanish(): void {
      gone = true
      wire.vanish()
    },
  }
}

function ignore(): void {}
