import { rmSync } from 'node:fs'
import { createSigner } from '@rockpool/adapters/crypto'
import {
  createRpc,
  type Rpc,
  startOpsServer,
  startRpcServer,
  startTowerApi,
} from '@rockpool/adapters/http'
import { devAccounts, type Genesis } from '@rockpool/chain'
import { type Address, fromHex, toHex } from '@rockpool/protocol'
import { actorsOf } from './actors-of.ts'
import type { Cast } from './cast.ts'
import { chainOf } from './chain-of.ts'
import type { Closing } from './closing.ts'
import { type ControlMethod, startControl } from './control.ts'
import { schemaVersion, writeWhole } from './datadir.ts'
import type { Ground } from './ground.ts'
import type { Log } from './log.ts'
import { peersMethods } from './peers-methods.ts'
import { peersOf } from './peers-of.ts'
import { type NodeRecording, recordSeries } from './recording.ts'
import type { Effective } from './settings.ts'
import { siblingsOf } from './siblings.ts'
import { statusOf } from './status-of.ts'
import { towerOf } from './tower-of.ts'
import { version } from './version.ts'

export interface Opened {
  readonly rpc?: string
  readonly ops?: string
  /** What a client of the watchtower is given: `<tower_id>@<host>:<port>`. */
  readonly tower?: string
}

export interface Serving {
  readonly effective: Effective
  readonly ground: Ground
  readonly cast: Cast
  readonly log: Log
  readonly closing: Closing
  readonly startedAt: number
  stop(): void
}

/** Opens what serves clients, which comes last, and then says in `ports.json` where. */
export async function openListeners(serving: Serving): Promise<Opened> {
  const { effective, ground, cast, closing } = serving
  const rpc = makeRpc(serving)
  closing.add(() => rpc.close())
  const rpcServer = await openRpc(serving, rpc)
  const opsServer = await openOps(serving, rpc)
  const tower = await openTower(serving)
  await openControl(serving, rpc, tower)
  const file = effective.paths.ports
  writeWhole(
    file,
    `${JSON.stringify(
      {
        pid: process.pid,
        version,
        peerId: cast.network.self,
        p2p: cast.network.addresses(),
        ...(rpcServer && { rpc: rpcServer.url, ws: rpcServer.url.replace(/^http/, 'ws') }),
        ...(opsServer && { ops: opsServer.url }),
        ...(tower && { tower }),
        control: effective.paths.socket,
        chainId: ground.genesis.chainId,
        genesisHash: ground.genesisHash,
        forkDigest: cast.names.forkDigest,
        crypto: ground.crypto.describe(),
      },
      null,
      2,
    )}\n`,
  )
  closing.add(() => rmSync(file, { force: true }))
  return {
    ...(rpcServer && { rpc: rpcServer.url }),
    ...(opsServer && { ops: opsServer.url }),
    ...(tower && { tower }),
  }
}

function makeRpc({ effective: { read }, ground, cast: { node, network }, log }: Serving): Rpc {
  return createRpc({
    bus: node.bus,
    refs: node.refs,
    chainId: ground.genesis.chainId,
    genesisHash: ground.genesisHash,
    forks: ground.genesis.forks,
    signer: createSigner(
      [...unlockedKeys(ground.genesis), ...ground.accounts.unlocked],
      ground.accounts.known,
    ),
    keccak256: ground.crypto.keccak256,
    observe: node.observe,
    peerCount: () => network.peers().length,
    listening: () => true,
    version,
    devnetControl: read.flag('devnet.control'),
    ...(network.faults !== undefined && { links: network.faults }),
    others: siblingsOf(read.list('devnet.siblings')),
    allowUnprotected: read.flag('rpc.allow-unprotected-txs'),
    txFeeCapWei: read.wei('rpc.txfeecap'),
    syncWaitMs: {
      standard: read.number('rpc.txsync.defaulttimeout'),
      max: read.number('rpc.txsync.maxtimeout'),
    },
    log: log.room,
    draining: () => node.health().state === 'draining',
    health: () => node.health(),
    batchMax: read.number('rpc.batch-request-limit'),
    responseBytesMax: read.number('rpc.batch-response-max-size'),
  })
}

async function openRpc({ effective: { read }, closing }: Serving, rpc: Rpc) {
  if (!read.flag('rpc.enabled')) return undefined
  const server = await startRpcServer({
    rpc,
    ip: read.text('rpc.ip'),
    port: read.number('rpc.port'),
    vhosts: read.list('rpc.vhosts'),
    cors: read.list('rpc.corsdomain'),
    bodyBytesMax: read.number('rpc.body-limit'),
  })
  closing.add(() => server.close())
  return server
}

