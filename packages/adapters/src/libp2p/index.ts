import './polyfill.ts'

export type { NetworkClock } from './clock.ts'
export { keyFromSeed, loadOrCreateP2pKey, peerIdOf } from './keys.ts'
export { createNetwork, type Libp2pNetwork } from './network.ts'
export type { MeshOptions, NetworkLog, NetworkOptions, NetworkProfile, Wires } from './options.ts'
