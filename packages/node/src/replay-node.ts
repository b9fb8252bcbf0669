import {
  Bus,
  Diverged,
  type Edge,
  edgeKinds,
  RealClock,
  Replay,
  type ReplayOptions,
  type ReplayResult,
} from '@rockpool/actor'
import { genesisBlock } from '@rockpool/chain'
import {
  CodedError,
  type Crypto,
  fromHex,
  type NetworkPort,
  type PeerId,
  type TowerCrypto,
} from '@rockpool/protocol'
import { type BootRecord, createCast, declareCast, type Start } from './cast.ts'
import { createCounts, recordedCounters } from './counts.ts'
import type { NodeConfig } from './node.ts'
import type { FactListener } from './observer.actor.ts'
import { type CastPorts, recordedPorts, type TowerPorts } from './recorded-ports.ts'
import { topicsOf } from './topics.ts'
import { wiringOf } from './wiring.ts'

export interface ReplayParts {
  /** The edges from the first on; asked for twice. */
  readonly edges: () => Iterable<Edge>
  readonly seed: string
  /** Those of a watchtower are needed where the recorded node had one. */
  readonly crypto: Pick<Crypto, 'keccak256' | 'sha256'> & Partial<TowerCrypto>
  readonly options?: Pick<ReplayOptions, 'untilTurn' | 'untilMs' | 'breakAt' | 'onEdge'>
}

export interface NodeReplay {
  readonly result: ReplayResult
  readonly bus: Bus
  /** As the recording's own end has them. */
  readonly counters: Readonly<Record<string, number>>
}

/**
 * The node of a recording again, without its clock, disk, network and threads: their answers come from the recording, and whatever the
 * recording does not have is never answered. Throws `Diverged` when it goes another way.
 */
export async function replayNode(parts: ReplayParts): Promise<NodeReplay> {
  const { config, seal, self, director, tower } = bootOf(parts.edges())
  const { keccak256, sha256 } = parts.crypto
  const none = () => Promise.reject(new CodedError('record/no-io'))
  const nowhere: CastPorts = {
    store: () => ({ get: none, getMany: none, scan: none, batch: none }),
    crypto: { backend: 'noble', workers: 0, keccak256, sha256, recover: none },
    network: networkOf(self, none),
    seal: { address: seal, sign: none },
    ...(director && { director: { address: director, seal: none } }),
    ...(tower && { tower: towerOf(fromHex(tower), parts.crypto, config, none) }),
  }
  const replay = new Replay(parts.edges(), {
    ...parts.options,
    pipes: 'made',
    acts: {
      boot: () => cast.boot(),
      chain: () => cast.chain(),
      rooms: (start: Start) => cast.rooms(start),
    },
    onEdge: (edge, bus) => {
      parts.options?.onEdge?.(edge, bus)
      if (edge[0] === edgeKinds.end) compare(edge, recordedCounters(bus, totals.counts))
    },
  })
  const bus = new Bus({
    clock: new RealClock(),
    seed: parts.seed,
    edges: replay,
    wiring: wiringOf(tower !== undefined),
    onReady: () => {},
    onFatal: () => {},
  })
  const totals = createCounts()
  const genesisHash = genesisBlock(config.genesis, keccak256).header.hash
  const cast = createCast({
    bus,
    refs: declareCast(bus, tower !== undefined, config.tower?.bitcoin !== undefined),
    config,
    names: topicsOf(config.genesis, genesisHash, parts.crypto),
    genesisHash,
    ports: recordedPorts(nowhere, replay),
    wall: () => bus.wall(),
    listeners: new Set<FactListener>([totals.hear]),
    publish: () => {},
  })
  const result = await replay.run(bus)
  return { result, bus, counters: recordedCounters(bus, totals.counts) }
}

/** Its hashes are functions; whose a signature is and what it signed are in the recording. */
function towerOf(
  id: Uint8Array,
  crypto: ReplayParts['crypto'],
  config: NodeConfig,
  none: () => Promise<never>,
): TowerPorts {
  const { sha256, ripemd160, seal, open, isPublicKey } = crypto
  if (!ripemd160 || !seal || !open || !isPublicKey)
    throw new CodedError('record/unreadable', 'the recording is of a watchtower')
  const sign = () => {
    throw new CodedError('record/no-io')
  }
  return {
    key: { id, sign },
    crypto: { sha256, ripemd160, seal, open, isPublicKey, recoverKeys: none },
    ...(config.tower?.bitcoin && {
      bitcoin: {
        ...{ head: none, block: none, broadcast: none, txStatus: none, spender: none },
        mempoolFloor: none,
      },
    }),
  }
}

/** Takes what is set on it before a network starts, and knows nothing. */
function networkOf(self: PeerId, none: () => Promise<never>): NetworkPort {
  const nothing = () => {}
  const mute = {
    gate: nothing,
    reputation: nothing,
    forgive: nothing,
    listen: nothing,
    serve: nothing,
  }
  return {
    ...mute,
    self,
    addresses: () => [],
    start: none,
    stop: none,
    peers: () => [],
    publish: none,
    subscribe: nothing,
    unsubscribe: nothing,
    meshSize: () => 0,
    gossipScore: () => undefined,
    dial: none,
    disconnect: none,
    request: none,
    records: { of: none, open: none },
  }
}

function bootOf(edges: Iterable<Edge>): BootRecord {
  for (const [kind, , name, value] of edges) {
    if (kind === edgeKinds.act && name === 'boot') return value as BootRecord
  }
  throw new CodedError('record/unreadable', 'the recording does not say what node it is of')
}

function compare([, turn, , said]: Edge, replayed: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(said as Record<string, number>)) {
    if (replayed[name] !== count) {
      throw new Diverged(turn, turn, `${name} is ${count} in the recording, ${replayed[name]} here`)
    }
  }
}
