/**
 * The node's listeners: JSON-RPC over HTTP and WebSocket, health and metrics. Decodes what callers send, asks the actors, encodes what they
 * answer in the shapes and words of geth. Not here: any decision about transactions, blocks or peers.
 */
export type { ClientLimits } from './clients.ts'
export { ListenError } from './listen-error.ts'
export { type OpsOptions, startOpsServer } from './ops.ts'
export type { RpcParts } from './parts.ts'
export { createRpc, type Rpc, type RpcServerOptions, startRpcServer } from './rpc.ts'
export type { Listening } from './server.ts'
export { startTowerApi, type TowerApiOptions } from './tower/server.ts'
