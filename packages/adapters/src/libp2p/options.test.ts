import { readFile } from 'node:fs/promises'
import { type GossipSubComponents, gossipsub } from '@chainsafe/libp2p-gossipsub'
import {
  createPeerScoreParams,
  createPeerScoreThresholds,
  createTopicScoreParams,
} from '@chainsafe/libp2p-gossipsub/score'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { expect, test } from 'vitest'
import { keyFromSeed } from './keys.ts'
import { createMessageIds } from './message-id.ts'
import { libp2pOptions, routerOptions } from './options.ts'
import { scoreParams, thresholds, topicScore } from './profiles.ts'

const topic = '/rockpool/31337/d1164378/tx/1'

/** Options that change what the router is rather than how it behaves, or that only a network with metrics has. */
const left = [
  'dataTransform',
  'debugName',
  'fastMsgIdFn',
  'messageCache',
  'metricsRegister',
  'metricsTopicStrToLabel',
  // Declared, and read by nobody.
  'canRelayMessage',
  'messageProcessingConcurrency',
  'protocols',
]

/** Names declared in the body of an interface of the library. */
async function declared(file: string, name: string): Promise<string[]> {
  const url = new URL(import.meta.resolve('@chainsafe/libp2p-gossipsub'))
  const text = await readFile(new URL(file, url), 'utf8')
  const body = new RegExp(`interface ${name}[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? ''
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, option = '']) => option)
}

test('every option the library knows is passed, so that a new one is noticed', async () => {
  const ours = Object.keys(routerOptions({ profile: 'devnet', topics: [topic] }))
  const known = [
    ...(await declared('index.d.ts', 'GossipsubOptsSpec')),
    ...(await declared('index.d.ts', 'GossipsubOpts')),
  ]
  const components = {
    logger: { forComponent: () => Object.assign(() => {}, { newScope() {} }) },
  } as unknown as GossipSubComponents
  const bare = gossipsub({})(components) as unknown as { opts: object }
  const defaults = Object.keys(bare.opts)

  expect(known.length).toBeGreaterThan(40)
  expect(new Set([...known, ...defaults].filter(name => !ours.includes(name)))).toEqual(
    new Set(left),
  )
  expect(
    ours.filter(name => ![...known, ...defaults, 'globalSignaturePolicy'].includes(name)),
  ).toEqual([])
})

test('every limit of the decoder, every score and every threshold has a value of ours', async () => {
  const { decodeRpcLimits } = routerOptions({ profile: 'devnet', topics: [topic] })
  const names = (of: object) => Object.keys(of).sort()

  expect(names(decodeRpcLimits ?? {})).toEqual(
    (await declared('message/decodeRpc.d.ts', 'DecodeRPCLimits')).sort(),
  )
  expect(names(scoreParams('public', [topic]))).toEqual(names(createPeerScoreParams({})))
  expect(names(thresholds)).toEqual(names(createPeerScoreThresholds({})))
  expect(names(topicScore)).toEqual(names(createTopicScoreParams({})))
})

test.each([
  ['devnet', 4, 2, 8, 500, true],
  ['small', 6, 4, 10, 700, false],
  ['public', 8, 6, 12, 1_000, false],
] as const)('profile %s has the mesh of its size', (profile, d, dlo, dhi, heartbeat, flood) => {
  expect(routerOptions({ profile, topics: [topic] })).toMatchObject({
    ...{ D: d, Dlo: dlo, Dhi: dhi, heartbeatInterval: heartbeat, floodPublish: flood },
    ...{ asyncValidation: false, doPX: false, tagMeshPeers: false, fallbackToFloodsub: false },
    ...{ maxInboundDataLength: 4_194_304, maxOutboundBufferSize: 8_388_608, seenTTL: 120_000 },
  })
})

test('libp2p has no discovery, relay or identify-push, and room for two pings at once', async () => {
  const privateKey = await keyFromSeed(new Uint8Array(32).fill(1))
  const options = libp2pOptions(
    { privateKey, listen: [], profile: 'devnet', topics: [topic] },
    privateKeyFromProtobuf(privateKey),
    {},
    createMessageIds(),
  )

  expect(Object.keys(options.services ?? {}).sort()).toEqual(['identify', 'ping', 'pubsub'])
  expect(options.connectionManager).toMatchObject({
    ...{ inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 100 },
    ...{ reconnectRetries: 0, outboundStreamProtocolNegotiationTimeout: 2_000 },
  })
  expect(options.peerDiscovery).toBeUndefined()
})
