/**
 * The watchtower: keeps what users hand over sealed, sees in each new block whether it must be opened, and answers. Pure cores and the actors
 * around them. Not here: HTTP, signature recovery, chains.
 */
export { type BackendActorParts, backendActor } from './backend.actor.ts'
export { type BitcoinHomeParts, bitcoinHome } from './bitcoin-home.ts'
export { type BitcoinConfig, defaultTowerConfig, type Rate, type TowerConfig } from './config.ts'
export { type EvmHomeParts, evmHome } from './evm-home.ts'
export type { Home, HomeBlock, HomeTx, Place } from './home.ts'
export { type ResponderActorParts, responderActor, responderMailbox } from './responder.actor.ts'
export { requireTower } from './schema.ts'
export {
  appointmentMessage,
  appointmentReceipt,
  deleteMessage,
  getMessage,
  locatorOf,
  messageDigest,
  plainHex,
  recoveryOf,
  registrationReceipt,
  subscriptionMessage,
} from './signing.ts'
export { type WatcherActorParts, watcherActor, watcherMailbox } from './watcher.actor.ts'
export { toZbase32 } from './zbase32.ts'
