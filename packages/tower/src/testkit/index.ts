/** A tower on a chain of the test's own, and clients that sign. */
export { aPair, aTransaction, TestChain } from './chain.ts'
export { aKey, readVector, sha256, testCrypto } from './crypto.ts'
export { aLiveTower, aTower } from './world.ts'
