import type { Address, Forks } from '@rockpool/protocol'
import type { Genesis } from './genesis.ts'
import type { Keccak } from './keccak.ts'

/** Forks in their order; the order in which they enter the genesis hash. */
export const forkNames = [
  'homesteadBlock',
  'eip155Block',
  'istanbulBlock',
  'berlinBlock',
  'londonBlock',
  'shanghaiTime',
  'cancunTime',
  'pragueTime',
  'osakaTime',
  'amsterdamTime',
] as const satisfies readonly (keyof Forks)[]

const fieldNames = [
  'chain-id',
  'forks',
  'gas-limit',
  'base-fee',
  'block-time',
  'producers',
  'reward',
  'time',
  'alloc',
  'director',
]
/** Networks that carry value: a signature made for play on one of these ids could be replayed there. */
const publicChainIds = [1, 10, 137, 8453, 42161]
const producersMax = 256
const gasLimitMin = 5_000
const gasLimitMax = 2 ** 31
const blockTimeMsMax = 86_400_000
const weiMax = 2n ** 256n - 1n
/** Header times are milliseconds below 2^53. */
const timeSecondsMax = 2 ** 43

/** Reads a parsed genesis file; every mistake is noted and reading goes on, so that one run shows all of them. */
export function readGenesis(
  value: unknown,
  preset: Genesis,
  keccak256: Keccak | undefined,
): { genesis: Genesis; mistakes: readonly string[] } {
  const reader = new GenesisReader(keccak256)
  return { genesis: reader.read(value, preset), mistakes: reader.mistakes }
}

type Table = Readonly<Record<string, unknown>>

class GenesisReader {
  readonly mistakes: string[] = []
  readonly #keccak256: Keccak | undefined

  constructor(keccak256: Keccak | undefined) {
    this.#keccak256 = keccak256
  }

  read(value: unknown, preset: Genesis): Genesis {
    const file = this.#table('genesis', value)
    this.#unknownKeys('', file, fieldNames)
    for (const name of ['chain-id', 'producers']) {
      if (file[name] === undefined) this.#mistake(name, 'must be given')
    }
    const given = <T>(name: string, otherwise: T, read: (name: string, value: unknown) => T): T =>
      file[name] === undefined ? otherwise : read(name, file[name])
    return {
      chainId: given('chain-id', preset.chainId, (name, it) => this.#chainId(name, it)),
      forks: given('forks', preset.forks, (name, it) => this.#forks(name, it)),
      gasLimit: given('gas-limit', preset.gasLimit, (name, it) =>
        this.#integer(name, it, gasLimitMin, gasLimitMax),
      ),
      baseFee: given('base-fee', preset.baseFee, (name, it) => this.#wei(name, it)),
      blockTimeMs: given('block-time', preset.blockTimeMs, (name, it) => this.#delay(name, it)),
      producers: given('producers', preset.producers, (name, it) => this.#producers(name, it)),
      reward: given('reward', preset.reward, (name, it) => this.#wei(name, it)),
      timeSeconds: given('time', preset.timeSeconds, (name, it) =>
        this.#integer(name, it, 0, timeSecondsMax),
      ),
      alloc: given('alloc', preset.alloc, (name, it) => this.#alloc(name, it)),
      director: given<Address | null>('director', null, (name, it) =>
        it === null ? null : this.#address(name, it),
      ),
    }
  }

  #mistake(name: string, text: string): void {
    this.mistakes.push(`${name}: ${text}`)
  }

  #table(name: string, value: unknown): Table {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isTable) return value as Table
    this.#mistake(name, 'must be a table')
    return {}
  }

  #unknownKeys(prefix: string, table: Table, known: readonly string[]): void {
    for (const name of Object.keys(table)) {
      if (!known.includes(name)) this.#mistake(`${prefix}${name}`, 'unknown field')
    }
  }

  #chainId(name: string, value: unknown): number {
    const mistakesBefore = this.mistakes.length
    const chainId = this.#integer(name, value, 1, Number.MAX_SAFE_INTEGER)
    if (this.mistakes.length > mistakesBefore) return chainId
    if (publicChainIds.includes(chainId)) {
      this.mistakes.push(
        `chain id ${chainId} is a public network's; a dev chain there could make replayable signatures`,
      )
    }
    return chainId
  }

  #forks(name: string, value: unknown): Forks {
    const table = this.#table(name, value)
    this.#unknownKeys(`${name}.`, table, forkNames)
    const forks: Record<string, number | null> = {}
    for (const fork of forkNames) {
      const at = table[fork]
      if (at === undefined) continue
      const never = at === null || at === 'never'
      forks[fork] = never ? null : this.#integer(`${name}.${fork}`, at, 0, Number.MAX_SAFE_INTEGER)
    }
    if ((forks['londonBlock'] ?? 0) !== 0 || forks['londonBlock'] === null) {
      this.#mistake(`${name}.londonBlock`, 'must be 0: every header of this chain has a base fee')
    }
    return forks
  }

  #producers(name: string, value: unknown): readonly Address[] {
    if (!Array.isArray(value)) {
      this.#mistake(name, 'must be a list of addresses')
      return []
    }
    const items: readonly unknown[] = value
    if (items.length === 0 || items.length > producersMax) {
      this.#mistake(name, `must be 1 to ${producersMax} addresses, got ${items.length}`)
    }
    const producers = items
      .slice(0, producersMax)
      .map((item, index) => this.#address(`${name}[${index}]`, item))
    for (const [index, producer] of producers.entries()) {
      if (producers.indexOf(producer) !== index) {
        this.#mistake(`${name}[${index}]`, `${producer} is there twice`)
      }
    }
    return producers
  }

  #alloc(name: string, value: unknown): Genesis['alloc'] {
    const alloc = new Map<Address, { balance: bigint; nonce: bigint }>()
    for (const [key, entry] of Object.entries(this.#table(name, value))) {
      const address = this.#address(`${name}.${key}`, key)
      if (alloc.has(address)) this.#mistake(`${name}.${key}`, 'is there twice')
      const table = this.#table(`${name}.${key}`, entry)
      this.#unknownKeys(`${name}.${key}.`, table, ['balance', 'nonce'])
      const { balance = 0, nonce = 0 } = table
      alloc.set(address, {
        balance: this.#wei(`${name}.${key}.balance`, balance),
        nonce: this.#bigNumber(`${name}.${key}.nonce`, nonce, BigInt(Number.MAX_SAFE_INTEGER)),
      })
    }
    let sum = 0n
    for (const { balance } of alloc.values()) sum += balance
    if (sum > weiMax) this.#mistake(name, 'balances add up to more than 2^256-1 wei')
    return alloc
  }

  #address(name: string, value: unknown): Address {
    if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) {
      this.#mistake(name, 'must be an address, 0x and 40 hexadecimal digits')
      return '0x' as Address
    }
    const lower = value.toLowerCase()
    const digits = value.slice(2)
    const mixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
    if (mixed && this.#keccak256 !== undefined && value !== checksummed(lower, this.#keccak256)) {
      this.#mistake(name, 'the case of its letters does not fit (EIP-55); mistyped?')
    }
    return lower as Address
  }

