import type { MultiaddrConnection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { GateEvent } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createGater } from './gater.ts'
import { createMeter } from './metrics.ts'

const self = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const other = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const addr = multiaddr(`/ip4/10.0.0.7/tcp/7625/p2p/${other}`)
const link = { remoteAddr: multiaddr('/ip4/10.0.0.7/tcp/51234') } as MultiaddrConnection
const peer = peerIdFromString(other)

function ask(decide: (event: GateEvent) => boolean) {
  const events: GateEvent[] = []
  const gater = createGater(
    event => {
      events.push(event)
      return decide(event) ? { allow: true } : { allow: false, code: 'p2p/banned' }
    },
    self,
    createMeter(),
  )
  return { events, gater }
}

test('each hook asks its own question', () => {
  const { events, gater } = ask(() => true)

  const denied = [
    gater.denyDialPeer?.(peer),
    gater.denyDialMultiaddr?.(addr),
    gater.denyInboundConnection?.(link),
    gater.denyInboundEncryptedConnection?.(peer, link),
  ]

  expect(denied).toEqual([false, false, false, false])
  expect(events).toEqual([
    { hook: 'dial', peer: other },
    { hook: 'dialAddr', addr: addr.toString() },
    { hook: 'inbound', ip: '10.0.0.7' },
    { hook: 'inboundEncrypted', peer: other, ip: '10.0.0.7' },
  ])
})

test('a denial denies, and so does a gate that throws', () => {
  const denies = ask(() => false).gater
  const throws = ask(() => {
    throw new Error('store is gone')
  }).gater

  for (const gater of [denies, throws]) {
    expect(gater.denyDialPeer?.(peer)).toBe(true)
    expect(gater.denyInboundConnection?.(link)).toBe(true)
    expect(gater.denyInboundEncryptedConnection?.(peer, link)).toBe(true)
    expect(gater.denyOutboundEncryptedConnection?.(peer, link)).toBe(false)
  }
})

test('addresses of a peer are kept if they may be dialled, our own always; the hook works without its object', () => {
  const { filterMultiaddrForPeer: keep } = ask(() => false).gater
  const { filterMultiaddrForPeer: keepAll } = ask(() => true).gater

  expect(keep?.(peer, addr)).toBe(false)
  expect(keepAll?.(peer, addr)).toBe(true)
  expect(keep?.(peerIdFromString(self), addr)).toBe(true)
})
