import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  randomBytes,
  randomUUID,
  scrypt,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { CodedError, toHex } from '@rockpool/protocol'
import { keccak256 } from './keccak.ts'
import { addressOfKey } from './keys.ts'

/** Work of writing: `standard` takes about a second of one core and 256 MiB, `light` a twentieth of a second. */
export type KdfStrength = 'standard' | 'light'

const strengths = { standard: { n: 262_144, r: 8, p: 1 }, light: { n: 4_096, r: 8, p: 6 } }
/** What a file may make this process allocate or compute; geth's own parameters are far inside. */
const memoryMax = 512 * 1024 * 1024
const roundsMax = 10_000_000
const derivedBytes = 32
const hashedPbkdf2 = promisify(pbkdf2)
const hashedScrypt = promisify<
  string,
  Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt)

type Kdf =
  | { readonly kdf: 'scrypt'; readonly salt: Uint8Array; n: number; r: number; p: number }
  | { readonly kdf: 'pbkdf2'; readonly salt: Uint8Array; readonly c: number }

interface Sealed {
  readonly address: string | undefined
  readonly kdf: Kdf
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly mac: Uint8Array
}

/** A private key as Web3 Secret Storage version 3 (scrypt, aes-128-ctr), as geth writes and reads it: JSON text. */
export async function sealKey(
  key: Uint8Array,
  password: string,
  strength: KdfStrength = 'standard',
): Promise<string> {
  const kdf = { kdf: 'scrypt', salt: randomBytes(32), ...strengths[strength] } as const
  const iv = randomBytes(16)
  const derived = await derive(kdf, password)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()])
  const { n, r, p } = kdf
  return JSON.stringify({
    address: addressOfKey(key).slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: bare(ciphertext),
      cipherparams: { iv: bare(iv) },
      kdf: 'scrypt',
      kdfparams: { dklen: derivedBytes, n, p, r, salt: bare(kdf.salt) },
      mac: bare(macOf(derived, ciphertext)),
    },
    id: randomUUID(),
    version: 3,
  })
}

/**
 * The private key in a file of Web3 Secret Storage version 3. Throws `keys/bad-file` for what is none, `keys/wrong-password`, and
 * `keys/mismatch` when the key is another account's than the file says.
 */
export async function openKey(text: string, password: string): Promise<Uint8Array> {
  const { address, kdf, iv, ciphertext, mac } = parse(text)
  const derived = await derive(kdf, password)
  if (!timingSafeEqual(macOf(derived, ciphertext), mac)) throw new CodedError('keys/wrong-password')
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const key = new Uint8Array(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
  const have = addressOfKey(key)
  if (address !== undefined && `0x${address}` !== have)
    throw new CodedError(
      'keys/mismatch',
      `key content mismatch: have account ${have}, want 0x${address}`,
    )
  return key
}

/** The account a file claims to hold, without opening it; undefined when it names none. */
export function addressIn(text: string): string | undefined {
  return parse(text).address
}

async function derive(kdf: Kdf, password: string): Promise<Uint8Array> {
  if (kdf.kdf === 'pbkdf2') return hashedPbkdf2(password, kdf.salt, kdf.c, derivedBytes, 'sha256')
  const { n, r, p, salt } = kdf
  // OpenSSL refuses N >= 2^(16 r), which published files with r = 1 have.
  if (Math.log2(n) >= 16 * r)
    return scryptAsync(password, salt, { N: n, r, p, dkLen: derivedBytes, maxmem: memoryMax })
  return hashedScrypt(password, salt, derivedBytes, { N: n, r, p, maxmem: memoryMax })
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext]))
}

function parse(text: string): Sealed {
  const file = object(jsonOf(text), 'the file')
  if (file.version !== 3) throw bad(`version not supported: ${String(file.version)}`)
  // Some tools spell the field with a capital.
  const crypto = object(file.crypto ?? file.Crypto, 'crypto')
  if (crypto.cipher !== 'aes-128-ctr') throw bad(`cipher not supported: ${String(crypto.cipher)}`)
  const address = file.address === undefined ? undefined : addressText(file.address)
  return {
    address,
    kdf: kdfOf(crypto.kdf, object(crypto.kdfparams, 'kdfparams')),
    iv: hex(object(crypto.cipherparams, 'cipherparams').iv, 'iv', 16),
    ciphertext: hex(crypto.ciphertext, 'ciphertext', 32),
    mac: hex(crypto.mac, 'mac', 32),
  }
}

function kdfOf(name: unknown, params: Record<string, unknown>): Kdf {
  const salt = hex(params.salt, 'salt')
  if (params.dklen !== derivedBytes) throw bad(`dklen: expected ${derivedBytes}`)
  if (name === 'pbkdf2') {
    if (params.prf !== 'hmac-sha256') throw bad(`prf not supported: ${String(params.prf)}`)
    return { kdf: 'pbkdf2', salt, c: whole(params.c, 'c', roundsMax) }
  }
  if (name !== 'scrypt') throw bad(`kdf not supported: ${String(name)}`)
  const [n, r, p] = [whole(params.n, 'n'), whole(params.r, 'r'), whole(params.p, 'p', 64)]
  if (n < 2 || !Number.isInteger(Math.log2(n))) throw bad('n: expected a power of two')
  if (128 * n * r > memoryMax) throw bad('scrypt would need more than 512 MiB')
  return { kdf: 'scrypt', salt, n, r, p }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw bad('not JSON')
  }
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw bad(`${name}: expected an object`)
  return value as Record<string, unknown>
}

function hex(value: unknown, name: string, size?: number): Uint8Array {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/i.test(value))
    throw bad(`${name}: expected hex digits`)
  if (size !== undefined && value.length !== 2 * size) throw bad(`${name}: expected ${size} bytes`)
  return Buffer.from(value, 'hex')
}

function addressText(value: unknown): string {
  const text = typeof value === 'string' ? value.replace(/^0x/i, '').toLowerCase() : ''
  if (!/^[0-9a-f]{40}$/.test(text)) throw bad('address: expected 20 bytes of hex')
  return text
}

function whole(value: unknown, name: string, max = 2 ** 26): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max)
    throw bad(`${name}: expected a whole number between 1 and ${max}`)
  return value
}

const bare = (bytes: Uint8Array) => toHex(bytes).slice(2)
const bad = (text: string) => new CodedError('keys/bad-file', text)
