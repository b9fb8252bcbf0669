import './with-resolvers.ts'
import { createHash } from 'node:crypto'
import { type GossipSub, gossipsub, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

export type PlainPeer = Awaited<ReturnType<typeof createPlainPeer>>

/** Somebody else's libp2p: knows this network's message ids from its description, and shares no line with the node. */
export async function createPlainPeer() {
  const libp2p = await createLibp2p<{ pubsub: GossipSub; identify: Identify }>({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictNoSign,
        floodPublish: true,
        msgIdFn: ({ topic, data }) => messageId(topic, data),
      }),
    },
  })
  const { pubsub } = libp2p.services
  // A subscription may be heard before our own stream to its sender is open; the router tells nobody when that is.
  const { streamsOutbound: sending } = pubsub as unknown as {
    streamsOutbound: ReadonlyMap<string, unknown>
  }

  return {
    /** Connects, and waits until every one of them has said that it listens to `topic` and can be sent to. */
    async meet(topic: string, addresses: readonly string[]): Promise<void> {
      await Promise.all(addresses.map(address => libp2p.dial(multiaddr(address))))
      const within = Date.now() + 10_000
      while (
        pubsub.getSubscribers(topic).filter(id => sending.has(id.toString())).length <
        addresses.length
      ) {
        if (Date.now() > within) throw new Error(`not all of ${addresses.join(' ')} listen`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    },
    /** Calls back with every message of `topic`. */
    listen(topic: string, hear: (bytes: Uint8Array) => void): void {
      pubsub.addEventListener('message', ({ detail }) => {
        if (detail.topic === topic) hear(detail.data)
      })
      pubsub.subscribe(topic)
    },
    /** To all it is connected with; resolves to how many that were. */
    async publish(topic: string, bytes: Uint8Array): Promise<number> {
      const { recipients } = await pubsub.publish(topic, bytes)
      return recipients.length
    },
    async stop(): Promise<void> {
      await libp2p.stop()
    },
  }
}

function messageId(topic: string, payload: Uint8Array): Uint8Array {
  const name = Buffer.from(topic, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(name.length)
  return createHash('sha256')
    .update('rockpool/gossip/1')
    .update(length)
    .update(name)
    .update(payload)
    .digest()
    .subarray(0, 20)
}
