import type { ActorRef } from '@rockpool/actor'
import type {
  ChainOffer,
  Forks,
  GossipStats,
  Head,
  MonitorCredit,
  MonitorReport,
  NetworkPort,
  PeerId,
  PoolAdd,
  Recovery,
  SyncBody,
  Topic,
} from '@rockpool/protocol'

/** What the gossip actor is given. */
export interface GossipParts {
  readonly network: Pick<NetworkPort, 'publish' | 'request'>
  /** Name of the pool sync protocol, by which announced transactions are fetched. */
  readonly poolSync: string
  readonly pool: ActorRef<PoolAdd>
  readonly chain: ActorRef<ChainOffer>
  readonly sync: ActorRef<SyncBody>
  readonly monitor: Pick<ActorRef<MonitorReport | MonitorCredit>, 'tell'>
  /** Nothing this peer sends is looked at. */
  readonly isShut: (peer: PeerId) => boolean
  /** Why, when it is. */
  readonly shutBy?: (peer: PeerId) => 'peer/banned' | 'peer/quarantined' | undefined
  readonly recovery: Recovery
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** Subscribed by whoever starts the network. */
  readonly topics: { readonly tx: Topic; readonly block: Topic }
  readonly forks: Forks
  readonly chainId: bigint
  /** Smallest tip taken from strangers. Wei. */
  readonly minTip: bigint
  /** Where the chain stands when this actor starts. */
  readonly head: Head
  /** Time between blocks; 0: blocks come when there is something to put in. */
  readonly blockTimeMs: number
  /** Given the counts at every start, for whoever checks them from outside: they go on counting. */
  show?(stats: GossipStats): void
}
