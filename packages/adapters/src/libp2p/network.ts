import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type Addr,
  CodedError,
  type Gate,
  type Goodbye,
  type LinkFaults,
  limits,
  type NetworkPort,
  type NetworkSink,
  type PeerId,
  type Series,
} from '@rockpool/protocol'
import { createLibp2p } from 'libp2p'
import { parseTargets, peerOf } from './addresses.ts'
import { atMost, deadline, systemClock } from './clock.ts'
import { createDialer } from './dialer.ts'
import { asError, createDirect } from './direct.ts'
import { createDriftWatch, type Sighting } from './drift.ts'
import { createFaults } from './faults.ts'
import { createGater } from './gater.ts'
import { createGoodbyes } from './goodbye.ts'
import { createGossip } from './gossip.ts'
import { startFailure, stopAddressUpdates, stopHeartbeatWithRouter } from './libp2p-quirks.ts'
import { createLibraryMetrics } from './library-metrics.ts'
import { createMessageIds } from './message-id.ts'
import { createMeter } from './metrics.ts'
import { libp2pOptions, type NetworkLog, type NetworkOptions, type Services } from './options.ts'
import { createOverflowWatch } from './overflow.ts'
import { createPeers } from './peers.ts'
import { profiles, thresholds } from './profiles.ts'
import { createRecords } from './records.ts'
import { routerOf } from './router.ts'
import { installFrameTap } from './router-patches.ts'
import { installScoreWatch } from './score-patches.ts'
import { installSendPatches } from './send-patches.ts'

export interface Libp2pNetwork extends NetworkPort {
  /** What the network counted and what it is made of now. */
  metrics(): readonly Series[]
  /** Only where the options ask for faults. */
  readonly faults?: LinkFaults
}

const TICK_MS = 1_000
const shuttingDown: Goodbye = { code: 1, retryAfterSeconds: 0, text: '' }
const silent: NetworkLog = { debug() {}, info() {}, warn() {} }

/**
 * The network over libp2p: TCP, noise, yamux and gossipsub. Refuses bad options at once; opens nothing before `start`. A stopped network is
 * not started again.
 */
