import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const keys = ['p2p.listen.ip', 'p2p.listen.tcp', 'rpc.port', 'ops.port']

test('a swap of neighbours is one mistake, not two', () => {
  expect(nearest('p2p.listen.tpc', keys)).toBe('p2p.listen.tcp')
  expect(nearest('rpc.prot', keys)).toBe('rpc.port')
})

test('a letter more, less or other is one mistake', () => {
  expect(nearest('rpc.portt', keys)).toBe('rpc.port')
  expect(nearest('rpc.prt', keys)).toBe('rpc.port')
  expect(nearest('ops.pory', keys)).toBe('ops.port')
})

test('what resembles nothing has no nearest', () => {
  expect(nearest('tower.enabled', keys)).toBeUndefined()
})
