import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type Address,
  addressOf,
  CodedError,
  failed,
  fromHex,
  ok,
  type Signature,
  type Signer,
  type TowerKey,
  toHex,
} from '@rockpool/protocol'
import { addressBytes, compressed } from './packed.ts'
import { nativeSecp, nobleSecp, type Secp, selfTest } from './secp.ts'

/** Chosen at the first signature: signing needs no thread, and the two that load without waiting are enough. */
let chosen: Secp | undefined

function signing(): Secp {
  if (chosen) return chosen
  let secp: Secp
  try {
    secp = nativeSecp()
  } catch {
    secp = nobleSecp()
  }
  selfTest(secp)
  chosen = secp
  return secp
}

/**
 * Signs for accounts whose keys are in memory; `locked` ones are known, but their keys are on disk only and nothing is signed with them. Throws
 * `config/key-invalid` on a key that is none.
 */
export function createSigner(
  privateKeys: Iterable<Uint8Array>,
  locked: readonly Address[] = [],
): Signer {
  const byAddress = new Map<Address, Uint8Array>()
  for (const key of privateKeys) byAddress.set(addressOfKey(key), key.slice())
  const accounts = [...new Set([...byAddress.keys(), ...locked])]
  return {
    accounts: () => accounts,
    async sign(address, digest) {
      const key = byAddress.get(address)
      if (key) return ok(signDigest(digest, key))
      return failed(locked.includes(address) ? 'keys/locked' : 'crypto/unknown-key')
    },
  }
}

/** Low-s RFC 6979 signature over a 32-byte digest. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Signature {
  const { signature, id } = signing().sign(digest, privateKey)
  // Ids 2 and 3 stand for an x above the group order: one in 2^127 signatures, which Ethereum cannot express.
  if (id !== 0 && id !== 1) throw new CodedError('crypto/self-test', 'signature without y parity')
  return { r: signature.slice(0, 32), s: signature.slice(32, 64), yParity: id }
}

/** A watchtower's key over its secret. Throws `config/key-invalid` on one that is none. */
export function towerKeyOf(privateKey: Uint8Array): TowerKey {
  const secret = privateKey.slice()
  const publicKey = secret.length === 32 ? signing().publicKey(secret) : undefined
  if (!publicKey) throw new CodedError('config/key-invalid')
  return {
    id: compressed(publicKey),
    sign(digest) {
      const { signature, id } = signing().sign(digest, secret)
      const signed = new Uint8Array(65)
      signed[0] = 31 + id
      signed.set(signature, 1)
      return signed
    },
  }
}

/** The account of a private key. Throws `config/key-invalid` unless it is 32 bytes below the group order. */
export function addressOfKey(privateKey: Uint8Array): Address {
  const publicKey = privateKey.length === 32 ? signing().publicKey(privateKey) : undefined
  if (!publicKey) throw new CodedError('config/key-invalid')
  return addressOf(addressBytes(publicKey))
}

export interface KeyFile {
  readonly key: Uint8Array
  /** True when the file was not there and has just been written. */
  readonly created: boolean
}

/**
 * The secp256k1 private key in `file` (64 hex digits); a new one when the file is missing. Refuses a file others can read
 * (`config/key-permissions`) and one that holds no key (`config/key-invalid`). Never overwrites.
 */
export async function loadOrCreateKey(file: string): Promise<KeyFile> {
  const found = await readKey(file)
  if (found) return { key: found, created: false }
  await writeKey(file, newKey())
  // What lies on disk is the truth: another process may have been first.
  const key = await readKey(file)
  if (!key) throw new CodedError('config/key-invalid', `${file} vanished while it was written`)
  return { key, created: true }
}

async function readKey(file: string): Promise<Uint8Array | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!found) return undefined
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new CodedError('config/key-permissions', `run chmod 600 ${file}`)
  }
  const text = (await readFile(file, 'utf8')).trim()
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    const got = `${text.length} characters`
    throw new CodedError('config/key-invalid', `${file}: expected 64 hex digits, got ${got}`)
  }
  const key = fromHex(text)
  if (!signing().publicKey(key)) {
    throw new CodedError('config/key-invalid', `${file}: not below the order of secp256k1`)
  }
  return key
}

/** Temporary file, fsync, rename, fsync of the directory: after a crash the key is there whole or not at all. */
async function writeKey(file: string, key: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${toHex(key).slice(2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const directory = await open(dirname(file), 'r')
  await directory.sync().finally(() => directory.close())
}

/** A private key nobody can guess. */
export function newKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32))
    if (signing().publicKey(key)) return key
  }
}
