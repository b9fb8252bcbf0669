import {
  type GossipSub,
  type GossipsubOpts,
  gossipsub,
  StrictNoSign,
} from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, MultiaddrConnection, PrivateKey } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { type Addr, limits, type Topic } from '@rockpool/protocol'
import type { Libp2pOptions } from 'libp2p'
import { listenAddress } from './addresses.ts'
import type { NetworkClock } from './clock.ts'
import { type Faults, withFaults } from './faults.ts'
import type { createLibraryMetrics } from './library-metrics.ts'
import { createMessageIds, idKey, type MessageIds } from './message-id.ts'
import { topicLabel } from './metrics.ts'
import {
  checkMesh,
  checkScores,
  type MeshOptions,
  type NetworkProfile,
  profiles,
  scoreParams,
  thresholds,
} from './profiles.ts'
import { gatherWrites, withEachRaw } from './raw-connections.ts'

export type { MeshOptions, NetworkProfile } from './profiles.ts'

/** Where lines go: a code and fields. The bus' log fits. */
export interface NetworkLog {
  debug(code: string, fields?: Record<string, unknown>): void
  info(code: string, fields?: Record<string, unknown>): void
  warn(code: string, fields?: Record<string, unknown>): void
}

export interface NetworkOptions {
  /** The identity: 68 bytes of an Ed25519 private key, as `loadOrCreateP2pKey` returns it. */
  readonly privateKey: Uint8Array
  /** Addresses to listen on; port 0 lets the system choose. Empty: this node only dials. */
  readonly listen: readonly Addr[]
  /** Addresses told to others instead of those listened on. */
  readonly advertise?: readonly Addr[]
  readonly profile: NetworkProfile
  /** The only topics that exist here; subscriptions of others to anything else are not remembered. */
  readonly topics: readonly Topic[]
  /** Peers kept connected for ever. */
  readonly static?: readonly Addr[]
  readonly bootnodes?: readonly Addr[]
  /** With so many peers bootnodes are not dialled any more. Absent: always. */
  readonly peersWanted?: number
  /** Changes to the mesh of the profile. */
  readonly mesh?: Partial<MeshOptions>
  /** What others see as our software. */
  readonly agent?: string
  readonly clock?: NetworkClock
  /** Between 0 and 1, for the jitter of redials. */
  readonly random?: () => number
  readonly log?: NetworkLog
  /** Connections that do not answer pings are kept, so that a process may stand in a debugger. */
  readonly debugPausable?: boolean
  /** Links to others can be slowed, stalled and cut, for development networks. */
  readonly faults?: boolean
  /** In the place of TCP and noise, for networks inside one process. */
  readonly wires?: Wires
}

/** What connections are made of where they do not leave the process. */
export interface Wires {
  readonly transport: NonNullable<Libp2pOptions['transports']>[number]
  readonly encrypter?: NonNullable<Libp2pOptions['connectionEncrypters']>[number]
  /** Each raw connection before its first byte. */
  each(raw: MultiaddrConnection): void
}

export type Services = { pubsub: GossipSub; identify: Identify; ping: Ping } & Record<
  string,
  unknown
>

type LibraryMetrics = ReturnType<typeof createLibraryMetrics>

