import { createKeccak } from 'hash-wasm'

const hasher = await createKeccak(256)

/** keccak256, the hash of Ethereum (not SHA3-256, which node:crypto has). Synchronous, 32 new bytes. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary')
}
