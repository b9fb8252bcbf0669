import type { RPC } from '@chainsafe/libp2p-gossipsub/message'
import type { Connection, PeerId as Libp2pPeerId } from '@libp2p/interface'
import { limits, type PeerId } from '@rockpool/protocol'
import type { NetworkClock } from './clock.ts'
import { methodOf, type Router } from './router.ts'

export interface SendPatchOptions {
  readonly clock: NetworkClock
  /** A peer that lets a stream wait until its time is up. */
  fault(id: PeerId, reason: string, evidence: string): void
}

/** Bytes of a message besides its payload: topic, tags and lengths. */
const MESSAGE_OVERHEAD = 128

/**
 * Sends in pieces that arrive, and opens streams for all peers at once. Installed once, before start; a router without the wrapped methods
 * refuses to start.
 *
 * - The answer to an IWANT is one frame, however much was asked for: over the reader's limit it makes the reader drop an honest peer, or is
 *   lost without an error. More than 512 KiB leave as several frames; what rides along rides with the first.
 * - The router opens gossip streams one after the other for all peers, each for as long as it takes: a few peers that stall keep everybody else
 *   without gossip. Here each peer has a queue of its own, with at most one stream being opened and one connection waiting.
 */
export function installSendPatches(router: Router, { clock, fault }: SendPatchOptions): void {
  const sendRpc = methodOf(router, 'sendRpc')
  const open = methodOf(router, 'createOutboundStream')
  /** Peers whose stream is being opened, with the connection to try next. */
  const opening = new Map<PeerId, { next?: Connection }>()

  function openNext(id: PeerId, peer: Libp2pPeerId, connection: Connection): void {
    const sinceMs = clock.now()
    const state: { next?: Connection } = {}
    opening.set(id, state)
    const ended = (): void => {
      opening.delete(id)
      if (clock.now() - sinceMs >= limits.streamOpenMs && isWaitedFor(id, connection)) {
        fault(id, 'liveness/request-timeout', 'gossip stream')
      }
      if (state.next !== undefined) openNext(id, peer, state.next)
    }
    open.call(router, peer, connection).then(ended, ended)
  }

  const isWaitedFor = (id: PeerId, connection: Connection): boolean =>
    connection.status === 'open' && router.peers.has(id) && !router.streamsOutbound.has(id)

  Object.assign(router, {
    sendRpc(id: PeerId, rpc: RPC): boolean {
      const parts = splitRpc(rpc)
      return parts.map(part => sendRpc.call(router, id, part)).every(Boolean)
    },
    /** Resolves at once: the router waits for it before it serves the next peer. */
    createOutboundStream(peer: Libp2pPeerId, connection: Connection): Promise<void> {
      const id = peer.toString()
      const state = opening.get(id)
      if (state === undefined) openNext(id, peer, connection)
      else state.next = connection
      return Promise.resolve()
    },
  })
}

/** The same in frames of at most 512 KiB; a larger message goes alone. The first carries everything that is no message. */
function splitRpc(rpc: RPC): readonly RPC[] {
  const { messages } = rpc
  const total = messages.reduce((sum, message) => sum + sizeOf(message), 0)
  if (messages.length < 2 || total <= limits.wireFrameOutBytes) return [rpc]
  const groups: RPC.Message[][] = []
  let room = 0
  for (const message of messages) {
    const size = sizeOf(message)
    const last = groups.at(-1)
    if (last === undefined || size > room) {
      groups.push([message])
      room = limits.wireFrameOutBytes - size
    } else {
      last.push(message)
      room -= size
    }
  }
  return groups.map((group, index) =>
    index === 0 ? { ...rpc, messages: group } : { subscriptions: [], messages: group },
  )
}

function sizeOf({ data, from, key, signature }: RPC.Message): number {
  const parts = [data, from, key, signature]
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), MESSAGE_OVERHEAD)
}
