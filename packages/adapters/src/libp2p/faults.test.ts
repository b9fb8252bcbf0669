import type { Transport } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { VirtualClock } from '@rockpool/actor'
import { limits } from '@rockpool/protocol'
import { expect, test } from 'vitest'
import { createFaults, withFaults } from './faults.ts'

const id = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const address = '/ip4/127.0.0.1/tcp/7625'

function book() {
  const logged: unknown[] = []
  const faults = createFaults({
    clock: new VirtualClock(),
    random: () => 0.5,
    log: { info: (code, fields) => void logged.push([code, fields]) },
  })
  return { faults, logged }
}

test('without faults the transport is the same object', () => {
  const make: () => Transport = tcp() as unknown as () => Transport

  expect(withFaults(make, undefined)).toBe(make)
  expect(withFaults(make, book().faults)).not.toBe(make)
})

test('a rule is replaced whole, listed, and ended; each change is logged', () => {
  const { faults, logged } = book()
  faults.set({ to: id, latencyMs: 100 })
  faults.set({ to: `${address}/p2p/${id}`, stall: true })
  faults.set({ to: address, cut: true })

  expect(faults.list()).toEqual([
    { to: `${address}/p2p/${id}`, stall: true },
    { to: address, cut: true },
  ])
  faults.clear(id)
  expect(faults.list()).toEqual([{ to: address, cut: true }])
  faults.clear()
  expect(faults.list()).toEqual([])
  expect(faults.reset(id)).toBe(0)
  expect(logged).toEqual([
    ['devnet/link', { to: id, latencyMs: 100 }],
    ['devnet/link', { to: `${address}/p2p/${id}`, stall: true }],
    ['devnet/link', { to: address, cut: true }],
    ['devnet/link', { to: id, healed: true }],
    ['devnet/link', { to: 'all', healed: true }],
    ['devnet/link', { to: id, reset: 0 }],
  ])
})

test('text that names no peer is refused', () => {
  const { faults } = book()

  for (const to of ['', 'n1', '/ip4/127.0.0.1', '/dns4', '/ip4/1.2.3.4/tcp/1/p2p/n1'])
    expect(faults.set({ to, cut: true })).toMatchObject({ ok: false, code: 'p2p/bad-link' })
})

test('links with rules are limited, and a rule that is there can still be changed', () => {
  const { faults } = book()
  const to = (port: number) => `/ip4/127.0.0.1/tcp/${port}`
  for (let port = 1; port <= limits.linkRulesMax; port++)
    expect(faults.set({ to: to(port), cut: true }).ok).toBe(true)

  expect(faults.set({ to: to(9_000), cut: true })).toMatchObject({ code: 'p2p/too-many-links' })
  expect(faults.set({ to: to(1), stall: true }).ok).toBe(true)
})
