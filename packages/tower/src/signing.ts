import { concatBytes, limits, type RecoveryJob } from '@rockpool/protocol'
import { fromZbase32 } from './zbase32.ts'

type Sha256 = (bytes: Uint8Array) => Uint8Array

const ascii = new TextEncoder()
const preamble = ascii.encode('Lightning Signed Message:')

/** What is signed for a message: the way Lightning nodes sign theirs. */
export function messageDigest(sha256: Sha256, message: Uint8Array): Uint8Array {
  return sha256(sha256(concatBytes(preamble, message)))
}

/** The job that recovers who signed `message`; undefined for text that is no signature. High s is let through: recovery needs no more. */
export function recoveryOf(
  sha256: Sha256,
  message: Uint8Array,
  signature: string,
): RecoveryJob | undefined {
  const bytes = fromZbase32(signature)
  if (bytes?.length !== 65) return undefined
  const id = (bytes[0] ?? 0) - 31
  if (id < 0 || id > 3) return undefined
  const digest = messageDigest(sha256, message)
  return { digest, r: bytes.slice(1, 33), s: bytes.slice(33), id }
}

/** What a user signs to hand an appointment over. */
export function appointmentMessage(
  locator: Uint8Array,
  blob: Uint8Array,
  delay: number,
): Uint8Array {
  return concatBytes(locator, blob, u32(delay))
}

/** What a user signs to read one back. */
export function getMessage(locator: Uint8Array): Uint8Array {
  return ascii.encode(`get appointment ${plainHex(locator)}`)
}

/** What a user signs to read the state of his subscription. */
export const subscriptionMessage = ascii.encode('get subscription info')

/** What a user signs to take an appointment back. It names the tower and an end, so that nobody can use it elsewhere or later. */
export function deleteMessage(locator: Uint8Array, towerId: Uint8Array, until: number): Uint8Array {
  return ascii.encode(`delete appointment ${plainHex(locator)} ${plainHex(towerId)} ${until}`)
}

/** What a tower signs for a subscription. Heights and slots are u32. */
export function registrationReceipt(subscription: {
  readonly user: Uint8Array
  readonly slots: number
  readonly start: number
  readonly expiry: number
}): Uint8Array {
  const { user, slots, start, expiry } = subscription
  return concatBytes(user, u32(slots), u32(start), u32(expiry))
}

/** What a tower signs for an appointment: the text of the user's signature, not its bytes. So it binds content, user and height. */
export function appointmentReceipt(userSignature: string, startBlock: number): Uint8Array {
  return concatBytes(ascii.encode(userSignature), u32(startBlock))
}

/** A row of the watcher: one user has one appointment for a locator. 20 bytes. */
export function uuidOf(ripemd160: Sha256, locator: Uint8Array, user: Uint8Array): Uint8Array {
  return ripemd160(concatBytes(locator, user))
}

/** The part of a transaction id that a tower is told. Bitcoin: of the internal order. */
export function locatorOf(txid: Uint8Array): Uint8Array {
  return txid.slice(0, limits.towerLocatorBytes)
}

/** What opens the blob of the transaction with this id. */
export function keyOf(sha256: Sha256, txid: Uint8Array): Uint8Array {
  return sha256(txid)
}

/** Hexadecimal digits without `0x`, as tower clients write them. */
export function plainHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
