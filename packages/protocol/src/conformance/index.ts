/** What every implementation of a port keeps, as suites that take a test runner and a factory; and twins for unit tests. */
export type { BenchRow } from './bench-row.ts'
export { type ChainSourceUnderTest, chainSourceSuite } from './chain-source.ts'
export { type CryptoUnderTest, cryptoSuite, generateSignatures, groupOrder } from './crypto.ts'
export { rejectionCode, type TestKit } from './kit.ts'
export { createLoopHub, type LoopClock, type LoopHub } from './loop-network.ts'
export { MemoryStore } from './memory-store.ts'
export { type NetworksUnderTest, networkSuite } from './network.ts'
export { type StoreUnderTest, storeSuite } from './store.ts'
