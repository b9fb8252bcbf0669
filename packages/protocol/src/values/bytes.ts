declare const brand: unique symbol

/** Bytes as lower-case hexadecimal text with the prefix `0x`. */
export type Hex = `0x${string}`
/** A 32-byte hash as lower-case hex. A block is its hash, a transaction is its hash; heights and nonces identify nothing. */
export type Hash = Hex & { readonly [brand]: 'hash' }
/** A 20-byte account address as lower-case hex (never checksummed inside the node). */
export type Address = Hex & { readonly [brand]: 'address' }

export const zeroHash = `0x${'00'.repeat(32)}` as Hash
export const zeroAddress = `0x${'00'.repeat(20)}` as Address
/** keccak256 of nothing: the code hash of an account without code. */
export const emptyCodeHash =
  '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470' as Hash

export function toHex(bytes: Uint8Array): Hex {
  if (bytes.length <= 32) return shortHex(bytes, 0, bytes.length)
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/**
 * At most 32 bytes of `bytes` as hex. Hashes and addresses are map keys everywhere, so this makes one flat string and no Buffer: half the
 * time of the general way.
 */
export function shortHex(bytes: Uint8Array, from: number, to: number): Hex {
  let at = 2
  for (let index = from; index < to; index += 1) {
    const byte = bytes[index] as number
    letters[at] = digits[byte >> 4] as number
    letters[at + 1] = digits[byte & 15] as number
    at += 2
  }
  return letters.toString('latin1', 0, at) as Hex
}

const digits = Uint8Array.from(Buffer.from('0123456789abcdef'))
const letters = Buffer.from(`0x${'00'.repeat(32)}`)

/** Bytes of even-length hex text; the caller has checked that it is hex. */
export function fromHex(hex: string): Uint8Array {
  const text = hex.startsWith('0x') ? hex.slice(2) : hex
  // A copy: a small Buffer is a view into a shared pool, and compares unequal to plain bytes.
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** A 32-byte value as a hash. Throws on any other length: that is a bug of the caller. */
export function hashOf(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) throw new RangeError(`a hash has 32 bytes, got ${bytes.length}`)
  return toHex(bytes) as Hash
}

/** A 20-byte value as an address. Throws on any other length: that is a bug of the caller. */
export function addressOf(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new RangeError(`an address has 20 bytes, got ${bytes.length}`)
  return toHex(bytes) as Address
}

/** Minimal big-endian bytes of a quantity; zero is no bytes at all. */
export function quantityToBytes(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0)
  const hex = value.toString(16)
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
}

export function bytesToQuantity(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes))
}

export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}
