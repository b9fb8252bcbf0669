import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { openKey, openKeystore } from '@rockpool/adapters/crypto'
import { type Address, CodedError, fromHex, toHex } from '@rockpool/protocol'
import { prepareDatadir } from './datadir.ts'
import { exit, Refusal } from './exit.ts'
import { askPassword } from './passwords.ts'
import { type Effective, effectiveSettings } from './settings.ts'

const usage =
  'rockpool account new | ls | import <file> | export <address> [--yes] [--light-kdf] [--password-file FILE] [--json]'
/** A wrong password costs whoever guesses this long. */
const wrongPasswordMs = 1_000

/** `rockpool account …`: the encrypted keys of this data directory; no node needs to run. */
export async function accountVerb(args: readonly string[]): Promise<number> {
  const has = (flag: string) => args.includes(flag)
  const own = new Set(['--json', '--light-kdf', '--yes'])
  const [verb, ...rest] = args.filter(arg => !own.has(arg))
  const wantsOne = verb === 'import' || verb === 'export'
  const effective = effectiveSettings(wantsOne ? rest.slice(1) : rest)
  const keystore = openKeystore(effective.paths.keystore, () => new Date())
  const strength = has('--light-kdf') ? 'light' : 'standard'
  const password = (isNew: boolean) => askPassword(passwordFile(effective), isNew)
  const print = (account: { readonly address: Address; readonly file: string }) =>
    console.log(has('--json') ? JSON.stringify(account) : `${account.address}  ${account.file}`)
  try {
    switch (verb) {
      case 'new':
        prepareDatadir(effective.paths)
        print(await keystore.create(await password(true), strength))
        return exit.done
      case 'ls': {
        const accounts = await keystore.accounts()
        if (has('--json')) console.log(JSON.stringify(accounts))
        else if (accounts.length === 0) console.log('none')
        else accounts.forEach(print)
        return exit.done
      }
      case 'import': {
        const key = await keyIn(named(rest[0], 'a file'), () => password(false))
        prepareDatadir(effective.paths)
        print(await keystore.add(key, await password(true), strength))
        return exit.done
      }
      case 'export': {
        const address = addressNamed(rest[0])
        if (process.stdout.isTTY && !has('--yes'))
          throw new Refusal(
            exit.usage,
            'this prints the private key on a terminal; say --yes if nobody looks, or write to a file',
          )
        console.log(toHex(await keystore.open(address, await password(false))))
        return exit.done
      }
      default:
        throw new Refusal(exit.usage, `usage: ${usage}`)
    }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    if (error.code !== 'keys/wrong-password') throw new Refusal(exit.no, error.message)
    await new Promise(resolve => setTimeout(resolve, wrongPasswordMs))
    const subject = rest[0] ?? 'the key'
    throw new Refusal(exit.no, `could not decrypt ${basename(subject)} (wrong password?)`)
  }
}

/** A key from a file of 64 hex digits, or from a key file of another keystore, whose password is asked for. */
async function keyIn(file: string, password: () => Promise<string>): Promise<Uint8Array> {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new Refusal(exit.usage, `cannot read ${file}`, { cause })
  }
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(text)) return fromHex(text)
  if (text.startsWith('{')) return openKey(text, await password())
  throw new Refusal(
    exit.usage,
    `${file}: expected a private key of 64 hex digits or a key file of Web3 Secret Storage version 3`,
  )
}

function addressNamed(text: string | undefined): Address {
  const address = named(text, 'an address').toLowerCase()
  if (!/^0x[0-9a-f]{40}$/.test(address))
    throw new Refusal(exit.usage, `account export: expected an address, got "${text}"`)
  return address as Address
}

function named(text: string | undefined, what: string): string {
  if (text === undefined) throw new Refusal(exit.usage, `${what} is missing; usage: ${usage}`)
  return text
}

const passwordFile = ({ read }: Effective): string | undefined =>
  read.has('password-file') ? read.text('password-file') : undefined
