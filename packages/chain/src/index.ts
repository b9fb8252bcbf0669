/**
 * Following a head, and the dev chain: genesis, headers, state, execution, fork choice, production, range sync. Others may ask the chain
 * actor for heads, blocks, accounts and receipts. Not here: transaction ordering (pool), the network, the disk.
 */
export { type ChainParts, chainActor } from './chain.actor.ts'
export type { AccountsAt } from './dev/accounts-at.ts'
export * from './dev/block.ts'
export * from './dev/dev-accounts.ts'
export type { DevChain } from './dev/dev-chain.ts'
export * from './dev/execute.ts'
export * from './dev/fork-choice.ts'
export * from './dev/genesis.ts'
export * from './dev/header.ts'
export * from './dev/keccak.ts'
export type { BlockSigner } from './dev/own-block.ts'
export { type ProducerMode, type ProducerParts, producerActor } from './dev/producer.actor.ts'
export * from './dev/rank.ts'
export * from './dev/roots.ts'
export * from './dev/state.ts'
export { type Loaded, loadChain, type StoredNode } from './dev/store.ts'
export { type SyncParts, syncActor } from './dev/sync.actor.ts'
export { type DevSource, devSource } from './dev-source.ts'
export { createHeadWindow, type HeadLabel, type HeadStep, type HeadWindow } from './head-window.ts'
export { type SourceChainParts, sourceChainActor } from './source-chain.ts'
