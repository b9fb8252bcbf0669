import { expect, test } from 'vitest'
import { createHostCheck, hostName, isHostAllowed, isOriginAllowed } from './origins.ts'

test('addresses and listed names are our hosts, other names are not', () => {
  const vhosts = ['localhost', 'node.example']

  for (const host of [
    'localhost',
    'LOCALHOST:8545',
    'node.example:80',
    '127.0.0.1:8545',
    '10.0.0.4',
    '[::1]:8545',
  ])
    expect(isHostAllowed(host, vhosts)).toBe(true)
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    'xlocalhost',
    '127.0.0.1.evil.example',
    '',
    '[evil]',
    'a:b:c',
  ])
    expect(isHostAllowed(host, vhosts)).toBe(false)
  expect(isHostAllowed('evil.example', ['*'])).toBe(true)
  expect(isHostAllowed(undefined, vhosts)).toBe(true)
})

test('a host that passed does not let another one in', () => {
  const hosts = createHostCheck(['localhost'])

  expect(hosts.allows('localhost:8545')).toBe(true)
  expect(hosts.allows('evil.example')).toBe(false)
  expect(hosts.allows('localhost:8545')).toBe(true)
})

test('a host is named without port and brackets', () => {
  expect(hostName('Example.org:8545')).toBe('example.org')
  expect(hostName('[2001:DB8::1]:8545')).toBe('2001:db8::1')
})

test('an origin fits a pattern whole', () => {
  const patterns = ['http://localhost:*', 'https://wallet.example', 'https://*.good.example']

  for (const origin of [
    'http://localhost:3000',
    'https://wallet.example',
    'https://a.b.good.example',
  ])
    expect(isOriginAllowed(origin, patterns)).toBe(true)
  for (const origin of [
    'https://localhost:3000',
    'http://localhost',
    'http://localhost:3000.evil.example/x',
    'http://localhost:1@evil.example',
    'https://wallet.example.evil.example',
    'https://walletxexample',
    'https://evil.example/.good.example',
    'null',
  ])
    expect(isOriginAllowed(origin, patterns)).toBe(false)
  expect(isOriginAllowed('null', ['*'])).toBe(true)
  expect(isOriginAllowed('https://any.example', [])).toBe(false)
})
