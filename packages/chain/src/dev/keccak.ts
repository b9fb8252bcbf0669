/** keccak-256 as the crypto port gives it: this room may not load an implementation itself. */
export type Keccak = (bytes: Uint8Array) => Uint8Array
