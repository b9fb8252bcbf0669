import type { GossipSub, PublishResult } from '@chainsafe/libp2p-gossipsub'
import type { RPC } from '@chainsafe/libp2p-gossipsub/message'
import type { PeerScoreParams } from '@chainsafe/libp2p-gossipsub/score'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { CodedError } from '@rockpool/protocol'

/** The version everything here was read and measured on; a test compares it with what is installed. */
export const GOSSIPSUB_VERSION = '17.1.1'

/** What a frame is before it is decoded. */
export interface RawFrame {
  readonly byteLength: number
  subarray(): Uint8Array
}

export type FrameSource = AsyncIterable<RawFrame>

/** The router's book of scores. */
interface RouterScore {
  score(id: string): number
  readonly params: PeerScoreParams
  readonly peerStats: Map<
    string,
    { connected: boolean; expire: number; readonly knownIPs: ReadonlySet<string> }
  >
  readonly scoreCache: Map<string, unknown>
  addPeer(id: string): void
  removePeer(id: string): void
  addIP(id: string, ip: string): void
  removeIP(id: string, ip: string): void
  addPenalty(id: string, penalty: number, label: string): void
  rejectInvalidMessage(id: string, topic: string): void
}

/** Members of the router that its published interface leaves out. */
export interface Router extends GossipSub {
  /** `allowPublishToZeroTopicPeers` false: throws before it remembers a message that nobody can be sent. */
  publish(
    topic: string,
    data?: Uint8Array,
    options?: { readonly allowPublishToZeroTopicPeers?: boolean },
  ): Promise<PublishResult>
  readonly peers: ReadonlyMap<string, PeerId>
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>
  readonly streamsInbound: ReadonlyMap<
    string,
    { readonly source: FrameSource; readonly rawStream: Stream }
  >
  readonly score: RouterScore
  readonly allowedTopics: Set<string> | null
  readonly status: { readonly heartbeatTimeout?: NodeJS.Timeout }
  getMeshPeers(topic: string): string[]
  onPeerConnected(id: PeerId, connection: Connection): void
  pipePeerReadStream(id: PeerId, source: FrameSource): Promise<void>
  decodeRpc(bytes: Uint8Array): RPC
  /** False: the peer has no stream, or its stream takes no more. */
  sendRpc(id: string, rpc: RPC): boolean
  createOutboundStream(id: PeerId, connection: Connection): Promise<void>
}

/** `router[name]`, or the refusal to start on a router that does not have it. */
export function methodOf<
  Name extends 'decodeRpc' | 'pipePeerReadStream' | 'sendRpc' | 'createOutboundStream',
>(router: Router, name: Name): Router[Name] {
  const found: unknown = router[name]
  if (typeof found === 'function') return router[name]
  throw new CodedError(
    'p2p/router-patch-missing',
    `p2p/router-patch-missing: ${name} (gossipsub ${GOSSIPSUB_VERSION})`,
  )
}

/** The one cast from the published interface to the instance behind it. */
export function routerOf(pubsub: GossipSub): Router {
  return pubsub as Router
}
