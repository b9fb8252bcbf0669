import { BlockList } from 'node:net'
import {
  createPeerScoreThresholds,
  createTopicScoreParams,
  type PeerScoreParams,
  type PeerScoreThresholds,
  type TopicScoreParams,
  validatePeerScoreParams,
  validatePeerScoreThresholds,
} from '@chainsafe/libp2p-gossipsub/score'
import { CodedError, type Topic } from '@rockpool/protocol'

/** How large the network is: up to 8 nodes, up to 50, or anyone's. Fixed at start. */
export type NetworkProfile = 'devnet' | 'small' | 'public'

/** Mesh degrees of gossipsub 1.1 and the heartbeats a message stays known, as the specification names them. */
export interface MeshOptions {
  readonly d: number
  readonly dlo: number
  readonly dhi: number
  readonly dscore: number
  readonly dout: number
  readonly dlazy: number
  readonly heartbeatMs: number
  readonly mcacheLength: number
  readonly mcacheGossip: number
}

interface Profile {
  readonly mesh: MeshOptions
  readonly floodPublish: boolean
  /** Inbound connections a second from one host; libp2p's 5 turns away nodes of a devnet that start together. */
  readonly inboundPerSecond: number
  readonly inboundPending: number
  /** P6, the penalty for many peers on one address. It empties every mesh when it counts loopback. */
  readonly colocation: { readonly weight: number; readonly threshold: number }
  readonly exempt: 'nobody' | 'private' | 'loopback'
  /** Longest that a goodbye keeps a static peer from being dialled again. */
  readonly coolDownMaxMs: number
  /** Wait before the second dial of a peer, doubled with each failure. */
  readonly backoffMinMs: number
  /** Longest wait between two dials of a peer that does not answer. */
  readonly backoffMaxMs: number
  /** Wait of the higher id of two nodes before its first dial, so that both do not dial at once. */
  readonly yieldMs: number
}

export const profiles: Readonly<Record<NetworkProfile, Profile>> = {
  devnet: {
    mesh: mesh(4, 2, 8, 2, 1, 4, 500, 12, 6),
    floodPublish: true,
    inboundPerSecond: 1_000,
    inboundPending: 100,
    colocation: { weight: 0, threshold: 8 },
    exempt: 'private',
    // A node that is started again is back with the others within a second.
    coolDownMaxMs: 1_000,
    // Nodes of a devnet start together: the first dial often finds nobody yet.
    backoffMinMs: 100,
    backoffMaxMs: 1_000,
    yieldMs: 500,
  },
  small: {
    mesh: mesh(6, 4, 10, 3, 2, 6, 700, 10, 5),
    floodPublish: false,
    inboundPerSecond: 50,
    inboundPending: 50,
    colocation: { weight: -10, threshold: 8 },
    exempt: 'private',
    coolDownMaxMs: 60_000,
    backoffMinMs: 1_000,
    backoffMaxMs: 60_000,
    yieldMs: 0,
  },
  public: {
    mesh: mesh(8, 6, 12, 4, 3, 6, 1_000, 6, 3),
    floodPublish: false,
    inboundPerSecond: 5,
    inboundPending: 10,
    colocation: { weight: -10, threshold: 4 },
    exempt: 'loopback',
    coolDownMaxMs: 60_000,
    backoffMinMs: 1_000,
    backoffMaxMs: 60_000,
    yieldMs: 0,
  },
}

function mesh(
  d: number,
  dlo: number,
  dhi: number,
  dscore: number,
  dout: number,
  dlazy: number,
  heartbeatMs: number,
  mcacheLength: number,
  mcacheGossip: number,
): MeshOptions {
  return { d, dlo, dhi, dscore, dout, dlazy, heartbeatMs, mcacheLength, mcacheGossip }
}

