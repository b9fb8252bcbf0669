import { expect, test } from 'vitest'
import { banner } from './banner.ts'

const facts = {
  version: '0.1.0',
  network: 'dev',
  chainId: 1337,
  digest: '3f9a…12',
  peerId: '12D3KooWSEwHLiGRxRYJMMjKWA3Qq7UHUCpgoLNWYwqBD616oqv9',
  p2p: '/ip4/127.0.0.1/tcp/7625/p2p/12D3KooWSEwHLiGRxRYJMMjKWA3Qq7UHUCpgoLNWYwqBD616oqv9',
  rpc: 'http://127.0.0.1:8545',
  ops: 'http://127.0.0.1:7626',
  crypto: 'secp256k1 native, 2 workers, hash-wasm',
  datadir: `/a/very/long/path${'/x'.repeat(60)}`,
  head: 12,
  readyMs: 1_432,
  notes: ['slow signatures: npm rebuild secp256k1 --ignore-scripts=false'],
}

test('a banner has at most 24 lines of 80 columns and names every address', () => {
  const lines = banner(facts).trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80)
  expect(banner(facts)).toContain('http://127.0.0.1:8545')
  expect(banner(facts)).toContain('slow signatures')
  expect(banner(facts)).toContain('ready in 1.4 s')
})

test('a banner prints only what listens', () => {
  const { rpc: _rpc, ops: _ops, ...quiet } = facts
  expect(banner(quiet)).not.toContain('http://')
})
