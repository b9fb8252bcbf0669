import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { RealClock } from '@rockpool/actor'
import {
  addressOfKey,
  createCrypto,
  createSigner,
  loadOrCreateKey,
  signDigest,
} from '@rockpool/adapters/crypto'
import { createRpc, startOpsServer, startRpcServer } from '@rockpool/adapters/http'
import { openDatabase } from '@rockpool/adapters/level'
import { createNetwork, loadOrCreateP2pKey } from '@rockpool/adapters/libp2p'
import { devAccounts, type Genesis, genesisBlock } from '@rockpool/chain'
import { createNode, type Node, type NodeConfig, topicsOf } from '@rockpool/node'
import { sanitizePoolConfig } from '@rockpool/pool'
import { type Address, fromHex, toHex } from '@rockpool/protocol'
import { banner } from './banner.ts'
import { startControl } from './control.ts'
import { writeCrash } from './crash.ts'
import {
  checkVersion,
  type Paths,
  prepareDatadir,
  readVersion,
  schemaVersion,
  writeVersion,
  writeWhole,
} from './datadir.ts'
import { exit } from './exit.ts'
import { genesisOf } from './genesis.ts'
import { createLog, type Level, type Log } from './log.ts'
import { asRefusal, requireFreePorts, requireKey } from './refusals.ts'
import { type Effective, effectiveSettings } from './settings.ts'
import { createStatusLine } from './status-line.ts'
import { statusOf, statusText } from './status-of.ts'
import { stopSignals } from './stop-signals.ts'
import { version } from './version.ts'

