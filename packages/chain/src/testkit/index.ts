/** For tests and measurements outside this room: wallets, and long chains made offline. */
export { aGenesis, ether } from './chains.ts'
export { type LongChainWish, longChain, type MadeBlock, writeChain } from './long-chain.ts'
export { type Wallet, walletOf, walletOfKey } from './wallets.ts'
