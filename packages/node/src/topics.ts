import type { Genesis } from '@rockpool/chain'
import {
  type Crypto,
  type Forks,
  forkDigest,
  type Hash,
  protocolName,
  type Topic,
  topicName,
} from '@rockpool/protocol'

/** What this network is called on the wire. */
export interface NetworkNames {
  readonly forkDigest: string
  readonly tx: Topic
  readonly block: Topic
  /** Range protocol of the dev chain. */
  readonly blocks: string
  readonly poolSync: string
  /** Peer exchange. */
  readonly peers: string
  /** What every protocol name of this chain begins with. */
  readonly prefix: string
}

/** In the order in which they came to Ethereum. */
const blockForks = [
  'homesteadBlock',
  'eip155Block',
  'istanbulBlock',
  'berlinBlock',
  'londonBlock',
] as const
const timeForks = [
  'shanghaiTime',
  'cancunTime',
  'pragueTime',
  'osakaTime',
  'amsterdamTime',
] as const

/** Topics and protocols of a genesis, under the forks that are active from its first block. */
export function topicsOf(
  genesis: Genesis,
  genesisHash: Hash,
  crypto: Pick<Crypto, 'sha256'>,
): NetworkNames {
  const digest = forkDigest(
    crypto.sha256,
    genesisHash,
    activations(genesis.forks, genesis.timeSeconds),
  )
  return {
    forkDigest: digest,
    tx: topicName(genesis.chainId, digest, 'tx'),
    block: topicName(genesis.chainId, digest, 'block'),
    blocks: protocolName(genesis.chainId, digest, 'blocks'),
    poolSync: protocolName(genesis.chainId, digest, 'pool-sync'),
    peers: protocolName(genesis.chainId, digest, 'peers'),
    prefix: `/rockpool/${genesis.chainId}/`,
  }
}

function activations(forks: Forks, timeSeconds: number): number[] {
  const blocks = blockForks.map(name => (forks[name] === undefined ? 0 : forks[name]))
  const times = timeForks.map(name => forks[name] ?? null)
  return [
    ...blocks.filter(block => block === 0),
    ...times.filter(time => time !== null && time <= timeSeconds),
  ].map(Number)
}
