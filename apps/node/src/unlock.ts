import { openKeystore } from '@rockpool/adapters/crypto'
import { type Address, CodedError } from '@rockpool/protocol'
import type { Reader } from './config.ts'
import type { Paths } from './datadir.ts'
import { exit, Refusal } from './exit.ts'
import { passwordAt, passwordsIn } from './passwords.ts'

/** Accounts of the keystore, and the keys of those that are unlocked until this process ends. */
export interface Accounts {
  readonly known: readonly Address[]
  readonly unlocked: readonly Uint8Array[]
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/

/** Opens what `unlock` names with the passwords of `password-file`. Whoever reaches JSON-RPC then spends from these accounts, so it must be on loopback. */
export async function unlockAccounts(read: Reader, paths: Paths): Promise<Accounts> {
  const keystore = openKeystore(paths.keystore, () => new Date())
  const known = (await keystore.accounts()).map(({ address }) => address)
  const wanted = read.list('unlock') as readonly Address[]
  if (wanted.length === 0) return { known, unlocked: [] }
  if (read.flag('rpc.enabled') && !loopback.test(read.text('rpc.ip')))
    throw new Refusal(
      exit.usage,
      'account unlock with a public RPC listener is forbidden (listen on 127.0.0.1 or drop --unlock)',
    )
  if (!read.has('password-file'))
    throw new Refusal(exit.usage, 'unlock needs password-file: a file with a line for each account')
  const passwords = passwordsIn(read.text('password-file'))
  const unlocked: Uint8Array[] = []
  for (const [index, address] of wanted.entries()) {
    try {
      unlocked.push(await keystore.open(address, passwordAt(passwords, index)))
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      throw new Refusal(exit.usage, `unlock ${address}: ${error.message}`)
    }
  }
  return { known, unlocked }
}
