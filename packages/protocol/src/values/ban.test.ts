import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSubject } from './ban.ts'
import { firstOf, ipText, parseIp, parseIpRange } from './ip.ts'

const id = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'

describe('a subject', () => {
  test.each([
    [id, { kind: 'peer', value: id }],
    ['203.0.113.7', { kind: 'ip', value: '203.0.113.7' }],
    ['::ffff:203.0.113.7', { kind: 'ip', value: '203.0.113.7' }],
    ['2001:DB8::1', { kind: 'ip', value: '2001:db8:0:0:0:0:0:1' }],
    ['10.0.0.0/8', { kind: 'subnet', value: '10.0.0.0/8' }],
  ])('is read from %s', (text, value) => {
    expect(parseSubject(text)).toEqual({ ok: true, value })
  })

  test.each([
    '',
    'mallory',
    `${id}x`,
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4/33',
    '0.0.0.0/0',
    '::/0',
    ':::',
  ])('is not %j', text => {
    expect(parseSubject(text)).toMatchObject({ code: 'p2p/bad-subject' })
  })
})

test('an address in a range is one that the system finds there too', () => {
  const cases = fc.oneof(
    fc.record({ ip: fc.ipV4(), other: fc.ipV4(), length: fc.integer({ min: 1, max: 32 }) }),
    fc.record({ ip: fc.ipV6(), other: fc.ipV6(), length: fc.integer({ min: 1, max: 128 }) }),
  )
  fc.assert(
    fc.property(cases, fc.boolean(), ({ ip, other, length }, same) => {
      const range = parseIpRange(`${ip}/${length}`)
      const address = parseIp(same ? ip : other)
      // An IPv4 address inside IPv6 is one for us and not for the system.
      fc.pre(
        range !== undefined &&
          address?.bits === range.ip.bits &&
          range.ip.bits === (ip.includes(':') ? 128 : 32),
      )
      const system = new BlockList()
      const family = ip.includes(':') ? 'ipv6' : 'ipv4'
      system.addSubnet(ip, length, family)

      const inside = firstOf(address, length).value === firstOf(range.ip, length).value

      expect(inside).toBe(system.check(same ? ip : other, family))
    }),
  )
})

test('the text of an address is read as the same address', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), text => {
      const ip = parseIp(text)
      expect(ip).toBeDefined()
      expect(ip && parseIp(ipText(ip))).toEqual(ip)
    }),
  )
})
