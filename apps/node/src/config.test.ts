import { expect, test } from 'vitest'
import { loadConfig, reader } from './config.ts'
import { environmentName, settings } from './schema.ts'
import * as is from './values.ts'

const load = (flags: string[] = [], environment: Record<string, string> = {}, text?: string) =>
  loadConfig({
    flags,
    environment,
    ...(text === undefined ? {} : { file: { name: 'config.toml', text } }),
  })

function values(...given: Parameters<typeof load>) {
  const loaded = load(...given)
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

function errors(...given: Parameters<typeof load>): string[] {
  const loaded = load(...given)
  return loaded.ok ? [] : loaded.errors
}

test('a flag wins over the environment, that over the file, that over the default, and each names its origin', () => {
  const file = '[txpool]\n\npricebump = 12\n'
  const environment = { ROCKPOOL_TXPOOL_PRICEBUMP: '13' }
  const bump = (config: ReturnType<typeof values>) => config.values.get('txpool.pricebump')

  expect(bump(values(['--txpool.pricebump', '14'], environment, file))).toMatchObject({
    value: 14,
    origin: 'flag',
  })
  expect(bump(values([], environment, file))).toMatchObject({
    value: 13,
    where: 'ROCKPOOL_TXPOOL_PRICEBUMP',
  })
  expect(bump(values([], {}, file))).toMatchObject({ value: 12, where: 'config.toml:3' })
  expect(bump(values())).toMatchObject({ value: 10, origin: 'default' })
})

test('an unknown key is an error with its line and the nearest known key', () => {
  expect(errors([], {}, '[txpool]\npricebmup = 5\n')).toEqual([
    'unknown key "txpool.pricebmup" in config.toml:2, did you mean "txpool.pricebump"?',
  ])
  expect(errors(['--rpc.prot', '1'])).toEqual([
    'unknown key "rpc.prot" in the command line, did you mean "rpc.port"?',
  ])
  expect(errors(['--entirely.unlike', '1'])).toEqual([
    'unknown key "entirely.unlike" in the command line',
  ])
})

test('all errors are listed, not the first', () => {
  expect(
    errors(
      ['--rpc.port', '80'],
      { ROCKPOOL_SHUTDOWN_DEADLINE: '30' },
      '[txpool]\npricebump = "ten"\n',
    ),
  ).toEqual([
    'txpool.pricebump: expected a whole number ≥ 0, got "ten" (config.toml:2)',
    'rpc.port: port 80 is privileged; choose one above 1023, or 0 (--rpc.port)',
    'shutdown.deadline: write a unit, for example 1h (ROCKPOOL_SHUTDOWN_DEADLINE)',
  ])
})

test('addresses are read in lower case, and a wrong one is named', () => {
  const address = `0x${'Ab'.repeat(20)}`
  expect(is.addresses['~standard'].validate(address)).toMatchObject({
    value: [address.toLowerCase()],
  })
  for (const wrong of ['0x12', `${address},nobody`])
    expect(is.addresses['~standard'].validate(wrong)).toMatchObject({
      issues: [{ message: expect.stringContaining('expected an address of 0x and 40 hex digits') }],
    })
})

test('durations, sizes, amounts and lists are read with their units', () => {
  const read = reader(
    values([
      '--shutdown.deadline=1.5s',
      '--rpc.body-limit',
      '64KiB',
      '--txpool.pricelimit=2gwei',
      '--rpc.vhosts=a, b',
      '--devnet.control',
    ]),
  )
  expect(read.number('shutdown.deadline')).toBe(1_500)
  expect(read.number('rpc.body-limit')).toBe(65_536)
  expect(read.wei('txpool.pricelimit')).toBe(2_000_000_000n)
  expect(read.list('rpc.vhosts')).toEqual(['a', 'b'])
  expect(read.flag('devnet.control')).toBe(true)
})

test.each([
  ['p2p.ban.threshold=-201', 'a whole number from -200 to -50'],
  ['p2p.ban.threshold=-49', 'a whole number from -200 to -50'],
  ['p2p.ban.duration=999ms', 'a duration of at least 1s'],
  ['p2p.ban.persistence=cloud', 'one of disk, memory'],
  ['p2p.monitor.budget-per-tick=0', 'auto or a whole number from 1 to 64'],
  ['p2p.monitor.budget-per-tick=65', 'auto or a whole number from 1 to 64'],
])('%s is refused: expected %s', (flag, expected) => {
  expect(errors([`--${flag}`])[0]).toContain(`expected ${expected}`)
})

test('pool sync is asked for at most once a second', () => {
  expect(reader(values(['--p2p.sync.interval=1s'])).number('p2p.sync.interval')).toBe(1_000)
  expect(errors(['--p2p.sync.interval=999ms'])[0]).toContain('a duration of at least 1s')
})

test('a mistyped variable is a warning, a broken file an error with its line', () => {
  expect(values([], { ROCKPOOL_RPC_PROT: '1', ROCKPOOL_SIM_SEED: '1' }).warnings).toEqual([
    'unknown variable ROCKPOOL_RPC_PROT, did you mean ROCKPOOL_RPC_PORT?',
  ])
  expect(errors([], {}, 'a = 1\nb = = 2\n')[0]).toMatch(/^config\.toml:2: /)
})

test('names that hurt objects are only unknown keys', () => {
  expect(errors([], {}, '__proto__ = 1\n')[0]).toContain('unknown key "__proto__"')
  expect(errors(['--constructor', '1'])[0]).toContain('unknown key "constructor"')
})

test('a flag without its value and a stray word are told', () => {
  expect(errors(['--rpc.port'])).toEqual(['rpc.port: a value is missing (--rpc.port)'])
  expect(errors(['stray'])).toEqual(['unexpected argument "stray"'])
})

test('no two keys share an environment name and no key is also a table; every key has a sentence and a good default', () => {
  const names = settings.map(row => environmentName(row.key))
  expect(new Set(names).size).toBe(names.length)
  for (const row of settings) {
    expect(settings.some(other => other.key.startsWith(`${row.key}.`))).toBe(false)
    expect(row.sentence).toMatch(/^[A-Z].*\.$/)
  }
})

test('an offset goes either way, is written as it is read, and still needs its unit', () => {
  const offset = (text: string) => values(['--devnet.clock-offset', text])
  const shown = (text: string) => reader(offset(text)).number('devnet.clock-offset')

  expect([shown('-5s'), shown('250ms'), shown('0')]).toEqual([-5_000, 250, 0])
  expect(errors(['--devnet.clock-offset', '-5'])).toHaveLength(1)
  expect(reader(values(['--devnet.clock-drift-ppm=-40'])).number('devnet.clock-drift-ppm')).toBe(
    -40,
  )
  expect(errors(['--devnet.clock-drift-ppm', '-100001'])).toHaveLength(1)
  expect(errors(['--rpc.batch-request-limit', '-1'])).toHaveLength(1)
})
