import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import { nearest } from './nearest.ts'
import { environmentName, settingByKey, settings } from './schema.ts'
import type { SettingValue } from './values.ts'

/** Where a value came from, for `config show --origin` and for error texts. */
type Origin = 'flag' | 'environment' | 'file' | 'default'

interface Effective {
  readonly key: string
  readonly value: SettingValue | undefined
  readonly origin: Origin
  /** `config.toml:14`, `ROCKPOOL_RPC_PORT`, `--rpc.port`; empty for a default. */
  readonly where: string
}

export interface Loaded {
  readonly values: ReadonlyMap<string, Effective>
  readonly warnings: readonly string[]
}

export interface Sources {
  readonly flags: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Text of the configuration file, if there is one. */
  readonly file?: { readonly name: string; readonly text: string }
}

/** Reserved for other programs of the project: never a warning. */
const foreign = /^ROCKPOOL_(?:SIM_|TIME_SCALE$|E2E_|TEST_)/

type Found = { value: unknown; origin: Origin; where: string }

/**
 * Joins flag > environment > file > default and checks all of it. All errors are returned, not the first; with errors nothing is
 * effective.
 */
export function loadConfig(
  sources: Sources,
): { ok: true; config: Loaded } | { ok: false; errors: string[] } {
  const errors: string[] = []
  const warnings: string[] = []
  const found = new Map<string, Found>()
  if (sources.file) readFile(sources.file, found, errors)
  readEnvironment(sources.environment, found, warnings)
  readFlags(sources.flags, found, errors)

  const values = new Map<string, Effective>()
  for (const setting of settings) {
    const given = found.get(setting.key)
    if (given === undefined) {
      values.set(setting.key, {
        key: setting.key,
        value: setting.default,
        origin: 'default',
        where: '',
      })
      continue
    }
    const parsed = v.safeParse(setting.value, given.value)
    if (parsed.success)
      values.set(setting.key, {
        key: setting.key,
        value: parsed.output,
        origin: given.origin,
        where: given.where,
      })
    else errors.push(`${setting.key}: ${parsed.issues[0].message} (${given.where})`)
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, config: { values, warnings } }
}

function unknownKey(key: string, where: string): string {
  const hint = nearest(key, settingByKey.keys())
  return `unknown key "${key}" in ${where}${hint === undefined ? '' : `, did you mean "${hint}"?`}`
}

function readFile(
  file: { name: string; text: string },
  found: Map<string, Found>,
  errors: string[],
): void {
  let tables: Record<string, unknown>
  try {
    tables = parse(file.text)
  } catch (error) {
    const at = error instanceof TomlError ? `:${error.line}` : ''
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    errors.push(`${file.name}${at}: ${why}`)
    return
  }
  for (const [key, value] of flatten(tables)) {
    const where = `${file.name}:${lineOf(file.text, key)}`
    if (settingByKey.has(key)) found.set(key, { value, origin: 'file', where })
    else errors.push(unknownKey(key, where))
  }
}

function* flatten(table: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const key = prefix + name
    const isTable =
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      !(value instanceof Date)
    if (isTable && !settingByKey.has(key))
      yield* flatten(value as Record<string, unknown>, `${key}.`)
    else yield [key, value]
  }
}

/** The parser gives no line of a key, so the text is searched for the header of its table and then for its name. */
function lineOf(text: string, key: string): number {
  const parts = key.split('.')
  const lines = text.split('\n')
  let table = ''
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1]
    if (header !== undefined) table = `${header.replaceAll(/["'\s]/g, '')}.`
    const name = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1]?.replaceAll(/["']/g, '')
    if (name !== undefined && table + name === parts.join('.')) return index + 1
  }
  return 1
}

function readEnvironment(
  environment: Sources['environment'],
  found: Map<string, Found>,
  warnings: string[],
): void {
  const keys = new Map(settings.map(row => [environmentName(row.key), row.key]))
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('ROCKPOOL_') || value === undefined || foreign.test(name)) continue
    const key = keys.get(name)
    if (key !== undefined) found.set(key, { value, origin: 'environment', where: name })
    else {
      const hint = nearest(name, keys.keys())
      warnings.push(
        `unknown variable ${name}${hint === undefined ? '' : `, did you mean ${hint}?`}`,
      )
    }
  }
}

function readFlags(flags: readonly string[], found: Map<string, Found>, errors: string[]): void {
  for (let index = 0; index < flags.length; index += 1) {
    const flag = flags[index] ?? ''
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(flag)
    if (match?.[1] === undefined) {
      errors.push(`unexpected argument "${flag}"`)
      continue
    }
    const key = aliases.get(match[1]) ?? match[1]
    const setting = settingByKey.get(key)
    let value = match[2]
    const next = flags[index + 1]
    const takesNext =
      setting?.bare === true
        ? next === 'true' || next === 'false'
        : next !== undefined && !next.startsWith('--')
    if (value === undefined && takesNext) {
      value = next
      index += 1
    }
    if (setting === undefined) errors.push(unknownKey(match[1], 'the command line'))
    else if (value === undefined && setting.bare !== true)
      errors.push(`${key}: a value is missing (--${match[1]})`)
    else found.set(key, { value: value ?? '', origin: 'flag', where: `--${match[1]}` })
  }
}

/** Short spellings of often used flags. */
const aliases: ReadonlyMap<string, string> = new Map([['genesis', 'chain.genesis']])

/** Typed look-ups: a wrong key or kind is a bug of the caller. */
export function reader(config: Loaded) {
  const get = (key: string): SettingValue | undefined => {
    const entry = config.values.get(key)
    if (entry === undefined) throw new TypeError(`no configuration key ${key}`)
    return entry.value
  }
  const typed = <T extends SettingValue>(
    key: string,
    is: (value: SettingValue) => value is T,
  ): T => {
    const value = get(key)
    if (value === undefined || !is(value)) throw new TypeError(`${key} has another kind`)
    return value
  }
  return {
    has: (key: string): boolean => get(key) !== undefined,
    text: (key: string) => typed(key, value => typeof value === 'string'),
    number: (key: string) => typed(key, value => typeof value === 'number'),
    flag: (key: string) => typed(key, value => typeof value === 'boolean'),
    wei: (key: string) => typed(key, value => typeof value === 'bigint'),
    list: (key: string) => typed(key, (value): value is readonly string[] => Array.isArray(value)),
  }
}

export type Reader = ReturnType<typeof reader>

/** The file's text, or undefined when there is no file; an explicitly named one must exist. */
export function readConfigFile(name: string): { name: string; text: string } | undefined {
  try {
    return { name, text: readFileSync(name, 'utf8') }
  } catch (error) {
    // A data directory that is a file has no configuration either; whoever opens it says what is wrong with it.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
