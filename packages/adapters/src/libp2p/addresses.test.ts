import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { ipOf, listenAddress, parseTargets } from './addresses.ts'

const self = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const other = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'
const third = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const at = (id: string, port = 7_625) => `/ip4/10.0.0.1/tcp/${port}/p2p/${id}`

function parsed(statics: readonly string[], bootnodes: readonly string[] = []) {
  const skipped: string[] = []
  const targets = parseTargets(statics, bootnodes, self, kind => void skipped.push(kind))
  return { skipped, targets: targets.map(({ id, kind }) => `${kind} ${id}`) }
}

test('static peers and bootnodes are kept, the own id is skipped with a notice, repetitions are one', () => {
  expect(parsed([at(other), at(self), at(other)], [at(third), at(other)])).toEqual({
    skipped: ['static'],
    targets: [`static ${other}`, `bootnode ${third}`],
  })
})

test.each([
  ['no peer id', '/ip4/10.0.0.1/tcp/7625'],
  ['no address', 'enode://abc'],
  ['nothing', ''],
  ['nothing to dial', `/p2p/${other}`],
  ['an id that is none', '/ip4/10.0.0.1/tcp/7625/p2p/12D3KooX'],
])('%s refuses to start with the text that was given', (_, text) => {
  expect(() => parsed([text])).toThrow(`config/bad-static-peer: ${text}`)
  expect(() => parsed([], [text])).toThrow(`config/bad-bootnode: ${text}`)
})

test('one id under two addresses is refused', () => {
  expect(() => parsed([at(other), at(other, 7_626)])).toThrow(
    `config/bad-static-peer: ${at(other, 7_626)}`,
  )
})

test('a name may be dialled, and has no literal IP', () => {
  expect(parsed([`/dns4/node.example/tcp/7625/p2p/${other}`]).targets).toEqual([`static ${other}`])
  expect(ipOf(multiaddr('/dns4/node.example/tcp/7625'))).toBe('')
  expect(ipOf(multiaddr('/ip6/::1/tcp/7625'))).toBe('::1')
})

test('an address to listen on that cannot be read is refused with its text', () => {
  expect(listenAddress('/ip4/0.0.0.0/tcp/0')).toBe('/ip4/0.0.0.0/tcp/0')
  expect(() => listenAddress('0.0.0.0:7625')).toThrow('config/bad-listen-address: 0.0.0.0:7625')
})
