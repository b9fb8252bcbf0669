import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { commentedConfig } from './init.ts'
import { settings } from './schema.ts'

const load = (text: string) =>
  loadConfig({ flags: [], environment: {}, file: { name: 'config.toml', text } })

test('the file that init writes changes nothing', () => {
  expect(load(commentedConfig())).toEqual(load(''))
})

test('each of its defaults can stand uncommented and is still the default', () => {
  const lines = commentedConfig().split('\n')
  const text = lines.map(line => (/^# [\w.-]+ = \S/.test(line) ? line.slice(2) : line)).join('\n')

  const loaded = load(text)

  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  for (const { key, default: standard } of settings)
    expect(loaded.config.values.get(key)?.value, key).toEqual(standard)
})
