import { createCipheriv, createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'

const alphabet = 'ybndrfg8ejkmcpqxot1uwisza345h769'

const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())
export const sha256d = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
export const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts))

export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export function zbase32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? [])
    .map(group => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('')
}

/** Throws at whatever no encoder writes. */
export function unzbase32(text: string): Uint8Array {
  let bits = ''
  for (const letter of text.toLowerCase()) {
    const value = alphabet.indexOf(letter)
    if (value < 0) throw new Error(`${letter} is no letter of zbase32`)
    bits += value.toString(2).padStart(5, '0')
  }
  const whole = bits.length - (bits.length % 8)
  const isPadded = !bits.slice(whole).includes('1')
  if (!isPadded || [1, 3, 6].includes(text.length % 8)) throw new Error('not zbase32')
  return Uint8Array.from(bits.slice(0, whole).match(/.{8}/g) ?? [], byte =>
    Number.parseInt(byte, 2),
  )
}

const digestOf = (message: Uint8Array) =>
  sha256d(join(Buffer.from('Lightning Signed Message:'), message))

/** As Lightning nodes sign a message: 104 letters. */
export function signMessage(secret: Uint8Array, message: Uint8Array): string {
  const options = { prehash: false, format: 'recovered' } as const
  const signature = secp256k1.sign(digestOf(message), secret, options)
  return zbase32(join(Uint8Array.of(31 + (signature[0] ?? 0)), signature.subarray(1)))
}

/** The key that has signed, in hex. */
export function recoverMessage(message: Uint8Array, text: string): string {
  const bytes = unzbase32(text)
  if (bytes.length !== 65) throw new Error(`a signature has 65 bytes, not ${bytes.length}`)
  const signature = join(Uint8Array.of((bytes[0] ?? 0) - 31), bytes.subarray(1))
  return hex(secp256k1.recoverPublicKey(signature, digestOf(message), { prehash: false }))
}

export const publicKey = (secret: Uint8Array): Uint8Array => secp256k1.getPublicKey(secret, true)

/** DER with the least s, as scripts want it. */
export const signDigest = (secret: Uint8Array, digest: Uint8Array): Uint8Array =>
  secp256k1.sign(digest, secret, { prehash: false, format: 'der', lowS: true })

/** What towers find in a block: the first half of the id of a transaction as it is hashed. */
export const locatorOf = (txid: Uint8Array): Uint8Array => txid.slice(0, 16)

/** A transaction that only who has seen the other can read. */
export function sealFor(disputeTxid: Uint8Array, penalty: Uint8Array): Uint8Array {
  const key = sha256(disputeTxid)
  const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 })
  return join(cipher.update(penalty), cipher.final(), cipher.getAuthTag())
}
