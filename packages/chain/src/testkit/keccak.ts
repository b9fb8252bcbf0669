import { createKeccak } from 'hash-wasm'
import type { Keccak } from '../dev/keccak.ts'

const hasher = await createKeccak(256)

/** keccak-256 of the same implementation that a node uses by default. */
export const keccak256: Keccak = bytes => hasher.init().update(bytes).digest('binary')
