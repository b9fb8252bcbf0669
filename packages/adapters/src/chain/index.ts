/** Chains of other programs: a bitcoin node for the watchtower, asked by JSON-RPC, with its notices of blocks as hints. */
export {
  type Bitcoind,
  type BitcoindOptions,
  type BitcoinNetwork,
  createBitcoind,
  rpcPortOf,
} from './bitcoind.ts'
export { type BitcoinLogin, createBitcoinRpc } from './rpc.ts'
export { listenForBlocks } from './zmq.ts'
