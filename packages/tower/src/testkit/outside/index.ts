/**
 * A client of watchtowers, and bitcoin transactions to be watched, written from the public formats alone: nothing here comes from the tower's
 * own code, so that what both agree on is not one mistake made once.
 */
export { regtestAddress } from './address.ts'
export {
  type Body,
  createTowerClient,
  NoAnswer,
  type Receipt,
  Refusal,
  type Revocation,
  type Tower,
  type TowerAddress,
  type TowerClient,
  type TowerStatus,
  towerAddress,
} from './client.ts'
export {
  hex,
  join,
  locatorOf,
  publicKey,
  recoverMessage,
  sealFor,
  sha256d,
  signMessage,
  u32be,
  unhex,
  unzbase32,
  zbase32,
} from './lightning.ts'
export { type Coin, keyHash, type Payment, pay, shownId } from './transactions.ts'
