import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CodedError, type PeerId } from '@rockpool/protocol'

/** An Ed25519 private key as libp2p writes it: 4 bytes of protobuf, 32 of seed, 32 of public key. */
const KEY_BYTES = 68
const SEED_BYTES = 32
const MODE = 0o600

/**
 * The node's identity, read from `file` (hex of its 68 bytes). A missing file is written first: under a temporary name with mode 0600,
 * synced, then renamed, so that a crash leaves the whole key or none. Throws `config/bad-p2p-key` and `config/key-permissions`.
 */
export async function loadOrCreateP2pKey(file: string): Promise<Uint8Array> {
  const found = await read(file)
  return found ?? (await create(file))
}

/** The key of a 32-byte seed. For devnets and simulations only: a guessed seed is a stolen identity. */
export async function keyFromSeed(seed: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat([protobufHead, seed, publicKeyOf(seed)]))
}

/** Type Ed25519, then 64 bytes of data, as libp2p's protobuf has them. */
const protobufHead = Buffer.from('08011240', 'hex')
/** PKCS#8 of an Ed25519 key up to its seed. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** By OpenSSL: in JavaScript the first one costs every start of a node a tenth of a second. */
function publicKeyOf(seed: Uint8Array): Uint8Array {
  const der = Buffer.concat([pkcs8Head, seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-SEED_BYTES)
}

/** The peer id that belongs to a key of 68 bytes. */
export function peerIdOf(key: Uint8Array): PeerId {
  return peerIdFromPrivateKey(privateKeyFromProtobuf(key)).toString()
}

async function read(file: string): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { mode } = await handle.stat()
    // Windows keeps no such bits; there the directory's access list decides.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new CodedError(
        'config/key-permissions',
        `config/key-permissions: run chmod 600 ${file}`,
      )
    return await parse(await handle.readFile('utf8'), file)
  } finally {
    await handle.close()
  }
}

async function parse(text: string, file: string): Promise<Uint8Array> {
  const hex = text.trim()
  const bad = (cause?: unknown) =>
    new CodedError(
      'config/bad-p2p-key',
      `config/bad-p2p-key: ${file}: expected ${KEY_BYTES} bytes of an Ed25519 key`,
      { cause },
    )
  if (hex.length !== 2 * KEY_BYTES || !/^[0-9a-f]+$/i.test(hex)) throw bad()
  const key = new Uint8Array(Buffer.from(hex, 'hex'))
  // The seed decides: a file whose public half differs would sign what nobody can verify.
  const seedStart = KEY_BYTES - 2 * SEED_BYTES
  try {
    const derived = await keyFromSeed(key.subarray(seedStart, seedStart + SEED_BYTES))
    if (Buffer.compare(derived, key) === 0) return key
  } catch (error) {
    throw bad(error)
  }
  throw bad()
}

async function create(file: string): Promise<Uint8Array> {
  const key = privateKeyToProtobuf(await generateKeyPair('Ed25519'))
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', MODE)
    try {
      await handle.writeFile(`${Buffer.from(key).toString('hex')}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(file))
  return key
}

/** The new name is on disk only when its directory is. Windows cannot sync a directory and does not need it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