  #integer(name: string, value: unknown, min: number, max: number): number {
    return Number(this.#bigNumber(name, value, BigInt(max), BigInt(min)))
  }

  #bigNumber(name: string, value: unknown, max: bigint, min = 0n): bigint {
    const number = integerOf(value)
    if (number !== null && number >= min && number <= max) return number
    this.#mistake(name, `must be an integer from ${min} to ${max}, got ${shown(value)}`)
    return min
  }

  /** Plain wei, or a number and its unit. */
  #wei(name: string, value: unknown): bigint {
    const plain = integerOf(value)
    const wei = plain ?? (typeof value === 'string' ? amountOf(value) : null)
    if (wei !== null && wei >= 0n && wei <= weiMax) return wei
    this.#mistake(name, `must be an amount such as 1gwei, 2ether or plain wei, got ${shown(value)}`)
    return 0n
  }

  #delay(name: string, value: unknown): number {
    if (value === 0 || value === 0n || value === '0') return 0
    const match = typeof value === 'string' ? /^(\d{1,8})(ms|s|m)$/.exec(value) : null
    const unit = match?.[2] === 'ms' ? 1 : match?.[2] === 's' ? 1_000 : 60_000
    const delayMs = Number(match?.[1]) * unit
    if (match !== null && delayMs <= blockTimeMsMax) return delayMs
    this.#mistake(name, `must be a duration such as 2s or 500ms, or 0, got ${shown(value)}`)
    return 0
  }
}

const weiPerUnit: Readonly<Record<string, bigint>> = {
  wei: 1n,
  kwei: 10n ** 3n,
  mwei: 10n ** 6n,
  gwei: 10n ** 9n,
  ether: 10n ** 18n,
}

/** Wei of text such as `1gwei` or `0.5 ether`; null when it is none, or no whole number of wei. */
function amountOf(text: string): bigint | null {
  const match = /^(\d{1,78})(?:\.(\d{1,18}))?\s?([a-z]+)$/.exec(text)
  const unit = weiPerUnit[match?.[3] ?? '']
  if (match === null || unit === undefined) return null
  const fraction = match[2] ?? ''
  const scaled = BigInt((match[1] ?? '') + fraction) * unit
  const divisor = 10n ** BigInt(fraction.length)
  return scaled % divisor === 0n ? scaled / divisor : null
}

/** An integer however a file can say it: number, big integer, decimal or 0x text. */
function integerOf(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : null
  if (typeof value !== 'string') return null
  return /^(?:\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value) ? BigInt(value) : null
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'a table'
  return typeof value === 'string' ? `"${value.slice(0, 80)}"` : String(value)
}

/** An address in EIP-55's mixed case. */
function checksummed(lower: string, keccak256: Keccak): string {
  const digits = lower.slice(2)
  const hash = Buffer.from(keccak256(Buffer.from(digits, 'latin1'))).toString('hex')
  let out = '0x'
  for (const [index, digit] of [...digits].entries()) {
    out += Number.parseInt(hash[index] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit
  }
  return out
}
