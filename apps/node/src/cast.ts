import { randomBytes } from 'node:crypto'
import { RealClock } from '@rockpool/actor'
import { signDigest } from '@rockpool/adapters/crypto'
import { createNetwork, type Libp2pNetwork } from '@rockpool/adapters/libp2p'
import { createNode, type NetworkNames, type Node, type NodeConfig, topicsOf } from '@rockpool/node'
import { type Compat, sanitizePoolConfig } from '@rockpool/pool'
import { type Address, CodedError, toHex } from '@rockpool/protocol'
import { bitcoinSettings, openBitcoin, watchesBitcoin } from './bitcoin.ts'
import type { Reader } from './config.ts'
import type { Ground } from './ground.ts'
import type { Log } from './log.ts'
import { beginRecording, type NodeRecording } from './recording.ts'
import type { Effective } from './settings.ts'
import { skewed } from './skewed-clock.ts'
import { version } from './version.ts'

export interface Cast {
  readonly node: Node
  readonly network: Libp2pNetwork
  readonly names: NetworkNames
  /** Epoch ms as the node sees it. */
  readonly wall: () => number
  /** Absent where nothing is recorded. */
  readonly recording: NodeRecording | undefined
  /** Ends what it asks of other programs. */
  close(): void
}

/** Puts the node together over the real ports. Nothing runs or listens until `node.start()`. */
export async function assemble(
  effective: Effective,
  ground: Ground,
  log: Log,
  fatal: (error: unknown) => void,
): Promise<Cast> {
  const { read } = effective
  const { crypto, genesis, database, producer, producerKey, director } = ground
  const names = topicsOf(genesis, ground.genesisHash, crypto)
  const clock = skewed(new RealClock(), {
    offsetMs: read.number('devnet.clock-offset'),
    driftPpm: read.number('devnet.clock-drift-ppm'),
  })
  const network = await createNetwork({
    privateKey: ground.p2pKey,
    listen: [`/ip4/${read.text('p2p.listen.ip')}/tcp/${read.number('p2p.listen.tcp')}`],
    ...advertised(read),
    profile: read.text('p2p.profile') as 'devnet' | 'small' | 'public',
    topics: [names.tx, names.block],
    static: read.list('p2p.static'),
    bootnodes: read.list('p2p.bootnodes'),
    peersWanted: read.number('p2p.peers.lo'),
    agent: `rockpool/${version}`,
    clock,
    log: log.room,
    faults: read.flag('devnet.faults'),
  })
  const pool = sanitizePoolConfig(poolSettings(read))
  for (const warning of pool.warnings) log.line('warn', 'pool/sanitized', { warning })
  const seed = toHex(randomBytes(16))
  const bitcoin = await openBitcoin(read, log)
  const recording = await beginRecording(effective, seed, genesis.chainId, log)
  const node = await createNode(
    {
      clock,
      seed,
      ...(recording && { recorder: recording.recorder }),
      entropy: { bytes: count => randomBytes(count) },
      store: room => database.room(room),
      crypto,
      network,
      seal: { address: producer, sign: async digest => signDigest(digest, producerKey) },
      ...(director && {
        director: {
          address: director.address,
          seal: async (digest: Uint8Array) => signDigest(digest, director.key),
        },
      }),
      ...(ground.towerKey && {
        tower: { crypto, key: ground.towerKey, ...(bitcoin && { bitcoin: bitcoin.backend }) },
      }),
      // A line of the bus about an actor names it itself: it was written in no turn.
      log: (level, code, fields, place) => log.line(level, code, { ...place, ...fields }),
      fatal,
    },
    nodeConfig(read, genesis, pool.config),
  )
  if (crypto.fallbackReason !== undefined)
    node.raise({
      code: 'crypto-fallback',
      services: [],
      text: `native signature recovery is missing: ${crypto.fallbackReason}`,
    })
  const deaf = bitcoin?.listen(() => node.refs.tower?.backend?.tell({ type: 'backend.poll' }))
  return {
    ...{ node, network, names, recording, wall: () => clock.wall() },
    close() {
      deaf?.()
      bitcoin?.backend.close()
    },
  }
}

function advertised(read: Reader): { advertise?: string[] } {
  if (!read.has('p2p.advertise.ip')) return {}
  const port = read.number(read.has('p2p.advertise.tcp') ? 'p2p.advertise.tcp' : 'p2p.listen.tcp')
  return { advertise: [`/ip4/${read.text('p2p.advertise.ip')}/tcp/${port}`] }
}

function poolSettings(read: Reader) {
  return {
    priceLimit: read.wei('txpool.pricelimit'),
    priceBump: read.number('txpool.pricebump'),
    accountSlots: read.number('txpool.accountslots'),
    globalSlots: read.number('txpool.globalslots'),
    accountQueue: read.number('txpool.accountqueue'),
    globalQueue: read.number('txpool.globalqueue'),
    lifetimeMs: read.number('txpool.lifetime'),
    pendingLifetimeMs: read.number('txpool.pending-lifetime'),
    compat: read.text('txpool.compat') as Compat,
    delegatedSlots: read.number('txpool.delegated-slots'),
    strictBalance: read.flag('txpool.strict-balance'),
    turnMax: read.number('txpool.turn-max'),
    intakeQueue: read.number('txpool.intake-queue'),
    locals: read.list('txpool.locals') as readonly Address[],
    noLocals: read.flag('txpool.nolocals'),
    journal: read.flag('txpool.journal'),
    persist: read.text('txpool.persist') as 'all' | 'local' | 'none',
    rejournalMs: read.number('txpool.rejournal'),
    journalSync: read.text('txpool.journal-sync') as 'local' | 'all' | 'none',
    localLifetimeMs: read.number('txpool.local-lifetime'),
    republishMs: read.number('txpool.republish'),
    privateReinject: read.flag('txpool.private-reinject'),
    stories: read.number('txpool.stories'),
  }
}

