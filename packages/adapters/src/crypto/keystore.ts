import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, CodedError } from '@rockpool/protocol'
import { addressOfKey, newKey } from './keys.ts'
import { addressIn, type KdfStrength, openKey, sealKey } from './web3-secret.ts'

/** An account on disk. */
export interface StoredAccount {
  readonly address: Address
  /** Path of its file. */
  readonly file: string
}

const fileBytesMax = 65_536

/**
 * A folder of encrypted private keys in geth's format and under geth's file names; geth's own files are read as they are. What is not a key
 * file is passed over, as geth does.
 */
export function openKeystore(directory: string, wallNow: () => Date) {
  /** Accounts in the order of their files' names, which is the order they were made in. */
  async function accounts(): Promise<StoredAccount[]> {
    if (!existsSync(directory)) return []
    const names = (await readdir(directory)).filter(isVisible).sort()
    const read = await Promise.all(names.map(name => accountIn(join(directory, name))))
    return read.filter(account => account !== undefined)
  }

  /** The one file of an account; refuses `crypto/unknown-key`, and `keys/ambiguous` where two files claim it. */
  async function find(address: Address): Promise<StoredAccount> {
    const found = (await accounts()).filter(account => account.address === address)
    const [account] = found
    if (account === undefined) throw new CodedError('crypto/unknown-key')
    if (found.length === 1) return account
    const files = found.map(({ file }) => file).join(', ')
    throw new CodedError('keys/ambiguous', `multiple keys match address (${files})`)
  }

  /** The private key of an account. Refusals of `find` and of `openKey`. */
  async function open_(address: Address, password: string): Promise<Uint8Array> {
    const { file } = await find(address)
    const key = await openKey(await readFile(file, 'utf8'), password)
    return key
  }

  /** Stores a key; refuses `keys/exists`. On disk, read back and opened before it is under its name. */
  async function add(
    key: Uint8Array,
    password: string,
    strength?: KdfStrength,
  ): Promise<StoredAccount> {
    const address = addressOfKey(key)
    if ((await accounts()).some(account => account.address === address))
      throw new CodedError('keys/exists')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = join(directory, fileName(wallNow(), address))
    const temporary = join(directory, `.${address.slice(2)}.tmp`)
    try {
      await writeSynced(temporary, await sealKey(key, password, strength))
      await openKey(await readFile(temporary, 'utf8'), password)
      await rename(temporary, file)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    await syncFolder(directory)
    return { address, file }
  }

  return {
    accounts,
    find,
    open: open_,
    add,
    /** A new account. */
    create: (password: string, strength?: KdfStrength) => add(newKey(), password, strength),
  }
}

async function accountIn(file: string): Promise<StoredAccount | undefined> {
  const { size } = await stat(file)
  if (size > fileBytesMax) return undefined
  try {
    const address = addressIn(await readFile(file, 'utf8'))
    return address === undefined ? undefined : { address: `0x${address}` as Address, file }
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

/** Editors and half-written files leave such names. */
const isVisible = (name: string) => !name.startsWith('.') && !name.endsWith('~')

/** geth's name: `UTC--2026-08-20T10-58-14.000000000Z--<address>`. */
function fileName(now: Date, address: Address): string {
  const [seconds = '', rest = ''] = now.toISOString().replaceAll(':', '-').split('.')
  return `UTC--${seconds}.${rest.slice(0, 3)}000000Z--${address.slice(2)}`
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}
