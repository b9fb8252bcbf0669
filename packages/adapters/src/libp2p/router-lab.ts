import {
  type GossipSubComponents,
  type GossipsubOpts,
  gossipsub,
} from '@chainsafe/libp2p-gossipsub'
import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { onTestFinished } from 'vitest'
import { routerOptions } from './options.ts'
import { type Router, routerOf } from './router.ts'

export const topic = '/rockpool/31337/d1164378/tx/1'
export const self = peerIdFromString('12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq')
export const mallory = peerIdFromString('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5')

/** The real router on a network of stubs, started and subscribed; what it asked of the network is listed. For tests. */
export async function startedRouter(changes: Partial<GossipsubOpts> = {}) {
  const quiet = Object.assign(() => {}, { error() {}, trace() {}, enabled: false })
  const asked: string[] = []
  const components = {
    peerId: self,
    logger: { forComponent: () => Object.assign(quiet, { newScope: () => quiet }) },
    registrar: {
      handle: async () => {},
      unhandle: async () => {},
      register: async () => 'id',
      unregister() {},
    },
    peerStore: { merge: async () => void asked.push('tag') },
    connectionManager: { openConnection: async () => void asked.push('dial') },
  } as unknown as GossipSubComponents
  const options = { ...routerOptions({ profile: 'devnet', topics: [topic] }), ...changes }
  const router = routerOf(gossipsub(options)(components))
  const startable = router as Router & { start(): Promise<void>; stop(): Promise<void> }
  await startable.start()
  onTestFinished(async () => {
    const armed = router.status.heartbeatTimeout
    await startable.stop()
    clearTimeout(armed)
  })
  router.subscribe(topic)
  return { router, asked }
}

/** Puts a peer before the router: what it is sent, and a way to send. */
export function join(router: Router, id = mallory) {
  const frames: RPC[] = []
  const streams = router.streamsOutbound as Map<string, unknown>
  const connection = {
    status: 'closed',
    direction: 'inbound',
    remoteAddr: multiaddr('/ip4/203.0.113.7/tcp/7625'),
  }
  const internals = router as unknown as {
    addPeer(id: unknown, direction: string, addr: unknown): void
  }
  internals.addPeer(id, connection.direction, connection.remoteAddr)
  const push = (bytes: Uint8Array): void => void frames.push(RPC.decode(bytes))
  streams.set(id.toString(), {
    protocol: '/meshsub/1.2.0',
    push,
    pushPrefixed: (bytes: { subarray(): Uint8Array }) => push(afterLength(bytes.subarray())),
    close: async () => {},
  })
  /** Frames the router reads as this peer's, one after the other. */
  async function send(...rpcs: readonly Partial<RPC>[]): Promise<void> {
    async function* stream() {
      for (const rpc of rpcs) yield RPC.encode({ subscriptions: [], messages: [], ...rpc })
    }
    await router.pipePeerReadStream(id, stream())
    await new Promise(setImmediate)
  }
  return { frames, send, id: id.toString() }
}

/** What stands behind a varint. */
function afterLength(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes.findIndex(byte => byte < 0x80) + 1)
}

export const control = (part: Partial<RPC.ControlMessage>): Partial<RPC> => ({
  control: { ihave: [], iwant: [], graft: [], prune: [], idontwant: [], ...part },
})