type TowerConfig = NonNullable<NodeConfig['tower']>

const addsBurst = 50
const readsBurst = 10

function towerSettings(read: Reader): TowerConfig {
  const rate = (key: string, burst: number) => {
    const perSecond = read.number(key)
    return { perSecond, burst: perSecond * burst }
  }
  return {
    registration: read.text('tower.registration') as TowerConfig['registration'],
    allowed: read.list('tower.registration-allow').map(key => key.toLowerCase()),
    maxUsers: read.number('tower.max-users'),
    maxAppointments: read.number('tower.max_appointments'),
    maxAppointmentsPerUser: read.number('tower.max-appointments-per-user'),
    subscriptionSlots: read.number('tower.subscription_slots'),
    subscriptionDuration: read.number('tower.subscription_duration'),
    maxSubscriptionBlocks: read.number('tower.max-subscription-blocks'),
    expiryDelta: read.number('tower.expiry_delta'),
    minToSelfDelay: read.number('tower.min_to_self_delay'),
    registerPerAddress: read.number('tower.register-per-address'),
    addsPerUser: rate('tower.adds-per-user', addsBurst),
    readsPerUser: rate('tower.reads-per-user', readsBurst),
    locatorCacheBlocks: read.number('tower.locator-cache-blocks'),
    txIndexBlocks: read.number('tower.tx-index-blocks'),
    rebroadcastDispute: read.flag('tower.rebroadcast-dispute'),
    forceUpdate: read.flag('tower.force_update'),
    ...(watchesBitcoin(read) && { bitcoin: bitcoinSettings(read) }),
  }
}
/** Peers that no ban of the monitor takes away, by the size of the network. */
const minPeersOf: Readonly<Record<string, number>> = { devnet: 1, small: 3, public: 6 }

/** Peers wanted, kept and taken: refused when they cannot be in that order. */
function peerTargets(read: Reader) {
  const lo = read.number('p2p.peers.lo')
  const hi = read.number('p2p.peers.hi')
  const max = read.number('p2p.peers.max')
  if (lo <= hi && hi <= max) return { lo, hi, max }
  throw new CodedError(
    'config/bad-peer-targets',
    `config/bad-peer-targets: p2p.peers.lo ${lo}, .hi ${hi} and .max ${max} must rise`,
  )
}

function peerSettings(read: Reader): NonNullable<NodeConfig['peers']> {
  const profile = read.text('p2p.profile')
  const perTick = read.text('p2p.monitor.budget-per-tick')
  return {
    static: read.list('p2p.static'),
    bootnodes: read.list('p2p.bootnodes'),
    persist: read.text('p2p.ban.persistence') === 'disk',
    connections: {
      profile: read.text('p2p.profile') as 'devnet' | 'small' | 'public',
      ...peerTargets(read),
      graceMs: read.number('p2p.peers.grace'),
      isBootnode: read.flag('p2p.bootnode'),
    },
    policy: {
      bans: read.flag('p2p.ban.peers'),
      threshold: read.number('p2p.ban.threshold'),
      banMs: read.number('p2p.ban.duration'),
      perTick: perTick === 'auto' ? perTick : Number(perTick),
      ipThreshold: profile === 'devnet' ? 0 : read.number('p2p.ban.ip-threshold'),
      sparesPrivate: profile !== 'public',
      budget: read.number('p2p.ban.budget'),
      minPeers: read.has('p2p.ban.min-peers')
        ? read.number('p2p.ban.min-peers')
        : (minPeersOf[profile] ?? 1),
      guard: {
        disabled: read.flag('p2p.guard.disable'),
        lagMs: read.number('p2p.guard.lag'),
        share: read.number('p2p.guard.share'),
        jumpMs: read.number('p2p.guard.jump'),
      },
    },
  }
}

function nodeConfig(
  read: Reader,
  genesis: NodeConfig['genesis'],
  pool: NodeConfig['pool'],
): NodeConfig {
  return {
    version,
    genesis,
    pool,
    services: read.flag('rpc.enabled') ? ['rpc', 'p2p'] : ['p2p'],
    expectsPeers: read.list('p2p.static').length + read.list('p2p.bootnodes').length > 0,
    peers: peerSettings(read),
    poolSync: {
      asks: !read.flag('p2p.sync.disable'),
      intervalMs: read.number('p2p.sync.interval'),
    },
    ...(read.flag('tower.enabled') && { tower: towerSettings(read) }),
    ...(read.has('chain.mining') && {
      mining: read.text('chain.mining') as 'interval' | 'on-demand' | 'manual',
    }),
  }
}