async function openOps(
  { effective, ground, cast: { node, network, recording }, log, closing }: Serving,
  rpc: Rpc,
) {
  const { read } = effective
  if (!read.flag('ops.enabled')) return undefined
  const build = {
    version,
    node: process.version,
    crypto: ground.crypto.describe(),
    config: effective.digest,
    schema: String(schemaVersion),
  }
  const server = await startOpsServer({
    ip: read.text('ops.ip'),
    port: read.number('ops.port'),
    vhosts: read.list('rpc.vhosts'),
    health: () => node.health(),
    series: () => [
      ...node.series(build),
      ...recordSeries(recording),
      ...rpc.series(),
      ...network.metrics(),
    ],
    onBug: error => log.line('error', 'ops/bug', { error }),
  })
  closing.add(() => server.close())
  return server
}

/** The watchtower's public door. */
async function openTower({ effective: { read }, ground, cast, log, closing }: Serving) {
  const { tower } = cast.node.refs
  if (tower === undefined || ground.towerKey === undefined) return undefined
  const server = await startTowerApi({
    bus: cast.node.bus,
    watcher: tower.watcher,
    ip: read.text('tower.api_bind'),
    port: read.number('tower.api_port'),
    bodyBytesMax: read.number('tower.max-body'),
    onBug: error => log.line('error', 'tower/bug', { error }),
  })
  closing.add(() => server.close())
  const host = server.url.replace('http://', '')
  return `${toHex(ground.towerKey.id).slice(2)}@${host}`
}

async function openControl(serving: Serving, rpc: Rpc, at: string | undefined): Promise<void> {
  const { effective, ground, cast, closing, startedAt, stop } = serving
  const facts = {
    effective,
    crypto: ground.crypto.describe(),
    genesisHash: ground.genesisHash,
    startedAt,
  }
  const chain = chainOf(cast.node)
  const { bus, refs } = cast.node
  const topics = [cast.names.tx, cast.names.block]
  const peers = peersOf({ bus, refs, network: cast.network }, cast.wall, topics)
  const actors = actorsOf(cast.node, cast.wall)
  const tower = towerOf(cast.node, at)
  const control = await startControl({
    socket: effective.paths.socket,
    methods: new Map<string, ControlMethod>([
      ['node_status', () => statusOf(cast, facts)],
      ['node_health', () => cast.node.health()],
      ['chain_head', () => chain.head()],
      ['chain_block', ([id]) => chain.block(id)],
      ['chain_reorgs', () => chain.reorgs()],
      ...peersMethods(peers),
      ['actors_list', () => actors.list()],
      ['actors_trace', ([id]) => actors.trace(id)],
      ['deadletters_list', () => actors.letters()],
      ['deadletters_show', ([number]) => actors.letter(number)],
      ['tower_info', () => tower.info()],
      ['tower_users', () => tower.users()],
      ['tower_user', ([id]) => tower.user(id)],
      ['tower_appointments', ([locator]) => tower.appointments(locator)],
      ['tower_addAppointment', ([given, sig, end]) => tower.add(given, sig, end)],
      ['tower_explain', ([subject]) => tower.explain(subject)],
      ['tower_breaches', () => tower.breaches()],
      ['tower_trackers', () => tower.trackers()],
      ['tower_deferred', () => tower.deferred()],
      ...recordMethods(cast.recording),
      [
        'node_stop',
        () => {
          setImmediate(stop)
          return { pid: process.pid }
        },
      ],
    ]),
    forward: async body => {
      const { body: text = '' } = await rpc.admin.answer(body, {})
      return typeof text === 'string' ? text : [...text.pieces].join('')
    },
  })
  closing.add(() => control.close())
}

/** What can be done to a recording while the node runs. */
function recordMethods(recording: NodeRecording | undefined): [string, ControlMethod][] {
  const none =
    'a recording that can be replayed begins at boot: start the node with --record.enabled'
  return [
    [
      'record_start',
      () => (recording === undefined ? none : { began: 'at boot', ...recording.status() }),
    ],
    ['record_stop', () => recording?.stop() ?? none],
    ['record_mark', ([text]) => recording?.mark(String(text)) ?? none],
  ]
}

/** The well-known keys are unlocked only where the genesis funds them: on the preset and on devnets. */
function unlockedKeys(genesis: Genesis): Uint8Array[] {
  return devAccounts
    .filter(account => genesis.alloc.has(account.address as Address))
    .map(account => fromHex(account.privateKey))
}
