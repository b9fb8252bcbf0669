import './with-resolvers.ts'
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { type GossipSub, gossipsub, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

/*
 * The least program that can be named by GOSSIPSUB_PEER_BIN: libp2p and gossipsub as npm has them, arguments in, one JSON line for each event
 * out. It shares no line with the node, and stands for any other implementation that speaks the same arguments.
 */

const { values } = parseArgs({
  options: {
    dial: { type: 'string', multiple: true, default: [] },
    listen: { type: 'string', multiple: true, default: [] },
    topic: { type: 'string', multiple: true, default: [] },
    'publish-hex': { type: 'string' },
    duration: { type: 'string', default: '30s' },
    profile: { type: 'string', default: 'devnet' },
    'ask-sync': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const topics = values.topic
const syncProtocol = topics[0]?.replace(/\/[a-z]+\/1$/, '/pool-sync/1') ?? ''
const heartbeats: Readonly<Record<string, number>> = { devnet: 500, small: 700, public: 1_000 }

function say(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function messageId(topic: string, payload: Uint8Array): Uint8Array {
  const name = Buffer.from(topic)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(name.length)
  const parts = [Buffer.from('rockpool/gossip/1'), length, name, payload]
  return createHash('sha256').update(Buffer.concat(parts)).digest().subarray(0, 20)
}

const libp2p = await createLibp2p<{ pubsub: GossipSub; identify: Identify }>({
  addresses: { listen: values.listen },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: {
    identify: identify(),
    pubsub: gossipsub({
      globalSignaturePolicy: StrictNoSign,
      heartbeatInterval: heartbeats[values.profile] ?? 500,
      maxInboundDataLength: 4_194_304,
      allowPublishToZeroTopicPeers: true,
      msgIdFn: ({ topic, data }) => messageId(topic, data),
    }),
  },
})
const { pubsub } = libp2p.services

libp2p.addEventListener('peer:connect', ({ detail }) => say('connected', { peer: `${detail}` }))
libp2p.addEventListener('peer:disconnect', ({ detail }) =>
  say('disconnected', { peer: `${detail}`, reason: 'closed' }),
)
libp2p.addEventListener('peer:identify', ({ detail }) => {
  const { peerId, agentVersion, protocols } = detail
  say('identify', { peer: `${peerId}`, agent: agentVersion, protocols })
  if (values['ask-sync'] && protocols.includes(syncProtocol)) void askSync(`${peerId}`)
})
pubsub.addEventListener('subscription-change', ({ detail }) => {
  for (const { topic, subscribe } of detail.subscriptions) {
    if (subscribe) say('subscribed', { peer: `${detail.peerId}`, topic })
  }
})
pubsub.addEventListener('gossipsub:graft', ({ detail }) => say('mesh', { ...detail }))
pubsub.addEventListener('gossipsub:message', ({ detail }) => {
  const { msg, propagationSource } = detail
  const id = hex(messageId(msg.topic, msg.data))
  const { length } = msg.data
  say('message', {
    ...{ topic: msg.topic, id, len: length, from: `${propagationSource}`, data: hex(msg.data) },
  })
})
await libp2p.handle('/rockpool/goodbye/1', stream => {
  const parts: Uint8Array[] = []
  stream.addEventListener('message', ({ data }) => void parts.push(data.subarray()))
  stream.addEventListener('remoteCloseWrite', () => {
    say('goodbye', { frame: hex(Buffer.concat(parts).subarray(4)) })
    void stream.close()
  })
})
await libp2p.handle(syncProtocol, stream => {
  stream.addEventListener('message', () => {})
  stream.addEventListener('remoteCloseWrite', () => {
    stream.send(Buffer.from('0000000493010405', 'hex'))
    void stream.close()
  })
})

/** A hello that knows of nothing; what the other side has is counted from the length of its answer. */
async function askSync(peer: string): Promise<void> {
  const connection = libp2p.getConnections().find(({ remotePeer }) => `${remotePeer}` === peer)
  const stream = await connection?.newStream(syncProtocol)
  if (stream === undefined) return
  const parts: Uint8Array[] = []
  stream.addEventListener('message', ({ data }) => void parts.push(data.subarray()))
  stream.addEventListener('remoteCloseWrite', () => {
    say('sync', { peer, frame: hex(Buffer.concat(parts).subarray(4)) })
    void stream.close()
  })
  const digest = Buffer.concat([Buffer.from([0xc5, 0x0a, 0x00]), Buffer.alloc(2_560)])
  const hash = Buffer.concat([Buffer.from([0xc4, 32]), Buffer.alloc(32)])
  const frame = Buffer.concat([Buffer.from([0x96, 1, 0, 0]), hash, Buffer.from([0]), digest])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(frame.length)
  stream.send(Buffer.concat([length, frame]))
  await stream.close()
}

for (const topic of topics) pubsub.subscribe(topic)
for (const address of values.dial) await libp2p.dial(multiaddr(address))
for (const address of libp2p.getMultiaddrs()) say('listening', { address: `${address}` })

if (values['publish-hex'] !== undefined) {
  createInterface({ input: process.stdin }).on('line', line => {
    const words = line.trim().split(' ')
    const data = Buffer.from(words.at(-1) ?? '', 'hex')
    const topic = (words.length > 1 ? words[0] : topics[0]) ?? ''
    pubsub.publish(topic, data).then(
      ({ recipients }) => say('published', { topic, recipients: recipients.length }),
      (error: unknown) => say('rejected', { topic, reason: `${error}` }),
    )
  })
}

async function end(): Promise<never> {
  await libp2p.stop()
  process.exit(0)
}

setTimeout(() => void end(), Number.parseFloat(values.duration) * 1_000)
