import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { resolveDevnetNode } from './devnet-node.ts'

/** A folder with one devnet of two nodes, and a folder deep inside it. */
function checkout(name: string) {
  const root = mkdtempSync(join(tmpdir(), 'rockpool-node-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const inside = join(root, 'a', 'b')
  mkdirSync(inside, { recursive: true })
  mkdirSync(join(root, '.devnet', name), { recursive: true })
  const nodes = ['n0', 'n1'].map(each => ({ name: each, datadir: `/data/${each}` }))
  writeFileSync(join(root, '.devnet', name, 'network.json'), JSON.stringify({ nodes }))
  return { root, inside }
}

test('a node of the default devnet is found from any folder below', () => {
  const { root, inside } = checkout('default')

  expect(resolveDevnetNode(['status', '--node', 'n1', '--json'], inside)).toEqual([
    ...['status', '--json', '--datadir', '/data/n1'],
  ])
  expect(resolveDevnetNode(['--node=n0', 'health'], root)).toEqual([
    ...['health', '--datadir', '/data/n0'],
  ])
})

test('another devnet is named', () => {
  const { root } = checkout('other')

  expect(resolveDevnetNode(['stop', '--node', 'n0', '--devnet', 'other'], root)).toEqual([
    ...['stop', '--datadir', '/data/n0'],
  ])
})

test('without --node nothing changes', () => {
  expect(resolveDevnetNode(['run', '--rpc.port', '0'], '/')).toEqual(['run', '--rpc.port', '0'])
})

test('what cannot be found is refused with what there is', () => {
  const { root } = checkout('default')

  expect(() => resolveDevnetNode(['status', '--node', 'n7'], root)).toThrow('has n0, n1')
  expect(() => resolveDevnetNode(['status', '--node'], root)).toThrow('--node needs a name')
  expect(() => resolveDevnetNode(['status', '--devnet', 'x'], root)).toThrow('name a node too')
  expect(() => resolveDevnetNode(['status', '--node', 'n0', '--devnet', 'x'], root)).toThrow(
    'devnet "x" is not running',
  )
})
