import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientKey, createClients } from './clients.ts'

const stranger = '203.0.113.9'

describe('connections of one address', () => {
  test('the last that fits is opened and the next refused, until one closes', () => {
    const clients = createClients({ connectionsPerClient: 2 })

    expect(clients.open(stranger)).toBeDefined()
    expect(clients.open(stranger)).toBeDefined()
    expect(clients.open(stranger)).toBeUndefined()
    expect(clients.open('203.0.113.10')).toBeDefined()
    clients.close(stranger)
    expect(clients.open(stranger)).toBeDefined()
  })

  test('loopback has neither bound nor price, unless it is counted too', () => {
    const free = createClients({ connectionsPerClient: 1 })
    const counted = createClients({ connectionsPerClient: 1, loopbackToo: true })

    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
      expect(free.open(address)).toEqual(expect.objectContaining({ bucket: undefined }))
      expect(free.open(address)).toBeDefined()
    }
    expect(counted.open('127.0.0.1')?.bucket).toBeDefined()
    expect(counted.open('127.0.0.1')).toBeUndefined()
  })
})

describe('the bucket', () => {
  test('is shared by an address, empties, and refills with time up to its size', () => {
    let now = 0
    const clients = createClients({ ratePerSecond: 10, rateBurst: 20 }, () => now)
    const first = clients.open(stranger)?.bucket
    const second = clients.open(stranger)?.bucket

    expect(first?.take(20)).toBe(true)
    expect(second?.take(1)).toBe(false)
    now = 99
    expect(second?.take(1)).toBe(false)
    now = 100
    expect(second?.take(1)).toBe(true)
    now = 60_000
    expect(first?.take(21)).toBe(false)
    expect(first?.take(20)).toBe(true)
  })

  test('never gives more than its size and what has trickled in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 9 }))), steps => {
        let now = 0
        let spent = 0
        const bucket = createClients({ ratePerSecond: 10, rateBurst: 20 }, () => now).open(stranger)
        for (const [wait, cost] of steps) {
          now += wait
          if (bucket?.bucket?.take(cost)) spent += cost
          expect(spent).toBeLessThanOrEqual(20 + now / 100 + 1e-6)
        }
      }),
    )
  })
})

test('memory is bounded: who is idle is forgotten, who is connected is not', () => {
  const clients = createClients({ clientsMax: 3 })
  clients.open('198.51.100.1')
  for (let host = 2; host < 200; host++) {
    clients.open(`198.51.100.${host}`)
    clients.close(`198.51.100.${host}`)
  }

  expect(clients.size).toBe(3)
})

test('an IPv6 client is its /64 and a mapped IPv4 address is itself', () => {
  expect(clientKey('2001:db8:1:2:3:4:5:6')).toBe(clientKey('2001:db8:1:2::9'))
  expect(clientKey('2001:0db8:0001:0002::1')).toBe(clientKey('2001:DB8:1:2::'))
  expect(clientKey('2001:db8:1:3::1')).not.toBe(clientKey('2001:db8:1:2::1'))
  expect(clientKey('fe80::1%eth0')).toBe(clientKey('fe80::2%eth1'))
  expect(clientKey('::ffff:203.0.113.9')).toBe(stranger)
  expect(clientKey('::')).toBe(clientKey('::2'))
})
