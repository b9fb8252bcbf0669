import { mix, mixText, type PortEdges } from '@rockpool/actor'
import type { BlockSigner } from '@rockpool/chain'
import type {
  Crypto,
  NetworkPort,
  Store,
  TowerCrypto,
  TowerKey,
  UtxoBackend,
} from '@rockpool/protocol'
import type { NodePorts } from './node.ts'

/** What the actors reach of the outside. Everything else of the ports is for whoever puts the node together. */
export interface CastPorts {
  store(room: string): Store
  readonly crypto: Pick<Crypto, 'keccak256' | 'sha256' | 'recover' | 'backend' | 'workers'>
  readonly network: NetworkPort
  readonly seal: NodePorts['seal']
  readonly director?: BlockSigner
  readonly tower?: TowerPorts
}

/** What a watchtower needs besides: its key, and the hashes and ciphers of its clients. */
export interface TowerPorts {
  readonly crypto: TowerCrypto
  readonly key: TowerKey
  /** Where it watches bitcoin: the node it asks. */
  readonly bitcoin?: UtxoBackend
}

/**
 * The same ports with every answer written down, or played back. Calls are told apart by what they ask, not by their order: work that goes on
 * between two turns may come in another order again. Hashes are functions and stay as they are.
 */
export function recordedPorts(ports: CastPorts, edges: PortEdges): CastPorts {
  const { network, crypto, seal, director, tower } = ports
  const { records } = network
  return {
    store: room => recordedStore(ports.store(room), room, edges),
    crypto: {
      backend: crypto.backend,
      workers: crypto.workers,
      keccak256: crypto.keccak256.bind(crypto),
      sha256: crypto.sha256.bind(crypto),
      recover(batch) {
        let signature = mix(mixText(0, 'recover'), batch.length)
        for (const { digest, r } of batch) signature = mixBytes(mixBytes(signature, digest), r)
        return edges.port(signature, () => crypto.recover(batch))
      },
    },
    network: Object.assign(Object.create(network) as NetworkPort, {
      publish: (topic, bytes) =>
        edges.port(mixBytes(mixText(0, `publish ${topic}`), bytes), () =>
          network.publish(topic, bytes),
        ),
      request: (id, protocol, bytes, bounds) =>
        edges.port(mixBytes(mixText(0, `request ${id} ${protocol}`), bytes), () =>
          network.request(id, protocol, bytes, bounds),
        ),
      disconnect: (id, bye) =>
        edges.port(mixText(0, `disconnect ${id}`), () => network.disconnect(id, bye)),
      dial: (addr, deadlineMs) =>
        edges.port(mixText(0, `dial ${addr}`), () => network.dial(addr, deadlineMs)),
      gossipScore: id => edges.read(() => network.gossipScore(id)),
      ...(records && {
        records: {
          of: id => edges.port(mixText(0, `record ${id}`), () => records.of(id)),
          open: record =>
            edges.port(mixBytes(mixText(0, 'open'), record), () => records.open(record)),
        },
      }),
    } satisfies Partial<NetworkPort>),
    seal: {
      address: seal.address,
      sign: digest => edges.port(mixBytes(mixText(0, 'seal'), digest), () => seal.sign(digest)),
    },
    ...(director && {
      director: {
        address: director.address,
        seal: (digest: Uint8Array) =>
          edges.port(mixBytes(mixText(0, 'direct'), digest), () => director.seal(digest)),
      },
    }),
    ...(tower && { tower: recordedTower(tower, edges) }),
  }
}

function recordedTower({ crypto, key, bitcoin }: TowerPorts, edges: PortEdges): TowerPorts {
  return {
    ...(bitcoin && { bitcoin: recordedBitcoin(bitcoin, edges) }),
    key: { id: key.id, sign: digest => edges.read(() => key.sign(digest)) },
    crypto: {
      ...crypto,
      recoverKeys(batch) {
        let signature = mix(mixText(0, 'recoverKeys'), batch.length)
        for (const { digest, r } of batch) signature = mixBytes(mixBytes(signature, digest), r)
        return edges.port(signature, () => crypto.recoverKeys(batch))
      },
    },
  }
}

function recordedBitcoin(bitcoin: UtxoBackend, edges: PortEdges): UtxoBackend {
  return {
    head: () => edges.port(mixText(0, 'bitcoin head'), () => bitcoin.head()),
    block: height => edges.port(mixText(0, `bitcoin block ${height}`), () => bitcoin.block(height)),
    broadcast: raw =>
      edges.port(mixBytes(mixText(0, 'bitcoin broadcast'), raw), () => bitcoin.broadcast(raw)),
    txStatus: txid =>
      edges.port(mixBytes(mixText(0, 'bitcoin status'), txid), () => bitcoin.txStatus(txid)),
    spender: outpoint =>
      edges.port(mixBytes(mixText(0, `bitcoin spender ${outpoint.index}`), outpoint.txid), () =>
        bitcoin.spender(outpoint),
      ),
    mempoolFloor: () => edges.port(mixText(0, 'bitcoin floor'), () => bitcoin.mempoolFloor()),
  }
}

function recordedStore(store: Store, room: string, edges: PortEdges): Store {
  const named = (method: string) => mixText(0, `${method} ${room}`)
  return {
    get: key => edges.port(mixBytes(named('get'), key), () => store.get(key)),
    getMany: keys =>
      edges.port(keys.reduce(mixBytes, mix(named('getMany'), keys.length)), () =>
        store.getMany(keys),
      ),
    scan: range => {
      const { gte, lt, reverse = false, limit = -1 } = range
      let signature = mix(mix(named('scan'), limit), reverse ? 1 : 0)
      for (const bound of [gte, lt]) if (bound !== undefined) signature = mixBytes(signature, bound)
      return edges.port(signature, () => store.scan(range))
    },
    batch: (writes, options) => {
      let signature = mix(named('batch'), writes.length)
      const [first] = writes
      if (first !== undefined) signature = mixBytes(signature, first.key)
      return edges.port(signature, () => store.batch(writes, options))
    },
  }
}

/** The first 40 bytes and the length tell frames and digests apart well enough. */
function mixBytes(hash: number, bytes: Uint8Array): number {
  let mixed = mix(hash, bytes.length)
  const end = Math.min(bytes.length, 40)
  for (let at = 0; at < end; at++) mixed = mix(mixed, bytes[at] as number)
  return mixed
}
