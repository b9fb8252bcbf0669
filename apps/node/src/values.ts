import * as v from 'valibot'

/** What a configuration text means once it is checked. Durations in ms, sizes in bytes, amounts in wei. */
export type SettingValue = string | number | boolean | bigint | readonly string[]

/** A parser of one key: takes text (flag, environment) or a TOML value. The message of an issue continues `<key>: `. */
export type ValueSchema = v.GenericSchema<unknown, SettingValue>

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
}
const weiUnits: Readonly<Record<string, bigint>> = {
  wei: 1n,
  gwei: 1_000_000_000n,
  ether: 1_000_000_000_000_000_000n,
}

const shown = (value: unknown): string =>
  typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? 'nothing')

/** Lifts a plain parse function (undefined or an error text on failure) into a schema. */
function schema<T extends SettingValue>(parse: (value: unknown) => T | Wrong): ValueSchema {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const parsed = parse(dataset.value)
      if (!(parsed instanceof Wrong)) return parsed
      addIssue({ message: parsed.text })
      return NEVER
    }),
  ) as ValueSchema
}

class Wrong {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const expected = (what: string, got: unknown) => new Wrong(`expected ${what}, got ${shown(got)}`)

export const text = schema(value => (typeof value === 'string' ? value : expected('text', value)))

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): ValueSchema {
  return schema(value => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
    const wanted =
      max === Number.MAX_SAFE_INTEGER
        ? `a whole number ≥ ${min}`
        : `a whole number from ${min} to ${max}`
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) return expected(wanted, value)
    return number >= min && number <= max ? number : expected(wanted, value)
  })
}

/** Port 0 asks the system; 1 to 1023 belong to it. */
export const port = schema(value => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 65_535)
    return expected('a port from 0 to 65535', value)
  return number === 0 || number > 1_023
    ? number
    : new Wrong(`port ${number} is privileged; choose one above 1023, or 0`)
})

export const flag = schema(value => {
  if (value === true || value === 'true' || value === '') return true
  return value === false || value === 'false' ? false : expected('true or false', value)
})

export function oneOf(...choices: readonly string[]): ValueSchema {
  return schema(value =>
    typeof value === 'string' && choices.includes(value)
      ? value
      : expected(`one of ${choices.join(', ')}`, value),
  )
}

/** `30s`, `6h`, `500ms`; a bare 0 is allowed, any other bare number lacks its unit. */
export const duration = schema(value => withUnit(value, durationUnits, '1h', 'a duration'))
/** A duration that may also be negative, such as `-5s`. */
export const offset = schema(value => {
  const isBack = typeof value === 'string' && value.startsWith('-')
  const ms = withUnit(isBack ? value.slice(1) : value, durationUnits, '-5s', 'a duration')
  return isBack && typeof ms === 'number' ? -ms : ms
})
/** A duration of at least a second. */
export const interval = schema(value => {
  const ms = withUnit(value, durationUnits, '10s', 'a duration')
  return ms instanceof Wrong || ms >= 1_000 ? ms : expected('a duration of at least 1s', value)
})
/** `auto`, or a count from 1 to 64, as text. */
export const perTick = schema(value => {
  const words = typeof value === 'number' ? String(value) : value
  if (words === 'auto') return words
  if (typeof words !== 'string' || !/^\d{1,2}$/.test(words)) {
    return expected('auto or a whole number from 1 to 64', value)
  }
  const count = Number(words)
  return count >= 1 && count <= 64 ? words : expected('auto or a whole number from 1 to 64', value)
})
/** Part of a whole: a number from 0 to 1. */
export const share = schema(value => {
  const number = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !(number >= 0 && number <= 1)) {
    return expected('a number from 0 to 1', value)
  }
  return number
})
/** `64KiB`, `5MiB`; a bare 0 is allowed. */
export const size = schema(value => withUnit(value, sizeUnits, '5MiB', 'a size'))

function withUnit(
  value: unknown,
  units: Readonly<Record<string, number>>,
  example: string,
  what: string,
): number | Wrong {
  if (value === 0 || value === '0') return 0
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(value) : null
  const unit = match?.[2] === undefined ? undefined : units[match[2]]
  if (match !== null && unit !== undefined) return Math.round(Number(match[1]) * unit)
  const bare = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
  return bare
    ? new Wrong(`write a unit, for example ${example}`)
    : expected(`${what} such as ${example}`, value)
}

/** `1gwei`, `1ether`, `7wei`; a bare number is wei. */
export const wei = schema(value => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  const match =
    typeof value === 'string' ? /^(\d+)(?:\.(\d+))?\s*(wei|gwei|ether)?$/.exec(value) : null
  const unit = match === null ? undefined : weiUnits[match[3] ?? 'wei']
  if (match?.[1] === undefined || unit === undefined)
    return expected('an amount such as 1gwei', value)
  const decimals = match[2] ?? ''
  const scale = 10n ** BigInt(decimals.length)
  const scaled = BigInt(match[1] + decimals) * unit
  return scaled % scale === 0n ? scaled / scale : expected('a whole number of wei', value)
})

/** Comma separated in flags and environment, a list in the file. */
export const list = schema(value => {
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
  if (typeof value !== 'string') return expected('a list of text', value)
  return value === '' ? [] : value.split(',').map(item => item.trim())
})

/** A list of account addresses, in lower case. */
export const addresses = schema(value => {
  const items = typeof value === 'string' ? value.split(',').map(item => item.trim()) : value
  if (value === '') return []
  if (!Array.isArray(items)) return expected('a list of addresses', value)
  const wrong = items.find(item => typeof item !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(item))
  if (wrong !== undefined) return expected('an address of 0x and 40 hex digits', wrong)
  return items.map(item => String(item).toLowerCase())
})

/** A value as a user would write it: with the largest unit that leaves it whole. The schema it belongs to reads it back. */
export function written(of: ValueSchema, value: SettingValue): string {
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'bigint') return unitOf(value, Object.entries(weiUnits))
  const units =
    of === duration || of === offset || of === interval
      ? durationUnits
      : of === size
        ? sizeUnits
        : undefined
  if (units === undefined || value === 0) return String(value)
  const exact = Object.entries(units).map(([name, unit]) => [name, BigInt(unit)] as const)
  return unitOf(BigInt(Number(value)), exact)
}

function unitOf(value: bigint, units: readonly (readonly [string, bigint])[]): string {
  const fits = units.filter(([, unit]) => value !== 0n && value % unit === 0n)
  const [name, unit] = fits.at(-1) ?? units[0] ?? ['', 1n]
  return `${value / unit}${name}`
}
