import './polyfill.ts'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { keyFromSeed } from './keys.ts'
import { createMessageIds } from './message-id.ts'
import { libp2pOptions } from './options.ts'
import { routerOf } from './router.ts'

const topic = '/rockpool/31337/d1164378/tx/1'

/** The library under our options and without our patches: what a benchmark compares a node with. */
export async function openBareRouter(seed: number, heard: (bytes: Uint8Array) => void) {
  const privateKey = await keyFromSeed(new Uint8Array(32).fill(seed))
  const libp2p = await createLibp2p(
    libp2pOptions(
      { privateKey, listen: ['/ip4/127.0.0.1/tcp/0'], profile: 'devnet', topics: [topic] },
      privateKeyFromProtobuf(privateKey),
      {},
      createMessageIds(),
    ),
  )
  await libp2p.start()
  const { pubsub } = libp2p.services
  pubsub.addEventListener('message', ({ detail }) => heard(detail.data))
  pubsub.subscribe(topic)
  return {
    addresses: () => libp2p.getMultiaddrs().map(String),
    mesh: () => routerOf(pubsub).getMeshPeers(topic).length,
    dial: (address: string) => libp2p.dial(multiaddr(address)),
    publish: (bytes: Uint8Array) => pubsub.publish(topic, bytes),
  }
}
