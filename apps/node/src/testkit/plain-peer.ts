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
  const byes: Uint8Array[] = []
  await libp2p.handle('/rockpool/goodbye/1', stream => {
    stream.addEventListener('message', ({ data }) => void byes.push(data.subarray()))
    // Read to its end, as one would who listens; the other side waits for it.
    stream.addEventListener('remoteCloseWrite', () => void stream.close())
  })
  // A subscription may be heard before our own stream to its sender is open; the router tells nobody when that is.
  const { streamsOutbound: sending } = pubsub as unknown as {
    streamsOutbound: ReadonlyMap<string, unknown>
  }

  return {
    id: libp2p.peerId.toString(),
    /** Goodbyes as they came, each four bytes of length and a frame. */
    byes: byes as readonly Uint8Array[],
    connections: (): number => libp2p.getConnections().length,
    /** Dials; true when the connection is still open after a while. A refused one looks open for some milliseconds. */
    async knock(address: string): Promise<boolean> {
      try {
        const connection = await libp2p.dial(multiaddr(address))
        await new Promise(resolve => setTimeout(resolve, 500))
        return connection.status === 'open'
      } catch {
        return false
      }
    },
    /** Connects, and waits until every one of them has said that it listens to `topic` and can be sent to. */
    async meet(topic: string, addresses: readonly string[]): Promise<void> {
      // A program with no protocol of the network would be sent away after a while; this one is always busy.
      await libp2p.handle(
        topic.replace(/\/[a-z]+\/1$/, '/pool-sync/1'),
        stream => {
          stream.addEventListener('message', () => {})
          stream.addEventListener('remoteCloseWrite', () => {
            stream.send(Buffer.from('0000000493010405', 'hex'))
            void stream.close()
          })
        },
        { force: true },
      )
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