/** Every option of the router; no default of the library decides anything. Throws `config/bad-mesh` and `config/bad-score`. */
export function routerOptions(
  options: Pick<NetworkOptions, 'profile' | 'topics' | 'mesh'>,
  ids: MessageIds = createMessageIds(),
  library?: LibraryMetrics,
): Partial<GossipsubOpts> {
  const profile = profiles[options.profile]
  const mesh = checkMesh({ ...profile.mesh, ...options.mesh })
  const scores = scoreParams(options.profile, options.topics)
  checkScores(scores, thresholds)
  return {
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: ids.idOf,
    msgIdToStrFn: idKey,
    allowedTopics: new Set<string>(options.topics),
    fallbackToFloodsub: false,
    doPX: false,
    tagMeshPeers: false,
    batchPublish: true,
    floodPublish: profile.floodPublish,
    asyncValidation: false,
    awaitRpcHandler: false,
    awaitRpcMessageHandler: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    maxInboundDataLength: limits.wireFrameBytesMax,
    maxOutboundBufferSize: limits.wireSendBufferBytes,
    maxTopicBytesPerPeer: 1_048_576,
    decodeRpcLimits: {
      maxSubscriptions: 512,
      maxMessages: 5_000,
      maxControlMessages: 512,
      // An honest IHAVE carries thousands of ids; a lower cap refuses it and the whole frame with it.
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 16,
    },
    // For small messages IDONTWANT costs more than the duplicate it saves; only a batch of transactions is worth one.
    idontwantMinDataSize: 16_829,
    idontwantMaxMessages: 512,
    gossipsubIWantFollowupMs: 5_000,
    seenTTL: 120_000,
    directPeers: [],
    directConnectTicks: 300,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
    gossipFactor: 0.25,
    fanoutTTL: 60_000,
    prunePeers: 16,
    pruneBackoff: 60_000,
    // Spelled so by the library.
    unsubcribeBackoff: 10_000,
    graftFloodThreshold: 10_000,
    opportunisticGraftPeers: 2,
    opportunisticGraftTicks: 60,
    runOnLimitedConnection: false,
    D: mesh.d,
    Dlo: mesh.dlo,
    Dhi: mesh.dhi,
    Dscore: mesh.dscore,
    Dout: mesh.dout,
    Dlazy: mesh.dlazy,
    heartbeatInterval: mesh.heartbeatMs,
    mcacheLength: mesh.mcacheLength,
    mcacheGossip: mesh.mcacheGossip,
    scoreParams: scores,
    scoreThresholds: thresholds,
    // Both or neither.
    ...(library && {
      metricsRegister: library.register,
      metricsTopicStrToLabel: new Map(options.topics.map(topic => [topic, topicLabel(topic)])),
    }),
  }
}

/** libp2p with tcp, noise, yamux, identify and ping; no discovery, no relay, no identify-push: a push can make the router forget a peer. */
export function libp2pOptions(
  options: NetworkOptions,
  privateKey: PrivateKey,
  gater: ConnectionGater,
  ids: MessageIds,
  faults?: Faults,
  library?: LibraryMetrics,
): Libp2pOptions<Services> {
  const profile = profiles[options.profile]
  const agent = options.agent ?? 'rockpool'
  return {
    start: false,
    ...(library && { metrics: () => library.metrics }),
    privateKey,
    connectionGater: faults?.watch(gater) ?? gater,
    nodeInfo: { name: 'rockpool', userAgent: agent },
    addresses: {
      listen: options.listen.map(listenAddress),
      announce: (options.advertise ?? []).map(listenAddress),
    },
    transports: [
      withFaults(
        options.wires === undefined
          ? withEachRaw(tcp(), gatherWrites)
          : withEachRaw(options.wires.transport, options.wires.each),
        faults,
      ),
    ],
    connectionEncrypters: [options.wires?.encrypter ?? noise()],
    streamMuxers: [yamux({ maxInboundStreams: 256, maxOutboundStreams: 256 })],
    connectionManager: {
      maxConnections: 300,
      maxParallelDials: 100,
      maxPeerAddrsToDial: 25,
      dialTimeout: 10_000,
      addressDialTimeout: 6_000,
      inboundUpgradeTimeout: 10_000,
      // A gossip stream that stalls is given up, and its peer charged.
      outboundStreamProtocolNegotiationTimeout: limits.streamOpenMs,
      inboundConnectionThreshold: profile.inboundPerSecond,
      maxIncomingPendingConnections: profile.inboundPending,
      // Redials are ours: libp2p's end after five.
      reconnectRetries: 0,
    },
    connectionMonitor: {
      enabled: options.debugPausable !== true,
      pingInterval: 10_000,
      abortConnectionOnPingFailure: true,
      pingTimeout: { minTimeout: 5_000, maxTimeout: 60_000 },
    },
    ...(options.debugPausable === true && {
      peerStore: { maxPeerAge: Number.POSITIVE_INFINITY },
    }),
    services: {
      identify: identify({ timeout: 5_000 }),
      // With the default of one stream a second ping at the same time makes the monitor abort a healthy connection.
      ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 8 }),
      pubsub: gossipsub(routerOptions(options, ids, library)),
    },
  }
}
