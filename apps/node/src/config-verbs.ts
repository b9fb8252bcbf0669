import { loadConfig, readConfigFile } from './config.ts'
import { exit, Refusal } from './exit.ts'
import { environmentName, type Setting, settings } from './schema.ts'
import { effectiveSettings } from './settings.ts'
import { type SettingValue, written } from './values.ts'

/** `config show [--origin]`, `config check [file]`. */
export function configVerb(words: readonly string[]): number {
  const [verb, ...rest] = words
  if (verb === 'show') return show(rest)
  if (verb === 'check') return check(rest)
  throw new Refusal(exit.usage, 'rockpool config show [--origin] | check [file]')
}

function show(flags: readonly string[]): number {
  const origin = flags.includes('--origin')
  const { config, digest } = effectiveSettings(flags.filter(flag => flag !== '--origin'))
  for (const setting of settings) {
    const { value, where = '' } = config.values.get(setting.key) ?? {}
    const standard = text(setting, setting.default)
    const note = origin ? `   ${where === '' ? 'default' : `${where}   (default ${standard})`}` : ''
    console.log(`${setting.key} = ${text(setting, value)}${note}`)
  }
  console.log(`digest ${digest}`)
  return exit.done
}

function check([file]: readonly string[]): number {
  if (file === undefined) {
    console.log(`ok, digest ${effectiveSettings([]).digest}`)
    return exit.done
  }
  const found = readConfigFile(file)
  if (found === undefined) throw new Refusal(exit.usage, `${file}: no such file`)
  const loaded = loadConfig({ flags: [], environment: {}, file: found })
  if (!loaded.ok) throw new Refusal(exit.usage, loaded.errors.join('\n'))
  console.log('ok')
  return exit.done
}

/** One block of text: each key as a flag, its environment name, default and sentence. */
export function configHelp(): string {
  const rows = settings.map(
    row =>
      `  --${row.key.padEnd(32)} ${row.sentence}${row.default === undefined ? '' : ` Default ${text(row, row.default)}.`}`,
  )
  return [
    'rockpool run [--<key> <value> …]',
    '',
    'Every key can stand in <datadir>/config.toml, in the environment',
    `(rpc.port is ${environmentName('rpc.port')}) or on the command line, which wins.`,
    '',
    ...rows,
  ].join('\n')
}

function text({ value: schema }: Setting, value: SettingValue | undefined): string {
  if (value === undefined) return '-'
  return Array.isArray(value) ? `[${value.join(', ')}]` : written(schema, value)
}
