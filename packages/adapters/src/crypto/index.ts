/** Hashes, signature recovery in threads, and keys. Not here: what a valid transaction is. */
export { type CryptoOptions, createCrypto, type NodeCrypto } from './crypto.ts'
export { keccak256 } from './keccak.ts'
export {
  addressOfKey,
  createSigner,
  type KeyFile,
  loadOrCreateKey,
  signDigest,
  towerKeyOf,
} from './keys.ts'
export { openKeystore, type StoredAccount } from './keystore.ts'
export type { Backend } from './secp.ts'
export { openKey } from './web3-secret.ts'