/** `rockpool run`: opens everything in order, serves until asked to stop, closes in reverse. Resolves to the exit code. */
export async function run(flags: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  const effective = effectiveSettings(flags)
  const { read, paths, config } = effective
  const log = createLog({
    level: read.text('log.level') as Level,
    format: read.text('log.format') as 'auto' | 'json' | 'pretty',
    ...(read.has('log.file') && { file: read.text('log.file') }),
  })
  for (const warning of config.warnings) log.line('warn', 'config/unknown-variable', { warning })
  const closers: (() => Promise<void> | void)[] = [() => log.flush()]
  try {
    return await serve(effective, log, closers, startedAt)
  } catch (error) {
    throw asRefusal(error, paths, read)
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function serve(
  effective: Effective,
  log: Log,
  closers: (() => Promise<void> | void)[],
  startedAt: number,
): Promise<number> {
  const { read, paths } = effective
  prepareDatadir(paths)
  requireKey(paths, read)
  const p2pKey = await loadOrCreateP2pKey(paths.p2pKey)
  const producerKey = (await loadOrCreateKey(paths.producerKey)).key
  const producer = addressOfKey(producerKey)
  const crypto = await createCrypto({
    ...(read.has('crypto.workers') && { workers: read.number('crypto.workers') }),
    log: { warn: (code, fields) => log.line('warn', code, fields) },
  })
  closers.push(() => crypto.close())

  const genesis = genesisOf(read, producer)
  const genesisHash = genesisBlock(genesis, crypto.keccak256).header.hash
  const identity = { network: read.text('network'), chainId: genesis.chainId, genesis: genesisHash }
  const known = readVersion(paths)
  if (known) checkVersion(known, identity)
  await requireFreePorts(read)
  const database = await openDatabase(paths.db)
  closers.push(() => database.close())
  const record = {
    schema: schemaVersion,
    ...identity,
    created: known?.created ?? new Date().toISOString(),
  }
  writeVersion(paths, { ...record, lastRun: { version, cleanStop: false } })

  const topics = topicsOf(genesis, genesisHash, crypto)
  const clock = new RealClock()
  const network = await createNetwork({
    privateKey: p2pKey,
    listen: [`/ip4/${read.text('p2p.listen.ip')}/tcp/${read.number('p2p.listen.tcp')}`],
    ...advertised(read),
    profile: read.text('p2p.profile') as 'devnet' | 'small' | 'public',
    topics: [topics.tx, topics.block],
    static: read.list('p2p.static'),
    bootnodes: read.list('p2p.bootnodes'),
    agent: `rockpool/${version}`,
    clock,
    log: {
      debug: (code, fields) => log.line('debug', code, fields),
      info: (code, fields) => log.line('info', code, fields),
      warn: (code, fields) => log.line('warn', code, fields),
    },
  })

  let crash: (error: unknown) => void = () => {}
  const pool = sanitizePoolConfig(poolSettings(read))
  for (const warning of pool.warnings) log.line('warn', 'pool/sanitized', { warning })
  const node = await createNode(
    {
      clock,
      seed: toHex(randomBytes(16)),
      entropy: { bytes: count => randomBytes(count) },
      store: room => database.room(room),
      crypto,
      network,
      seal: { address: producer, sign: async digest => signDigest(digest, producerKey) },
      log: (level, code, fields, place) => log.line(level, code, { ...fields, ...place }),
      fatal: error => crash(error),
    },
    nodeConfig(effective, genesis, pool.config),
  )
  closers.push(async () => {
    await node.stop(read.number('shutdown.deadline'))
  })
  const signals = stopSignals(read.flag('devnet.lifeline'))
  closers.push(signals.close)
  crash = error => {
    log.line('error', 'node/crash', { error })
    writeCrash(paths, effective.digest, error, node)
    signals.crash()
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  if (crypto.fallbackReason !== undefined)
    node.raise({
      code: 'crypto-fallback',
      services: [],
      text: `native signature recovery is missing: ${crypto.fallbackReason}`,
    })

  await node.start()
  const rpc = createRpc({
    bus: node.bus,
    refs: node.refs,
    chainId: genesis.chainId,
    genesisHash,
    forks: genesis.forks,
    signer: createSigner(unlockedKeys(genesis)),
    keccak256: crypto.keccak256,
    observe: node.observe,
    peerCount: () => network.peers().length,
    listening: () => true,
    version,
    devnetControl: read.flag('devnet.control'),
    allowUnprotected: read.flag('rpc.allow-unprotected-txs'),
    txFeeCapWei: read.wei('rpc.txfeecap'),
    log: roomLog(log),
    draining: () => node.health().state === 'draining',
    health: () => node.health(),
    batchMax: read.number('rpc.batch-request-limit'),
    responseBytesMax: read.number('rpc.batch-response-max-size'),
  })
  closers.push(() => rpc.close())
  const rpcServer = read.flag('rpc.enabled')
    ? await startRpcServer({
        rpc,
        ip: read.text('rpc.ip'),
        port: read.number('rpc.port'),
        vhosts: read.list('rpc.vhosts'),
        cors: read.list('rpc.corsdomain'),
        bodyBytesMax: read.number('rpc.body-limit'),
      })
    : undefined
  if (rpcServer) closers.push(() => rpcServer.close())
  const opsServer = read.flag('ops.enabled')
    ? await startOpsServer({
        ip: read.text('ops.ip'),
        port: read.number('ops.port'),
        vhosts: read.list('rpc.vhosts'),
        health: () => node.health(),
        series: () => [
          ...node.series(buildLabels(effective, crypto.describe())),
          ...rpc.series(),
          ...network.metrics(),
        ],
        onBug: error => log.line('error', 'ops/bug', { error }),
      })
    : undefined
  if (opsServer) closers.push(() => opsServer.close())

  const facts = { effective, crypto: crypto.describe(), genesisHash, startedAt }
  const control = await startControl({
    socket: paths.socket,
    methods: new Map<string, () => unknown>([
      ['node_status', () => statusOf(node, facts)],
      ['node_health', () => node.health()],
      [
        'node_stop',
        () => {
          setImmediate(signals.ask)
          return { pid: process.pid }
        },
      ],
    ]),
    forward: async body => {
      const answer = await rpc.dispatcher.answer(body, {})
      const text = answer.body ?? ''
      return typeof text === 'string' ? text : [...text.pieces].join('')
    },
  })
  closers.push(() => control.close())

  node.open()
  const p2p = network.addresses()
  writeWhole(
    paths.ports,
    `${JSON.stringify(
      {
        pid: process.pid,
        version,
        peerId: network.self,
        p2p,
        ...(rpcServer && { rpc: rpcServer.url, ws: rpcServer.url.replace(/^http/, 'ws') }),
        ...(opsServer && { ops: opsServer.url }),
        control: paths.socket,
        chainId: genesis.chainId,
        genesisHash,
        forkDigest: topics.forkDigest,
        crypto: crypto.describe(),
      },
      null,
      2,
    )}\n`,
  )
  closers.push(() => rmSync(paths.ports, { force: true }))
  const head = await node.status()
  const text = banner({
    version,
    network: read.text('network'),
    chainId: genesis.chainId,
    digest: effective.digest,
    peerId: network.self,
    p2p: p2p[0] ?? 'not listening',
    ...(rpcServer && { rpc: rpcServer.url }),
    ...(opsServer && { ops: opsServer.url }),
    crypto: `${crypto.describe()}, hash-wasm`,
    datadir: paths.root,
    head: head.chain.head.number,
    readyMs: performance.now() - startedAt,
    notes:
      crypto.fallbackReason === undefined
        ? []
        : ['slow signatures: npm rebuild secp256k1 --ignore-scripts=false'],
  })
  process.stdout.write(text)
  log.line('info', 'node/banner', {
    version,
    peerId: network.self,
    p2p: p2p[0],
    rpc: rpcServer?.url,
    ops: opsServer?.url,
  })

  const line = createStatusLine(process.stdout, () => statusText(node))
  const why = await signals.asked
  line.stop()
  return drain(node, effective, why, () => {
    writeVersion(paths, { ...record, lastRun: { version, cleanStop: true } })
  })
}

async function drain(
  node: Node,
  { read }: Effective,
  why: 'asked' | 'crashed',
  clean: () => void,
): Promise<number> {
  const deadlineMs = why === 'crashed' ? 5_000 : read.number('shutdown.deadline')
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`
  console.log(`draining (deadline ${deadlineMs / 1_000} s)`)
  const result = await node.stop(deadlineMs, (phase, text) =>
    console.log(`  ${phase.padEnd(9)} ${text.padEnd(46)} ${seconds()}`),
  )
  const left = Object.entries(result.byType).map(([type, count]) => `${count} ${type}`)
  const behind = left.length === 0 ? 'nothing' : left.join(', ')
  if (why === 'crashed') return exit.internal
  if (!result.drained) {
    console.log(`deadline missed after ${seconds()}; left behind: ${behind}`)
    return exit.drainLate
  }
  clean()
  console.log(`stopped cleanly in ${seconds()}; left behind: ${behind}`)
  return exit.done
}

function advertised(read: Effective['read']): { advertise?: string[] } {
  if (!read.has('p2p.advertise.ip')) return {}
  const port = read.has('p2p.advertise.tcp')
    ? read.number('p2p.advertise.tcp')
    : read.number('p2p.listen.tcp')
  return { advertise: [`/ip4/${read.text('p2p.advertise.ip')}/tcp/${port}`] }
}

function poolSettings(read: Effective['read']) {
  return {
    priceLimit: read.wei('txpool.pricelimit'),
    priceBump: read.number('txpool.pricebump'),
    accountSlots: read.number('txpool.accountslots'),
    globalSlots: read.number('txpool.globalslots'),
    accountQueue: read.number('txpool.accountqueue'),
    globalQueue: read.number('txpool.globalqueue'),
    lifetimeMs: read.number('txpool.lifetime'),
    turnMax: read.number('txpool.turn-max'),
    intakeQueue: read.number('txpool.intake-queue'),
  }
}

function nodeConfig({ read }: Effective, genesis: Genesis, pool: NodeConfig['pool']): NodeConfig {
  const services: ('rpc' | 'p2p')[] = read.flag('rpc.enabled') ? ['rpc', 'p2p'] : ['p2p']
  return {
    version,
    genesis,
    pool,
    services,
    expectsPeers: read.list('p2p.static').length + read.list('p2p.bootnodes').length > 0,
    ...(read.has('chain.mining') && {
      mining: read.text('chain.mining') as 'interval' | 'on-demand' | 'manual',
    }),
  }
}

/** The well-known keys are unlocked only where the genesis funds them: on the preset and on devnets. */
function unlockedKeys(genesis: Genesis): Uint8Array[] {
  return devAccounts
    .filter(account => genesis.alloc.has(account.address as Address))
    .map(account => fromHex(account.privateKey))
}

function roomLog(log: Log) {
  const at = (level: Level) => (code: string, fields?: Record<string, unknown>) =>
    log.line(level, code, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function buildLabels(effective: Effective, crypto: string) {
  return {
    version,
    node: process.version,
    crypto,
    config: effective.digest,
    schema: String(schemaVersion),
  }
}
