import { limits, type Series } from '@rockpool/protocol'
import type { ClientLimits } from './clients.ts'
import { createFilters, type Filters } from './filters.ts'
import { createDispatcher, type Dispatcher } from './json-rpc.ts'
import type { Method } from './method.ts'
import { createBackend, type RpcParts } from './parts.ts'
import { devnetMethods } from './rpc/devnet.ts'
import { devnetAliases } from './rpc/devnet-aliases.ts'
import { clockMethods } from './rpc/devnet-clock.ts'
import { linkMethods } from './rpc/devnet-links.ts'
import { ethCallMethods } from './rpc/eth-call.ts'
import { ethListenMethods } from './rpc/eth-listen.ts'
import { ethReadMethods } from './rpc/eth-read.ts'
import { ethSendMethods } from './rpc/eth-send.ts'
import { listingMethods, nodeMethods } from './rpc/net-web3.ts'
import { txpoolMethods } from './rpc/txpool.ts'
import { txpoolAdminMethods } from './rpc/txpool-admin.ts'
import { txpoolWhyMethods } from './rpc/txpool-why.ts'
import { rpcOverHttp } from './rpc-http.ts'
import { createRpcMeter, type RpcMeter } from './rpc-meter.ts'
import { type Listening, startHttp, type Times } from './server.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { rpcOverWebSocket } from './websocket.ts'

/** The node's JSON-RPC, whatever carries it. */
export interface Rpc {
  readonly dispatcher: Dispatcher
  /** What the operator may call besides: whoever owns the data directory. */
  readonly admin: Dispatcher
  readonly subscriptions: Subscriptions
  readonly filters: Filters
  readonly meter: RpcMeter
  /** Counters of calls, for the exporter. */
  readonly series: () => Series[]
  /** Called with an exception that should not have been: logged, and the caller gets -32603. */
  readonly onBug: (error: unknown, method?: string) => void
  /** Stops listening to facts. */
  close(): void
}

/** Builds the method table over the parts of one node. Opens nothing. */
export function createRpc(parts: RpcParts): Rpc {
  const backend = createBackend(parts)
  const meter = createRpcMeter()
  const subscriptions = createSubscriptions(parts.observe)
  const filters = createFilters(parts.observe)
  const base = [
    ...ethReadMethods(backend),
    ...ethCallMethods(backend),
    ...ethSendMethods(backend),
    ...ethListenMethods(filters),
    ...nodeMethods(backend),
    ...(parts.devnetControl ? [...devnetMethods(backend), ...clockMethods(backend)] : []),
    ...(parts.links === undefined ? [] : linkMethods(parts.links)),
  ]
  const shared = [...base, ...(parts.devnetControl ? devnetAliases(backend, base) : [])]
  const table = [...shared, ...txpoolMethods(backend), ...txpoolWhyMethods(backend)]
  const adminTable = [
    ...shared,
    ...txpoolMethods(backend, true),
    ...txpoolWhyMethods(backend, true),
    ...txpoolAdminMethods(backend),
  ]
  const onBug = (error: unknown, method?: string) =>
    parts.log.error('rpc/bug', { method, error: error instanceof Error ? error.stack : error })
  const dispatcherOf = (methods: readonly Method[]) =>
    createDispatcher({
      methods: [...methods, ...listingMethods(methods, parts.version)],
      meter,
      onBug,
      draining: () => parts.draining(),
      ...(parts.batchMax !== undefined && { batchMax: parts.batchMax }),
      ...(parts.responseBytesMax !== undefined && { responseBytesMax: parts.responseBytesMax }),
    })
  return {
    dispatcher: dispatcherOf(table),
    admin: dispatcherOf(adminTable),
    subscriptions,
    filters,
    meter,
    onBug,
    series: () => meter.series(),
    close() {
      subscriptions.stop()
      filters.stop()
    },
  }
}

export interface RpcServerOptions {
  readonly rpc: Rpc
  readonly ip: string
  readonly port: number
  /** Names a caller may use for this node. */
  readonly vhosts: readonly string[]
  /** Origins of browser pages that may call and connect. */
  readonly cors: readonly string[]
  readonly bodyBytesMax?: number
  readonly connectionsMax?: number
  readonly clients?: Partial<ClientLimits>
  readonly times?: Times
  /** What a WebSocket client may lag, and how often it is pinged. */
  readonly webSocket?: {
    readonly lagMax?: number
    readonly lagBytesMax?: number
    readonly pingMs?: number
  }
}

/** Serves JSON-RPC over HTTP and WebSocket on one port. */
export function startRpcServer(options: RpcServerOptions): Promise<Listening> {
  const { rpc, ip, port, vhosts, cors, bodyBytesMax = limits.rpcBodyBytes } = options
  const { dispatcher, subscriptions, meter, onBug } = rpc
  const { handler } = rpcOverHttp({ dispatcher, meter, cors, bodyBytesMax, onBug })
  const { upgrade, close } = rpcOverWebSocket({
    ...{ dispatcher, subscriptions, meter, origins: cors, bodyBytesMax, onBug },
    ...options.webSocket,
  })
  return startHttp({
    ...{ name: 'rpc', ip, port, vhosts, handler, upgrade, closing: close },
    refused: reason => meter.refuse(reason),
    connections: change => {
      meter.connections.http += change
    },
    ...(options.connectionsMax !== undefined && { connectionsMax: options.connectionsMax }),
    ...(options.clients !== undefined && { clients: options.clients }),
    ...(options.times !== undefined && { times: options.times }),
  })
}
