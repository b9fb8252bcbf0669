import type { PeerId } from '@rockpool/protocol'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Identity hash of 36 bytes: protobuf of an Ed25519 key of 32. */
const prefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** A peer id as an Ed25519 key of these 32 bytes would have it. */
export function peerIdOf(key: Uint8Array): PeerId {
  const bytes = Uint8Array.of(...prefix, ...key.subarray(0, 32))
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  while (number > 0n) {
    text = `${alphabet[Number(number % 58n)]}${text}`
    number /= 58n
  }
  for (const byte of bytes) {
    if (byte !== 0) break
    text = `1${text}`
  }
  return text
}