/** Refuses degrees that cannot work together with `config/bad-mesh`; the router itself would take them. */
export function checkMesh(options: MeshOptions): MeshOptions {
  const { d, dlo, dhi, dscore, dout, dlazy, heartbeatMs, mcacheLength, mcacheGossip } = options
  const numbers = [d, dlo, dhi, dscore, dout, dlazy, heartbeatMs, mcacheLength, mcacheGossip]
  const rules: readonly (readonly [boolean, string])[] = [
    [numbers.every(Number.isSafeInteger), 'every number must be whole'],
    [dout >= 1, 'dout must be at least 1'],
    [dout < dlo, 'dout must be below dlo'],
    [dlo <= d, 'dlo must not be above d'],
    [d <= dhi, 'd must not be above dhi'],
    [dhi <= 1_000, 'dhi must not be above 1000'],
    [2 * dout <= d, 'dout must not be above half of d'],
    [dscore >= 0 && dscore <= d, 'dscore must be between 0 and d'],
    [dlazy >= 0, 'dlazy must not be negative'],
    [heartbeatMs >= 100, 'heartbeat must be at least 100 ms'],
    [mcacheGossip >= 1 && mcacheGossip <= mcacheLength, 'mcacheGossip must be 1 to mcacheLength'],
  ]
  const broken = rules.find(([holds]) => !holds)
  if (broken !== undefined) throw new CodedError('config/bad-mesh', `config/bad-mesh: ${broken[1]}`)
  return options
}

/**
 * Scores of one topic, the same in every profile. P3 stays off: it punishes a peer for delivering less than an expected rate, and
 * nobody knows the rate of transactions. All times are milliseconds.
 */
export const topicScore: TopicScoreParams = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 5 / 300,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.5,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 20,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -10,
  invalidMessageDeliveriesDecay: 0.97,
})

export const thresholds: PeerScoreThresholds = createPeerScoreThresholds({
  gossipThreshold: -20,
  publishThreshold: -60,
  graylistThreshold: -150,
  acceptPXThreshold: 1_000,
  opportunisticGraftThreshold: 2,
})

/** Every topic must be listed: in one that is not, a rejected message costs its sender nothing. */
export function scoreParams(name: NetworkProfile, topics: readonly Topic[]): PeerScoreParams {
  const { colocation, exempt } = profiles[name]
  return {
    topics: Object.fromEntries(topics.map(topic => [topic, topicScore])),
    topicScoreCap: 20,
    appSpecificScore: () => 0,
    appSpecificWeight: 1,
    IPColocationFactorWeight: colocation.weight,
    IPColocationFactorThreshold: colocation.threshold,
    IPColocationFactorWhitelist: new ExemptAddresses(exempt),
    behaviourPenaltyWeight: -10,
    behaviourPenaltyThreshold: 5,
    behaviourPenaltyDecay: 0.96,
    decayInterval: 1_000,
    decayToZero: 0.01,
    retainScore: 3_600_000,
  }
}

/** The library's own checks, of which it runs only the first by itself; `config/bad-score` with its text. */
export function checkScores(params: PeerScoreParams, limits: PeerScoreThresholds): void {
  try {
    validatePeerScoreParams(params)
    validatePeerScoreThresholds(limits)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new CodedError('config/bad-score', `config/bad-score: ${text}`, { cause })
  }
}

const RANGES = {
  nobody: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  private: [
    '127.0.0.0/8',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '169.254.0.0/16',
    '100.64.0.0/10',
    '::1/128',
    'fc00::/7',
    'fe80::/10',
  ],
} as const

/** The router asks a Set of addresses whether it holds one; this one answers for ranges. */
class ExemptAddresses extends Set<string> {
  private readonly ranges = new BlockList()

  constructor(which: keyof typeof RANGES) {
    super()
    for (const range of RANGES[which]) {
      const [network = '', bits = ''] = range.split('/')
      this.ranges.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4')
    }
  }

  override has(ip: string): boolean {
    return this.ranges.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')
  }
}