export async function createNetwork(options: NetworkOptions): Promise<Libp2pNetwork> {
  const { clock = systemClock(), log = silent, random = Math.random } = options
  const profile = profiles[options.profile]
  const privateKey = privateKeyFromProtobuf(options.privateKey)
  const self = peerIdFromPrivateKey(privateKey).toString()
  const targets = parseTargets(
    options.static ?? [],
    options.bootnodes ?? [],
    self,
    kind => log.info('p2p/own-id-skipped', { kind }),
    options.wires === undefined ? 'tcp' : 'memory',
  )

  const meter = createMeter()
  const library = createLibraryMetrics()
  const ids = createMessageIds()
  let decide: Gate = () => ({ allow: true })
  let sink: NetworkSink | undefined
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let tick: unknown

  const gater = createGater(
    event => (stopping === undefined ? decide(event) : { allow: false, code: 'load/draining' }),
    self,
    meter,
  )
  const faults =
    options.faults === true
      ? createFaults({ clock, random, log, healed: () => dialer.again() })
      : undefined
  const libp2p: Libp2p<Services> = await createLibp2p(
    libp2pOptions(options, privateKey, gater, ids, faults, library),
  )
  const router = routerOf(libp2p.services.pubsub)
  stopHeartbeatWithRouter(router)
  const tap = installFrameTap(router, {
    clock,
    frameDropped: meter.frameDropped,
    isConnected: id => libp2p.getConnections(peerIdFromString(id)).length > 0,
    fault,
  })
  const scores = installScoreWatch(router, { fault })
  installSendPatches(router, { clock, fault })
  const connectionTo = (id: PeerId): Connection | undefined => peers.connectionTo(id)
  const goodbyes = createGoodbyes({ libp2p, clock, meter, connectionTo })
  const direct = createDirect({ libp2p, clock, meter, connectionTo })
  const gossip = createGossip({
    router,
    ids,
    clock,
    meter,
    score: scores.own,
    sink: () => sink,
    isOpen: () => stopping === undefined,
  })
  const peers = createPeers({
    libp2p,
    clock,
    gone(id) {
      tap.forget(id)
      overflow.forget(id)
      return goodbyes.take(id)
    },
    opened(view) {
      dialer.opened(view.id)
      sink?.opened(view)
    },
    closed(id, heldMs, bye) {
      meter.closed(heldMs)
      dialer.closed(id, heldMs, bye)
      sink?.closed(id, heldMs, bye)
    },
  })
  const dialer = createDialer({
    targets,
    self,
    clock,
    log,
    random,
    yieldMs: profile.yieldMs,
    backoffMinMs: profile.backoffMinMs,
    backoffMaxMs: profile.backoffMaxMs,
    coolDownMaxMs: profile.coolDownMaxMs,
    dial,
    isConnected: peers.has,
    needsPeers: () => peers.views().length < (options.peersWanted ?? Number.POSITIVE_INFINITY),
  })
  const drift = createDriftWatch()
  const overflow = createOverflowWatch(router)
  const serving: Promise<void>[] = [goodbyes.listen()]

  function fault(id: PeerId, reason: string, evidence: string): void {
    meter.fault(reason)
    sink?.wireFault(id, reason, evidence)
  }

  async function start(): Promise<void> {
    if (stopping !== undefined) throw new CodedError('p2p/not-running')
    starting ??= begin()
    return starting
  }

  async function begin(): Promise<void> {
    await Promise.all(serving)
    try {
      await libp2p.start()
    } catch (error) {
      stopAddressUpdates(libp2p)
      throw startFailure(error)
    }
    gossip.start()
    dialer.start()
    tick = clock.at(clock.now() + TICK_MS, onTick)
  }

  function onTick(): void {
    tick = clock.at(clock.now() + TICK_MS, onTick)
    peers.sweep()
    for (const action of drift.check(clock.now(), peers.gossiping().map(sighted))) {
      const { id, act } = action
      meter.drifted(act)
      log.debug('p2p/router-drift', { peer: id, act })
      const connection = connectionTo(id)
      if (action.act === 'close') void disconnect(id, action.bye)
      else if (connection !== undefined) router.onPeerConnected(connection.remotePeer, connection)
    }
  }

  function sighted(id: PeerId): Sighting {
    overflow.watch(id)
    return {
      id,
      known: router.peers.has(id) && router.streamsOutbound.has(id),
      overflowed: overflow.has(id),
      graylisted: router.score.score(id) < thresholds.graylistThreshold,
    }
  }

  async function dial(addr: Addr, deadlineMs: number): Promise<PeerId> {
    if (starting === undefined || stopping !== undefined) throw new CodedError('p2p/not-running')
    const timer = deadline(clock, deadlineMs)
    try {
      const target = multiaddr(addr)
      const known = peerOf(target)?.toString()
      if (known !== undefined && peers.has(known)) return known
      const connection = await libp2p.dial(target, { signal: timer.signal })
      const id = connection.remotePeer.toString()
      if (!peers.has(id) && connection.status !== 'open') throw new CodedError('p2p/dial-failed')
      await peers.untilOpened(id, timer.signal)
      meter.dialled('ok')
      return id
    } catch (cause) {
      meter.dialled('failed')
      if (cause instanceof CodedError) throw cause
      throw new CodedError('p2p/dial-failed', `p2p/dial-failed: ${asError(cause).name}`, { cause })
    } finally {
      timer.clear()
    }
  }

  async function disconnect(id: PeerId, bye: Goodbye): Promise<void> {
    await goodbyes.say(id, bye)
    await hangUp(id)
  }

  /** Every connection of a peer, open or still being identified. */
  async function hangUp(id: PeerId): Promise<void> {
    const closing = libp2p.getConnections(peers.idOf(id) ?? peerIdFromString(id))
    await Promise.all(closing.map(connection => close(connection)))
  }

  async function close(connection: Connection): Promise<void> {
    const timer = deadline(clock, limits.hangUpMs)
    direct.abandon(connection)
    try {
      await connection.close({ signal: timer.signal })
    } catch (error) {
      connection.abort(asError(error))
    } finally {
      timer.clear()
    }
  }

  function stop(): Promise<void> {
    stopping ??= end()
    return stopping
  }

  async function end(): Promise<void> {
    // A start that failed has told its caller; here only what it left matters.
    if (starting !== undefined) await starting.catch(() => {})
    if (tick !== undefined) clock.clear(tick)
    dialer.stop()
    gossip.stop()
    await Promise.all(peers.views().map(({ id }) => goodbyes.say(id, shuttingDown)))
    await Promise.all(libp2p.getConnections().map(close))
    const stopped = Promise.resolve(libp2p.stop())
    if (!(await atMost(clock, limits.hangUpMs, stopped))) {
      log.warn('p2p/stop-slow')
      for (const connection of libp2p.getConnections()) connection.abort(new Error('stopping'))
      await atMost(clock, limits.hangUpMs, stopped)
    }
    stopAddressUpdates(libp2p)
  }

  return {
    ...(faults !== undefined && { faults }),
    self,
    addresses: () => libp2p.getMultiaddrs().map(String),
    start,
    stop,
    peers: peers.views,
    publish: gossip.publish,
    subscribe: gossip.subscribe,
    unsubscribe: gossip.unsubscribe,
    meshSize: gossip.meshSize,
    gossipScore: gossip.score,
    dial,
    disconnect,
    request: direct.request,
    serve(protocol, handler, serveOptions) {
      const served = direct.serve(protocol, handler, serveOptions)
      served.catch(error => log.warn('p2p/serve-failed', { protocol, cause: asError(error).name }))
      serving.push(served)
    },
    gate(next) {
      decide = next
    },
    reputation: scores.reputation,
    forgive: scores.forgive,
    keep(addr) {
      const [target] = parseTargets([addr], [], self, () => {})
      if (target) dialer.keep(target)
    },
    unkeep: id => dialer.unkeep(id),
    listen(next) {
      sink = next
    },
    records: createRecords(libp2p),
    metrics: () => [
      ...meter.read({ connections: countDirections(libp2p.getConnections()) }),
      ...library.read(),
    ],
  }
}

function countDirections(connections: readonly Connection[]): { in: number; out: number } {
  const inbound = connections.filter(({ direction }) => direction === 'inbound').length
  return { in: inbound, out: connections.length - inbound }
}
